/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to those outside the engine. */
#include "host/engine/look.h"

#include "host/engine/engine.h"
#include "host/system/usage.h"

#include <stdlib.h>

iswi_phase iswi_host_phase(const iswi_host *host)
{
    if (atomic_load(&host->stops))
        return ISWI_PHASE_STOPPING;
    if (atomic_load(&host->draining))
        return ISWI_PHASE_DRAINING;
    return atomic_load(&host->settled) ? ISWI_PHASE_SERVING : ISWI_PHASE_STARTING;
}

const char *iswi_host_folder(const iswi_host *host)
{
    return host->folder;
}

bool iswi_host_is_confined(const iswi_host *host)
{
    return host->groups.confined;
}

const char *iswi_host_data_folder(const iswi_host *host)
{
    const char *temporary = getenv("TMPDIR");

    if (!iswi_host_is_confined(host))
        return host->folder;
    return temporary && *temporary == '/' ? temporary : "/tmp";
}

bool iswi_host_store_goes(const iswi_host *host)
{
    const char *store = host->settings->queues.store;
    const char *folder = iswi_host_data_folder(host);

    if (!iswi_host_is_confined(host) || strncmp(store, "sqlite:", 7) != 0)
        return false;
    return store[7] != '/' || strncmp(store + 7, folder, strlen(folder)) == 0;
}

const iswi_host_settings *iswi_host_settings_of(const iswi_host *host)
{
    return host->settings;
}

int64_t iswi_host_begun_ns(const iswi_host *host)
{
    return host->begun_ns;
}

uint64_t iswi_host_turns(const iswi_host *host)
{
    return atomic_load(&host->loop.turns);
}

unsigned iswi_host_reloads(const iswi_host *host)
{
    return host->reload.seen;
}

static iswi_host_function *current_from(iswi_host_function *function)
{
    while (function && !atomic_load(&function->current))
        function = function->before;
    return function;
}

iswi_host_function *iswi_host_newest_function(const iswi_host *host)
{
    return current_from(atomic_load_explicit(&host->newest, memory_order_acquire));
}

iswi_host_function *iswi_function_before(const iswi_host_function *function)
{
    return current_from(function->before);
}

size_t iswi_host_function_numbers(const iswi_host *host)
{
    const iswi_host_function *newest = atomic_load_explicit(&host->newest, memory_order_acquire);

    return newest ? newest->number + 1 : 0;
}

size_t iswi_function_number(const iswi_host_function *function)
{
    return function->number;
}

const char *iswi_host_function_name(const iswi_host_function *function)
{
    return function->name;
}

void iswi_function_look_at(const iswi_host_function *function, iswi_function_look *out)
{
    *out = (iswi_function_look){ .name = function->name,
                                 .trigger_type = function->description.trigger_type,
                                 .chain = atomic_load(&function->chain),
                                 .refused = atomic_load(&function->refused),
                                 .unserved = atomic_load(&function->unserved),
                                 .timeout_ms = atomic_load(&function->timeout_ms),
                                 .patient = iswi_pool_is_patient(function->pool->processes->host,
                                                                 function->pool),
                                 .total_us = atomic_load(&function->total_us),
                                 .last_us = atomic_load(&function->last_us) };
    for (unsigned i = 0; i < ISWI_ENDINGS; i++) {
        out->ended_calls[i] = atomic_load(&function->ended_calls[i]);
        out->ended += out->ended_calls[i];
    }
    out->failed = out->ended - out->ended_calls[ISWI_ENDED_SUCCESS];
    for (unsigned i = 0; i < ISWI_REFUSALS; i++)
        out->refused_calls[i] = atomic_load(&function->refused_calls[i]);
}

void iswi_host_probed_by(iswi_host *host, iswi_probe_fn probe, void *user)
{
    host->prober = user;
    atomic_store(&host->probe, probe);
}

bool iswi_host_probe(const iswi_host *host, iswi_probe probe)
{
    iswi_probe_fn asks = atomic_load(&host->probe);

    return asks && asks(host->prober, probe);
}

const void *iswi_function_properties(const iswi_host_function *function)
{
    return function->entry.properties;
}

const char *iswi_function_lost(const iswi_host_function *function, size_t index)
{
    if (index >= function->output_count)
        return NULL;
    return function->outputs[index].lost ? function->outputs[index].lost : "";
}

const char *iswi_function_worker(const iswi_host_function *function)
{
    return function->pool->settings->name;
}

const isw_pairs *iswi_host_secrets(const iswi_host *host)
{
    return atomic_load(&host->secrets);
}

bool iswi_host_has_unread_secrets(const iswi_host *host)
{
    return atomic_load(&host->reload.unread) != 0;
}

/* -- Workers and processes --------------------------------------------------------------------- */

size_t iswi_host_worker_count(const iswi_host *host)
{
    return host->pool_count;
}

size_t iswi_host_worker_most(const iswi_host *host)
{
    return host->pools_max;
}

bool iswi_host_has_worker(const iswi_host *host, size_t worker)
{
    return !iswi_pool_is(&host->pools[worker], ISWI_POOL_GONE);
}

bool iswi_host_needs_worker(const iswi_host *host, size_t worker)
{
    const iswi_pool *pool = &host->pools[worker];

    return iswi_pool_is(pool, ISWI_POOL_HERE) && !atomic_load(&pool->joins);
}

const char *iswi_host_worker_name(const iswi_host *host, size_t worker)
{
    return host->pools[worker].settings->name;
}

const iswi_worker_settings *iswi_host_worker_settings(const iswi_host *host, size_t worker)
{
    return host->pools[worker].settings;
}

void iswi_host_worker_confinement(const iswi_host *host, size_t worker, iswi_confinement *out)
{
    iswi_pool *pool = &host->pools[worker];

    pthread_mutex_lock(&pool->ends.lock);
    *out = pool->confinement;
    pthread_mutex_unlock(&pool->ends.lock);
}

bool iswi_host_template_look_at(iswi_host *host, size_t worker, iswi_template_look *out)
{
    iswi_pool *pool = &host->pools[worker];
    iswi_template *template = &pool->template;
    uint64_t peak;

    pthread_mutex_lock(&template->lock); /* while it runs its number is nobody else's */
    *out = template->now;
    if (out->pid)
        iswi_usage_memory(out->pid, &out->resident_bytes, &peak);
    pthread_mutex_unlock(&template->lock);
    return pool->settings->start == ISWI_START_WARM;
}

const char *iswi_host_worker_program(const iswi_host *host, size_t worker)
{
    return host->pools[worker].program;
}

static void add_calls(const iswi_by_function *to, const iswi_host_function *function,
                      int64_t count)
{
    if (function->number < to->size)
        to->calls[function->number] += count;
}

void iswi_worker_queue_look_at(const iswi_host *host, size_t worker, iswi_queue_look *out,
                               const iswi_by_function *by_function)
{
    iswi_queue *queue = &host->pools[worker].queue;

    *out = (iswi_queue_look){ .limit = queue->limit, .wait_ms = queue->wait_ms };
    pthread_mutex_lock(&queue->lock);
    out->waiting = atomic_load(&queue->waiting);
    out->waited = queue->counts.waited;
    out->waited_us = queue->counts.waited_us;
    out->refused = queue->counts.refused;
    out->expired = queue->counts.expired;
    memcpy(out->waits, queue->counts.waits, sizeof out->waits);
    for (const iswi_line *line = queue->lines.first; line && by_function; line = line->next)
        add_calls(by_function, line->first->function, line->count);
    out->oldest_ns = iswi_lines_oldest_ns(&queue->lines);
    pthread_mutex_unlock(&queue->lock);
}

unsigned iswi_host_worker_processes(const iswi_host *host, size_t worker)
{
    return atomic_load(&host->pools[worker].wanted);
}

unsigned iswi_host_worker_places(const iswi_host *host, size_t worker)
{
    return host->pools[worker].count;
}

unsigned iswi_host_worker_places_most(const iswi_host *host, size_t worker)
{
    return host->pools[worker].places_max;
}

uint64_t iswi_host_worker_restarts(const iswi_host *host, size_t worker)
{
    return atomic_load(&host->pools[worker].restarts);
}

iswi_process *iswi_host_first_process(const iswi_host *host, size_t worker)
{
    return iswi_pool_first(&host->pools[worker]);
}

iswi_process *iswi_host_process(const iswi_host *host, size_t worker, unsigned index)
{
    return &host->pools[worker].processes[index];
}

size_t iswi_process_worker(const iswi_process *process)
{
    return process->pool->number;
}

unsigned iswi_process_index(const iswi_process *process)
{
    return process->index;
}

const char *iswi_process_label(const iswi_process *process)
{
    return process->label;
}

static void count_calls(const iswi_process *process, const iswi_by_function *in_flight)
{
    for (unsigned i = 0; i < process->place_count; i++)
        if (process->places[i].call)
            add_calls(in_flight, process->places[i].call->function, 1);
}

void iswi_process_look_at(iswi_process *process, iswi_process_look *out,
                          const iswi_by_function *in_flight)
{
    pthread_mutex_lock(&process->lock);
    *out = (iswi_process_look){ .label = process->label,
                                .state = process->state,
                                .retiring = process->retiring,
                                .serves = iswi_process_serves(process),
                                .warming = process->warmup.runs ? process->warmup.name : NULL,
                                .functions_known = process->pool->indexed,
                                .pid = process->running && process->starts ? process->os.pid : 0,
                                .guest = iswi_pool_waits(process->pool),
                                .in_process = !process->pool->launcher.apart,
                                .forked = process->forked,
                                .starts = process->starts,
                                .started_ns = process->started_ns,
                                .start_at_ns = process->start_at_ns,
                                .fault = process->fault,
                                .on_ring = process->on_ring,
                                .credit = process->credit,
                                .in_flight = process->in_flight,
                                .running = process->calls_running,
                                .waiting = process->calls_waiting,
                                .resident_bytes = process->resident_bytes,
                                .ended = process->ended_calls,
                                .failed = process->failed_calls };
    out->tells_health = process->health.tells;
    out->unhealthy = process->health.keeps_out && process->state == ISWI_PROCESS_READY;
    memcpy(out->why_unhealthy, process->health.why, sizeof out->why_unhealthy);
    if (!process->retiring) {
        out->ended += atomic_load(&process->seat->ended);
        out->failed += atomic_load(&process->seat->failed);
    }
    if (in_flight)
        count_calls(process, in_flight);
    pthread_mutex_unlock(&process->lock);
}

bool iswi_process_serves(const iswi_process *process)
{
    return atomic_load(&process->load) != UINT32_MAX;
}

void iswi_process_tell(iswi_process *process, iswi_tell_fn make, void *user)
{
    iswi_frame frame;

    pthread_mutex_lock(&process->lock);
    if (process->state == ISWI_PROCESS_READY && make(user, process, &frame))
        iswi_process_send(process, &frame);
    pthread_mutex_unlock(&process->lock);
}

iswi_broker *iswi_host_broker(const iswi_host *host)
{
    return host->broker;
}

unsigned iswi_function_capacity(const iswi_host_function *function)
{
    iswi_pool *pool = function->pool;
    unsigned capacity = 0;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];

        pthread_mutex_lock(&process->lock);
        if (iswi_process_serves(process))
            capacity += process->credit;
        pthread_mutex_unlock(&process->lock);
    }
    return capacity;
}
