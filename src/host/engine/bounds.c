/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds on a process. Invariant: one that works is looked at each LOOK_MS, and one that has used no
 * time of a processor since the last look, whose memory thus is what it was, each REST_MS; nobody is
 * looked at whose worker has no such bounds.
 */
#include "host/engine/bounds.h"

#include "base/clock.h"
#include "base/number.h"
#include "host/engine/engine.h"
#include "host/system/usage.h"

enum {
    MS = 1000000,
    LOOK_MS = 200,
    REST_MS = 1000,
    WORKS_NS = 1000000, /* of a processor between two looks: more than heartbeats take */
    SOFT_PERCENT = 90   /* of memory_limit: another takes over, as long as this one still serves */
};

/* A tenth more or less, so that what began together does not end together. */
static int64_t jittered(int64_t value)
{
    uint32_t random = 0;

    iswi_random(&random, sizeof random);
    return value / 1000 * (900 + random % 201) + value % 1000 * (900 + random % 201) / 1000;
}

void iswi_bounds_begin(iswi_process *process)
{
    const iswi_worker_settings *settings = process->pool->settings;
    const iswi_recycle_settings *recycle = &settings->recycle_after;
    int64_t limit = settings->memory_limit;

    process->bounds = (iswi_bounds){ .hard = 0 };
    if (iswi_pool_waits(process->pool)) /* valgrind alone takes several times as much */
        return;
    process->bounds = (iswi_bounds){
        .invocations = recycle->invocations ? jittered(recycle->invocations) : 0,
        .age_ns = jittered(recycle->age_ms) * MS,
        .memory = jittered(recycle->memory),
        .hard = limit,
        .soft = limit / 100 * SOFT_PERCENT,
    };
    if (recycle->invocations && process->bounds.invocations == 0)
        process->bounds.invocations = 1;
}

static void replace(iswi_process *process, const char *why)
{
    pthread_mutex_lock(&process->lock);
    if (!process->due && !process->retiring) {
        process->cause = ISWI_END_RECYCLED;
        iswi_process_replace(process, why);
    }
    pthread_mutex_unlock(&process->lock);
}

/* Another process of the same program would be there from the start, too. */
static void keep_if_useless(iswi_process *process, int64_t *edge, uint64_t resident,
                            const char *option)
{
    char mib[ISWI_DOUBLE_BYTES];

    if (!*edge || resident < (uint64_t)*edge)
        return;
    *edge = 0;
    iswi_mib_text(resident, mib);
    iswi_say(process->host, ISW_LOG_WARNING,
             "worker %s: pid %ld has %s MiB from its start, which is at %s already; no other "
             "process takes over for that", process->label, (long)process->os.pid, mib, option);
}

/* Of itself and all that descends from it, which is exact in a group. */
static bool memory_of(const iswi_process *process, uint64_t edge, uint64_t *resident,
                      uint64_t *peak)
{
    iswi_cgroup_use use;

    if (!(process->host->groups_v2.own.controllers & ISWI_CGROUP_MEMORY) || !*process->group.folder)
        return iswi_usage_family(process->os.pid, edge, resident, peak);
    iswi_cgroup_usage(&process->group, &use);
    *resident = *peak = use.memory_bytes;
    return true;
}

/* Below which it makes no difference how much it has exactly. */
static uint64_t edge_of(const iswi_bounds *bounds)
{
    const int64_t edges[] = { bounds->hard, bounds->soft, bounds->memory };
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        if (edges[i] && (uint64_t)edges[i] < least)
            least = (uint64_t)edges[i];
    return least;
}

static void kill_for_memory(iswi_process *process, uint64_t resident, uint64_t limit)
{
    char has[ISWI_DOUBLE_BYTES];
    char may[ISWI_DOUBLE_BYTES];

    iswi_mib_text(resident, has);
    iswi_mib_text(limit, may);
    process->cause = ISWI_END_MEMORY;
    iswi_process_kill(process, "its memory, %s MiB, is above memory_limit (%s MiB)", has, may);
}

static void check_memory(iswi_process *process, uint64_t resident, bool ready)
{
    iswi_bounds *bounds = &process->bounds;
    uint64_t limit = (uint64_t)bounds->hard;

    if (limit && resident > limit) {
        kill_for_memory(process, resident, limit);
        return;
    }
    if (!ready)
        return;
    if (!bounds->begun) {
        keep_if_useless(process, &bounds->soft, resident, "nine tenths of memory_limit");
        keep_if_useless(process, &bounds->memory, resident, "recycle_after.memory");
        bounds->begun = true;
    }
    if (bounds->soft && resident >= (uint64_t)bounds->soft)
        replace(process, "its memory is at nine tenths of memory_limit");
    else if (bounds->memory && resident >= (uint64_t)bounds->memory)
        replace(process, "its memory is at recycle_after.memory");
}

static void look(iswi_process *process, int64_t now_ns)
{
    iswi_bounds *bounds = &process->bounds;
    uint64_t resident = 0;
    uint64_t peak = 0;
    int64_t cpu_ns = bounds->cpu_ns;
    unsigned answered;
    bool ready;
    bool works;

    iswi_usage_cpu_ns(process->os.pid, &cpu_ns);
    pthread_mutex_lock(&process->lock);
    ready = process->state == ISWI_PROCESS_READY;
    works = !ready || process->in_flight || cpu_ns - bounds->cpu_ns > WORKS_NS;
    answered = process->answered;
    bounds->cpu_ns = cpu_ns;
    pthread_mutex_unlock(&process->lock);
    bounds->look_ns = now_ns + (int64_t)(works ? LOOK_MS : REST_MS) * MS;
    if (ready && bounds->invocations && answered >= (uint64_t)bounds->invocations)
        replace(process, "it has answered recycle_after.invocations");
    if (!memory_of(process, edge_of(bounds), &resident, &peak))
        return;
    pthread_mutex_lock(&process->lock);
    if (peak < resident)
        peak = resident;
    if (bounds->peak < peak)
        bounds->peak = peak;
    pthread_mutex_unlock(&process->lock);
    check_memory(process, resident, ready);
}

static void check_age(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    int64_t until_ns = process->started_ns + process->bounds.age_ns;

    if (now_ns >= until_ns)
        replace(process, "it is as old as recycle_after.age");
    else if (until_ns < *next_ns)
        *next_ns = until_ns;
}

void iswi_bounds_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    iswi_bounds *bounds = &process->bounds;

    if (!process->running || process->signalled)
        return;
    if (bounds->age_ns && process->ready_ns)
        check_age(process, now_ns, next_ns);
    if (!bounds->hard && !bounds->memory && !bounds->invocations)
        return;
    /* What it has from its start is what it has before its first call is through. */
    if (now_ns >= bounds->look_ns || (process->ready_ns && !bounds->begun))
        look(process, now_ns);
    if (bounds->look_ns < *next_ns)
        *next_ns = bounds->look_ns;
}

/* The kernel has ended it, and who would guess why from a signal. With the lock. */
static void tell_kill(iswi_process *process, const iswi_cgroup_use *use)
{
    char may[ISWI_DOUBLE_BYTES];

    if (!use->oom_kills || process->signalled)
        return;
    iswi_mib_text((uint64_t)process->bounds.hard, may);
    process->cause = use->ooms ? ISWI_END_MEMORY : ISWI_END_SIGNAL;
    if (use->ooms)
        isw_error_set(&process->fault, ISW_E_WORKER_LOST, "the kernel ended it, since it, with its "
                      "descendants, needed more than memory_limit (%s MiB)", may);
    else
        isw_error_set(&process->fault, ISW_E_WORKER_LOST, "the kernel ended it, since there was no "
                      "memory left, in this system or in a group that it is in");
}

void iswi_bounds_end(iswi_process *process)
{
    int64_t cpu_ns = 0;
    iswi_cgroup_use use;

    if (!iswi_launcher_is_parent(&process->pool->launcher))
        return;
    iswi_usage_cpu_ns(process->os.pid, &cpu_ns);
    iswi_cgroup_usage(&process->group, &use);
    pthread_mutex_lock(&process->lock);
    process->bounds.cpu_ns = cpu_ns > use.cpu_ns ? cpu_ns : use.cpu_ns;
    process->bounds.throttled_ns = use.throttled_ns;
    tell_kill(process, &use);
    pthread_mutex_unlock(&process->lock);
}

/* -- Any thread -------------------------------------------------------------------------------- */

/* With the lock: while it runs its number is nobody else's. */
static void look_at(const iswi_process *process, iswi_usage_look *out)
{
    iswi_cgroup_use use;

    memory_of(process, edge_of(&process->bounds), &out->resident_bytes, &out->peak_bytes);
    iswi_usage_cpu_ns(process->os.pid, &out->cpu_ns);
    iswi_cgroup_usage(&process->group, &use);
    if (out->cpu_ns < use.cpu_ns)
        out->cpu_ns = use.cpu_ns;
    out->throttled_ns = use.throttled_ns;
    out->pids = use.pids;
    if (out->peak_bytes < process->bounds.peak)
        out->peak_bytes = process->bounds.peak;
}

void iswi_process_usage(iswi_process *process, iswi_usage_look *out)
{
    *out = (iswi_usage_look){ .cpu_ns = 0 };
    pthread_mutex_lock(&process->lock);
    if (process->running && process->starts && process->pool->launcher.apart && process->os.pid)
        look_at(process, out);
    pthread_mutex_unlock(&process->lock);
}
