/* SPDX-License-Identifier: Apache-2.0 */
/* What processes of workers have used, how they have ended, and how they are, in the text format of
 * Prometheus. */
#include "host/operate/metrics.h"

#include "host/engine/look.h"
#include "host/system/cgroup.h"

/* One line of `name`; `cause` may be NULL. */
static void write_line(const iswi_host *host, const char *name, size_t worker, const char *cause,
                       double value, iswi_buffer *out)
{
    iswi_buffer_printf(out, "%s{", name);
    iswi_metrics_label(out, isw_str_of("worker"), isw_str_of(iswi_host_worker_name(host, worker)));
    if (cause)
        iswi_buffer_printf(out, ",cause=\"%s\"", cause);
    iswi_buffer_append_text(out, "} ");
    iswi_metrics_number(out, value);
    iswi_buffer_append_text(out, "\n");
}

static void write_ends(const iswi_host *host, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_process_ends_total";

    iswi_metrics_head(out, name, ISWI_METRIC_COUNTER, "Ends of processes, by what ended them.");
    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        uint64_t counts[ISWI_ENDS];

        if (!iswi_host_has_worker(host, i))
            continue;
        iswi_host_worker_ends(host, i, counts);
        for (unsigned j = 0; j < ISWI_ENDS; j++)
            write_line(host, name, i, iswi_end_name((iswi_end_cause)j), (double)counts[j], out);
    }
}

static void write_cpu(const iswi_host *host, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_worker_cpu_seconds_total";

    iswi_metrics_head(out, name, ISWI_METRIC_COUNTER,
                      "Time of processors that its processes have used, those that ended too.");
    for (size_t i = 0; i < iswi_host_worker_count(host); i++)
        if (iswi_host_has_worker(host, i))
            write_line(host, name, i, NULL, (double)iswi_host_worker_cpu_ns(host, i, NULL) / 1e9,
                       out);
}

static void write_throttled(const iswi_host *host, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_worker_cpu_throttled_seconds_total";

    iswi_metrics_head(out, name, ISWI_METRIC_COUNTER,
                      "Time that its processes have waited for cpu_limit, in groups of cgroup v2.");
    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        int64_t throttled_ns;

        if (!iswi_host_has_worker(host, i))
            continue;
        iswi_host_worker_cpu_ns(host, i, &throttled_ns);
        write_line(host, name, i, NULL, (double)throttled_ns / 1e9, out);
    }
}

static void write_cpu_limits(const iswi_host *host, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_worker_cpu_limit";

    iswi_metrics_head(out, name, ISWI_METRIC_GAUGE,
                      "cpu_limit of each process, in processors; 0: there is none that holds.");
    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        bool holds = iswi_host_worker_groups(host, i) & ISWI_CGROUP_CPU;

        if (iswi_host_has_worker(host, i))
            write_line(host, name, i, NULL, holds ? iswi_host_worker_settings(host, i)->cpu_limit : 0,
                       out);
    }
}

static void write_limits(const iswi_host *host, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_worker_memory_limit_bytes";

    iswi_metrics_head(out, name, ISWI_METRIC_GAUGE,
                      "memory_limit of each process; 0: there is none.");
    for (size_t i = 0; i < iswi_host_worker_count(host); i++)
        if (iswi_host_has_worker(host, i))
            write_line(host, name, i, NULL,
                       (double)iswi_host_worker_settings(host, i)->memory_limit, out);
}

static void write_health_of(const iswi_host *host, size_t worker, const char *name,
                            iswi_buffer *out)
{
    for (unsigned i = 0; i < iswi_host_worker_places(host, worker); i++) {
        iswi_process_look look;

        iswi_process_look_at(iswi_host_process(host, worker, i), &look, NULL);
        if (!look.tells_health || look.state != ISWI_PROCESS_READY || look.retiring)
            continue;
        iswi_buffer_printf(out, "%s{", name);
        iswi_metrics_label(out, isw_str_of("worker"),
                           isw_str_of(iswi_host_worker_name(host, worker)));
        iswi_buffer_append_text(out, ",");
        iswi_metrics_label(out, isw_str_of("process"), isw_str_of(look.label));
        iswi_buffer_printf(out, "} %d\n", !look.unhealthy);
    }
}

static void write_health(const iswi_host *host, iswi_buffer *out)
{
    static const char name[] = "isoworker_host_process_healthy";

    iswi_metrics_head(out, name, ISWI_METRIC_GAUGE,
                      "1, or 0 of a process whose application says that it is unhealthy; of those "
                      "that have health checks.");
    for (size_t i = 0; i < iswi_host_worker_count(host); i++)
        write_health_of(host, i, name, out);
}

void iswi_metrics_bounds(const iswi_host *host, iswi_buffer *out)
{
    write_ends(host, out);
    write_cpu(host, out);
    write_throttled(host, out);
    write_cpu_limits(host, out);
    write_limits(host, out);
    write_health(host, out);
}
