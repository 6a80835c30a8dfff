/* SPDX-License-Identifier: Apache-2.0 */
/* Making and freeing a host: settings, folders, pools, triggers. */
#include "host/engine/make.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* -- Folders ----------------------------------------------------------------------------------- */

static isw_status find_folder(iswi_host *host, const char *folder, isw_error *error)
{
    char path[PATH_MAX];

    if (!realpath(folder, path))
        return isw_error_set(error, ISW_E_IO, "%s: %s", folder, strerror(errno));
    host->folder = iswi_strdup(path);
    return host->folder ? ISW_OK : isw_error_set(error, ISW_E_NO_MEMORY, "no memory");
}

/* The sockets lie in a folder that only we can enter: a socket's own mode is not enough, and nng
 * would replace a file of that name. */
static isw_status make_runtime_folder(iswi_host *host, isw_error *error)
{
    isw_status status = iswi_runtime_make(host->runtime_folder, &host->runtime_lock, error);
    const char *why;

    if (status == ISW_OK && !iswi_runtime_own(SIZE_MAX, &why) && why)
        iswi_say(host, ISW_LOG_DEBUG,
                 "XDG_RUNTIME_DIR is not used: %s; the host's sockets are in %s", why,
                 host->runtime_folder);
    return status;
}

/* -- Settings ---------------------------------------------------------------------------------- */

/* Owns make->config. */
static isw_status read_settings(iswi_host *host, const char *folder,
                                const iswi_host_make *make, isw_error *error)
{
    const iswi_host_settings *read = NULL;

    host->config = make->config;
    atomic_init(&host->settings, make->settings);
    if (find_folder(host, folder, error) != ISW_OK || host->config)
        return error->status;
    if (iswi_host_settings_read(host->folder, &host->groups, make->faults, &host->config, &read,
                                error) == ISW_OK)
        atomic_init(&host->settings, read);
    return error->status;
}

isw_status iswi_host_begin(const char *folder, const iswi_host_make *make, iswi_host **out,
                           isw_error *error)
{
    iswi_host *host = iswi_calloc(1, sizeof *host);
    isw_status status;

    if (!host) {
        iswi_config_close(make->config);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a host");
    }
    host->loop.epoll = host->loop.wake = host->reload.changes = -1;
    host->guard.pipe = host->guard.pid_fd = host->runtime_lock = -1;
    pthread_mutex_init(&host->steering, NULL);
    pthread_mutex_init(&host->gathers.lock, NULL);
    iswi_attention_init(&host->attention);
    host->begun_ns = iswi_now_ns();
    iswi_arena_init(&host->arena, 64 * 1024);
    host->triggers.list = make->triggers;
    host->sinks = make->sinks;
    host->groups = iswi_triggers_groups(host->triggers.list);
    host->faults = make->faults;
    host->from_text = make->from_text;
    host->debug = make->debug;
    host->watches = make->watch;
    host->legacy = make->legacy;
    status = read_settings(host, folder, make, error);
    if (status == ISW_OK && !iswi_random(host->id_prefix, sizeof host->id_prefix))
        status = isw_error_set(error, ISW_E_IO, "the kernel gave no random bytes");
    if (status != ISW_OK) {
        iswi_host_destroy(host);
        return status;
    }
    host->heartbeat_ms = host->debug ? 0 : host->settings->host.heartbeat_ms;
    *out = host;
    return ISW_OK;
}

void iswi_host_log_to(iswi_host *host, const iswi_log_sink *log, const iswi_log_sink *listener)
{
    host->log = *log;
    atomic_store(&host->level, (int)log->level);
    if (listener->write)
        iswi_host_listen(host, listener, NULL); /* it is the first */
}

/* -- Workers ----------------------------------------------------------------------------------- */

isw_status iswi_host_prepare(iswi_host *host, isw_error *error)
{
    isw_status status = iswi_pools_make(host, error);

    return status == ISW_OK ? make_runtime_folder(host, error) : status;
}

const char *iswi_host_runtime_folder(const iswi_host *host)
{
    return host->runtime_folder;
}

/* Whether there is somebody to be guarded. */
static bool has_processes(const iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        if (host->pools[i].launcher.apart)
            return true;
    return false;
}

isw_status iswi_host_open(iswi_host *host, isw_error *error)
{
    iswi_reactor *first;
    isw_status status = iswi_groups_open(host, error); /* and the guard is beside us */

    host->guard.folder = host->runtime_folder;
    host->guard.cgroup = *host->groups_v2.own.folder ? host->groups_v2.own.folder : NULL;
    if (status == ISW_OK && has_processes(host))
        status = iswi_guard_start(&host->guard, error);
    if (status == ISW_OK)
        status = iswi_loop_open(&host->loop, error);
    return status == ISW_OK ? iswi_host_reactor(host, 0, &first, error) : status;
}

/* -- Triggers ---------------------------------------------------------------------------------- */

isw_status iswi_host_place_listen(const iswi_host *host, const char *group, const isw_error *own,
                                  isw_error *error)
{
    return iswi_triggers_place(host->config, group, own, error);
}

static isw_status start_trigger(iswi_host *host, const iswi_trigger *trigger,
                                const iswi_trigger_start *with, isw_error *error)
{
    bool here = trigger->settings && !with->listen && with->port < 0;
    isw_error own = { ISW_OK, "" };

    iswi_triggers_start(&host->triggers, trigger, with, here ? &own : error);
    return here ? iswi_host_place_listen(host, trigger->settings->name, &own, error)
                : error->status;
}

static void say_of_queues(void *user, isw_log_level level, const char *sentence)
{
    iswi_say(user, level, "queues: %s", sentence);
}

/* The guard is to have the lock, too: what was claimed is free once it has ended all workers. The
 * supervisor gives it to it, in the turn that it is woken for. */
static void hold_lock(void *user, int descriptor)
{
    iswi_host *host = user;

    atomic_store(&host->guard.lock, descriptor);
    iswi_host_wake_by(host, iswi_now_ns());
}

enum { STORE_PATIENCE_MS = 10000 }; /* the host before this one may have it until it has ended */

/* Nothing of it is there before somebody wants something of it. */
static isw_status make_broker(iswi_host *host, isw_error *error)
{
    const iswi_broker_options options = { .place = host->settings->queues.store,
                                          .folder = iswi_host_data_folder(host),
                                          .host = "",
                                          .patience_ms = STORE_PATIENCE_MS,
                                          .say = say_of_queues,
                                          .lock = hold_lock,
                                          .user = host };

    return iswi_broker_create(&options, &host->broker, error);
}

isw_status iswi_host_start_triggers(iswi_host *host, const char *const *listen, int port,
                                    isw_error *error)
{
    if (make_broker(host, error) != ISW_OK)
        return error->status;
    for (iswi_trigger_list at = host->triggers.list; *at; at++) {
        const bool listens = (*at)->capabilities & ISWI_TRIGGER_LISTENS;
        iswi_trigger_start with = { .host = host,
                                    .trigger = *at,
                                    .listen = listens ? listen : NULL,
                                    .port = listens ? port : -1,
                                    .legacy = host->legacy,
                                    .shut = host->legacy != NULL };

        if ((*at)->within)
            continue;
        if ((*at)->settings)
            with.settings = iswi_host_settings_group(host->settings, &host->groups,
                                                     (*at)->settings);
        if (start_trigger(host, *at, &with, error) != ISW_OK)
            return error->status;
        if (listens) {
            listen = NULL;
            port = -1;
        }
    }
    host->legacy = NULL;
    return ISW_OK;
}

/* -- The end ----------------------------------------------------------------------------------- */

void iswi_host_destroy(iswi_host *host)
{
    if (!host)
        return;
    iswi_observers_stop(&host->observers);
    iswi_broker_end(host->broker); /* it calls triggers back until then */
    iswi_triggers_stop(&host->triggers);
    iswi_broker_destroy(host->broker);
    iswi_pools_fini(host);
    iswi_reactors_stop(&host->reactors);
    iswi_outputs_close(host);
    iswi_guard_stop(&host->guard);
    iswi_groups_close(host);
    iswi_runtime_remove(host->runtime_folder, host->runtime_lock);
    iswi_reload_unwatch(host);
    iswi_loop_close(&host->loop);
    iswi_observers_destroy(&host->observers);
    pthread_mutex_destroy(&host->steering);
    pthread_mutex_destroy(&host->gathers.lock);
    iswi_attention_fini(&host->attention);
    iswi_config_close(host->config);
    iswi_renew_forget(host);
    iswi_arena_fini(&host->arena);
    iswi_free(host->functions);
    iswi_free(host->pools);
    iswi_free(host->folder);
    iswi_free(host);
}
