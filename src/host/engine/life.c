/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a process, on the supervisor's thread. What comes then is in states.c, its end in
 * end_of_life.c. */
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
#include <unistd.h>

enum { MS = 1000000 };

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
    process->lost_calls = 0;
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
    iswi_host_close_watched(process->host, &process->os.pid_fd);
    iswi_host_close_watched(process->host, &process->os.output);
    iswi_host_close_watched(process->host, &process->os.errors);
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
