/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a host is as far as somebody waits for: started, ready, drained; and why not. */
#include "base/clock.h"
#include "host/engine/steer.h"
#include "host/operate/control.h"

enum { REASONS_MAX = 64 };

const char *iswi_host_state(const iswi_host *host)
{
    static const char *const names[] = { [ISWI_PHASE_STARTING] = "starting",
                                         [ISWI_PHASE_SERVING] = "serving",
                                         [ISWI_PHASE_DRAINING] = "draining",
                                         [ISWI_PHASE_STOPPING] = "stopping" };

    return names[iswi_host_phase(host)];
}

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
    detail = iswi_report_detail(&look, iswi_now_ns(), arena);
    if (!look.functions_known && look.starts)
        unknown = look.state == ISWI_PROCESS_GONE
                      ? "; its functions are not known, and paths without a function get 503"
                      : "; its functions are not known yet, and requests for paths without a "
                        "function wait for them";
    return iswi_arena_printf(arena, "worker %s: %s is %s%s%s%s",
                             iswi_host_worker_name(host, worker),
                             several ? "no process serves, the first one" : "its process",
                             iswi_report_state(&look), detail ? ": " : "", detail ? detail : "",
                             unknown);
}

bool iswi_report_serves(const iswi_host *host, iswi_buffer *why)
{
    bool all = true;
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        if (!iswi_host_needs_worker(host, i) || serves(host, i) ||
            iswi_worker_is_remote(iswi_host_worker_settings(host, i))) /* they come when it leaves */
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
        if (!iswi_host_needs_worker(host, i) || atomic_load(&operate->served[i]) ||
            iswi_host_worker_processes(host, i) == 0)
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
