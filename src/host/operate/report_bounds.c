/* SPDX-License-Identifier: Apache-2.0 */
/* What bounds a process, what it has used, and how the one before it has ended. */
#include "host/operate/report.h"

#include "base/clock.h"
#include "base/number.h"
#include "host/engine/look.h"
#include "host/system/cgroup.h"

enum { MS = 1000000 };

/* By what a limit is held that is `kind`'s in a group: without that by our looks, if by anything. */
static const char *held_text(unsigned groups, unsigned kind, const char *else_by)
{
    return groups & kind ? "cgroup" : else_by;
}

static const char *memory_text(iswi_arena *arena, const char *name, int64_t bytes)
{
    char mib[ISWI_DOUBLE_BYTES];

    iswi_mib_text((uint64_t)bytes, mib);
    return bytes ? iswi_arena_printf(arena, ", %s %s MiB", name, mib) : "";
}

static const char *number_text(iswi_arena *arena, const char *name, int64_t number,
                               const char *unit)
{
    return number ? iswi_arena_printf(arena, ", %s %lld%s", name, (long long)number, unit) : "";
}

/* ", nofile=1024, user=1000:1000" */
static const char *confined_text(const iswi_confinement *confinement, iswi_arena *arena)
{
    const char *text = "";

    for (unsigned i = 0; i < confinement->count && text; i++)
        text = iswi_arena_printf(arena, "%s, %s", text, confinement->words[i]);
    return text ? text : "";
}

/* ", memory_limit 64.0 MiB (cgroup), cpu_limit 0.5 (not held)" */
static const char *limits_text(const iswi_worker_settings *settings, unsigned groups,
                               iswi_arena *arena)
{
    const char *memory = memory_text(arena, "memory_limit", settings->memory_limit);
    const char *cpu = "";
    const char *pids = number_text(arena, "pids_limit", settings->pids_limit, "");
    char number[ISWI_DOUBLE_BYTES];

    iswi_double_brief(settings->cpu_limit, number);
    if (memory && *memory)
        memory = iswi_arena_printf(arena, "%s (%s)", memory,
                                   held_text(groups, ISWI_CGROUP_MEMORY, "looked at"));
    if (settings->cpu_limit > 0)
        cpu = iswi_arena_printf(arena, ", cpu_limit %s (%s)", number,
                                held_text(groups, ISWI_CGROUP_CPU, "not held"));
    if (pids && *pids)
        pids = iswi_arena_printf(arena, "%s (%s)", pids,
                                 held_text(groups, ISWI_CGROUP_PIDS, "not held"));
    return iswi_arena_printf(arena, "%s%s%s", memory ? memory : "", cpu ? cpu : "",
                             pids ? pids : "");
}

/* "memory_limit 64.0 MiB (looked at), recycle_after.age 3600 s"; NULL: nothing bounds it. */
static const char *bounds_text(const iswi_worker_settings *settings, unsigned groups,
                               const iswi_confinement *confinement, iswi_arena *arena)
{
    const iswi_recycle_settings *recycle = &settings->recycle_after;
    const char *text = iswi_arena_printf(
        arena, "%s%s%s%s%s", limits_text(settings, groups, arena),
        number_text(arena, "recycle_after.invocations", recycle->invocations, ""),
        number_text(arena, "recycle_after.age", recycle->age_ms / 1000, " s"),
        memory_text(arena, "recycle_after.memory", recycle->memory),
        confined_text(confinement, arena));

    return text && *text ? text + 2 : NULL;
}

void iswi_report_bounds(const iswi_host *host, size_t worker, iswi_process *process,
                        iswi_report_process *out, iswi_arena *arena)
{
    const iswi_worker_settings *settings = iswi_host_worker_settings(host, worker);
    iswi_confinement confinement;
    iswi_usage_look usage;
    iswi_end_look end;

    iswi_host_worker_confinement(host, worker, &confinement);
    iswi_process_usage(process, &usage);
    iswi_process_last_end(process, &end);
    out->limits = bounds_text(settings, iswi_host_worker_groups(host, worker), &confinement, arena);
    out->memory_limit_bytes = settings->memory_limit;
    out->cpu_limit = settings->cpu_limit;
    out->pids_limit = settings->pids_limit;
    out->pids = (int64_t)usage.pids;
    out->throttled_ms = usage.throttled_ns / MS;
    out->peak_bytes = (int64_t)usage.peak_bytes;
    out->cpu_ms = usage.cpu_ns / MS;
    if (usage.resident_bytes) /* younger than what it said itself */
        out->resident_bytes = (int64_t)usage.resident_bytes;
    if (!end.ended_ns)
        return;
    out->last_end = iswi_arena_printf(arena, "%s", end.why);
    out->last_end_cause = iswi_end_name(end.cause);
    out->last_end_pid = end.pid;
    out->last_end_ago_ms = (iswi_now_ns() - end.ended_ns) / MS;
}
