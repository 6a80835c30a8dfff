/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host knows of itself, written down. Invariant: nothing waits for a reader; the lock of a
 * process is held only while its numbers are copied.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/engine/trigger.h"
#include "host/operate/control.h"
#include "host/operate/report.h"
#include "value/value.h"

#include <unistd.h>

enum { MS = 1000000, REASONS_MAX = 64 };

const char *iswi_host_state(const iswi_host *host)
{
    static const char *const names[] = { [ISWI_PHASE_STARTING] = "starting",
                                         [ISWI_PHASE_SERVING] = "serving",
                                         [ISWI_PHASE_DRAINING] = "draining",
                                         [ISWI_PHASE_STOPPING] = "stopping" };

    return names[iswi_host_phase(host)];
}

/* -- Processes --------------------------------------------------------------------------------- */

static const char *state_name(const iswi_process_look *look)
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

/* Why it does not serve; NULL if it does, or there is nothing to say. */
static const char *detail_of(const iswi_process_look *look, int64_t now_ns, iswi_arena *arena)
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
                                  .state = state_name(&look),
                                  .start = !look.pid     ? NULL
                                           : look.forked ? "forked"
                                                         : "spawned",
                                  .isolation = look.in_process ? "none" : "process",
                                  .detail = detail_of(&look, now_ns, arena),
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

/* -- Queues ------------------------------------------------------------------------------------ */

static bool gather_queues(const iswi_host *host, iswi_report_all *all,
                          const iswi_by_function *waiting, iswi_arena *arena)
{
    size_t count = iswi_host_worker_count(host);
    int64_t now_ns = iswi_now_ns();

    all->queues = iswi_arena_calloc(arena, count + 1, sizeof *all->queues);
    if (!all->queues)
        return false;
    for (size_t i = 0; i < count; i++) {
        iswi_report_queue *out = &all->queues[all->queue_count];
        iswi_queue_look look;

        if (!iswi_host_has_worker(host, i))
            continue;
        all->queue_count++;
        iswi_worker_queue_look_at(host, i, &look, waiting);
        *out = (iswi_report_queue){ .worker = iswi_host_worker_name(host, i),
                                    .waiting = look.waiting,
                                    .limit = look.limit,
                                    .wait_ms = look.wait_ms,
                                    .waited = (int64_t)look.waited,
                                    .refused = (int64_t)look.refused,
                                    .expired = (int64_t)look.expired };
        if (look.oldest_ns && now_ns > look.oldest_ns)
            out->oldest_ms = (now_ns - look.oldest_ns) / MS;
        if (look.waited)
            out->mean_us = (int64_t)(look.waited_us / look.waited);
        all->host.waiting += out->waiting;
    }
    return true;
}

/* -- Functions --------------------------------------------------------------------------------- */

/* "error_handling > auth" as a list. */
static void split_chain(const char *text, iswi_report_function *out, iswi_arena *arena)
{
    static const char arrow[] = " > ";
    size_t count = *text != '\0';
    char *rest = iswi_arena_printf(arena, "%s", text);

    for (const char *at = text; (at = strstr(at, arrow)) != NULL; at += sizeof arrow - 1)
        count++;
    out->chain = iswi_arena_calloc(arena, count + 1, sizeof *out->chain);
    if (!rest || !out->chain)
        return;
    for (; out->chain_count < count; out->chain_count++) {
        char *end = strstr(rest, arrow);

        out->chain[out->chain_count] = rest;
        if (end) {
            *end = '\0';
            rest = end + sizeof arrow - 1;
        }
    }
}

static void report_function(const iswi_host *host, iswi_host_function *function,
                            iswi_report_function *out, int64_t in_flight, int64_t waiting,
                            iswi_arena *arena)
{
    iswi_function_look look;
    iswi_entry_told told;

    iswi_function_look_at(function, &look);
    *out = (iswi_report_function){ .name = look.name,
                                   .worker = iswi_function_worker(function),
                                   .trigger = look.trigger_type,
                                   .refused = look.refused,
                                   .timeout_ms = look.timeout_ms,
                                   .in_flight = in_flight,
                                   .waiting = waiting,
                                   .invocations = (int64_t)look.ended,
                                   .failures = (int64_t)look.failed,
                                   .last_us = (int64_t)look.last_us };
    for (unsigned i = 0; i < ISWI_REFUSALS; i++)
        out->refused_calls += (int64_t)look.refused_calls[i];
    if (look.ended)
        out->mean_us = (int64_t)(look.total_us / look.ended);
    iswi_host_tell(host, function, arena, &told);
    out->methods = told.methods;
    out->url = told.url;
    out->where = told.text;
    split_chain(look.chain, out, arena);
}

/* A worker that has no process, and needs none. */
static void report_nobody(const iswi_host *host, size_t worker, iswi_report_process *out)
{
    *out = (iswi_report_process){ .worker = iswi_host_worker_name(host, worker),
                                  .process = iswi_host_worker_name(host, worker),
                                  .state = "asleep",
                                  .detail = "it has no calls; one that comes starts a process" };
}

/* -- All of it --------------------------------------------------------------------------------- */

/* Some may be added meanwhile, and are not looked at. */
static size_t processes_most(const iswi_host *host, size_t workers)
{
    size_t most = 0;

    for (size_t i = 0; i < workers; i++)
        most += iswi_host_worker_places_most(host, i);
    return most;
}

static bool gather_processes(iswi_host *host, iswi_report_all *all,
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

static void count_function(iswi_report_all *all, const iswi_report_function *function)
{
    all->host.invocations += function->invocations;
    all->host.failures += function->failures;
    all->host.refused += function->refused_calls;
    for (size_t i = 0; i < all->process_count; i++)
        all->processes[i].functions += strcmp(all->processes[i].worker, function->worker) == 0;
}

/* Functions lie by their numbers; those that are no more have left gaps. */
static void close_gaps(iswi_report_all *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (all->functions[i].name)
            all->functions[all->function_count++] = all->functions[i];
}

static bool gather(iswi_host *host, iswi_report_all *all, iswi_arena *arena)
{
    const size_t count = iswi_host_function_numbers(host);
    iswi_by_function in_flight = { .size = count };
    iswi_by_function waiting = { .size = count };

    in_flight.calls = iswi_arena_calloc(arena, count + 1, sizeof *in_flight.calls);
    waiting.calls = iswi_arena_calloc(arena, count + 1, sizeof *waiting.calls);
    all->functions = iswi_arena_calloc(arena, count + 1, sizeof *all->functions);
    if (!in_flight.calls || !waiting.calls || !all->functions ||
        !gather_processes(host, all, &in_flight, arena) ||
        !gather_queues(host, all, &waiting, arena))
        return false;
    for (iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        size_t number = iswi_function_number(at);

        if (number >= count)
            continue; /* it was made meanwhile */
        report_function(host, at, &all->functions[number], in_flight.calls[number],
                        waiting.calls[number], arena);
        count_function(all, &all->functions[number]);
    }
    close_gaps(all, count);
    return true;
}

void iswi_report_struct(const isw_field *fields, const void *in, iswi_arena *arena,
                        iswi_buffer *out)
{
    isw_value value;
    isw_str text;

    if (iswi_unbind(arena, fields, in, &value, NULL) == ISW_OK &&
        iswi_json_write(arena, &value, &text, NULL) == ISW_OK) {
        iswi_buffer_append(out, text.data, text.size);
        iswi_buffer_append_text(out, "\n");
    } else {
        out->failed = true;
    }
}

void iswi_report(iswi_operate *operate, iswi_buffer *out)
{
    iswi_host *host = operate->host;
    iswi_report_all all = { .host = { .pid = getpid(),
                                      .version = ISW_VERSION_STRING,
                                      .folder = iswi_host_folder(host),
                                      .state = iswi_host_state(host),
                                      .uptime_ms = (iswi_now_ns() - iswi_host_begun_ns(host)) / MS,
                                      .in_flight = (int64_t)iswi_host_in_flight(host) } };
    iswi_arena arena;

    all.host.url = iswi_host_address(host, 0);
    all.host.admin_url = operate->admin ? iswi_http_url(operate->admin, 0) : NULL;
    iswi_arena_init(&arena, 16 * 1024);
    all.attention = iswi_attention_gather(host, &arena, &all.attention_count);
    if (gather(host, &all, &arena) && iswi_report_templates(host, &all, &arena) &&
        iswi_report_triggers(host, &all, &arena))
        iswi_report_struct(iswi_report_fields, &all, &arena, out);
    else
        out->failed = true;
    iswi_arena_fini(&arena);
}

/* -- Readiness --------------------------------------------------------------------------------- */

static bool serves(const iswi_host *host, size_t worker)
{
    if (iswi_host_worker_processes(host, worker) == 0)
        return true; /* as soon as there is a call */
    for (unsigned i = 0; i < iswi_host_worker_places(host, worker); i++)
        if (iswi_process_serves(iswi_host_process(host, worker, i)))
            return true;
    return false;
}

/* What keeps a worker from serving, in the words of its first process. */
static const char *reason_of(const iswi_host *host, size_t worker, iswi_arena *arena)
{
    bool several = iswi_host_worker_processes(host, worker) > 1;
    iswi_process_look look;
    const char *unknown = "";
    const char *detail;

    iswi_process_look_at(iswi_host_first_process(host, worker), &look, NULL);
    detail = detail_of(&look, iswi_now_ns(), arena);
    if (!look.functions_known && look.starts)
        unknown = look.state == ISWI_PROCESS_GONE
                      ? "; its functions are not known, and paths without a function get 503"
                      : "; its functions are not known yet, and requests for paths without a "
                        "function wait for them";
    return iswi_arena_printf(arena, "worker %s: %s is %s%s%s%s",
                             iswi_host_worker_name(host, worker),
                             several ? "no process serves, the first one" : "its process",
                             state_name(&look), detail ? ": " : "", detail ? detail : "",
                             unknown);
}

bool iswi_report_serves(const iswi_host *host, iswi_buffer *why)
{
    bool all = true;
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        if (!iswi_host_needs_worker(host, i) || serves(host, i))
            continue;
        iswi_buffer_printf(why, "%s%s", all ? "" : "; ", reason_of(host, i, &arena));
        all = false;
    }
    iswi_arena_fini(&arena);
    return all;
}

bool iswi_report_ready(iswi_host *host, iswi_buffer *out)
{
    const char *reasons[REASONS_MAX];
    iswi_readiness readiness = { .reasons = reasons };
    size_t workers = iswi_host_worker_count(host);
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    if (strcmp(iswi_host_state(host), "serving") != 0)
        reasons[readiness.reason_count++] =
            iswi_arena_printf(&arena, "the host is %s", iswi_host_state(host));
    for (size_t i = 0; i < workers && readiness.reason_count < REASONS_MAX; i++)
        if (iswi_host_needs_worker(host, i) && !serves(host, i))
            reasons[readiness.reason_count++] = reason_of(host, i, &arena);
    for (iswi_host_function *at = iswi_host_newest_function(host);
         at && readiness.reason_count < REASONS_MAX; at = iswi_function_before(at)) {
        iswi_function_look look;

        iswi_function_look_at(at, &look);
        if (look.unserved)
            reasons[readiness.reason_count++] = look.unserved;
    }
    readiness.ready = readiness.reason_count == 0;
    readiness.warnings = iswi_attention_gather(host, &arena, &readiness.warning_count);
    iswi_report_struct(iswi_readiness_fields, &readiness, &arena, out);
    iswi_arena_fini(&arena);
    return readiness.ready;
}

bool iswi_report_startup(const iswi_operate *operate, iswi_buffer *out)
{
    const iswi_host *host = operate->host;
    const char *reasons[REASONS_MAX];
    iswi_startup startup = { .started = true, .reasons = reasons };
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        if (!iswi_host_needs_worker(host, i) || atomic_load(&operate->served[i]) || iswi_host_worker_processes(host, i) == 0)
            continue;
        startup.started = false;
        if (startup.reason_count < REASONS_MAX)
            reasons[startup.reason_count++] = reason_of(host, i, &arena);
    }
    iswi_report_struct(iswi_startup_fields, &startup, &arena, out);
    iswi_arena_fini(&arena);
    return startup.started;
}

void iswi_report_drain(iswi_host *host, iswi_buffer *out)
{
    iswi_drain drain = { iswi_host_state(host), (int64_t)iswi_host_in_flight(host) };
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    iswi_report_struct(iswi_drain_fields, &drain, &arena, out);
    iswi_arena_fini(&arena);
}
