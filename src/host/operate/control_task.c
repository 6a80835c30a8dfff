/* SPDX-License-Identifier: Apache-2.0 */
/* One function begins what was asked for, and one goes on with it where it takes a while. Invariant:
 * what is told at a time is a report, a line or a batch of lines. */
#include "host/operate/control_task.h"

#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/operate/succession.h"
#include "value/typed.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>

enum { MS = 1000000, BATCH_BYTES = 32 * 1024 };

void iswi_control_say(iswi_buffer *out, const char *member, const char *text)
{
    iswi_buffer_printf(out, "{\"%s\":", member);
    iswi_json_string(out, isw_str_of(text));
    iswi_buffer_append_text(out, "}\n");
}

void iswi_control_refuse(iswi_buffer *out, const isw_error *error)
{
    iswi_buffer_append_text(out, "{\"error\":");
    iswi_json_string(out, isw_str_of(error->message));
    iswi_buffer_printf(out, ",\"status\":\"%s\"}\n", isw_status_name(error->status));
}

void iswi_control_task_leave(iswi_control_task *task)
{
    iswi_free(task->restart);
    iswi_messages_leave(task->messages);
    iswi_invoking_leave(task->invoking);
}

bool iswi_control_task_looks_again(const iswi_control_task *task)
{
    return task->step != ISWI_CONTROL_LISTS && task->step != ISWI_CONTROL_OVER;
}

/* It goes on for so long as it was asked to. */
static void begin_step(iswi_control_task *task, iswi_control_step step)
{
    task->step = step;
    task->until_ns = iswi_now_ns() + task->asked->wait_ms * MS;
}

/* -- Beginning --------------------------------------------------------------------------------- */

static isw_log_level lowest_level(const iswi_logging_settings *logging)
{
    const iswi_level_rule *rules = logging->levels.items;
    int64_t lowest = logging->level;

    for (size_t i = 0; i < logging->levels.count; i++)
        if (rules[i].level < lowest)
            lowest = rules[i].level;
    return (isw_log_level)lowest;
}

static void begin_logs(iswi_control_task *task, iswi_buffer *out)
{
    const iswi_control_request *asked = task->asked;
    isw_log_level lowest = lowest_level(&iswi_host_settings_of(task->operate->host)->logging);
    isw_log_level level = ISW_LOG_TRACE;
    char text[192];

    if (asked->level && !iswi_log_level_parse(isw_str_of(asked->level), &level)) {
        iswi_control_refuse(out, &(isw_error){ ISW_E_INVALID, "level is one of trace, debug, info, "
                                                              "warning, error, critical" });
        return;
    }
    task->step = ISWI_CONTROL_LISTS;
    task->filter =
        (iswi_journal_filter){ level, asked->function, asked->category, asked->invocation };
    task->next = iswi_journal_tail(task->operate->journal, &task->filter, (size_t)asked->lines);
    if (!asked->level || level >= lowest)
        return;
    snprintf(text, sizeof text,
             "lines below %s are not there: this host does not ask its workers for them "
             "(logging.level and logging.levels of host.yaml)", isw_log_level_name(lowest));
    iswi_control_say(out, "notice", text);
}

static isw_status begin_restart(iswi_control_task *task, isw_error *error)
{
    if (iswi_restart_begin(task->operate->host, task->asked->worker, &task->restart, error) ==
        ISW_OK)
        begin_step(task, ISWI_CONTROL_RESTARTS);
    return error->status;
}

static isw_status begin_upgrade(iswi_control_task *task, isw_error *error)
{
    if (iswi_succession_start(task->operate->succession, error) == ISW_OK)
        begin_step(task, ISWI_CONTROL_UPGRADES);
    return error->status;
}

/* A successor's connection is the succession's from here on. */
static isw_status begin_succession(iswi_control_task *task, int *fd, isw_error *error)
{
    if (task->asked->why)
        iswi_succession_excuse(task->operate->succession, task->asked->why);
    else if (iswi_succession_take(task->operate->succession, *fd, error) == ISW_OK)
        *fd = -1;
    return error->status;
}

static isw_status begin_queue(iswi_control_task *task, isw_error *error)
{
    if (iswi_messages_begin(task->operate->host, &task->asked->messages, &task->messages, error) ==
        ISW_OK)
        task->step = ISWI_CONTROL_QUEUES;
    return error->status;
}

static void begin_command(iswi_control_task *task)
{
    const iswi_control_request *asked = task->asked;

    task->command = (iswi_command){ asked->type, { asked->verb, asked->name, false } };
    begin_step(task, ISWI_CONTROL_COMMANDS);
}

static isw_status begin_invoke(iswi_control_task *task, isw_error *error)
{
    const iswi_control_request *asked = task->asked;

    if (iswi_invoking_begin(task->operate->host, asked->name ? asked->name : "", &asked->made_up,
                            asked->wait_ms, &task->invoking, error) == ISW_OK)
        begin_step(task, ISWI_CONTROL_INVOKES);
    return error->status;
}

void iswi_control_task_begin(iswi_control_task *task, const iswi_control_request *asked, int *fd,
                             iswi_buffer *out)
{
    iswi_host *host = task->operate->host;
    isw_error error = { ISW_OK, "" };

    task->asked = asked;
    task->step = ISWI_CONTROL_OVER;
    switch ((iswi_control_command)asked->command) {
    case ISWI_CONTROL_STATUS:
        iswi_report(task->operate, out);
        break;
    case ISWI_CONTROL_READY:
        iswi_report_ready(host, out);
        break;
    case ISWI_CONTROL_DRAIN:
        iswi_host_drain(host);
        begin_step(task, ISWI_CONTROL_DRAINS);
        break;
    case ISWI_CONTROL_RESUME:
        iswi_host_resume(host);
        iswi_report_drain(host, out);
        break;
    case ISWI_CONTROL_RESTART:
        begin_restart(task, &error);
        break;
    case ISWI_CONTROL_LOGS:
        begin_logs(task, out);
        break;
    case ISWI_CONTROL_TRIGGER:
        begin_command(task);
        break;
    case ISWI_CONTROL_UPGRADE:
        begin_upgrade(task, &error);
        break;
    case ISWI_CONTROL_SUCCEED:
        begin_succession(task, fd, &error);
        break;
    case ISWI_CONTROL_QUEUE:
        begin_queue(task, &error);
        break;
    case ISWI_CONTROL_INVOKE:
        begin_invoke(task, &error);
        break;
    }
    if (error.status != ISW_OK)
        iswi_control_refuse(out, &error);
}

/* -- Going on ---------------------------------------------------------------------------------- */

static void drain_on(iswi_control_task *task, iswi_buffer *out, int64_t now_ns)
{
    iswi_host *host = task->operate->host;

    if (iswi_host_in_flight(host) && now_ns < task->until_ns &&
        iswi_host_phase(host) == ISWI_PHASE_DRAINING)
        return;
    iswi_report_drain(host, out);
    task->step = ISWI_CONTROL_OVER;
}

static void restart_on(iswi_control_task *task, iswi_buffer *out, int64_t now_ns)
{
    bool over = iswi_restart_state_of(task->restart) != ISWI_RESTART_GOES_ON;

    iswi_restart_tell(task->restart, out);
    if (!over && now_ns < task->until_ns)
        return;
    iswi_restart_conclude(task->restart, out);
    task->step = ISWI_CONTROL_OVER;
}

static void upgrade_on(iswi_control_task *task, iswi_buffer *out, int64_t now_ns)
{
    const iswi_succession *succession = task->operate->succession;

    if (iswi_succession_goes_on(succession) && now_ns < task->until_ns)
        return;
    iswi_succession_tell(succession, out);
    task->step = ISWI_CONTROL_OVER;
}

/* It is over; an error is told. */
static void conclude(iswi_control_task *task, const isw_error *error, iswi_buffer *out)
{
    task->step = ISWI_CONTROL_OVER;
    if (error->status != ISW_OK)
        iswi_control_refuse(out, error);
}

/* Have a trigger do what it was asked for, or look whether it has. */
static void command_on(iswi_control_task *task, iswi_buffer *out, int64_t now_ns)
{
    isw_error error = { ISW_OK, "" };
    isw_status status = iswi_command_try(task->operate->host, &task->command, out, &error);

    if (status == ISW_E_BUSY && now_ns < task->until_ns)
        iswi_buffer_reset(out);
    else
        conclude(task, &error, out);
}

static void queue_on(iswi_control_task *task, iswi_buffer *out)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_messages_tell(task->messages, out, &error))
        conclude(task, &error, out);
}

static void invoke_on(iswi_control_task *task, iswi_buffer *out)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_invoking_tell(task->invoking, out, &error) != ISW_E_BUSY)
        conclude(task, &error, out);
}

/* Who follows the lines of a host may follow those of the next one. */
static void send_on(iswi_control_task *task, iswi_buffer *out)
{
    if (task->sent_on || !iswi_succession_is_over(task->operate->succession))
        return;
    task->sent_on = true;
    iswi_buffer_append_text(out, "{\"succeeded\":true}\n");
}

static void list_on(iswi_control_task *task, iswi_buffer *out)
{
    iswi_buffer lines = { 0 };

    iswi_journal_read(task->operate->journal, &task->filter, &task->next, BATCH_BYTES, &lines,
                      &task->lost);
    if (task->lost)
        iswi_buffer_printf(out, "{\"lost\":%llu}\n", (unsigned long long)task->lost);
    task->lost = 0;
    iswi_buffer_append(out, lines.data, lines.size);
    out->failed = out->failed || lines.failed;
    iswi_buffer_fini(&lines);
    send_on(task, out);
    if (out->size == 0 && !task->asked->follow)
        task->step = ISWI_CONTROL_OVER;
}

void iswi_control_task_go_on(iswi_control_task *task, iswi_buffer *out, int64_t now_ns)
{
    switch (task->step) {
    case ISWI_CONTROL_DRAINS:
        drain_on(task, out, now_ns);
        break;
    case ISWI_CONTROL_RESTARTS:
        restart_on(task, out, now_ns);
        break;
    case ISWI_CONTROL_UPGRADES:
        upgrade_on(task, out, now_ns);
        break;
    case ISWI_CONTROL_QUEUES:
        queue_on(task, out);
        break;
    case ISWI_CONTROL_COMMANDS:
        command_on(task, out, now_ns);
        break;
    case ISWI_CONTROL_INVOKES:
        invoke_on(task, out);
        break;
    case ISWI_CONTROL_LISTS:
        list_on(task, out);
        break;
    case ISWI_CONTROL_OVER:
        break;
    }
}
