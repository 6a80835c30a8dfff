/* SPDX-License-Identifier: Apache-2.0 */
/* What a program hears of its host. */
#include "host/library/library.h"

#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/observer.h"

static void tell(isw_host *host, isw_host_event *event)
{
    event->size = sizeof *event;
    if (host->options.event)
        host->options.event(host->options.user, event);
}

static void tell_of(void *user, iswi_process *process, pid_t pid, isw_host_event_kind kind,
                    const char *why)
{
    isw_host_event event = { .kind = kind,
                             .worker = isw_str_of(iswi_process_label(process)),
                             .pid = pid,
                             .text = isw_str_of(why) };

    tell(user, &event);
}

static void on_started(void *user, iswi_process *process, pid_t pid)
{
    tell_of(user, process, pid, ISW_HOST_WORKER_STARTED, "");
}

static void on_ready(void *user, iswi_process *process, pid_t pid)
{
    tell_of(user, process, pid, ISW_HOST_WORKER_READY, "");
}

static void on_over(void *user, iswi_process *process, pid_t pid, const char *why, bool given_up)
{
    tell_of(user, process, pid, ISW_HOST_WORKER_ENDED, why);
    if (given_up)
        tell_of(user, process, pid, ISW_HOST_WORKER_GIVEN_UP, why);
}

static void on_turn(void *user, int64_t now_ns, int64_t *next_ns)
{
    iswi_library_tend(user, now_ns, next_ns);
}

static const iswi_observer observer = {
    .started = on_started,
    .ready = on_ready,
    .over = on_over,
    .turns = on_turn,
};

isw_status iswi_library_observe(isw_host *host, iswi_host *engine, isw_error *error)
{
    return iswi_host_observe(engine, &observer, host, error);
}

static void on_line(void *user, const iswi_logline *line, iswi_speaker speaker)
{
    isw_host_event event = { .kind = ISW_HOST_LOG,
                             .worker = line->source,
                             .text = line->message,
                             .level = line->level,
                             .time_us = line->time_us,
                             .category = line->category,
                             .function = line->function,
                             .invocation_id = line->invocation_id,
                             .fields = { line->fields, line->field_count } };

    (void)speaker;
    tell(user, &event);
}

void iswi_library_listen(isw_host *host, iswi_log_sink *out)
{
    if (host->options.event)
        *out = (iswi_log_sink){ .write = on_line, .user = host };
}
