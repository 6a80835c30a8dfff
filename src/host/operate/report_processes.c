/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, in the words of those who look at them. The lock of one is held only while its numbers
 * are copied. */
#include "base/clock.h"
#include "host/operate/control.h"

enum { MS = 1000000 };

const char *iswi_report_state(const iswi_process_look *look)
{
    switch (look->state) {
    case ISWI_PROCESS_WAITING:
        return look->starts ? "restarting" : "waiting";
    case ISWI_PROCESS_STARTING:
        return look->guest ? "awaited" : "starting";
    case ISWI_PROCESS_LOADING:
        return look->warming ? "warming up" : "loading";
    case ISWI_PROCESS_READY:
        return look->retiring ? "leaving" : look->unhealthy ? "unhealthy" : "ready";
    case ISWI_PROCESS_LEAVING:
        return "leaving";
    case ISWI_PROCESS_KILLED:
        return "ending";
    case ISWI_PROCESS_SPARE:
        return "waiting";
    case ISWI_PROCESS_GONE:
        break;
    }
    return look->fault.status != ISW_OK ? "given up" : "stopped";
}

/* NULL: it does not say. */
static const char *health_of(const iswi_process_look *look)
{
    if (!look->tells_health || look->state != ISWI_PROCESS_READY)
        return NULL;
    return look->unhealthy ? "unhealthy" : "healthy";
}

const char *iswi_report_detail(const iswi_process_look *look, int64_t now_ns, iswi_arena *arena)
{
    int64_t left_ms = (look->start_at_ns - now_ns) / MS;

    if (look->retiring && (look->state == ISWI_PROCESS_READY ||
                           look->state == ISWI_PROCESS_LEAVING))
        return look->retiring;
    if (look->unhealthy)
        return iswi_arena_printf(arena, "%s", look->why_unhealthy);
    if (look->state == ISWI_PROCESS_READY)
        return look->credit ? NULL : "it takes nothing for now";
    if (look->warming)
        return iswi_arena_printf(arena, "function %s runs", look->warming);
    if (look->fault.status == ISW_OK)
        return NULL;
    if (look->state == ISWI_PROCESS_WAITING && left_ms > 0)
        return iswi_arena_printf(arena, "%s; starts again in %lld ms", look->fault.message,
                                 (long long)left_ms);
    return iswi_arena_printf(arena, "%s", look->fault.message);
}

static void report_process(const iswi_host *host, iswi_process *process, iswi_report_process *out,
                           int64_t now_ns, const iswi_by_function *in_flight,
                           iswi_arena *arena)
{
    iswi_process_look look;

    iswi_process_look_at(process, &look, in_flight);
    *out = (iswi_report_process){ .worker = iswi_host_worker_name(host,
                                                                  iswi_process_worker(process)),
                                  .process = look.label,
                                  .state = iswi_report_state(&look),
                                  .start = !look.pid     ? NULL
                                           : look.forked ? "forked"
                                                         : "spawned",
                                  .isolation = look.in_process ? "none" : "process",
                                  .detail = iswi_report_detail(&look, now_ns, arena),
                                  .health = health_of(&look),
                                  .functions_unknown = !look.functions_known,
                                  .pid = look.pid,
                                  .uptime_ms = look.pid ? (now_ns - look.started_ns) / MS : 0,
                                  .credit = look.credit,
                                  .in_flight = look.in_flight,
                                  .running = (int64_t)look.running,
                                  .waiting = (int64_t)look.waiting,
                                  .resident_bytes = look.pid ? (int64_t)look.resident_bytes : 0,
                                  .invocations = (int64_t)look.ended,
                                  .failures = (int64_t)look.failed,
                                  .restarts = look.starts ? look.starts - 1 : 0 };
    if (look.state == ISWI_PROCESS_READY || look.state == ISWI_PROCESS_LOADING)
        out->lane = look.on_ring ? "ring" : "message";
    iswi_report_bounds(host, iswi_process_worker(process), process, out, arena);
}

/* A worker that has no process, and needs none. */
static void report_nobody(const iswi_host *host, size_t worker, iswi_report_process *out)
{
    *out = (iswi_report_process){ .worker = iswi_host_worker_name(host, worker),
                                  .process = iswi_host_worker_name(host, worker),
                                  .state = "asleep",
                                  .detail = "it has no calls; one that comes starts a process" };
}

/* Some may be added meanwhile, and are not looked at. */
static size_t processes_most(const iswi_host *host, size_t workers)
{
    size_t most = 0;

    for (size_t i = 0; i < workers; i++)
        most += iswi_host_worker_places_most(host, i);
    return most;
}

bool iswi_report_processes(iswi_host *host, iswi_report_all *all,
                           const iswi_by_function *in_flight, iswi_arena *arena)
{
    int64_t now_ns = iswi_now_ns();
    size_t workers = iswi_host_worker_count(host);

    all->processes = iswi_arena_calloc(arena, processes_most(host, workers) + 1,
                                       sizeof *all->processes);
    if (!all->processes)
        return false;
    for (size_t i = 0; i < workers; i++) {
        size_t before = all->process_count;

        for (unsigned j = 0; j < iswi_host_worker_places(host, i); j++)
            if (!iswi_process_is_spare(iswi_host_process(host, i, j)))
                report_process(host, iswi_host_process(host, i, j),
                               &all->processes[all->process_count++], now_ns, in_flight, arena);
        if (all->process_count == before && iswi_host_needs_worker(host, i))
            report_nobody(host, i, &all->processes[all->process_count++]);
    }
    return true;
}
