/* SPDX-License-Identifier: Apache-2.0 */
/* Each trial has a host of its own, and tells what it saw: whether the host still answers, and what
 * went with the harm. Nothing is said that was not looked at. */
#include "bench/trials.h"

#include "bench/child.h"
#include "bench/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    SOON_MS = 5000,  /* for what should happen */
    SHORT_MS = 1000, /* for what should not */
    CONFIG_STATUS = 78,
    LEAK_MIB = 64
};

#define SAY(...) snprintf(words, ISWI_BENCH_WORDS_BYTES, __VA_ARGS__)

static bool begin(iswi_bench_child *child, bool inside)
{
    const iswi_bench_child_options options = { .inside = inside, .worker = "" };

    return iswi_bench_child_begin(child, &options) &&
           iswi_bench_child_await(child, "http", 200, SOON_MS);
}

/* How the host ended, in words. */
static void say_end(const iswi_bench_child *child, char *words)
{
    if (WIFSIGNALED(child->status))
        SAY("the host: it ended by signal %d, with all its workers and connections",
            WTERMSIG(child->status));
    else
        SAY("the host: it ended with status %d, with all its workers and connections",
            WEXITSTATUS(child->status));
}

/* Do harm, and see whether somebody answers afterwards. */
static bool harm(bool inside, const char *path, char *words)
{
    iswi_bench_child child;
    int64_t before_ns;
    bool ok = begin(&child, inside);
    bool serves = false;
    int beside = -1;
    int harmed = 0;
    int answer = 0;

    if (ok)
        beside = iswi_bench_child_ask(&child, "nap", SOON_MS);
    ok = ok && iswi_bench_child_await(&child, "napping", 200, SOON_MS);
    before_ns = iswi_bench_now_ns();
    if (ok) {
        harmed = iswi_bench_child_get(&child, path, SOON_MS);
        serves = iswi_bench_child_await(&child, "http", 200, SOON_MS);
    }
    before_ns = iswi_bench_now_ns() - before_ns;
    answer = iswi_bench_child_answer(beside);
    if (ok && harmed == 200)
        SAY("nothing that was seen");
    else if (ok && serves)
        SAY("%s, and the call beside it (%d); the host answers again after %.0f ms",
            inside ? "its call" : "the worker's process", answer, (double)before_ns / 1e6);
    else if (ok && iswi_bench_child_is_over(&child))
        say_end(&child, words);
    else if (ok)
        SAY("the host, which goes on and answers nobody");
    iswi_bench_child_end(&child);
    return ok;
}

static bool try_crash(bool inside, char words[ISWI_BENCH_WORDS_BYTES])
{
    return harm(inside, "crash", words);
}

static bool try_overwrite(bool inside, char words[ISWI_BENCH_WORDS_BYTES])
{
    return harm(inside, "overwrite", words);
}

/* -- A leak ------------------------------------------------------------------------------------ */

/* Memory of all of it once the worker's process was ended by hand. */
static double after_its_end(iswi_bench_child *child, pid_t worker)
{
    kill(worker, SIGTERM);
    for (int64_t until_ns = iswi_bench_now_ns() + SOON_MS * 1000000LL;
         kill(worker, 0) == 0 && !iswi_bench_is_over(until_ns);)
        iswi_bench_sleep_ns(1000000);
    iswi_bench_child_await(child, "http", 200, SOON_MS);
    return iswi_bench_child_mib(child);
}

static bool try_leak(bool inside, char words[ISWI_BENCH_WORDS_BYTES])
{
    iswi_bench_child child;
    bool ok = begin(&child, inside);
    double all = ok ? iswi_bench_child_mib(&child) : 0;
    double host = ok ? iswi_bench_mib(child.pid) : 0;
    pid_t worker = ok ? iswi_bench_child_worker(&child) : 0;

    ok = ok && iswi_bench_child_get(&child, "leak", SOON_MS) == 200;
    if (ok) {
        double grown = iswi_bench_child_mib(&child) - all;

        host = iswi_bench_mib(child.pid) - host;
        if (worker)
            SAY("%.0f MiB, %.0f of them in the host; %.0f are back when the worker's process has "
                "ended", grown, host < 0 ? 0 : host,
                grown + all - after_its_end(&child, worker));
        else
            SAY("%.0f MiB, %.0f of them in the host, until that ends", grown, host);
    }
    iswi_bench_child_end(&child);
    return ok;
}

/* -- A function that hangs --------------------------------------------------------------------- */

static bool try_hang(bool inside, char words[ISWI_BENCH_WORDS_BYTES])
{
    iswi_bench_child child;
    bool ok = begin(&child, inside);
    int first = ok ? iswi_bench_child_get(&child, "hang", SOON_MS) : 0;
    int64_t before_ns = iswi_bench_now_ns();
    bool freed = ok && iswi_bench_child_await(&child, "hanging", 404, SHORT_MS);
    double ms = (double)(iswi_bench_now_ns() - before_ns) / 1e6;
    int second = 0;
    int after = 0;

    if (ok && !freed) {
        second = iswi_bench_child_get(&child, "hang", SOON_MS);
        after = iswi_bench_child_get(&child, "http", SHORT_MS);
    }
    if (freed)
        SAY("its call (%d); the worker's process is replaced %.0f ms later", first, ms);
    else if (ok)
        SAY("its call (%d) and a thread until the host ends; when all of the worker's hang (%d), "
            "others %s", first, second,
            after == 200 ? "are answered still" : "are answered no more");
    iswi_bench_child_end(&child);
    return ok;
}

/* -- What host.yaml may not say ---------------------------------------------------------------- */

static const struct {
    const char *option, *line;
} options[] = {
    { "processes", "    processes: 2\n" },
    { "environment", "    environment: [A=1]\n" },
    { "restart_delay", "    restart_delay: 1s\n" },
    { "restart_delay_max", "    restart_delay_max: 40s\n" },
    { "give_up_after", "    give_up_after: 3\n" },
    { "memory_limit", "    memory_limit: 64MiB\n" },
    { "recycle_after", "    recycle_after: {invocations: 1000}\n" },
    { "rlimits", "    rlimits: {nofile: 64}\n" },
    { "nice", "    nice: 1\n" },
    { "user", "    user: root\n" },
    { "group", "    group: root\n" },
    { "health.restart_after", "    health: {restart_after: 1m}\n" },
    { "stop_timeout", "    stop_timeout: 5s\n" },
    { "link.lane", "    link: {lane: message}\n" },
    { "link.spin_us", "    link: {spin_us: 10}\n" },
    { "queue", "    queue: {limit: 10}\n" },
    { "start_timeout", "    start_timeout: 5s\n" },
    { "directory", "    directory: .\n" },
};

static bool try_options(bool inside, char words[ISWI_BENCH_WORDS_BYTES])
{
    size_t size = 0;
    bool ok = true;

    *words = '\0';
    for (size_t i = 0; ok && i < sizeof options / sizeof options[0]; i++) {
        const iswi_bench_child_options with = { .inside = inside, .worker = options[i].line };
        iswi_bench_child child;
        int status = iswi_bench_child_make(&child, &with) ? iswi_bench_child_check(&child) : -1;

        ok = status == 0 || status == CONFIG_STATUS;
        if (status == CONFIG_STATUS)
            size += (size_t)snprintf(words + size, ISWI_BENCH_WORDS_BYTES - size, "%s%s",
                                     size ? ", " : "", options[i].option);
        iswi_bench_child_end(&child);
    }
    if (ok && !size)
        SAY("nothing");
    return ok;
}

/* -- A debugger -------------------------------------------------------------------------------- */

static bool has_gdb(void)
{
    return system("gdb --version >/dev/null 2>&1") == 0;
}

static bool try_debugger(bool inside, char words[ISWI_BENCH_WORDS_BYTES])
{
    const iswi_bench_child_options with = { .inside = inside, .worker = "", .debugged = "http" };
    iswi_bench_child child;
    bool stopped = false;
    bool ok;
    int asked;

    if (!has_gdb()) {
        SAY("not tried: there is no gdb");
        return true;
    }
    setenv("DEBUGINFOD_URLS", "", 1);
    ok = iswi_bench_child_begin(&child, &with);
    if (ok) {
        asked = iswi_bench_child_ask(&child, "http", SOON_MS);
        stopped = iswi_bench_child_says(&child, "hit Breakpoint", SOON_MS);
        iswi_bench_child_answer(asked);
    }
    if (ok && inside)
        SAY("gdb --args isoworker run --debug; break HANDLER; run: %s",
            stopped ? "it stops there" : "it did not stop there");
    else if (ok)
        SAY("isoworker run --debug FUNCTION: %s",
            stopped ? "it stops there" : "it did not stop there");
    iswi_bench_child_end(&child);
    return ok;
}

const iswi_bench_trial iswi_bench_trials[] = {
    { "crash", "a crash takes along", try_crash },
    { "leak", "a leak of 64 MiB is", try_leak },
    { "hang", "a function that hangs takes along", try_hang },
    { "overwrite", "memory that is overwritten takes along", try_overwrite },
    { "refused", "host.yaml refuses", try_options },
    { "debug", "a debugger in a function", try_debugger },
};
const size_t iswi_bench_trial_count = sizeof iswi_bench_trials / sizeof iswi_bench_trials[0];
