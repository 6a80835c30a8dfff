/* SPDX-License-Identifier: Apache-2.0 */
/* What the host itself counts, of all workers alike, whatever their chains; and the whole text. */
#include "host/operate/metrics_scrape.h"

#include "base/clock.h"
#include "host/engine/steer.h"
#include "host/engine/trigger.h"

#include <stdio.h>

static void write_one(iswi_buffer *out, const char *name, iswi_metric_type type, const char *help,
                      double value)
{
    iswi_metrics_head(out, name, type, help);
    iswi_buffer_printf(out, "%s ", name);
    iswi_metrics_number(out, value);
    iswi_buffer_append_text(out, "\n");
}

typedef struct told_rows {
    iswi_buffer *out;
    char name[128]; /* of the row before; "": it is the first */
} told_rows;

static void write_trigger_value(iswi_buffer *out, const char *name, const char *labels,
                                const iswi_trigger_row *row)
{
    const iswi_trigger_buckets *buckets = row->buckets;

    if (buckets) {
        iswi_metrics_buckets(out, name, labels, buckets->bounds, buckets->counts,
                             buckets->bound_count, row->number);
        return;
    }
    iswi_buffer_printf(out, *labels ? "%s{%s} " : "%s%s ", name, labels);
    iswi_metrics_number(out, row->number);
    iswi_buffer_append_text(out, "\n");
}

static void write_trigger_row(void *user, const iswi_trigger_row *row)
{
    told_rows *told = user;
    iswi_buffer labels = { 0 };
    char name[sizeof told->name];

    snprintf(name, sizeof name, "isoworker_host_%s", row->name);
    if (strcmp(told->name, name) != 0)
        iswi_metrics_head(told->out, name,
                          row->buckets  ? ISWI_METRIC_HISTOGRAM
                          : row->counts ? ISWI_METRIC_COUNTER
                                        : ISWI_METRIC_GAUGE, row->help);
    memcpy(told->name, name, sizeof name);
    if (row->label)
        iswi_metrics_label(&labels, isw_str_of(row->label), isw_str_of(row->value));
    if (iswi_buffer_text(&labels))
        write_trigger_value(told->out, name, iswi_buffer_text(&labels), row);
    else
        told->out->failed = true;
    iswi_buffer_fini(&labels);
}

static void write_triggers(const iswi_host *host, iswi_buffer *out)
{
    for (size_t i = 0; i < iswi_host_trigger_count(host); i++) {
        told_rows told = { out, "" };
        void *self;
        const iswi_trigger *trigger = iswi_host_trigger(host, i, &self);

        if (trigger->rows)
            trigger->rows(self, write_trigger_row, &told);
    }
}

/* What is told of each worker. */
typedef struct worker_numbers {
    double processes, ready, restarts, resident_bytes, dropped;
    double waiting, waited, waited_seconds, refused, expired;
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
      "Memory of its processes, as they said at their last heartbeat; of a worker with isolation: "
      "none that of the host.", ISWI_METRIC_GAUGE, offsetof(worker_numbers, resident_bytes) },
    { "isoworker_host_queue_waiting", "Calls that wait for a process.", ISWI_METRIC_GAUGE,
      offsetof(worker_numbers, waiting) },
    { "isoworker_host_queue_waited_total", "Calls that have waited and found a place.",
      ISWI_METRIC_COUNTER, offsetof(worker_numbers, waited) },
    { "isoworker_host_queue_waited_seconds_total", "How long these have waited, all together.",
      ISWI_METRIC_COUNTER, offsetof(worker_numbers, waited_seconds) },
    { "isoworker_host_queue_refused_total", "Calls that found the queue full.",
      ISWI_METRIC_COUNTER, offsetof(worker_numbers, refused) },
    { "isoworker_host_queue_expired_total", "Calls that found no place in time.",
      ISWI_METRIC_COUNTER, offsetof(worker_numbers, expired) },
    { "isoworker_host_metrics_dropped_total",
      "Updates of a worker's metrics that found no room, or clash with another metric.",
      ISWI_METRIC_COUNTER, offsetof(worker_numbers, dropped) },
};

static worker_numbers numbers_of(iswi_scrape *scrape, size_t worker)
{
    unsigned count = iswi_host_worker_places(scrape->host, worker);
    const iswi_host *host = scrape->host;
    worker_numbers numbers = { .processes = iswi_host_worker_processes(host, worker),
                               .restarts = (double)iswi_host_worker_restarts(host, worker) };
    const iswi_metrics_worker *of = atomic_load(&scrape->workers[worker]);
    iswi_process_look look;
    iswi_queue_look queue;

    for (unsigned i = 0; i < count; i++) {
        iswi_process_look_at(iswi_host_process(scrape->host, worker, i), &look, NULL);
        numbers.ready += look.state == ISWI_PROCESS_READY && !look.retiring && !look.unhealthy;
        numbers.resident_bytes += look.pid ? (double)look.resident_bytes : 0;
    }
    iswi_worker_queue_look_at(scrape->host, worker, &queue, NULL);
    numbers.waiting = queue.waiting;
    numbers.waited = (double)queue.waited;
    numbers.waited_seconds = (double)queue.waited_us / 1e6;
    numbers.refused = (double)queue.refused;
    numbers.expired = (double)queue.expired;
    pthread_mutex_lock(&scrape->table->lock);
    numbers.dropped = of ? (double)of->share.dropped : 0;
    pthread_mutex_unlock(&scrape->table->lock);
    return numbers;
}

static void write_worker(const iswi_scrape *scrape, size_t worker, iswi_buffer *out)
{
    const char *name = iswi_host_worker_name(scrape->host, worker);

    iswi_metrics_label(out, isw_str_of("worker"), isw_str_of(name));
}

static void write_row(iswi_scrape *scrape, const worker_row *row, iswi_buffer *out)
{
    iswi_metrics_head(out, row->name, row->type, row->help);
    for (size_t i = 0; i < iswi_host_worker_count(scrape->host); i++) {
        worker_numbers numbers;

        if (!iswi_host_has_worker(scrape->host, i))
            continue;
        numbers = numbers_of(scrape, i);
        iswi_buffer_printf(out, "%s{", row->name);
        write_worker(scrape, i, out);
        iswi_buffer_append_text(out, "} ");
        iswi_metrics_number(out, *(const double *)((const char *)&numbers + row->offset));
        iswi_buffer_append_text(out, "\n");
    }
}

/* Of a worker, by iswi_refusal. */
static void refused_of(const iswi_scrape *scrape, size_t worker, uint64_t counts[ISWI_REFUSALS])
{
    const char *name = iswi_host_worker_name(scrape->host, worker);
    iswi_function_look look;

    for (iswi_host_function *at = iswi_host_newest_function(scrape->host); at;
         at = iswi_function_before(at)) {
        if (strcmp(iswi_function_worker(at), name) != 0)
            continue;
        iswi_function_look_at(at, &look);
        for (unsigned i = 0; i < ISWI_REFUSALS; i++)
            counts[i] += look.refused_calls[i];
    }
}

static void write_refused(const iswi_scrape *scrape, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_calls_refused_total";
    static const char *const reasons[] = { [ISWI_REFUSED_FULL] = "queue_full",
                                           [ISWI_REFUSED_LATE] = "queue_wait",
                                           [ISWI_REFUSED_LEFT] = "caller_left",
                                           [ISWI_REFUSED_GONE] = "worker_gone" };

    iswi_metrics_head(out, name, ISWI_METRIC_COUNTER, "Calls that no process has begun.");
    for (size_t i = 0; i < iswi_host_worker_count(scrape->host); i++) {
        uint64_t counts[ISWI_REFUSALS] = { 0 };

        if (!iswi_host_has_worker(scrape->host, i))
            continue;
        refused_of(scrape, i, counts);
        for (unsigned j = 0; j < ISWI_REFUSALS; j++) {
            iswi_buffer_printf(out, "%s{", name);
            write_worker(scrape, i, out);
            iswi_buffer_printf(out, ",reason=\"%s\"} ", reasons[j]);
            iswi_metrics_number(out, (double)counts[j]);
            iswi_buffer_append_text(out, "\n");
        }
    }
}

/* -- How calls ended --------------------------------------------------------------------------- */

static const char invocations[] = "isoworker_host_invocations_total";

static void write_ending(const iswi_function_look *look, const char *worker, const char *outcome,
                         uint64_t count, iswi_buffer *out)
{
    iswi_buffer_printf(out, "%s{", invocations);
    iswi_metrics_label(out, isw_str_of("worker"), isw_str_of(worker));
    iswi_buffer_append_text(out, ",");
    iswi_metrics_label(out, isw_str_of("function"), isw_str_of(look->name));
    iswi_buffer_printf(out, ",outcome=\"%s\"} %llu\n", outcome, (unsigned long long)count);
}

static void write_endings(const iswi_host *host, iswi_buffer *out)
{
    static const char *const outcomes[] = { [ISWI_ENDED_SUCCESS] = "success",
                                            [ISWI_ENDED_FAILURE] = "failure",
                                            [ISWI_ENDED_CANCELLED] = "cancelled",
                                            [ISWI_ENDED_RETRY_LATER] = "retry_later",
                                            [ISWI_ENDED_TIMEOUT] = "timeout",
                                            [ISWI_ENDED_LOST] = "lost" };
    iswi_function_look look;

    iswi_metrics_head(out, invocations, ISWI_METRIC_COUNTER,
                      "Calls that have ended, by function and how.");
    for (iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        uint64_t refused = 0;

        iswi_function_look_at(at, &look);
        for (unsigned i = 0; i < ISWI_ENDINGS; i++)
            write_ending(&look, iswi_function_worker(at), outcomes[i], look.ended_calls[i], out);
        for (unsigned i = 0; i < ISWI_REFUSALS; i++)
            refused += look.refused_calls[i];
        write_ending(&look, iswi_function_worker(at), "refused", refused, out);
    }
}

/* -- How long they waited ---------------------------------------------------------------------- */

static void write_waits_of(iswi_scrape *scrape, size_t worker, const char *name, iswi_buffer *out)
{
    static const double bounds_ms[ISWI_WAITS - 1] = ISWI_WAIT_BOUNDS_MS;
    double bounds[ISWI_WAITS - 1];
    iswi_buffer label = { 0 };
    iswi_queue_look queue;

    for (size_t i = 0; i < ISWI_WAITS - 1; i++)
        bounds[i] = bounds_ms[i] / 1000;
    iswi_worker_queue_look_at(scrape->host, worker, &queue, NULL);
    iswi_metrics_label(&label, isw_str_of("worker"),
                       isw_str_of(iswi_host_worker_name(scrape->host, worker)));
    out->failed = out->failed || !iswi_buffer_text(&label);
    if (!out->failed)
        iswi_metrics_buckets(out, name, iswi_buffer_text(&label), bounds, queue.waits,
                             ISWI_WAITS - 1, (double)queue.waited_us / 1e6);
    iswi_buffer_fini(&label);
}

static void write_waits(iswi_scrape *scrape, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_queue_wait_seconds";

    iswi_metrics_head(out, name, ISWI_METRIC_HISTOGRAM,
                      "How long calls have waited that found a place then.");
    for (size_t i = 0; i < iswi_host_worker_count(scrape->host); i++)
        if (iswi_host_has_worker(scrape->host, i))
            write_waits_of(scrape, i, name, out);
}

/* -- All --------------------------------------------------------------------------------------- */

void iswi_scrape_report(iswi_scrape *scrape, iswi_buffer *out)
{
    iswi_host *host = scrape->host;

    iswi_metrics_head(out, "isoworker_build_info", ISWI_METRIC_GAUGE,
                      "1, with the version of the host.");
    iswi_buffer_append_text(out, "isoworker_build_info{version=\"" ISW_VERSION_STRING "\"} 1\n");
    write_one(out, "isoworker_host_uptime_seconds", ISWI_METRIC_GAUGE, "Since the host began.",
              (double)((iswi_now_ns() - iswi_host_begun_ns(host)) / 1000000) / 1000);
    write_one(out, "isoworker_host_in_flight", ISWI_METRIC_GAUGE,
              "Requests that are not answered yet.", (double)iswi_host_in_flight(host));
    write_one(out, "isoworker_host_processes_unheard", ISWI_METRIC_GAUGE,
              "Processes that did not answer in time; what they have counted since is missing.",
              iswi_scrape_awaited(scrape));
    write_triggers(host, out);
    for (size_t i = 0; i < sizeof worker_rows / sizeof worker_rows[0]; i++)
        write_row(scrape, &worker_rows[i], out);
    write_refused(scrape, out);
    write_waits(scrape, out);
    write_endings(host, out);
    iswi_scrape_read(scrape);
    iswi_metrics_bounds(scrape->host, out);
    iswi_metrics_write(scrape->table, out);
}
