/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a process: start, hello, loads, heartbeat, end, and the next start. All on the
 * supervisor's thread. iswi_process_tend is the state machine; each state has one function, and
 * each function says when it wants to be called again.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { MS = 1000000, LINGER_MS = 1000, LAST_WORDS_MS = 500, HEARTBEATS_MISSED = 3 };

static void sooner(int64_t *next_ns, int64_t at_ns)
{
    if (at_ns < *next_ns)
        *next_ns = at_ns;
}

static void set_state(iswi_process *process, iswi_process_state state, int64_t until_ns)
{
    pthread_mutex_lock(&process->lock);
    iswi_process_set_state(process, state);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = until_ns;
}

static void send_one(iswi_process *process, const iswi_frame *frame)
{
    pthread_mutex_lock(&process->lock);
    iswi_process_send(process, frame);
    pthread_mutex_unlock(&process->lock);
}

/* -- Start ------------------------------------------------------------------------------------- */

static void reset(iswi_process *process)
{
    process->credit = process->loads_awaited = process->answered = 0;
    process->hello_came = process->metadata_asked = process->closed = process->goodbye = false;
    process->loads_sent = process->hopeless = process->signalled = false;
    process->kill_at_ns = 0;
    process->fault = (isw_error){ ISW_OK, "" };
    process->started_ns = process->asked_ns = iswi_now_ns();
    process->state_until_ns =
        process->started_ns + process->pool->settings->start_timeout_ms * MS;
    atomic_store(&process->heard_ns, process->started_ns);
}

static void close_watched(iswi_process *process, int *fd)
{
    iswi_host_unwatch(process->host, *fd);
    close(*fd);
    *fd = -1;
}

static isw_status listen_for(iswi_process *process, char *url, size_t size, isw_error *error)
{
    iswi_link_events events;

    snprintf(url, size, "ipc://%s/%u", process->host->runtime_folder,
             ++process->host->socket_number);
    iswi_process_events(process, &events);
    return iswi_message_lane_listen(url, &events, &process->link, error);
}

static isw_status spawn(iswi_process *process, const char *url, isw_error *error)
{
    const iswi_worker_settings *settings = process->pool->settings;
    iswi_spawn_options options = {
        .program = process->pool->program,
        .arguments = &settings->command,
        .directory = settings->directory ? settings->directory : process->host->folder,
        .environment = &settings->environment,
        .url = url,
        .config = settings->config,
        .token = process->token,
        .token_bytes = sizeof process->token,
    };
    isw_status status = iswi_spawn(&options, &process->os, error);

    if (status != ISW_OK)
        return status;
    process->running = true;
    iswi_guard_add(&process->host->guard, process->os.pid);
    if (iswi_host_watch(process->host, process, process->os.pid_fd, 0) &&
        iswi_host_watch(process->host, process, process->os.output, 1) &&
        iswi_host_watch(process->host, process, process->os.errors, 2))
        return ISW_OK;
    isw_error_set(error, ISW_E_IO, "it cannot be watched: %s", strerror(errno));
    kill(-process->os.pid, SIGKILL);
    waitpid(process->os.pid, NULL, 0);
    iswi_guard_remove(&process->host->guard, process->os.pid);
    close_watched(process, &process->os.pid_fd);
    close_watched(process, &process->os.output);
    close_watched(process, &process->os.errors);
    process->running = false;
    return error->status;
}

void iswi_process_start(iswi_process *process)
{
    isw_error error = { ISW_OK, "" };
    char url[128];
    isw_status status;

    /* Held until os.pid is known: hello compares it. */
    pthread_mutex_lock(&process->lock);
    reset(process);
    iswi_process_set_state(process, ISWI_PROCESS_STARTING);
    status = iswi_random(process->token, sizeof process->token)
                 ? listen_for(process, url, sizeof url, &error)
                 : isw_error_set(&error, ISW_E_IO, "the kernel gave no random bytes");
    if (status == ISW_OK)
        status = spawn(process, url, &error);
    if (status != ISW_OK) {
        process->fault = error;
        iswi_process_set_state(process, ISWI_PROCESS_KILLED);
        process->ended_ns = iswi_now_ns();
    }
    pthread_mutex_unlock(&process->lock);
    if (status == ISW_OK)
        iswi_console_say(&process->host->console, ISW_LOG_DEBUG, "worker %s: started as pid %ld",
                         process->label, (long)process->os.pid);
}

/* -- End --------------------------------------------------------------------------------------- */

void iswi_process_kill(iswi_process *process, const char *format, ...)
{
    va_list args;

    if (process->fault.status == ISW_OK) {
        process->fault.status = ISW_E_UNAVAILABLE;
        va_start(args, format);
        vsnprintf(process->fault.message, sizeof process->fault.message, format, args);
        va_end(args);
    }
    set_state(process, ISWI_PROCESS_KILLED, INT64_MAX);
    process->signalled = true;
    if (process->running)
        kill(-process->os.pid, SIGKILL);
}

static void describe_end(int status, char *text, size_t size)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG)
        snprintf(text, size, "refused its configuration, see its words above (status %d)",
                 EX_CONFIG);
    else if (WIFEXITED(status))
        snprintf(text, size, "exited with status %d", WEXITSTATUS(status));
    else
        snprintf(text, size, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
}

void iswi_process_ended(iswi_process *process)
{
    int status = 0;
    char how[96];

    if (!process->running || waitpid(process->os.pid, &status, WNOHANG) <= 0)
        return;
    process->running = false;
    process->ended_ns = iswi_now_ns();
    kill(-process->os.pid, SIGKILL); /* what it left behind */
    iswi_guard_remove(&process->host->guard, process->os.pid);
    iswi_process_read_output(process, false);
    iswi_process_read_output(process, true);
    close_watched(process, &process->os.pid_fd);
    close_watched(process, &process->os.output);
    close_watched(process, &process->os.errors);
    describe_end(status, how, sizeof how);
    pthread_mutex_lock(&process->lock);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG)
        process->hopeless = true;
    if (!process->goodbye)
        isw_error_set(&process->fault, ISW_E_WORKER_LOST, "it %s", how);
    iswi_process_set_state(process, ISWI_PROCESS_KILLED);
    pthread_mutex_unlock(&process->lock);
}

/* Delay before the next start: none at first, then doubling, with a fifth of jitter either way. */
static int64_t restart_delay_ns(const iswi_process *process)
{
    const iswi_worker_settings *settings = process->pool->settings;
    int64_t delay = settings->restart_delay_ms;
    uint32_t random = 0;

    if (process->failures <= 1)
        return 0;
    for (unsigned i = 2; i < process->failures && delay < settings->restart_delay_max_ms; i++)
        delay *= 2;
    if (delay > settings->restart_delay_max_ms)
        delay = settings->restart_delay_max_ms;
    iswi_random(&random, sizeof random);
    return delay * MS / 100 * (80 + random % 41);
}

/* Decide what comes after the end. */
static void decide_next(iswi_process *process)
{
    iswi_console *console = &process->host->console;
    bool stopping = atomic_load(&process->host->stops);
    int64_t delay;

    process->failures = process->answered ? 0 : process->failures + 1;
    if (stopping || process->hopeless ||
        (int64_t)process->failures >= process->pool->settings->give_up_after) {
        if (!stopping)
            iswi_console_say(console, ISW_LOG_ERROR,
                             "worker %s: given up%s: %s. Its functions answer 503 until the host "
                             "is started again", process->label,
                             process->hopeless ? "" : " after too many ends in a row",
                             process->fault.message);
        set_state(process, ISWI_PROCESS_GONE, INT64_MAX);
        return;
    }
    delay = restart_delay_ns(process);
    if (!process->goodbye || process->fault.status != ISW_OK)
        iswi_console_say(console, ISW_LOG_ERROR, "worker %s: %s; starts again in %lld ms",
                         process->label, process->fault.message, (long long)(delay / MS));
    process->start_at_ns = iswi_now_ns() + delay;
    set_state(process, ISWI_PROCESS_WAITING, INT64_MAX);
}

/* The process has ended; when its last words are in, or do not come, the link goes too. */
static void bury(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    int64_t wait_until = process->ended_ns + (int64_t)LAST_WORDS_MS * MS;
    bool closed;

    pthread_mutex_lock(&process->lock);
    closed = process->closed || !process->link || !process->hello_came;
    pthread_mutex_unlock(&process->lock);
    if (!closed && now_ns < wait_until) {
        sooner(next_ns, wait_until);
        return;
    }
    iswi_link_destroy(process->link); /* events may take the lock */
    pthread_mutex_lock(&process->lock);
    process->link = NULL;
    iswi_message_release(process->metadata);
    process->metadata = NULL;
    pthread_mutex_unlock(&process->lock);
    iswi_process_lose_calls(process, "the worker ended before it answered");
    decide_next(process);
    sooner(next_ns, now_ns);
}

/* -- Output ------------------------------------------------------------------------------------ */

static void show_line(iswi_process *process, bool errors, const char *text, size_t size)
{
    iswi_logline line = { .level = errors ? ISW_LOG_WARNING : ISW_LOG_INFO,
                          .time_us = iswi_wall_us(),
                          .source = isw_str_of(process->label),
                          .category = isw_str_of(errors ? "stderr" : "stdout"),
                          .message = { text, size } };

    if (size && line.level >= process->host->console.level)
        iswi_console_line(&process->host->console, &line);
}

void iswi_process_read_output(iswi_process *process, bool errors)
{
    enum { LINE_MOST = 8192 };
    iswi_buffer *line = errors ? &process->errors_line : &process->output_line;
    int fd = errors ? process->os.errors : process->os.output;
    char block[4096];
    ssize_t got = read(fd, block, sizeof block);

    for (ssize_t i = 0; i < got; i++) {
        if (block[i] != '\n')
            iswi_buffer_append(line, &block[i], 1);
        if (block[i] == '\n' || line->size >= LINE_MOST || line->failed) {
            show_line(process, errors, (const char *)line->data, line->size);
            iswi_buffer_reset(line);
        }
    }
    if (got == (ssize_t)sizeof block) {
        iswi_process_read_output(process, errors);
    } else if (got == 0 && line->size) {
        show_line(process, errors, (const char *)line->data, line->size);
        iswi_buffer_reset(line);
    }
    if (got == 0)
        iswi_host_unwatch(process->host, fd);
}

/* -- States ------------------------------------------------------------------------------------ */

static isw_pairs levels_of(const iswi_host *host, iswi_arena *arena)
{
    const iswi_logging_settings *logging = &host->settings->logging;
    const iswi_level_rule *rules = logging->levels.items;
    isw_pair *pairs = iswi_arena_calloc(arena, logging->levels.count + 1, sizeof *pairs);

    if (!pairs)
        return (isw_pairs){ NULL, 0 };
    pairs[0] = (isw_pair){ isw_str_of("*"),
                           isw_str_of(isw_log_level_name((isw_log_level)logging->level)) };
    for (size_t i = 0; i < logging->levels.count; i++)
        pairs[i + 1] = (isw_pair){ isw_str_of(rules[i].category),
                                   isw_str_of(isw_log_level_name((isw_log_level)rules[i].level)) };
    return (isw_pairs){ pairs, logging->levels.count + 1 };
}

static void greet(iswi_process *process)
{
    iswi_frame frame = { .kind = ISWI_HOST_HELLO };
    iswi_host_hello *hello = &frame.as.host_hello;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    hello->protocol = ISWI_PROTOCOL_MAX;
    hello->proof = (isw_bytes){ process->token + ISWI_TOKEN_BYTES, ISWI_TOKEN_BYTES };
    hello->host = isw_str_of("isoworker");
    hello->host_version = isw_str_of(ISW_VERSION_STRING);
    hello->heartbeat_ms = (uint64_t)process->host->options.heartbeat_ms;
    hello->log_levels = levels_of(process->host, &arena);
    hello->worker = isw_str_of(process->pool->settings->name);
    hello->directory = isw_str_of(process->host->folder);
    send_one(process, &frame);
    iswi_arena_fini(&arena);
}

static bool somebody_is_asked(const iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        bool asked;

        pthread_mutex_lock(&process->lock);
        asked = process->state == ISWI_PROCESS_LOADING &&
                (process->metadata_asked || process->metadata);
        pthread_mutex_unlock(&process->lock);
        if (asked)
            return true;
    }
    return false;
}

static void starting(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    bool hello_came;

    pthread_mutex_lock(&process->lock);
    hello_came = process->hello_came;
    pthread_mutex_unlock(&process->lock);
    if (hello_came) {
        greet(process);
        set_state(process, ISWI_PROCESS_LOADING, process->state_until_ns);
        sooner(next_ns, now_ns);
    } else if (now_ns >= process->state_until_ns) {
        iswi_process_kill(process,
                          "it did not say hello within %lld ms; is %s a worker that calls "
                          "isw_main?", (long long)process->pool->settings->start_timeout_ms,
                          process->pool->program);
    }
    sooner(next_ns, process->state_until_ns);
}

static void index_functions(iswi_process *process, iswi_message *message, isw_bytes bytes)
{
    isw_error error = { ISW_OK, "" };
    iswi_arena arena;
    iswi_frame frame;
    size_t used;
    isw_status status;

    iswi_arena_init(&arena, 16 * 1024);
    status = iswi_frame_decode(bytes.data, bytes.size, &arena, &frame, &used, &error);
    if (status == ISW_OK && frame.as.metadata.status.code)
        status = isw_error_set(&error, ISW_E_FAILED, "%.*s",
                               (int)frame.as.metadata.status.message.size,
                               frame.as.metadata.status.message.data);
    if (status == ISW_OK)
        status = iswi_functions_index(process->host, process->pool, &frame.as.metadata, &error);
    if (status != ISW_OK)
        iswi_process_kill(process, "its functions could not be read: %s", error.message);
    iswi_arena_fini(&arena);
    iswi_message_release(message);
}

static void send_loads(iswi_process *process)
{
    iswi_pool *pool = process->pool;

    pthread_mutex_lock(&process->lock);
    process->loads_sent = true;
    process->loads_awaited = (unsigned)pool->function_count;
    for (size_t i = 0; i < pool->function_count; i++) {
        iswi_frame frame = { .kind = ISWI_LOAD, .id = i + 1 };

        frame.as.load.function = pool->functions[i]->number;
        frame.as.load.name = isw_str_of(pool->functions[i]->name);
        iswi_process_send(process, &frame);
    }
    pthread_mutex_unlock(&process->lock);
}

static void become_ready(iswi_process *process, int64_t now_ns)
{
    set_state(process, ISWI_PROCESS_READY, INT64_MAX);
    process->asked_ns = now_ns;
    iswi_console_say(&process->host->console,
                     process->failures ? ISW_LOG_INFO : ISW_LOG_DEBUG,
                     "worker %s: ready after %lld ms", process->label,
                     (long long)((now_ns - process->started_ns) / MS));
}

static void loading(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    iswi_message *metadata;
    isw_bytes frame;
    bool ready;

    pthread_mutex_lock(&process->lock);
    metadata = process->metadata;
    frame = process->metadata_frame;
    process->metadata = NULL;
    ready = process->loads_sent && process->loads_awaited == 0 && process->credit;
    pthread_mutex_unlock(&process->lock);
    if (metadata)
        index_functions(process, metadata, frame);
    if (!process->pool->indexed && !somebody_is_asked(process->pool)) {
        pthread_mutex_lock(&process->lock);
        process->metadata_asked = true;
        iswi_process_send(process, &(iswi_frame){ .kind = ISWI_METADATA_REQUEST, .id = 1 });
        pthread_mutex_unlock(&process->lock);
    } else if (process->pool->indexed && !process->loads_sent) {
        send_loads(process);
        sooner(next_ns, now_ns);
    } else if (ready) {
        become_ready(process, now_ns);
    } else if (now_ns >= process->state_until_ns) {
        iswi_process_kill(process, "it said hello but was not ready within %lld ms",
                          (long long)process->pool->settings->start_timeout_ms);
    }
    sooner(next_ns, process->state_until_ns);
}

static void ready(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    int64_t interval = process->host->options.heartbeat_ms * MS;
    int64_t heard = atomic_load(&process->heard_ns);

    if (!interval)
        return;
    if (now_ns - heard > (HEARTBEATS_MISSED + 1) * interval) {
        iswi_process_kill(process, "it has not answered for %lld ms",
                          (long long)((now_ns - heard) / MS));
        return;
    }
    if (now_ns - process->asked_ns >= interval) {
        process->asked_ns = now_ns;
        send_one(process, &(iswi_frame){ .kind = ISWI_STATUS_REQUEST, .id = 1 });
    }
    sooner(next_ns, process->asked_ns + interval);
}

/* It said goodbye or its link is gone, but it runs: give it a moment. */
static void leaving(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    bool goodbye;
    bool closed;

    pthread_mutex_lock(&process->lock);
    goodbye = process->goodbye;
    closed = process->closed;
    pthread_mutex_unlock(&process->lock);
    if (goodbye && !closed)
        iswi_link_close(process->link);
    if ((goodbye || closed) && process->state_until_ns == INT64_MAX)
        process->state_until_ns = now_ns + (int64_t)LINGER_MS * MS;
    if (now_ns >= process->state_until_ns)
        iswi_process_kill(process, "it did not end in time");
    sooner(next_ns, process->state_until_ns);
}

static void killed(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    if (!process->running) {
        bury(process, now_ns, next_ns);
        return;
    }
    /* Told what it did wrong, it may end by itself; see PROTOCOL.md, error. */
    if (process->signalled)
        return;
    if (process->kill_at_ns == 0)
        process->kill_at_ns = now_ns + (int64_t)LINGER_MS * MS;
    if (now_ns >= process->kill_at_ns) {
        process->signalled = true;
        kill(-process->os.pid, SIGKILL);
    }
    sooner(next_ns, process->kill_at_ns);
}

void iswi_process_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    iswi_process_state state;

    pthread_mutex_lock(&process->lock);
    state = process->state;
    pthread_mutex_unlock(&process->lock);
    switch (state) {
    case ISWI_PROCESS_WAITING:
        if (now_ns >= process->start_at_ns)
            iswi_process_start(process);
        sooner(next_ns, process->start_at_ns > now_ns ? process->start_at_ns : now_ns);
        break;
    case ISWI_PROCESS_STARTING:
        starting(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_LOADING:
        loading(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_READY:
        ready(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_LEAVING:
        leaving(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_KILLED:
        killed(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_GONE:
        break;
    }
}
