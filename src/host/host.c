/* SPDX-License-Identifier: Apache-2.0 */
/* Making and freeing a host: settings, folders, pools. */
#include "host/host.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/debug/crash.h"
#include "host/debug/gdb.h"
#include "host/debug/record.h"
#include "host/engine/engine.h"
#include "host/operate/operate.h"
#include "host/sinks/sinks.h"
#include "host/system/runtime_folder.h"
#include "host/triggers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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

/* A relative path means the folder that whoever wrote it was in. */
static const char *absolute(iswi_host *host, const char *path, const char *folder)
{
    return *path == '/' ? path : iswi_arena_printf(&host->arena, "%s/%s", folder, path);
}

/* Where the control socket was asked to be; NULL: where it belongs. */
static const char *control_path(iswi_host *host, const char *override)
{
    const char *own = iswi_host_control_path(&host->settings->host);
    char here[PATH_MAX];

    if (override && *override != '/' && !getcwd(here, sizeof here))
        snprintf(here, sizeof here, ".");
    if (override)
        return absolute(host, override, here);
    return own ? absolute(host, own, host->folder) : NULL;
}

/* Owns overrides->config. */
static isw_status read_settings(iswi_host *host, const char *folder,
                                const iswi_host_overrides *overrides, isw_error *error)
{
    host->config = overrides->config;
    host->settings = overrides->settings;
    if (find_folder(host, folder, error) != ISW_OK || host->config)
        return error->status;
    return iswi_host_settings_read(host->folder, &host->groups, overrides->faults, &host->config,
                                   &host->settings, error);
}

static void apply_overrides(iswi_host *host, const iswi_host_overrides *overrides)
{
    host->options = host->settings->host;
    host->faults = overrides->faults;
    host->listener = overrides->listener;
    host->from_text = overrides->from_text;
    host->debug = overrides->debug || overrides->debugged;
    if (host->debug)
        host->options.heartbeat_ms = 0;
}

static isw_status start_log(iswi_host *host, const iswi_host_overrides *overrides,
                            iswi_operate **operate, isw_error *error)
{
    const iswi_logging_settings *logging = &host->settings->logging;
    iswi_operate_options options = { .output = overrides->output,
                                     .json = overrides->json >= 0 ? overrides->json
                                                                  : logging->format == 1,
                                     .color = overrides->color,
                                     .hidden = overrides->hidden,
                                     .level = (isw_log_level)logging->level };

    return iswi_operate_attach(host, &options, &host->log, operate, error);
}

/* -- Pools ------------------------------------------------------------------------------------- */

static isw_status init_pool(iswi_host *host, iswi_pool *pool, const iswi_worker_settings *settings,
                            isw_error *error)
{
    pool->settings = settings;
    if (iswi_spawn_find(settings->command.items[0],
                        settings->directory ? settings->directory : host->folder, &pool->program,
                        error) != ISW_OK)
        return error->status; /* it was there a moment ago */
    pool->processes = iswi_calloc((size_t)settings->processes, sizeof *pool->processes);
    if (!pool->processes)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for processes");
    for (; pool->count < settings->processes; pool->count++) {
        iswi_process *process = &pool->processes[pool->count];

        process->host = host;
        process->pool = pool;
        process->index = pool->count;
        process->number = host->process_count++;
        process->os.output = process->os.errors = -1;
        pthread_mutex_init(&process->lock, NULL);
        iswi_printing_init(&process->printing);
        atomic_init(&process->load, UINT32_MAX);
        snprintf(process->label, sizeof process->label, settings->processes > 1 ? "%s[%u]" : "%s",
                 settings->name, pool->count);
    }
    return ISW_OK;
}

static isw_status make_pools(iswi_host *host, isw_error *error)
{
    const iswi_worker_settings *workers = host->settings->workers.items;
    isw_status status = ISW_OK;

    host->pools = iswi_calloc(host->settings->workers.count, sizeof *host->pools);
    if (!host->pools)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for workers");
    while (status == ISW_OK && host->pool_count < host->settings->workers.count) {
        status = init_pool(host, &host->pools[host->pool_count], &workers[host->pool_count], error);
        host->pool_count++;
    }
    return status;
}

/* A failure to listen, at the place of the address. */
static isw_status place_listen(iswi_host *host, const char *group, const isw_error *own,
                               isw_error *error)
{
    const iswi_node *node = iswi_node_find(iswi_config_root(host->config), group);
    const iswi_node *listen = iswi_node_find(node, "listen");

    if (own->status == ISW_OK)
        return ISW_OK;
    if (!listen || (own->status != ISW_E_CONFIG && own->status != ISW_E_CONFLICT))
        return isw_error_set(error, own->status, "%s", own->message);
    return isw_error_set(error, own->status, "%s: %s", iswi_config_where(host->config, listen),
                         own->message);
}

static isw_status start_trigger(iswi_host *host, const iswi_trigger *trigger,
                                const iswi_trigger_start *with, isw_error *error)
{
    bool here = trigger->settings && !with->listen && with->port < 0;
    isw_error own = { ISW_OK, "" };

    iswi_triggers_start(&host->triggers, trigger, with, here ? &own : error);
    return here ? place_listen(host, trigger->settings->name, &own, error) : error->status;
}

/* An address that the command gives is for the first one that listens. */
static isw_status start_triggers(iswi_host *host, const iswi_host_overrides *overrides,
                                 isw_error *error)
{
    const char *listen = overrides->listen;
    int port = overrides->port;

    for (iswi_trigger_list at = host->triggers.list; *at; at++) {
        bool listens = (*at)->capabilities & ISWI_TRIGGER_LISTENS;
        iswi_trigger_start with = { .host = host,
                                    .listen = listens ? listen : NULL,
                                    .port = listens ? port : -1 };

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
    return ISW_OK;
}

static isw_status start_operators(iswi_host *host, iswi_operate *operate, const char *control,
                                  isw_error *error)
{
    isw_error own = { ISW_OK, "" };

    iswi_operate_open(operate, control_path(host, control), &own);
    return place_listen(host, "admin", &own, error);
}

static isw_status start_debugging(iswi_host *host, const iswi_host_overrides *overrides,
                                  isw_error *error)
{
    isw_status status = iswi_crash_attach(host, error);

    if (status == ISW_OK && overrides->debugged)
        status = iswi_gdb_attach(host, overrides->debugged, host->runtime_folder, error);
    return status;
}

isw_status iswi_host_create(const char *folder, const iswi_host_overrides *overrides,
                            iswi_host **out, isw_error *error)
{
    iswi_host *host = iswi_calloc(1, sizeof *host);
    iswi_operate *operate = NULL;
    isw_status status;

    if (!host) {
        iswi_config_close(overrides->config);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a host");
    }
    host->loop.epoll = host->loop.wake = host->reload.changes = -1;
    host->guard.pipe = host->guard.pid_fd = host->runtime_lock = -1;
    pthread_mutex_init(&host->steering, NULL);
    iswi_attention_init(&host->attention);
    host->begun_ns = iswi_now_ns();
    iswi_arena_init(&host->arena, 64 * 1024);
    host->triggers.list = overrides->triggers ? overrides->triggers : iswi_host_triggers;
    host->sinks = overrides->sinks ? overrides->sinks : iswi_host_sinks;
    host->groups = iswi_triggers_groups(host->triggers.list);
    status = read_settings(host, folder, overrides, error);
    if (status == ISW_OK)
        apply_overrides(host, overrides);
    if (status == ISW_OK && !iswi_random(host->id_prefix, sizeof host->id_prefix))
        status = isw_error_set(error, ISW_E_IO, "the kernel gave no random bytes");
    if (status == ISW_OK)
        status = start_log(host, overrides, &operate, error);
    if (status == ISW_OK)
        status = make_pools(host, error);
    if (status == ISW_OK)
        status = make_runtime_folder(host, error);
    if (status == ISW_OK)
        status = start_debugging(host, overrides, error);
    host->guard.folder = host->runtime_folder;
    if (status == ISW_OK)
        status = iswi_guard_start(&host->guard, error);
    if (status == ISW_OK)
        status = iswi_loop_open(&host->loop, error);
    if (status == ISW_OK && overrides->record)
        status = iswi_record_attach(host, overrides->record, error);
    if (status == ISW_OK)
        status = start_triggers(host, overrides, error);
    if (status == ISW_OK)
        status = start_operators(host, operate, overrides->control, error);
    if (status == ISW_OK)
        *out = host;
    else
        iswi_host_destroy(host);
    return status;
}

static void fini_process(iswi_process *process)
{
    iswi_buffer_fini(&process->attention.lines);
    iswi_link_destroy(process->link);
    iswi_free(process->lacks);
    iswi_message_release(process->metadata);
    iswi_buffer_fini(&process->outgoing.bytes);
    iswi_free(process->places);
    iswi_free(process->free_places);
    iswi_printing_fini(&process->printing);
    pthread_mutex_destroy(&process->lock);
}

void iswi_host_destroy(iswi_host *host)
{
    if (!host)
        return;
    iswi_observers_stop(&host->observers);
    iswi_triggers_stop(&host->triggers);
    for (size_t i = 0; i < host->pool_count; i++) {
        for (unsigned j = 0; j < host->pools[i].count; j++)
            fini_process(&host->pools[i].processes[j]);
        iswi_free(host->pools[i].processes);
        iswi_free(host->pools[i].program);
    }
    iswi_outputs_close(host);
    iswi_guard_stop(&host->guard);
    iswi_runtime_remove(host->runtime_folder, host->runtime_lock);
    iswi_reload_unwatch(host);
    iswi_loop_close(&host->loop);
    iswi_observers_destroy(&host->observers);
    pthread_mutex_destroy(&host->steering);
    iswi_attention_fini(&host->attention);
    iswi_config_close(host->config);
    iswi_arena_fini(&host->arena);
    iswi_free(host->functions);
    iswi_free(host->pools);
    iswi_free(host->folder);
    iswi_free(host);
}
