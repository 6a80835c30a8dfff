/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.yaml that is read again. Invariant: what may fail comes first, in `prepare`, and leaves all as
 * it is; `put_in_force` cannot fail, so that nothing is taken by half.
 */
#include "host/engine/renew.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/settings/change.h"

#include <limits.h>
#include <stdio.h>

#define MS INT64_C(1000000)

enum { QUIET_MS = 200 }; /* without a change, the file counts as written */

void iswi_renew_forget(iswi_host *host)
{
    for (iswi_outlived *at = host->renewal.outlived; at; at = at->before)
        iswi_config_close(at->config);
    iswi_config_close(host->renewal.latest);
}

/* -- What may fail ----------------------------------------------------------------------------- */

/* A worker that is to be there. */
typedef struct placed {
    iswi_pool *pool; /* its own; one that was here before, or is prepared, if it comes */
    iswi_pool_wish wish;
    bool comes, rolls;
} placed;

typedef struct attempt {
    iswi_host_document now;
    iswi_changes changes;
    placed *workers; /* in the order of the changes */
    size_t prepared; /* pools that nobody sees yet */
    bool ready;      /* triggers and observers have prepared, too */
    iswi_outlived *outlived;
} attempt;

static isw_status no_memory(isw_error *error)
{
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for another host.yaml");
}

static isw_status find_pool(iswi_host *host, attempt *next, placed *worker, isw_error *error)
{
    worker->pool = iswi_pools_find(host, worker->wish.settings);
    if (!worker->comes || worker->pool)
        return ISW_OK;
    if (worker->wish.settings->isolation == ISWI_ISOLATION_PROCESS &&
        iswi_guard_need(host, error) != ISW_OK)
        return error->status;
    if (iswi_pools_prepare(host, &worker->wish, next->prepared, &worker->pool, error) == ISW_OK)
        next->prepared++;
    return error->status;
}

static isw_status prepare_worker(iswi_host *host, attempt *next, size_t index, isw_error *error)
{
    const iswi_worker_settings *settings = next->changes.settings->workers.items;
    const iswi_worker_change *change = &next->changes.workers[index];
    placed *worker = &next->workers[index];

    *worker = (placed){ .wish = { .settings = &settings[index], .queue = change->queue },
                        .comes = change->before == ISWI_WORKER_NEW,
                        .rolls = change->rolls };
    if ((worker->comes || worker->rolls) &&
        iswi_pools_program(host, worker->wish.settings, &worker->wish.program, error) != ISW_OK)
        return error->status;
    return find_pool(host, next, worker, error);
}

static isw_status prepare_workers(iswi_host *host, attempt *next, isw_error *error)
{
    size_t count = next->changes.settings->workers.count;
    isw_status status = ISW_OK;

    next->workers = iswi_arena_calloc(&host->arena, count, sizeof *next->workers);
    if (!next->workers)
        return no_memory(error);
    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = prepare_worker(host, next, i, error);
    return status;
}

static isw_status prepare_others(iswi_host *host, attempt *next, isw_error *error)
{
    const iswi_host_settings *settings = next->changes.settings;
    isw_error own = { ISW_OK, "" };

    if (iswi_triggers_prepare(host, next->now.config, settings, error) != ISW_OK)
        return error->status;
    next->ready = iswi_observers_prepare(&host->observers, settings, &own) == ISW_OK;
    if (next->ready)
        return ISW_OK;
    iswi_triggers_renew(&host->triggers, false);
    return iswi_triggers_place(next->now.config, "admin", &own, error);
}

static void renew_others(iswi_host *host, attempt *next, bool taken)
{
    iswi_triggers_renew(&host->triggers, taken);
    iswi_observers_renew(&host->observers, taken);
    next->ready = false;
}

static isw_status prepare(iswi_host *host, attempt *next, isw_error *error)
{
    const iswi_host_document before = { host->config, host->settings };
    const iswi_worker_settings *workers = before.settings->workers.items;
    size_t count = before.settings->workers.count;
    iswi_queue_settings *queues = iswi_arena_calloc(&host->arena, count, sizeof *queues);

    next->outlived = iswi_arena_calloc(&host->arena, 1, sizeof *next->outlived);
    if (!queues || !next->outlived)
        return no_memory(error);
    for (size_t i = 0; i < count; i++) {
        const iswi_queue *queue = &iswi_pools_find(host, &workers[i])->queue;

        queues[i] = (iswi_queue_settings){ queue->limit, queue->wait_ms };
    }
    if (iswi_changes_find(&host->groups, &before, queues, &next->now, &host->arena,
                          &next->changes) != ISW_OK)
        return no_memory(error);
    if (prepare_workers(host, next, error) != ISW_OK)
        return error->status;
    return prepare_others(host, next, error);
}

/* Nothing of it was taken. */
static void drop(iswi_host *host, attempt *next)
{
    while (next->prepared)
        iswi_pools_drop(&host->pools[host->pool_count + --next->prepared]);
    if (next->ready)
        renew_others(host, next, false);
}

/* -- What cannot ------------------------------------------------------------------------------- */

/* What workers hear when they begin. */
static bool tells_otherwise(const iswi_host *host, const iswi_host_settings *now)
{
    const iswi_host_settings *before = iswi_host_settings_of(host);
    const iswi_logging_settings *a = &before->logging;
    const iswi_logging_settings *b = &now->logging;

    return a->level != b->level || a->levels.items != b->levels.items ||
           before->host.heartbeat_ms != now->host.heartbeat_ms;
}

static void follow(iswi_host *host, iswi_pool *pool, const char *program)
{
    if (program && strcmp(program, pool->program) != 0)
        atomic_store(&pool->program, program);
    iswi_reload_follow(host, pool);
    if (host->watches)
        iswi_rebuilt_follow(host, pool);
}

static void renew_pool(iswi_host *host, const placed *worker, bool rolls)
{
    iswi_pool *pool = worker->pool;
    const iswi_worker_settings *settings = worker->wish.settings;
    iswi_confinement confinement;
    isw_error error = { ISW_OK, "" };
    unsigned id;

    atomic_store(&pool->settings, settings);
    iswi_worker_confine(settings, &confinement);
    pthread_mutex_lock(&pool->ends.lock);
    pool->confinement = confinement;
    pthread_mutex_unlock(&pool->ends.lock);
    atomic_store(&pool->queue.limit, (unsigned)worker->wish.queue.limit);
    atomic_store(&pool->queue.wait_ms, worker->wish.queue.wait_ms);
    iswi_staff_widen(host, pool, iswi_worker_most(settings));
    iswi_scale_renew(pool);
    if (worker->rolls)
        follow(host, pool, worker->wish.program);
    if (worker->rolls)
        iswi_groups_say(host, pool);
    if (rolls && iswi_host_restart(host, pool->number, &id, &error) != ISW_OK)
        iswi_say(host, ISW_LOG_WARNING, "%s", error.message);
}

static bool is_among(const attempt *next, const iswi_pool *pool)
{
    for (size_t i = 0; i < next->changes.settings->workers.count; i++)
        if (next->workers[i].pool == pool)
            return true;
    return false;
}

/* Who comes and who goes, and so what triggers serve, and whether they are to wait for more. */
static void place_workers(iswi_host *host, const attempt *next, bool all_roll)
{
    bool some_come = false;
    bool some_go = false;

    for (size_t i = 0; i < host->pool_count; i++)
        if (iswi_pool_is(&host->pools[i], ISWI_POOL_HERE) && !is_among(next, &host->pools[i])) {
            iswi_pools_leave(&host->pools[i]);
            some_go = true;
        }
    for (size_t i = 0; i < next->changes.settings->workers.count; i++) {
        const placed *worker = &next->workers[i];

        if (worker->comes)
            iswi_pools_join(host, worker->pool, &worker->wish);
        else
            renew_pool(host, worker, all_roll || worker->rolls);
        some_come = some_come || worker->comes;
    }
    if (host->triggers.published && (some_come || some_go))
        iswi_triggers_publish(host, some_come ? ISWI_MORE_SOON : host->triggers.more);
}

static void put_in_force(iswi_host *host, attempt *next)
{
    bool all_roll = tells_otherwise(host, next->changes.settings);

    *next->outlived = (iswi_outlived){ host->config, host->renewal.outlived };
    host->renewal.outlived = next->outlived;
    host->config = next->now.config;
    next->now.config = NULL;
    atomic_store(&host->settings, next->changes.settings);
    atomic_store(&host->level, (int)next->changes.settings->logging.level);
    host->heartbeat_ms = host->debug ? 0 : next->changes.settings->host.heartbeat_ms;
    renew_others(host, next, true);
    place_workers(host, next, all_roll);
    next->prepared = 0;
    iswi_functions_retime(host);
}

static const char *text_of(iswi_buffer *text)
{
    const char *chars = text->size ? iswi_buffer_text(text) : NULL;

    return chars ? chars : "";
}

static void take(iswi_host *host, attempt *next)
{
    const char *waiting = text_of(&next->changes.waiting);
    iswi_buffer told = { 0 };

    iswi_config_close(host->renewal.latest);
    host->renewal.latest = next->changes.any ? NULL : iswi_config_hold(next->now.config);
    if (next->changes.any) {
        put_in_force(host, next);
        iswi_say(host, ISW_LOG_INFO, "host.yaml has changed, and holds from now on: %s",
                 text_of(&next->changes.taken));
    }
    if (host->loop.shown)
        iswi_attention_match(host);
    if (*waiting)
        iswi_buffer_printf(&told, "needs a restart of the host: %s", waiting);
    iswi_attention_yaml(host, "host.yaml has changed; what of it is not in force ", text_of(&told));
    iswi_buffer_fini(&told);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static void refuse(iswi_host *host, iswi_faults *faults, const isw_error *error)
{
    const char *lines = faults->count ? iswi_buffer_text(&faults->lines) : NULL;

    iswi_attention_yaml(host, "host.yaml has changed and is wrong, and the host goes on as it was: ",
                        lines ? lines : error->message);
}

static void read_again(iswi_host *host)
{
    iswi_faults faults = { .count = 0 };
    isw_error error = { ISW_OK, "" };
    attempt next = { .workers = NULL };

    if (iswi_host_settings_read(host->folder, &host->groups, &faults, &next.now.config,
                                &next.now.settings, &error) != ISW_OK)
        refuse(host, &faults, &error);
    else if (host->debug || host->awaits) /* the one who debugs is not to lose the process that stands still */
        iswi_attention_yaml(host, "host.yaml has changed; ",
                            "what it says holds when the host starts again, which debugs now");
    else if (prepare(host, &next, &error) != ISW_OK)
        refuse(host, &faults, &error);
    else
        take(host, &next);
    drop(host, &next);
    iswi_changes_fini(&next.changes);
    iswi_config_close(next.now.config);
    iswi_faults_fini(&faults);
}

static iswi_file_look look(const iswi_host *host)
{
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/host.yaml", host->folder);
    return iswi_file_look_at(host->from_text ? NULL : path);
}

void iswi_renew_begin(iswi_host *host)
{
    host->renewal.look = look(host);
}

static void read_if_changed(iswi_host *host)
{
    iswi_file_look now = look(host);

    host->renewal.read_at_ns = 0;
    if (iswi_file_look_same(&now, &host->renewal.look))
        return;
    host->renewal.look = now;
    if (now.changed_ns)
        read_again(host);
    else
        iswi_attention_yaml(host, "host.yaml is gone, and the host goes on as it was; ",
                            "put it back");
}

void iswi_renew_look(iswi_host *host)
{
    iswi_renewal *renewal = &host->renewal;
    iswi_file_look now = look(host);

    if (iswi_file_look_same(&now, renewal->read_at_ns ? &renewal->seen : &renewal->look))
        return;
    renewal->seen = now;
    renewal->read_at_ns = iswi_now_ns() + QUIET_MS * MS;
}

void iswi_renew_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    iswi_renewal *renewal = &host->renewal;
    unsigned asked = atomic_load(&host->reload.asked);

    if ((!renewal->read_at_ns && asked == renewal->heeded) || atomic_load(&host->stops) ||
        atomic_load(&host->replacing.successor))
        return;
    if (asked == renewal->heeded)
        iswi_renew_look(host); /* again, if it is still being written */
    if (asked != renewal->heeded || now_ns >= renewal->read_at_ns)
        read_if_changed(host);
    renewal->heeded = asked;
    if (renewal->read_at_ns && renewal->read_at_ns < *next_ns)
        *next_ns = renewal->read_at_ns;
}
