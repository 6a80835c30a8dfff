/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at the metrics: the processes are asked, answer on their links' threads, and what is
 * there then is written. Invariant: nobody waits with a lock, and a process is asked again only
 * once it has answered.
 */
#include "base/clock.h"
#include "host/operate/control.h"
#include "host/operate/metrics.h"

/* -- Asking ------------------------------------------------------------------------------------ */

static void ask_process(iswi_process *process)
{
    iswi_frame frame = { .kind = ISWI_METRICS_REQUEST };

    pthread_mutex_lock(&process->lock);
    if (process->state == ISWI_PROCESS_READY && process->wants_metrics &&
        atomic_load(&process->metrics_asked) <= atomic_load(&process->metrics_answered)) {
        frame.id = atomic_fetch_add(&process->metrics_asked, 1) + 1;
        iswi_process_send(process, &frame);
    }
    pthread_mutex_unlock(&process->lock);
}

void iswi_metrics_ask(iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        for (unsigned j = 0; j < host->pools[i].count; j++)
            ask_process(&host->pools[i].processes[j]);
}

unsigned iswi_metrics_awaited(iswi_host *host)
{
    unsigned count = 0;

    for (size_t i = 0; i < host->pool_count; i++)
        for (unsigned j = 0; j < host->pools[i].count; j++) {
            iswi_process *process = &host->pools[i].processes[j];

            count += atomic_load(&process->metrics_asked) >
                     atomic_load(&process->metrics_answered);
        }
    return count;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static isw_status check_id(const iswi_process *process, uint64_t id, isw_error *error)
{
    bool awaited = id > atomic_load(&process->metrics_answered) &&
                   id <= atomic_load(&process->metrics_asked);

    if (process->wants_metrics && (!id || awaited))
        return ISW_OK;
    return isw_error_set(error, ISW_E_PROTOCOL, "metrics that nobody asked for");
}

isw_status iswi_metrics_came(iswi_process *process, uint64_t id, isw_bytes bytes,
                             isw_error *error)
{
    isw_status status = check_id(process, id, error);
    isw_error dropped;
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
        status = iswi_metrics_take(process->host->metrics, &process->pool->metrics, process,
                                   &frame.as.metrics, error);
    if (status == ISW_OK &&
        iswi_metrics_note(process->host->metrics, &process->pool->metrics, &dropped))
        iswi_console_say(&process->host->console, ISW_LOG_WARNING, "worker %s: %s",
                         process->pool->settings->name, dropped.message);
    if (status == ISW_OK && id && !frame.as.metrics.more)
        atomic_store(&process->metrics_answered, id);
    iswi_arena_fini(&arena);
    return status;
}

void iswi_metrics_over(iswi_process *process)
{
    atomic_store(&process->metrics_answered, UINT64_MAX);
}

void iswi_metrics_ended(iswi_process *process)
{
    iswi_metrics_over(process);
    if (process->host->metrics)
        iswi_metrics_forget(process->host->metrics, process);
}

/* -- The host's own ---------------------------------------------------------------------------- */

static void write_one(iswi_buffer *out, const char *name, iswi_metric_type type, const char *help,
                      double value)
{
    iswi_metrics_head(out, name, type, help);
    iswi_buffer_printf(out, "%s ", name);
    iswi_metrics_number(out, value);
    iswi_buffer_append_text(out, "\n");
}

static void write_requests(iswi_host *host, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_requests_total";

    if (!host->http)
        return;
    iswi_metrics_head(out, name, ISWI_METRIC_COUNTER, "HTTP requests, by the code of the answer.");
    for (int code = 100; code < 600; code++) {
        uint64_t count = iswi_http_answers(host->http, code);

        if (count)
            iswi_buffer_printf(out, "%s{code=\"%d\"} %llu\n", name, code,
                               (unsigned long long)count);
    }
}

/* What is told of each worker. */
typedef struct worker_numbers {
    double processes, ready, restarts, resident_bytes, dropped;
} worker_numbers;

typedef struct worker_row {
    const char *name, *help;
    iswi_metric_type type;
    size_t offset;
} worker_row;

static const worker_row worker_rows[] = {
    { "isoworker_host_worker_processes", "Processes that a worker is to have.",
      ISWI_METRIC_GAUGE, offsetof(worker_numbers, processes) },
    { "isoworker_host_worker_processes_ready", "Processes that serve.", ISWI_METRIC_GAUGE,
      offsetof(worker_numbers, ready) },
    { "isoworker_host_worker_restarts_total", "How often a process was started again.",
      ISWI_METRIC_COUNTER, offsetof(worker_numbers, restarts) },
    { "isoworker_host_worker_resident_bytes",
      "Memory of its processes, as they said at their last heartbeat.", ISWI_METRIC_GAUGE,
      offsetof(worker_numbers, resident_bytes) },
    { "isoworker_host_metrics_dropped_total",
      "Updates of a worker's metrics that found no room, or clash with another metric.",
      ISWI_METRIC_COUNTER, offsetof(worker_numbers, dropped) },
};

static worker_numbers numbers_of(iswi_host *host, iswi_pool *pool)
{
    worker_numbers numbers = { .processes = pool->count };

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];

        pthread_mutex_lock(&process->lock);
        numbers.ready += process->state == ISWI_PROCESS_READY;
        numbers.restarts += process->starts ? process->starts - 1 : 0;
        numbers.resident_bytes += process->running ? (double)process->resident_bytes : 0;
        pthread_mutex_unlock(&process->lock);
    }
    pthread_mutex_lock(&host->metrics->lock);
    numbers.dropped = (double)pool->metrics.dropped;
    pthread_mutex_unlock(&host->metrics->lock);
    return numbers;
}

static void write_row(iswi_host *host, const worker_row *row, iswi_buffer *out)
{
    iswi_metrics_head(out, row->name, row->type, row->help);
    for (size_t i = 0; i < host->pool_count; i++) {
        worker_numbers numbers = numbers_of(host, &host->pools[i]);

        iswi_buffer_printf(out, "%s{", row->name);
        iswi_metrics_label(out, isw_str_of("worker"), isw_str_of(host->pools[i].settings->name));
        iswi_buffer_append_text(out, "} ");
        iswi_metrics_number(out, *(const double *)((const char *)&numbers + row->offset));
        iswi_buffer_append_text(out, "\n");
    }
}

void iswi_metrics_report(iswi_host *host, iswi_buffer *out)
{
    iswi_metrics_head(out, "isoworker_build_info", ISWI_METRIC_GAUGE,
                      "1, with the version of the host.");
    iswi_buffer_append_text(out, "isoworker_build_info{version=\"" ISW_VERSION_STRING "\"} 1\n");
    write_one(out, "isoworker_host_uptime_seconds", ISWI_METRIC_GAUGE, "Since the host began.",
              (double)((iswi_now_ns() - host->begun_ns) / 1000000) / 1000);
    write_one(out, "isoworker_host_in_flight", ISWI_METRIC_GAUGE,
              "Requests that are not answered yet.", (double)iswi_host_in_flight(host));
    write_one(out, "isoworker_host_processes_unheard", ISWI_METRIC_GAUGE,
              "Processes that did not answer in time; what they have counted since is missing.",
              iswi_metrics_awaited(host));
    write_requests(host, out);
    for (size_t i = 0; i < sizeof worker_rows / sizeof worker_rows[0]; i++)
        write_row(host, &worker_rows[i], out);
    iswi_metrics_write(host->metrics, out);
}
