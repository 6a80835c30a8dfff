/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template's life. Invariant: one that is not as fresh as a process that would be spawned now
 * forks nothing.
 */
#include "host/engine/template.h"

#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/engine/template_made.h"
#include "host/engine/template_said.h"
#include "host/system/template.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MS = 1000000,
    LEAVE_MS = 2000, /* from the close of its socket to its end */
    WORD_BYTES = 1024
};

static const char *name_of(const iswi_pool *pool)
{
    return pool->settings->name;
}

static iswi_host *host_of(const iswi_pool *pool)
{
    return pool->processes->host;
}

static void set_state(iswi_template *template, iswi_template_state state, const char *why)
{
    pthread_mutex_lock(&template->lock);
    template->now.state = state;
    if (why)
        snprintf(template->now.why, sizeof template->now.why, "%s", why);
    pthread_mutex_unlock(&template->lock);
}

void iswi_template_init(iswi_pool *pool)
{
    pool->template.socket = pool->template.os.pid_fd = -1;
    pool->template.os.output = pool->template.os.errors = -1;
    pthread_mutex_init(&pool->template.lock, NULL);
}

void iswi_template_fini(iswi_pool *pool)
{
    iswi_parts_forget(&pool->template.made.parts);
    iswi_buffer_fini(&pool->template.said[0]);
    iswi_buffer_fini(&pool->template.said[1]);
    pthread_mutex_destroy(&pool->template.lock);
}

/* -- Its start and its end --------------------------------------------------------------------- */

static bool is_wanted(const iswi_pool *pool)
{
    const iswi_host *host = host_of(pool);

    return pool->settings->start == ISWI_START_WARM && pool->launcher.apart && !pool->debugged &&
           !host->debug && !atomic_load(&host->stops) &&
           atomic_load(&pool->presence) == ISWI_POOL_HERE;
}

static bool watch_all(iswi_pool *pool)
{
    const iswi_template *template = &pool->template;
    iswi_host *host = host_of(pool);

    return iswi_host_watch_template(host, pool, template->socket, ISWI_TEMPLATE_SOCKET) &&
           iswi_host_watch_template(host, pool, template->os.pid_fd, ISWI_TEMPLATE_END) &&
           iswi_host_watch_template(host, pool, template->os.output, ISWI_TEMPLATE_OUTPUT) &&
           iswi_host_watch_template(host, pool, template->os.errors, ISWI_TEMPLATE_ERRORS);
}

/* It is to go, and is asked to. */
static void send_away(iswi_pool *pool, const char *why)
{
    iswi_template *template = &pool->template;

    iswi_host_close_watched(host_of(pool), &template->socket);
    template->until_ns = iswi_now_ns() + (int64_t)LEAVE_MS * MS;
    set_state(template, ISWI_TEMPLATE_ENDING, why);
}

static void kill_template(iswi_pool *pool)
{
    kill(-pool->template.os.pid, SIGKILL);
    pool->template.until_ns = INT64_MAX;
}

/* Try again, later each time; or once what it is made from is another. */
static void start_later(iswi_pool *pool)
{
    const iswi_worker_settings *settings = pool->settings;
    iswi_template *template = &pool->template;
    int64_t delay_ms = settings->restart_delay_ms;

    for (unsigned i = 1; i < template->failures && delay_ms < settings->restart_delay_max_ms; i++)
        delay_ms *= 2;
    if (delay_ms > settings->restart_delay_max_ms)
        delay_ms = settings->restart_delay_max_ms;
    template->start_at_ns = template->failures ? iswi_now_ns() + delay_ms * MS : 0;
    set_state(template, template->refused ? ISWI_TEMPLATE_REFUSED : ISWI_TEMPLATE_NONE, NULL);
}

static void fail(iswi_pool *pool, bool for_good, const char *why)
{
    iswi_template *template = &pool->template;

    template->failures++;
    template->refused = for_good;
    iswi_say(host_of(pool), ISW_LOG_WARNING,
             "worker %s: processes are spawned, and not forked by its template (start: warm): %s",
             name_of(pool), why);
}

static isw_status spawn(iswi_pool *pool, isw_error *error)
{
    const iswi_worker_settings *settings = pool->settings;
    iswi_template *template = &pool->template;
    iswi_spawn_options options = {
        .program = iswi_pool_file(pool),
        .arguments = &settings->command,
        .directory = settings->directory ? settings->directory : host_of(pool)->folder,
        .environment = &settings->environment,
        .config = iswi_reload_config(pool),
        .ring = -1, .arena = -1, .bell = -1, .crash = -1, .metrics = -1,
        .store = pool->store,
        .confinement = &pool->confinement,
    };

    return iswi_template_start(&options, &template->socket, &template->os, error);
}

static void start(iswi_pool *pool, int64_t now_ns)
{
    iswi_template *template = &pool->template;
    isw_error error = { ISW_OK, "" };

    iswi_template_note_made(pool); /* before: what changes meanwhile is another */
    template->refused = false;
    *template->words = '\0';
    if (spawn(pool, &error) != ISW_OK) {
        fail(pool, error.status == ISW_E_CONFIG, error.message);
        start_later(pool);
        set_state(template, template->now.state, error.message);
        return;
    }
    iswi_guard_add(&host_of(pool)->guard, template->os.pid);
    pthread_mutex_lock(&template->lock);
    template->now.pid = template->os.pid;
    pthread_mutex_unlock(&template->lock);
    template->until_ns = now_ns + pool->settings->start_timeout_ms * MS;
    set_state(template, ISWI_TEMPLATE_STARTING, "its template is being started");
    if (!watch_all(pool))
        kill_template(pool);
}

static void describe_end(const iswi_template *template, int status, char *out, size_t size)
{
    char how[96];

    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
    snprintf(out, size, "the template %s%s%s%s", how,
             template->now.state == ISWI_TEMPLATE_STARTING ? " before it was ready" : "",
             *template->words ? ": " : "", template->words);
}

/* How it ended is of interest where nobody wanted that. */
static void judge(iswi_pool *pool, int status)
{
    iswi_template *template = &pool->template;
    bool starting = template->now.state == ISWI_TEMPLATE_STARTING;
    char why[ISW_ERROR_MESSAGE_BYTES];

    if (template->now.state == ISWI_TEMPLATE_ENDING)
        return;
    describe_end(template, status, why, sizeof why);
    fail(pool, starting && WIFEXITED(status), why);
    set_state(template, template->now.state, why);
}

static void end(iswi_pool *pool)
{
    iswi_template *template = &pool->template;
    iswi_host *host = host_of(pool);
    int status = 0;

    kill(-template->os.pid, SIGKILL); /* before it is waited for, its number is its own */
    iswi_guard_remove(&host->guard, template->os.pid);
    pthread_mutex_lock(&template->lock);
    template->now.pid = 0;
    pthread_mutex_unlock(&template->lock);
    if (waitpid(template->os.pid, &status, 0) < 0)
        status = 0;
    iswi_template_read(pool, 0);
    iswi_template_read(pool, 1);
    iswi_template_show_rest(pool);
    iswi_host_close_watched(host, &template->socket);
    iswi_host_close_watched(host, &template->os.pid_fd);
    iswi_host_close_watched(host, &template->os.output);
    iswi_host_close_watched(host, &template->os.errors);
    judge(pool, status);
    start_later(pool);
}

/* -- What it says ------------------------------------------------------------------------------ */

static void refuse(iswi_pool *pool, const char *why)
{
    fail(pool, true, why);
    send_away(pool, why);
}

static void hear(iswi_pool *pool)
{
    iswi_template *template = &pool->template;
    char text[WORD_BYTES];

    if (!iswi_template_hear(template->socket, text, sizeof text)) {
        iswi_host_close_watched(host_of(pool), &template->socket); /* it ends */
        return;
    }
    if (strncmp(text, "refused ", 8) == 0) {
        refuse(pool, text + 8);
    } else if (strcmp(text, "ready") == 0 && template->now.state == ISWI_TEMPLATE_STARTING) {
        template->until_ns = INT64_MAX;
        set_state(template, ISWI_TEMPLATE_READY, "");
        iswi_say(host_of(pool), ISW_LOG_DEBUG, "worker %s: its template is ready, as pid %ld",
                 name_of(pool), (long)template->os.pid);
    }
}

void iswi_template_event(iswi_pool *pool, unsigned what)
{
    if (!pool->template.now.pid)
        return;
    if (what == ISWI_TEMPLATE_SOCKET)
        hear(pool);
    else if (what == ISWI_TEMPLATE_END)
        end(pool);
    else
        iswi_template_read(pool, what - ISWI_TEMPLATE_OUTPUT);
}

/* -- Forks ------------------------------------------------------------------------------------- */

/* Whether it may fork now; else it is said why not, and begun to mend that. */
static bool is_ready(iswi_pool *pool)
{
    iswi_template *template = &pool->template;
    char why[ISW_ERROR_MESSAGE_BYTES];
    const char *changed = NULL;

    if (template->now.state == ISWI_TEMPLATE_READY || template->now.state == ISWI_TEMPLATE_REFUSED)
        changed = iswi_parts_look(&template->made.parts);
    if (!changed && !iswi_template_is_outdated(pool))
        return template->now.state == ISWI_TEMPLATE_READY && template->socket >= 0;
    snprintf(why, sizeof why, "%s has changed since its template was made",
             changed ? changed : "what it is made from");
    if (template->now.state == ISWI_TEMPLATE_READY) {
        send_away(pool, why);
    } else if (template->now.state == ISWI_TEMPLATE_REFUSED) {
        template->failures = 0;
        set_state(template, ISWI_TEMPLATE_NONE, why);
    }
    return false;
}

/* It did not. */
static void take_failure(iswi_pool *pool, iswi_fork done, const char *why)
{
    char words[ISW_ERROR_MESSAGE_BYTES];

    snprintf(words, sizeof words, "the template: %.400s", why);
    if (done == ISWI_FORK_REFUSED) {
        refuse(pool, why);
        return;
    }
    fail(pool, false, words);
    if (done == ISWI_FORK_LOST) {
        send_away(pool, words);
        kill_template(pool);
    }
}

bool iswi_template_begin(iswi_process *process, const iswi_spawn_options *options)
{
    iswi_pool *pool = process->pool;
    iswi_template *template = &pool->template;
    isw_error error = { ISW_OK, "" };
    iswi_spawned os = { .pid = 0 };
    iswi_fork done = ISWI_FORK_FAILED;

    if (!is_wanted(pool) || options->debugged)
        return false;
    if (is_ready(pool)) {
        done = iswi_template_ask(pool, options, &os, &error);
        if (done != ISWI_FORK_DONE)
            take_failure(pool, done, error.message);
    }
    pthread_mutex_lock(&template->lock);
    if (done == ISWI_FORK_DONE)
        template->now.forked++;
    else
        template->now.spawned++;
    pthread_mutex_unlock(&template->lock);
    if (done != ISWI_FORK_DONE)
        return false;
    template->failures = 0;
    process->os = os;
    process->forked = true;
    return true;
}

/* -- The supervisor's turns -------------------------------------------------------------------- */

static void tend_none(iswi_pool *pool, int64_t now_ns)
{
    if (!is_wanted(pool) || !pool->adopted_ns || now_ns < pool->template.start_at_ns)
        return;
    start(pool, now_ns);
}

static void tend_running(iswi_pool *pool, int64_t now_ns)
{
    iswi_template *template = &pool->template;
    bool ends = template->now.state == ISWI_TEMPLATE_ENDING;

    if (!ends && !is_wanted(pool)) {
        send_away(pool, "");
    } else if (!ends && iswi_template_is_outdated(pool)) {
        template->failures = 0;
        send_away(pool, "what its template was made from has changed");
    } else if (now_ns >= template->until_ns) {
        if (!ends)
            refuse(pool, "the template was not ready within start_timeout");
        kill_template(pool);
    }
}

bool iswi_template_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    iswi_template *template = &pool->template;
    int64_t at_ns;

    if (template->now.pid)
        tend_running(pool, now_ns);
    else if (template->now.state == ISWI_TEMPLATE_NONE)
        tend_none(pool, now_ns);
    else if (iswi_template_is_outdated(pool))
        set_state(template, ISWI_TEMPLATE_NONE, NULL);
    at_ns = template->now.pid ? template->until_ns : template->start_at_ns;
    if (is_wanted(pool) || template->now.pid)
        if (at_ns > now_ns && at_ns < *next_ns)
            *next_ns = at_ns;
    return template->now.pid != 0;
}
