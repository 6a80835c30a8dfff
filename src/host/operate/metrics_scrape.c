/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at the metrics: what processes count in memory is read, those that count elsewhere are
 * asked and answer on their links' threads, and what is there then is written. Invariant: nobody
 * waits with a lock, and a process is asked again only once it has answered.
 */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/observer.h"
#include "host/engine/steer.h"
#include "host/operate/metrics_scrape.h"

/* NULL: none of its processes has begun. */
static iswi_metrics_worker *worker_of(const iswi_scrape *scrape, const iswi_process *process)
{
    return atomic_load(&scrape->workers[iswi_process_worker(process)]);
}

/* Of one that has begun. */
static iswi_metrics_asked *asked_of(const iswi_scrape *scrape, const iswi_process *process)
{
    return &worker_of(scrape, process)->processes[iswi_process_index(process)];
}

/* -- Asking ------------------------------------------------------------------------------------ */

/* One that begins again counts from 0, which must not come between the check and the number: it is
 * all done with the process's lock, as are the hooks that tell of its life. */
static bool number_request(void *user, iswi_process *process, iswi_frame *frame)
{
    iswi_metrics_asked *of = asked_of(user, process);

    if (!atomic_load(&of->may) || atomic_load(&of->asked) > atomic_load(&of->answered) ||
        iswi_metrics_memory_says_all(&of->memory))
        return false;
    *frame = (iswi_frame){ .kind = ISWI_METRICS_REQUEST,
                           .id = atomic_fetch_add(&of->asked, 1) + 1 };
    return true;
}

void iswi_scrape_ask(iswi_scrape *scrape)
{
    const iswi_host *host = scrape->host;

    for (size_t i = 0; i < iswi_host_worker_count(host); i++)
        for (unsigned j = 0; j < iswi_host_worker_places(host, i); j++)
            iswi_process_tell(iswi_host_process(host, i, j), number_request, scrape);
}

unsigned iswi_scrape_awaited(iswi_scrape *scrape)
{
    unsigned count = 0;

    for (size_t i = 0; i < scrape->worker_count; i++) {
        iswi_metrics_worker *worker = atomic_load(&scrape->workers[i]);

        for (unsigned j = 0; worker && j < worker->count; j++)
            count += atomic_load(&worker->processes[j].asked) >
                     atomic_load(&worker->processes[j].answered);
    }
    return count;
}

/* -- Memory ------------------------------------------------------------------------------------ */

/* What was dropped of what a worker has told, if it was not said yet. */
static void say_dropped(iswi_scrape *scrape, iswi_metrics_share *share)
{
    isw_error dropped;

    if (iswi_metrics_note(scrape->table, share, &dropped))
        iswi_say(scrape->host, ISW_LOG_WARNING, "worker %s: %s", share->worker, dropped.message);
}

/* What breaks the rules there need not be the worker's word: a pointer gone wild writes, too. It
 * costs the process its numbers, and nobody a call. */
static void read_memory(iswi_scrape *scrape, iswi_process *process)
{
    iswi_metrics_worker *worker = worker_of(scrape, process);
    iswi_metrics_share *share = worker ? &worker->share : NULL;
    isw_error error = { ISW_OK, "" };

    if (!worker)
        return;
    if (iswi_metrics_memory_read(&asked_of(scrape, process)->memory, scrape->table, share, process,
                                 &error) != ISW_OK)
        iswi_say(scrape->host, ISW_LOG_WARNING,
                 "worker %s: the memory in which a process of it counts is not as it should be: "
                 "%s; what it counts is missing in /metrics until it starts again", share->worker,
                 error.message);
    say_dropped(scrape, share);
}

void iswi_scrape_read(iswi_scrape *scrape)
{
    const iswi_host *host = scrape->host;

    for (size_t i = 0; i < iswi_host_worker_count(host); i++)
        for (unsigned j = 0; j < iswi_host_worker_places(host, i); j++)
            read_memory(scrape, iswi_host_process(host, i, j));
}

/* -- Processes --------------------------------------------------------------------------------- */

/* False: no memory. */
static bool know_worker(iswi_scrape *scrape, const iswi_process *process)
{
    const size_t number = iswi_process_worker(process);
    const unsigned count = iswi_host_worker_places_most(scrape->host, number);
    iswi_metrics_worker *worker;

    if (atomic_load(&scrape->workers[number]))
        return true;
    worker = iswi_calloc(1, sizeof *worker + count * sizeof worker->processes[0]);
    if (!worker)
        return false;
    worker->share.worker = iswi_host_worker_name(scrape->host, number);
    for (; worker->count < count; worker->count++)
        iswi_metrics_memory_init(&worker->processes[worker->count].memory);
    atomic_store(&scrape->workers[number], worker);
    return true;
}

static isw_status on_spawns(void *user, iswi_process *process, iswi_spawn_options *options,
                            isw_error *error)
{
    iswi_metrics_asked *of;

    if (!know_worker(user, process))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its metrics");
    of = asked_of(user, process);
    atomic_store(&of->may, false);
    atomic_store(&of->asked, 0);
    atomic_store(&of->answered, 0);
    options->metrics = iswi_metrics_memory_begin(&of->memory);
    return ISW_OK;
}

/* However it ended: what it has counted up to then is there. */
static void on_ended(void *user, iswi_process *process)
{
    if (!worker_of(user, process))
        return;
    read_memory(user, process);
    iswi_metrics_memory_end(&asked_of(user, process)->memory);
}

static void on_greeted(void *user, iswi_process *process, bool named)
{
    atomic_store(&asked_of(user, process)->may, named);
}

static isw_status check_id(const iswi_metrics_asked *of, uint64_t id, isw_error *error)
{
    bool awaited = id > atomic_load(&of->answered) && id <= atomic_load(&of->asked);

    if (atomic_load(&of->may) && (!id || awaited))
        return ISW_OK;
    return isw_error_set(error, ISW_E_PROTOCOL, "metrics that nobody asked for");
}

static isw_status on_frame(void *user, iswi_process *process, uint64_t id, isw_bytes bytes,
                           isw_error *error)
{
    iswi_scrape *scrape = user;
    iswi_metrics_asked *of = asked_of(scrape, process);
    iswi_metrics_share *share = &worker_of(scrape, process)->share;
    isw_status status = check_id(of, id, error);
    iswi_arena arena;
    iswi_frame frame;
    size_t used;

    if (status == ISW_OK && bytes.size > ISWI_METRICS_MAX_BYTES)
        status = isw_error_set(error, ISW_E_PROTOCOL,
                               "metrics of %zu bytes; a frame has %d at most", bytes.size,
                               ISWI_METRICS_MAX_BYTES);
    if (status != ISW_OK)
        return status;
    iswi_arena_init(&arena, 16 * 1024);
    status = iswi_frame_decode(bytes.data, bytes.size, &arena, &frame, &used, error);
    if (status == ISW_OK)
        status = iswi_metrics_take(scrape->table, share, process, &frame.as.metrics, error);
    if (status == ISW_OK)
        say_dropped(scrape, share);
    if (status == ISW_OK && id && !frame.as.metrics.more)
        atomic_store(&of->answered, id);
    iswi_arena_fini(&arena);
    return status;
}

static void on_silent(void *user, iswi_process *process)
{
    if (worker_of(user, process))
        atomic_store(&asked_of(user, process)->answered, UINT64_MAX);
}

static void on_buried(void *user, iswi_process *process)
{
    on_silent(user, process);
    iswi_metrics_forget(((iswi_scrape *)user)->table, process);
}

/* -- Life -------------------------------------------------------------------------------------- */

static void destroy(void *user)
{
    iswi_scrape *scrape = user;

    for (size_t i = 0; scrape->workers && i < scrape->worker_count; i++) {
        iswi_metrics_worker *worker = atomic_load(&scrape->workers[i]);

        while (worker && worker->count)
            iswi_metrics_memory_fini(&worker->processes[--worker->count].memory);
        iswi_free(worker);
    }
    iswi_metrics_destroy(scrape->table);
    iswi_free(scrape->workers);
    iswi_free(scrape);
}

static const iswi_observer observer = {
    .capability = "metrics",
    .kind = ISWI_METRICS,
    .spawns = on_spawns,
    .ended = on_ended,
    .greeted = on_greeted,
    .frame = on_frame,
    .silent = on_silent,
    .buried = on_buried,
    .destroy = destroy,
};

isw_status iswi_scrape_attach(iswi_host *host, iswi_scrape **out, isw_error *error)
{
    iswi_scrape *scrape = iswi_calloc(1, sizeof *scrape);

    if (!scrape)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for metrics");
    scrape->host = host;
    scrape->table = iswi_metrics_create();
    scrape->worker_count = iswi_host_worker_most(host);
    scrape->workers = iswi_calloc(scrape->worker_count, sizeof *scrape->workers);
    if (!scrape->table || !scrape->workers)
        isw_error_set(error, ISW_E_NO_MEMORY, "no memory for metrics");
    else if (iswi_host_observe(host, &observer, scrape, error) == ISW_OK)
        return *out = scrape, ISW_OK;
    destroy(scrape);
    return error->status;
}
