/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning and the end of a process, and whether and when it starts again. All on the
 * supervisor's thread. What comes between is in states.c.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/engine/guests.h"
#include "host/system/guest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    MS = 1000000,
    LAST_WORDS_MS = 500,
    EMPTY_MS = 5, /* until who was left in its group has ended, too */
    STABLE_MS = 10000, /* ready for so long, an end is no failure to start */
    OUTPUT_READS = 16  /* of 4 KiB: what a pipe holds */
};

static void set_state(iswi_process *process, iswi_process_state state, int64_t until_ns)
{
    pthread_mutex_lock(&process->lock);
    iswi_process_set_state(process, state);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = until_ns;
}

/* -- Start ------------------------------------------------------------------------------------- */

static void reset(iswi_process *process)
{
    process->alarm = process->peak = 0;
    process->credit = process->loads_awaited = process->answered = 0;
    process->resident_bytes = process->calls_running = process->calls_waiting = 0;
    process->on_ring = process->forked = false;
    process->ring = process->arena = process->bell = -1;
    if (process->starts)
        atomic_fetch_add(&process->pool->restarts, 1);
    process->seat->starts = ++process->starts;
    process->edition = process->pool->roll.edition;
    process->os.pid = 0;
    process->hello_came = process->metadata_asked = process->closed = process->goodbye = false;
    iswi_reload_begin(process);
    process->loads_sent = process->connected = false;
    process->hopeless = process->signalled = process->refused = false;
    process->told_to_end = process->ended_early = false;
    iswi_free(process->functions);
    iswi_free(process->lacks);
    process->functions = NULL;
    process->lacks = NULL;
    process->function_count = process->lacks_count = 0;
    process->kill_at_ns = 0;
    process->due = NULL;
    process->cause = ISWI_END_LEFT;
    iswi_bounds_begin(process);
    iswi_process_health_begin(process);
    iswi_warmup_begin(process);
    process->refuses = false;
    iswi_attention_started(process);
    iswi_printing_begin(&process->printing);
    process->ended_ns_of[0] = process->ended_ns_of[1] = 0;
    process->named = 0;
    *process->culprit = '\0';
    process->fault = (isw_error){ ISW_OK, "" };
    process->missed = 0;
    process->hoarding = 0;
    process->lent_ns = 0;
    process->ready_ns = 0;
    process->started_ns = process->asked_ns = iswi_now_ns();
    process->state_until_ns =
        iswi_pool_is_patient(process->host, process->pool) || iswi_pool_waits(process->pool)
            ? INT64_MAX
            : process->started_ns + process->pool->settings->start_timeout_ms * MS;
    atomic_store(&process->heard_ns, process->started_ns);
}

static void close_watched(iswi_process *process, int *fd)
{
    iswi_host_unwatch(process->host, *fd);
    close(*fd);
    *fd = -1;
}

/* Once they are handed down, or will not be. */
static void close_memory(iswi_process *process)
{
    if (process->ring >= 0)
        close(process->ring);
    if (process->arena >= 0)
        close(process->arena);
    process->ring = process->arena = -1;
}

/* What a ring needs that is to be handed down. False with errno. */
static bool make_ring(iswi_process *process, iswi_ring_memory *memory)
{
    if (!iswi_ring_memory_create(memory, &process->ring))
        return false;
    iswi_ring_memory_widen(memory, &process->arena); /* or do without */
    process->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (process->bell >= 0)
        return true;
    iswi_ring_memory_unmap(memory);
    close_memory(process);
    return false;
}

#define IPC "ipc://"

static isw_status listen_for(iswi_process *process, char *url, size_t size, isw_error *error)
{
    const iswi_link_settings *settings = &process->pool->settings->link;
    iswi_ring_options options = { .is_host = true, .spin_us = -1 };
    iswi_link_events events;
    isw_status status;

    if (process->pool->guest)
        iswi_guest_url(process->pool, url, size);
    else
        snprintf(url, size, IPC "%s/%u", process->host->runtime_folder,
                 process->socket = ++process->host->socket_number);
    iswi_process_events(process, &events);
    if (strcmp(settings->spin_us, "auto") != 0)
        options.spin_us = atoi(settings->spin_us);
    if (settings->lane == ISWI_LANE_MESSAGE || iswi_pool_waits(process->pool) ||
        !make_ring(process, &options.memory)) {
        if (settings->lane == ISWI_LANE_RING && !iswi_pool_waits(process->pool))
            return isw_error_set(error, ISW_E_IO, "no shared memory for the ring lane: %s",
                                 strerror(errno));
        return iswi_socket_lane_listen(iswi_reactors_of(process->host, process), url, &events,
                                       &process->link, error);
    }
    status = iswi_ring_lane_serve(iswi_reactors_of(process->host, process), process->bell, url,
                                  &options, &events, &process->link, error);
    if (status == ISW_OK)
        return ISW_OK;
    iswi_ring_memory_unmap(&options.memory);
    close(process->bell);
    return status;
}

static bool watch_all(iswi_process *process)
{
    const iswi_spawned *os = &process->os;

    return iswi_host_watch(process->host, process, os->pid_fd, 0) &&
           (os->output < 0 || iswi_host_watch(process->host, process, os->output, 1)) &&
           (os->errors < 0 || iswi_host_watch(process->host, process, os->errors, 2));
}

static isw_status spawn(iswi_process *process, const char *url, isw_error *error)
{
    const iswi_worker_settings *settings = process->pool->settings;
    const iswi_launcher *launcher = &process->pool->launcher;
    iswi_spawn_options options = {
        .program = iswi_pool_file(process->pool),
        .arguments = &settings->command,
        .directory = settings->directory ? settings->directory : process->host->folder,
        .environment = &settings->environment,
        .url = url,
        .config = iswi_reload_config(process->pool),
        .token = process->token,
        .token_bytes = sizeof process->token,
        .ring = process->ring,
        .arena = process->arena,
        .bell = process->bell,
        .crash = -1,
        .confinement = &process->pool->confinement,
        .cgroup = *process->group.folder ? process->group.folder : NULL,
        .metrics = -1,
        .store = process->pool->store,
        .endless = iswi_pool_is_patient(process->host, process->pool),
        .spin_us = strcmp(settings->link.spin_us, "auto") ? settings->link.spin_us : NULL,
    };
    isw_status status = iswi_observe_spawns(process, &options, error);

    if (status == ISW_OK && !iswi_template_begin(process, &options))
        status = launcher->begin(launcher, &options, &process->os, error);
    close_memory(process);
    if (status != ISW_OK) {
        iswi_observe_ended(process);
        return status;
    }
    process->running = true;
    if (iswi_launcher_is_parent(launcher))
        iswi_guard_add(&process->host->guard, process->os.pid);
    if (watch_all(process))
        return ISW_OK;
    isw_error_set(error, ISW_E_IO, "it cannot be watched: %s", strerror(errno));
    launcher->kill(launcher, &process->os);
    launcher->reap(launcher, &process->os);
    iswi_observe_ended(process);
    if (iswi_launcher_is_parent(launcher))
        iswi_guard_remove(&process->host->guard, process->os.pid);
    close_watched(process, &process->os.pid_fd);
    close_watched(process, &process->os.output);
    close_watched(process, &process->os.errors);
    process->running = false;
    return error->status;
}

/* Good for this session; a remote one has its own, which is read each time. */
static isw_status make_token(iswi_process *process, isw_error *error)
{
    const char *own = process->pool->settings->remote.token;

    if (own)
        return iswi_guest_read_token(own, process->token, error);
    return iswi_random(process->token, sizeof process->token)
               ? ISW_OK
               : isw_error_set(error, ISW_E_IO, "the kernel gave no random bytes");
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
    status = make_token(process, &error);
    if (status == ISW_OK)
        status = listen_for(process, url, sizeof url, &error);
    if (status == ISW_OK && !iswi_confine_admit(&process->pool->confinement,
                                                process->host->runtime_folder, url + strlen(IPC)))
        status = isw_error_set(&error, ISW_E_IO, "its user cannot be let to its socket: %s",
                               strerror(errno));
    if (status == ISW_OK)
        iswi_group_begin(process);
    if (status == ISW_OK)
        status = spawn(process, url, &error);
    if (status != ISW_OK) {
        close_memory(process);
        process->fault = error;
        process->cause = ISWI_END_REFUSED;
        process->hopeless = !process->pool->indexed && status == ISW_E_CONFIG;
        iswi_process_set_state(process, ISWI_PROCESS_KILLED);
        process->ended_ns = iswi_now_ns();
    }
    pthread_mutex_unlock(&process->lock);
    if (status != ISW_OK)
        return;
    if (process->pool->guest)
        iswi_guest_invite(process);
    else if (iswi_pool_waits(process->pool))
        iswi_say(process->host, process->pool->patient ? ISW_LOG_INFO : ISW_LOG_DEBUG,
                 "worker %s: a remote process may come%s", process->label,
                 process->pool->patient ? ", which you start, and take its time; calls of its "
                                          "functions wait" : "");
    else
        iswi_say(process->host, ISW_LOG_DEBUG, "worker %s: started as pid %ld", process->label,
                 (long)process->os.pid);
    iswi_observe_started(process);
}

/* -- End --------------------------------------------------------------------------------------- */

/* Statuses of a program that cannot start, and never will as it is: its words were not understood,
 * it misses a file or its configuration, its loader misses a library. */
static bool is_hopeless(int status)
{
    static const int codes[] = { EX_USAGE, EX_NOINPUT, EX_CONFIG, 126, 127 };

    for (size_t i = 0; WIFEXITED(status) && i < sizeof codes / sizeof codes[0]; i++)
        if (WEXITSTATUS(status) == codes[i])
            return true;
    return false;
}

/* How it ended; of one that never served with its own words, since it says why best itself. */
static void describe_end(const iswi_process *process, int status, isw_error *fault)
{
    const char *words = "";
    char how[96];

    if (!process->ready_ns && WIFEXITED(status))
        words = process->printing.words[WEXITSTATUS(status) == EX_CONFIG ? 0 : 1];
    if (status == ISWI_LEFT_BEHIND)
        snprintf(how, sizeof how, "did not end, and is left behind with its threads");
    else if (iswi_pool_waits(process->pool))
        snprintf(how, sizeof how, "has left without a goodbye");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG)
        snprintf(how, sizeof how, "refused its configuration (status %d)", EX_CONFIG);
    else if (WIFEXITED(status))
        snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
    else
        snprintf(how, sizeof how, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    isw_error_set(fault, ISW_E_WORKER_LOST, "it %s%s%s%s%s", how,
                  process->warmup.name ? " in its warmup function " : "",
                  process->warmup.name ? process->warmup.name : "", *words ? ": " : "", words);
}

void iswi_process_ended(iswi_process *process)
{
    const iswi_launcher *launcher = &process->pool->launcher;
    isw_error end = { ISW_OK, "" };
    int status;

    if (!process->running)
        return;
    /* Its descriptor says that it has ended. Before it is waited for, its number is nobody else's:
     * that is the time to end what it left behind. */
    if (iswi_launcher_is_parent(launcher)) {
        launcher->kill(launcher, &process->os);
        iswi_guard_remove(&process->host->guard, process->os.pid);
    }
    iswi_bounds_end(process);
    status = launcher->reap(launcher, &process->os);
    pthread_mutex_lock(&process->lock);
    process->running = false;
    pthread_mutex_unlock(&process->lock);
    process->ended_ns = iswi_now_ns();
    for (int i = 0; i < OUTPUT_READS && iswi_printing_read(process, false); i++)
        continue;
    for (int i = 0; i < OUTPUT_READS && iswi_printing_read(process, true); i++)
        continue;
    close_watched(process, &process->os.pid_fd);
    iswi_printing_end(process);
    iswi_observe_ended(process);
    describe_end(process, status, &end);
    pthread_mutex_lock(&process->lock);
    if (status == ISWI_LEFT_BEHIND)
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s", process->label, end.message);
    process->refuses = WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG;
    /* One that has served before may be read in the middle of a change. */
    if (!process->hello_came && !process->pool->indexed && is_hopeless(status))
        process->hopeless = true;
    if (!launcher->apart) /* in the memory that it leaves nobody starts it again unasked */
        process->hopeless = true;
    iswi_end_judge(process, status);
    if (!process->goodbye)
        isw_error_set(&process->fault, end.status, "%s", end.message);
    process->ended_early = end.status != ISW_OK && !process->told_to_end && !process->signalled &&
                           !process->goodbye;
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
    if (process->refuses && process->reload.seen != process->pool->reload.count)
        return 0; /* what it refused has changed since it was started */
    for (unsigned i = 2; i < process->failures && delay < settings->restart_delay_max_ms; i++)
        delay *= 2;
    if (delay > settings->restart_delay_max_ms)
        delay = settings->restart_delay_max_ms;
    iswi_random(&random, sizeof random);
    return delay * MS / 100 * (80 + random % 41);
}

static void give_up(iswi_process *process, bool stopping)
{
    if (!stopping)
        iswi_say(process->host, ISW_LOG_ERROR,
                 "worker %s: given up%s: %s. Its functions answer 503 until its YAML "
                 "changes, SIGHUP has it tried again, or the host is started again%s",
                 process->label, process->hopeless ? "" : " after too many ends in a row",
                 process->fault.message,
                 process->pool->indexed ? "" : "; they are not known, so that paths "
                                               "without a function answer 503, once no "
                                               "other worker's are awaited");
    set_state(process, ISWI_PROCESS_GONE, INT64_MAX);
    iswi_observe_over(process, !stopping);
}

static void start_again(iswi_process *process, bool meant)
{
    int64_t delay = restart_delay_ns(process);

    if (!meant && iswi_pool_waits(process->pool))
        iswi_say(process->host, ISW_LOG_WARNING, "worker %s: %s", process->label,
                 process->fault.message);
    else if (!meant)
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s; starts again in %lld ms",
                 process->label, process->fault.message, (long long)(delay / MS));
    pthread_mutex_lock(&process->lock);
    process->start_at_ns = iswi_now_ns() + delay;
    iswi_process_set_state(process, ISWI_PROCESS_WAITING);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = INT64_MAX;
    iswi_observe_over(process, false);
}

/* Its seat is another's already. */
static void leave(iswi_process *process, bool meant)
{
    if (!meant)
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s, while it was to end (%s)",
                 process->label, process->fault.message, process->retiring);
    iswi_observe_over(process, false);
    iswi_process_vacate(process);
}

/* One that was never ready. */
static void refuse(iswi_process *process)
{
    iswi_observe_over(process, false);
    iswi_roll_refused(process);
}

/* Decide what comes after the end. */
static void decide_next(iswi_process *process)
{
    bool stopping = atomic_load(&process->host->stops);
    bool meant = process->goodbye && process->fault.status == ISW_OK;
    /* Somebody who asked three times does not want it to have its time. */
    bool overran = process->signalled && process->told_to_end &&
                   atomic_load(&process->host->stops) <= 2;
    int64_t served_ns = process->ended_ns - process->ready_ns;
    bool stable = process->ready_ns && served_ns > STABLE_MS * (int64_t)MS;

    iswi_end_note(process);
    process->failures = process->answered || meant || stable || iswi_pool_waits(process->pool)
                            ? 0
                            : process->failures + 1;
    if (stopping && (process->ended_early || overran))
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s, while the host stops",
                 process->label, process->fault.message);
    if (process->trial && !stopping)
        refuse(process);
    else if (process->retiring && !stopping)
        leave(process, meant);
    else if (stopping || process->hopeless ||
             (!process->refuses &&
              (int64_t)process->failures >= process->pool->settings->give_up_after))
        give_up(process, stopping);
    else
        start_again(process, meant);
}

/* The process has ended; when its group is empty and its last words are in, or do not come, the link
 * goes too. */
int64_t iswi_process_bury(iswi_process *process, int64_t now_ns)
{
    int64_t wait_until = process->ended_ns + (int64_t)LAST_WORDS_MS * MS;
    bool closed;

    if (!iswi_group_end(process) && now_ns < wait_until)
        return now_ns + (int64_t)EMPTY_MS * MS;
    pthread_mutex_lock(&process->lock);
    closed = process->closed || !process->link || !process->hello_came;
    pthread_mutex_unlock(&process->lock);
    if (!closed && now_ns < wait_until)
        return wait_until;
    iswi_process_note_spared(process);
    iswi_link_destroy(process->link); /* events may take the lock */
    iswi_observe_buried(process);
    pthread_mutex_lock(&process->lock);
    process->link = NULL;
    iswi_message_release(process->metadata);
    process->metadata = NULL;
    pthread_mutex_unlock(&process->lock);
    iswi_process_lose_all(process);
    decide_next(process);
    return now_ns;
}
