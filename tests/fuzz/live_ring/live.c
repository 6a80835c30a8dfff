/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host runs in a thread of its own. Invariant: a slot has at most one call in flight, and only
 * its answer touches it; an answer that comes twice finds a slot that waits for none.
 */
#include "fuzz/live_ring/live.h"

#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ECHOES = 6,
    LARGE_ECHOES = 2, /* the last of them */
    SMALL_BYTES = 100,
    LARGE_BYTES = 64 * 1024,
    HELD = 8, /* answers of lives before, perhaps */
    PATIENCE_S = 15 /* also of a sanitizer's build on a busy machine */
};

typedef struct echo {
    unsigned char bytes[LARGE_BYTES];
    size_t size;
    uint64_t round;
    int64_t started_ns;
    atomic_bool waits;
} echo;

static struct {
    char folder[40];
    iswi_host *host;
    pthread_t thread;
    atomic_bool ended;
    int console;
    int lifeline;

    echo echoes[ECHOES];
    atomic_bool echoing;
    atomic_uint echoes_left;
    int64_t slowest_ns; /* of the calls to it; answers come one at a time */
    sem_t echoes_done;

    unsigned char payload[LARGE_BYTES]; /* of every call to the attacker */
    unsigned attacked;
    atomic_uint answered, succeeded;
    atomic_bool attacked_waits[LIVE_ATTACKED_MAX];
    void *held[HELD]; /* of the last answers that are passed on; only one thread at a time */
    unsigned held_count;
    sem_t attacked_done; /* once for each answer */
} live = { .console = -1, .lifeline = -1 };

/* -- Failing ----------------------------------------------------------------------------------- */

void live_must(bool holds, const char *what)
{
    static char text[16 * 1024];
    ssize_t size;

    if (holds)
        return;
    size = pread(live.console, text, sizeof text, 0);
    fprintf(stderr, "live_ring: %s\n-- the host's console:\n%.*s", what, size > 0 ? (int)size : 0,
            text);
    abort();
}

/* Wait for one post; false when it takes too long. */
static bool await(sem_t *semaphore)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while (sem_timedwait(semaphore, &until) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

void live_check(void)
{
    live_must(!atomic_load(&live.ended), "the host has ended");
    live_must(ftruncate(live.console, 0) == 0, "its console cannot be emptied");
}

int live_lifeline(void)
{
    return live.lifeline;
}

/* -- Calls to the honest worker ---------------------------------------------------------------- */

static void on_echo(void *user, const char *invocation_id, const iswi_answer *answer);

static void start_echo(echo *e)
{
    iswi_call call = { .function = iswi_host_find(live.host, "echo"),
                       .trigger = isw_value_bytes(e->bytes, e->size),
                       .answer = on_echo,
                       .user = e };

    e->round++;
    memcpy(e->bytes, &e->round, sizeof e->round); /* no two calls have the same bytes */
    e->started_ns = iswi_now_ns();
    atomic_store(&e->waits, true);
    iswi_call_start(live.host, &call);
}

static void on_echo(void *user, const char *invocation_id, const iswi_answer *answer)
{
    echo *e = user;
    isw_bytes bytes = isw_value_payload(&answer->result);
    int64_t took_ns = iswi_now_ns() - e->started_ns;

    (void)invocation_id;
    live_must(atomic_exchange(&e->waits, false), "an honest call was answered twice");
    if (answer->outcome != ISW_OUTCOME_SUCCESS)
        fprintf(stderr, "live_ring: %s: %.*s\n", isw_status_name(answer->status),
                (int)answer->message.size, answer->message.size ? answer->message.data : "");
    live_must(answer->outcome == ISW_OUTCOME_SUCCESS, "an honest call did not succeed");
    live_must(bytes.size == e->size && memcmp(bytes.data, e->bytes, e->size) == 0,
              "an honest call was answered with other bytes");
    live_must(took_ns < (int64_t)PATIENCE_S * 1000000000, "an honest call was answered too late");
    live.slowest_ns = took_ns > live.slowest_ns ? took_ns : live.slowest_ns;
    iswi_answer_release(answer->held);
    if (atomic_load(&live.echoing))
        start_echo(e);
    else if (atomic_fetch_sub(&live.echoes_left, 1) == 1)
        sem_post(&live.echoes_done);
}

void live_start_echoes(bool large)
{
    unsigned count = large ? ECHOES : ECHOES - LARGE_ECHOES;

    atomic_store(&live.echoes_left, count);
    atomic_store(&live.echoing, true);
    for (unsigned i = 0; i < count; i++)
        start_echo(&live.echoes[i]);
}

void live_stop_echoes(void)
{
    atomic_store(&live.echoing, false);
    live_must(await(&live.echoes_done), "an honest call was not answered");
}

/* -- Calls to the attacker --------------------------------------------------------------------- */

/* Whichever of the worker's places its process has: a successor takes another one. */
bool live_attacker_is_ready(void)
{
    for (unsigned i = 0; i < iswi_host_worker_places(live.host, 1); i++)
        if (iswi_process_serves(iswi_host_process(live.host, 1, i)))
            return true;
    return false;
}

static uint64_t sum_of(isw_bytes bytes)
{
    const volatile unsigned char *at = bytes.data;
    uint64_t sum = 0;

    for (size_t i = 0; i < bytes.size; i++)
        sum = sum * 31 + at[i];
    return sum;
}

/* As of a client that is slow, until others have come. */
static void hold(void *held)
{
    void **place = &live.held[live.held_count++ % HELD];

    iswi_answer_release(*place);
    *place = held;
}

static bool passes_on(const atomic_bool *waits)
{
    return (waits - live.attacked_waits) % 2;
}

/* Any outcome will do; but what is handed up is read whole, for a sanitizer, and twice, since
 * nobody may write there any more; but for the result of a call that only passes it on, which is
 * read where it lies. */
static void on_attacked(void *user, const char *invocation_id, const iswi_answer *answer)
{
    isw_bytes message = { answer->message.data, answer->message.size };
    isw_bytes result = isw_value_payload(&answer->result);

    (void)invocation_id;
    live_must(atomic_exchange((atomic_bool *)user, false), "a call was answered twice");
    live_must((sum_of(result) == sum_of(result) || passes_on(user)) &&
                  sum_of(message) == sum_of(message),
              "an answer changed after it was given");
    if (answer->outcome == ISW_OUTCOME_SUCCESS)
        atomic_fetch_add(&live.succeeded, 1);
    if (passes_on(user))
        hold(answer->held);
    else
        iswi_answer_release(answer->held);
    atomic_fetch_add(&live.answered, 1);
    sem_post(&live.attacked_done);
}

void live_call_attacker(const char *name, size_t size)
{
    iswi_host_function *function = iswi_host_find(live.host, name);
    iswi_call call = { .function = function,
                       .trigger = isw_value_bytes(live.payload,
                                                 size < LARGE_BYTES ? size : LARGE_BYTES),
                       .answer = on_attacked };

    if (!function || live.attacked == LIVE_ATTACKED_MAX)
        return;
    call.user = &live.attacked_waits[live.attacked++];
    call.passes_on = passes_on(call.user);
    atomic_store((atomic_bool *)call.user, true);
    iswi_call_start(live.host, &call);
}

unsigned live_attacker_answers(void)
{
    return atomic_load(&live.answered);
}

unsigned live_await_attacker(void)
{
    for (unsigned i = 0; i < live.attacked; i++)
        live_must(await(&live.attacked_done), "a call to the attacker was not answered");
    live.attacked = 0;
    atomic_store(&live.answered, 0);
    return atomic_exchange(&live.succeeded, 0);
}

/* -- The host ---------------------------------------------------------------------------------- */

static void write_host_yaml(void)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "%s/host.yaml", live.folder);
    file = fopen(path, "we");
    live_must(file != NULL, "host.yaml cannot be written");
    fprintf(file,
            "host: {heartbeat: 0, function_timeout: 0, cancel_grace: 100ms}\n"
            "http: {enabled: false}\n"
            "functions:\n"
            "  - {name: attacked, timeout: 300ms}\n"
            "workers:\n"
            "  - name: honest\n"
            "    command: [%s/live_ring_echo]\n"
            "    link: {lane: ring}\n"
            "  - name: attacker\n"
            "    command: [%s/live_ring_greeter]\n"
            "    link: {lane: ring}\n"
            "    start_timeout: 60s\n"
            "    give_up_after: 1000\n"
            "    restart_delay: 1ms\n"
            "    restart_delay_max: 1ms\n",
            ISW_FUZZ_WORKERS, ISW_FUZZ_WORKERS);
    live_must(fclose(file) == 0, "host.yaml cannot be written");
}

static void listen_for_greeters(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    live.lifeline = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/lifeline", live.folder);
    live_must(live.lifeline >= 0 &&
                  bind(live.lifeline, (struct sockaddr *)&address, sizeof address) == 0 &&
                  listen(live.lifeline, 8) == 0,
              "no lifeline");
}

static void *run_host(void *user)
{
    isw_error error = { ISW_OK, "" };

    (void)user;
    iswi_host_run(live.host, &error);
    atomic_store(&live.ended, true);
    return NULL;
}

static void stop(void)
{
    static const char *const names[] = { "host.yaml", "lifeline" };
    char path[64];

    iswi_host_stop(live.host);
    iswi_host_stop(live.host); /* the attacker waits for nothing */
    pthread_join(live.thread, NULL);
    iswi_host_destroy(live.host);
    fprintf(stderr, "the slowest honest call took %lld us\n", (long long)live.slowest_ns / 1000);
    close(live.lifeline);
    close(live.console);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", live.folder, names[i]);
        unlink(path);
    }
    rmdir(live.folder);
}

static void await_honest(void)
{
    struct timespec moment = { 0, 1000000 };
    int64_t until = iswi_now_ns() + (int64_t)PATIENCE_S * 1000000000;
    iswi_process *process = iswi_host_process(live.host, 0, 0);

    while (!iswi_process_serves(process)) {
        live_must(iswi_now_ns() < until, "the honest worker did not become ready");
        nanosleep(&moment, NULL);
    }
}

void live_start(void)
{
    iswi_host_overrides overrides = { .port = -1, .json = -1 };
    isw_error error = { ISW_OK, "" };

    if (live.host)
        return;
    strcpy(live.folder, "/tmp/isoworker-fuzz-XXXXXX");
    live_must(mkdtemp(live.folder) != NULL, "no folder");
    live.console = memfd_create("console", MFD_CLOEXEC);
    fcntl(live.console, F_SETFL, O_APPEND); /* so that it can be emptied */
    sem_init(&live.echoes_done, 0, 0);
    sem_init(&live.attacked_done, 0, 0);
    for (int i = 0; i < ECHOES; i++) {
        live.echoes[i].size = i < ECHOES - LARGE_ECHOES ? SMALL_BYTES : LARGE_BYTES;
        memset(live.echoes[i].bytes, 'a' + i, LARGE_BYTES);
    }
    write_host_yaml();
    listen_for_greeters();
    overrides.output = live.console;
    if (iswi_host_create(live.folder, &overrides, &live.host, &error) != ISW_OK)
        live_must(false, error.message);
    live_must(pthread_create(&live.thread, NULL, run_host, NULL) == 0, "no thread");
    atexit(stop);
    await_honest();
}
