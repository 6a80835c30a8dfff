/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers whose process a person starts, and may stop at a breakpoint for as long as that takes.
 * Invariant: nothing of such a worker has a time limit, and it is one process of its pool, whoever
 * comes.
 */
#include "host/engine/guests.h"

#include "base/buffer.h"
#include "host/engine/engine.h"
#include "host/system/guest.h"

#include <limits.h>
#include <stdio.h>

/* -- Asking for one ---------------------------------------------------------------------------- */

static isw_status refuse_name(const iswi_host *host, const char *name, isw_error *error)
{
    iswi_buffer names = { 0 };

    for (size_t i = 0; i < host->pool_count; i++)
        iswi_buffer_printf(&names, "%s%s", i ? ", " : "", host->pools[i].settings->name);
    isw_error_set(error, ISW_E_CONFIG, "--wait-for %s: host.yaml has no worker of that name; there "
                  "are: %s", name, names.size ? iswi_buffer_text(&names) : "none");
    iswi_buffer_fini(&names);
    return error->status;
}

isw_status iswi_host_await(iswi_host *host, const char *name, isw_error *error)
{
    iswi_pool *pool = NULL;

    for (size_t i = 0; i < host->pool_count; i++)
        if (strcmp(host->pools[i].settings->name, name) == 0)
            pool = &host->pools[i];
    if (!pool)
        return refuse_name(host, name, error);
    if (!pool->launcher.apart)
        return isw_error_set(error, ISW_E_CONFIG,
                             "--wait-for %s: it has isolation: none, and no process of its own; "
                             "run the host itself under the debugger, or write isolation: process",
                             name);
    if (iswi_pool_waits(pool) && !pool->guest) { /* remote, and awaited anyway */
        pool->patient = host->awaits = true;
        return ISW_OK;
    }
    if (pool->debugged)
        return isw_error_set(error, ISW_E_CONFIG,
                             "--wait-for %s: it is to run under gdb here (--debug), or is named "
                             "twice; leave one of them out", name);
    iswi_host_debug_worker(host, pool->number);
    pool->launcher = iswi_launch_guest;
    pool->guest = pool->patient = host->awaits = true;
    return ISW_OK;
}

bool iswi_host_awaits(const iswi_host *host)
{
    return host->awaits;
}

bool iswi_host_has_guests(const iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        if (host->pools[i].guest)
            return true;
    return false;
}

bool iswi_host_awaits_functions(const iswi_host *host)
{
    for (size_t i = 0; host->awaits && i < host->pool_count; i++)
        if (host->pools[i].patient && !atomic_load(&host->pools[i].indexed))
            return true;
    return false;
}

bool iswi_host_awaited(iswi_host *host, size_t worker, unsigned index, char *out, size_t size)
{
    iswi_process *process = &host->pools[worker].processes[index];
    bool awaited;

    pthread_mutex_lock(&process->lock);
    awaited = process->state == ISWI_PROCESS_STARTING && process->running && process->socket &&
              !process->connected;
    if (awaited)
        snprintf(out, size, "%s/%u", host->runtime_folder, process->socket);
    pthread_mutex_unlock(&process->lock);
    return awaited;
}

/* -- Coming and going -------------------------------------------------------------------------- */

void iswi_guest_url(const iswi_pool *pool, char *out, size_t size)
{
    snprintf(out, size, "ipc://%s/guest%zu", pool->processes->host->runtime_folder, pool->number);
}

/* Its YAML, wherever the person is who starts it; "" for none. */
static const char *config_of(const iswi_pool *pool, char path[PATH_MAX])
{
    const iswi_worker_settings *settings = pool->settings;
    const char *config = iswi_reload_config(pool);
    const char *folder = settings->directory ? settings->directory : pool->processes->host->folder;
    bool absolute = config && *config == '/';

    snprintf(path, PATH_MAX, "%s%s%s", config && !absolute ? folder : "",
             config && !absolute ? "/" : "", config ? config : "");
    return path;
}

void iswi_guest_invite(const iswi_process *process)
{
    const iswi_pool *pool = process->pool;
    char path[PATH_MAX];
    const char *config = config_of(pool, path);
    char token[ISWI_GUEST_PATH_BYTES];
    char url[ISWI_GUEST_PATH_BYTES];

    iswi_guest_url(pool, url, sizeof url);
    iswi_guest_token_path(url, token);
    iswi_say(process->host, ISW_LOG_INFO,
             "worker %s: waits for the process that you start with ISOWORKER_URL=%s "
             "ISOWORKER_TOKEN_FILE=%s%s%s in its environment; calls of its functions wait, too",
             process->label, url, token, *config ? " ISOWORKER_CONFIG=" : "", config);
}

bool iswi_guest_leaves(iswi_process *process)
{
    if (iswi_pool_waits(process->pool) && process->running)
        process->pool->launcher.kill(&process->pool->launcher, &process->os);
    return iswi_pool_waits(process->pool);
}
