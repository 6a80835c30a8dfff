/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers that come and go. Invariant: what is behind host->pool_count is seen by nobody, and what
 * is before it never moves and is never taken apart. A function of a worker that leaves is out of
 * the triggers' sets before its processes are sent away, so that hardly a call finds nobody.
 */
#include "host/engine/pools.h"

#include "base/alloc.h"
#include "host/engine/engine.h"
#include "host/system/guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* -- Making ------------------------------------------------------------------------------------ */

isw_status iswi_pools_program(iswi_host *host, const iswi_worker_settings *settings,
                              const char **out, isw_error *error)
{
    const char *folder = settings->directory ? settings->directory : host->folder;
    char *found = NULL;

    *out = "";
    if (iswi_worker_is_remote(settings))
        return ISW_OK;
    if (iswi_spawn_find(settings->command.items[0], folder, &found, error) != ISW_OK)
        return error->status;
    *out = iswi_arena_strndup(&host->arena, found, strlen(found));
    iswi_free(found);
    return *out ? ISW_OK : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a path");
}

/* What runs it, and how. */
static isw_status set_program(iswi_host *host, iswi_pool *pool, const char *program,
                              isw_error *error)
{
    const iswi_worker_settings *settings = pool->settings;
    isw_error own = { ISW_OK, "" };

    pool->launcher = iswi_worker_is_remote(settings) ? iswi_launch_remote : iswi_launch_process;
    atomic_init(&pool->program, program);
    if (settings->isolation == ISWI_ISOLATION_PROCESS)
        return ISW_OK;
    if (iswi_launch_inprocess(&pool->launcher, &own) != ISW_OK)
        return isw_error_set(error, own.status, "worker %s: %s", settings->name, own.message);
    pool->module = iswi_isolation_module(settings, host->folder);
    return pool->module ? ISW_OK : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a path");
}

/* Memory for what the processes of a worker share: that of the host before, or new one. It grows as
 * they need it, and never shrinks under those who have it mapped. -1: there is none, and each keeps
 * to its own. */
static int make_store(const iswi_host *host, const iswi_pool *pool)
{
    iswi_legacy_item *left = iswi_legacy_find(host->legacy, ISWI_LEGACY_STORE,
                                              pool->settings->name, NULL);
    int low = -1;
    int fd;

    if (left && pool->launcher.apart)
        low = iswi_legacy_take(left, NULL);
    else if (pool->launcher.apart)
        low = memfd_create("isoworker-store", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, ISWI_HANDED_FD_MIN);

    if (low >= 0)
        close(low);
    if (fd >= 0)
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
    return fd;
}

static void close_store(iswi_pool *pool)
{
    if (pool->store >= 0)
        close(pool->store);
    pool->store = -1;
}

static isw_status init_pool(iswi_host *host, iswi_pool *pool, const iswi_pool_wish *wish,
                            isw_error *error)
{
    atomic_init(&pool->settings, wish->settings);
    pool->store = -1;
    iswi_queue_init(&pool->queue, (unsigned)wish->queue.limit, wish->queue.wait_ms);
    iswi_ends_init(pool);
    iswi_template_init(pool);
    iswi_worker_confine(wish->settings, &pool->confinement);
    if (set_program(host, pool, wish->program, error) != ISW_OK)
        return error->status;
    pool->store = make_store(host, pool);
    if (iswi_staff_init(host, pool, iswi_scale_init(pool), iswi_worker_most(wish->settings),
                        error) != ISW_OK)
        return error->status;
    return iswi_roll_init(pool, pool->seats_max, error);
}

static void fini_process(iswi_process *process)
{
    iswi_buffer_fini(&process->attention.lines);
    iswi_link_destroy(process->link);
    iswi_free(process->functions);
    iswi_free(process->lacks);
    iswi_message_release(process->metadata);
    iswi_buffer_fini(&process->outgoing.bytes);
    iswi_free(process->places);
    iswi_free(process->free_places);
    iswi_printing_fini(&process->printing);
    pthread_mutex_destroy(&process->lock);
}

void iswi_pools_drop(iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        fini_process(&pool->processes[i]);
    iswi_queue_fini(&pool->queue);
    iswi_free(pool->processes);
    iswi_roll_fini(pool);
    iswi_ends_fini(pool);
    iswi_template_fini(pool);
    close_store(pool);
    iswi_free(pool->seats);
    iswi_free(pool->functions);
    iswi_free(pool->module);
    iswi_rebuilt_forget(pool);
    memset(pool, 0, sizeof *pool);
}

static isw_status make_one(iswi_host *host, size_t worker, isw_error *error)
{
    const iswi_worker_settings *workers = host->settings->workers.items;
    iswi_pool_wish wish = { .settings = &workers[worker],
                            .queue = iswi_worker_queue(host->config, host->settings, worker) };
    iswi_pool *pool;

    if (iswi_pools_program(host, wish.settings, &wish.program, error) != ISW_OK)
        return error->status; /* it was there a moment ago */
    if (iswi_pools_prepare(host, &wish, 0, &pool, error) != ISW_OK)
        return error->status;
    atomic_fetch_add(&host->pool_count, 1);
    return ISW_OK;
}

isw_status iswi_pools_make(iswi_host *host, isw_error *error)
{
    size_t count = host->settings->workers.count;
    isw_status status = ISW_OK;

    host->pools_max = count + ISWI_POOLS_SPARE;
    host->pools = iswi_calloc(host->pools_max, sizeof *host->pools);
    if (!host->pools)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for workers");
    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = make_one(host, i, error);
    return status;
}

void iswi_pools_fini(iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        iswi_pools_drop(&host->pools[i]);
}

/* -- Coming ------------------------------------------------------------------------------------ */

iswi_pool *iswi_pools_find(const iswi_host *host, const iswi_worker_settings *settings)
{
    bool apart = settings->isolation == ISWI_ISOLATION_PROCESS;

    for (size_t i = 0; i < host->pool_count; i++)
        if (host->pools[i].launcher.apart == apart &&
            (host->pools[i].guest ||
             iswi_pool_waits(&host->pools[i]) == iswi_worker_is_remote(settings)) &&
            strcmp(host->pools[i].settings->name, settings->name) == 0)
            return &host->pools[i];
    return NULL;
}

isw_status iswi_pools_prepare(iswi_host *host, const iswi_pool_wish *wish, size_t ahead,
                              iswi_pool **out, isw_error *error)
{
    iswi_pool *pool = &host->pools[host->pool_count + ahead];

    if (host->pool_count + ahead >= host->pools_max)
        return isw_error_set(error, ISW_E_UNSUPPORTED,
                             "worker %s: this host has had workers of %zu names since it began, "
                             "and has no room for more until it is started again",
                             wish->settings->name, host->pools_max);
    pool->number = host->pool_count + ahead;
    if (init_pool(host, pool, wish, error) != ISW_OK) {
        iswi_pools_drop(pool);
        return error->status;
    }
    *out = pool;
    return ISW_OK;
}

/* One that was here before begins as if it were new, but for what it has counted. */
static void revive(iswi_host *host, iswi_pool *pool, const iswi_pool_wish *wish)
{
    atomic_store(&pool->settings, wish->settings);
    atomic_store(&pool->program, wish->program);
    pthread_mutex_lock(&pool->ends.lock);
    iswi_worker_confine(wish->settings, &pool->confinement);
    pthread_mutex_unlock(&pool->ends.lock);
    atomic_store(&pool->queue.limit, (unsigned)wish->queue.limit);
    atomic_store(&pool->queue.wait_ms, wish->queue.wait_ms);
    if (pool->store < 0)
        pool->store = make_store(host, pool);
    iswi_staff_widen(host, pool, iswi_worker_most(wish->settings));
    atomic_store(&pool->indexed, false);
    pool->adopted_ns = 0;
    iswi_roll_forget(pool);
    atomic_store(&pool->wanted, iswi_scale_init(pool));
}

void iswi_pools_join(iswi_host *host, iswi_pool *pool, const iswi_pool_wish *wish)
{
    atomic_store(&pool->joins, true);
    if (pool->number < host->pool_count)
        revive(host, pool, wish);
    else
        atomic_store(&host->pool_count, pool->number + 1);
    pool->dismissed = false;
    atomic_store(&pool->presence, ISWI_POOL_HERE);
    iswi_reload_follow(host, pool);
    if (host->watches)
        iswi_rebuilt_follow(host, pool);
    iswi_groups_say(host, pool);
}

/* -- Going ------------------------------------------------------------------------------------- */

void iswi_pools_leave(iswi_pool *pool)
{
    for (size_t i = 0; i < pool->function_count; i++)
        atomic_store(&pool->functions[i]->current, false);
    iswi_rebuilt_forget(pool);
    atomic_store(&pool->joins, false);
    atomic_store(&pool->presence, ISWI_POOL_LEAVES);
}

/* Triggers know that its functions are no more. */
static void dismiss(iswi_pool *pool)
{
    pool->dismissed = true;
    atomic_store(&pool->scale.on, false);
    atomic_store(&pool->wanted, 0);
    for (size_t i = 0; i < pool->function_count; i++)
        atomic_store(&pool->functions[i]->over, true);
    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];

        process->trial = false;
        process->succeeds = NULL;
        pthread_mutex_lock(&process->lock);
        iswi_process_retire(process, "host.yaml does not name its worker any more");
        pthread_mutex_unlock(&process->lock);
    }
    iswi_queue_serve(pool); /* which answers those that wait */
}

static bool is_empty(const iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        if (!iswi_process_is_spare(&pool->processes[i]))
            return false;
    return atomic_load(&pool->queue.waiting) == 0 && !pool->template.now.pid;
}

void iswi_pools_tend(iswi_pool *pool)
{
    if (!pool->dismissed)
        dismiss(pool);
    if (!is_empty(pool))
        return;
    close_store(pool);
    atomic_store(&pool->presence, ISWI_POOL_GONE);
    iswi_say(pool->processes->host, ISW_LOG_INFO, "worker %s is gone, as host.yaml says",
             pool->settings->name);
}
