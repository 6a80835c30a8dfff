/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of report.h: the names of its members are those of the JSON. */
#include "host/operate/control.h"
#include "value/value.h"

#include <stddef.h>

static const isw_field head_fields[] = {
    { ISW_FIELD(INT, iswi_report_head, pid) },
    { ISW_FIELD(STRING, iswi_report_head, version) },
    { ISW_FIELD(STRING, iswi_report_head, folder) },
    { ISW_FIELD(STRING, iswi_report_head, state), .required = true },
    { ISW_FIELD(INT, iswi_report_head, uptime_ms) },
    { ISW_FIELD(STRING, iswi_report_head, url) },
    { ISW_FIELD(STRING, iswi_report_head, admin_url) },
    { ISW_FIELD(INT, iswi_report_head, in_flight) },
    { ISW_FIELD(INT, iswi_report_head, waiting) },
    { ISW_FIELD(INT, iswi_report_head, invocations) },
    { ISW_FIELD(INT, iswi_report_head, failures) },
    { ISW_FIELD(INT, iswi_report_head, refused) },
    { 0 },
};

static const isw_field process_fields[] = {
    { ISW_FIELD(STRING, iswi_report_process, worker), .required = true },
    { ISW_FIELD(STRING, iswi_report_process, process), .required = true },
    { ISW_FIELD(INT, iswi_report_process, pid) },
    { ISW_FIELD(STRING, iswi_report_process, state), .required = true },
    { ISW_FIELD(STRING, iswi_report_process, detail) },
    { ISW_FIELD(STRING, iswi_report_process, health) },
    { ISW_FIELD(STRING, iswi_report_process, lane) },
    { ISW_FIELD(STRING, iswi_report_process, start) },
    { ISW_FIELD(STRING, iswi_report_process, isolation) },
    { ISW_FIELD(INT, iswi_report_process, credit) },
    { ISW_FIELD(INT, iswi_report_process, in_flight) },
    { ISW_FIELD(INT, iswi_report_process, running) },
    { ISW_FIELD(INT, iswi_report_process, waiting) },
    { ISW_FIELD(INT, iswi_report_process, resident_bytes) },
    { ISW_FIELD(INT, iswi_report_process, invocations) },
    { ISW_FIELD(INT, iswi_report_process, failures) },
    { ISW_FIELD(INT, iswi_report_process, restarts) },
    { ISW_FIELD(INT, iswi_report_process, uptime_ms) },
    { ISW_FIELD(INT, iswi_report_process, functions) },
    { ISW_FIELD(BOOL, iswi_report_process, functions_unknown) },
    { ISW_FIELD(INT, iswi_report_process, memory_limit_bytes) },
    { ISW_FIELD(INT, iswi_report_process, peak_bytes) },
    { ISW_FIELD(INT, iswi_report_process, cpu_ms) },
    { ISW_FIELD(DOUBLE, iswi_report_process, cpu_limit) },
    { ISW_FIELD(INT, iswi_report_process, pids_limit) },
    { ISW_FIELD(INT, iswi_report_process, pids) },
    { ISW_FIELD(INT, iswi_report_process, throttled_ms) },
    { ISW_FIELD(STRING, iswi_report_process, limits) },
    { ISW_FIELD(STRING, iswi_report_process, last_end) },
    { ISW_FIELD(STRING, iswi_report_process, last_end_cause) },
    { ISW_FIELD(INT, iswi_report_process, last_end_pid) },
    { ISW_FIELD(INT, iswi_report_process, last_end_ago_ms) },
    { 0 },
};

static const isw_field template_fields[] = {
    { ISW_FIELD(STRING, iswi_report_template, worker), .required = true },
    { ISW_FIELD(INT, iswi_report_template, pid) },
    { ISW_FIELD(STRING, iswi_report_template, state), .required = true },
    { ISW_FIELD(STRING, iswi_report_template, detail) },
    { ISW_FIELD(INT, iswi_report_template, resident_bytes) },
    { ISW_FIELD(INT, iswi_report_template, forked) },
    { ISW_FIELD(INT, iswi_report_template, spawned) },
    { 0 },
};

static const isw_field queue_fields[] = {
    { ISW_FIELD(STRING, iswi_report_queue, worker), .required = true },
    { ISW_FIELD(INT, iswi_report_queue, waiting) },
    { ISW_FIELD(INT, iswi_report_queue, oldest_ms) },
    { ISW_FIELD(INT, iswi_report_queue, limit) },
    { ISW_FIELD(INT, iswi_report_queue, wait_ms) },
    { ISW_FIELD(INT, iswi_report_queue, waited) },
    { ISW_FIELD(INT, iswi_report_queue, mean_us) },
    { ISW_FIELD(INT, iswi_report_queue, refused) },
    { ISW_FIELD(INT, iswi_report_queue, expired) },
    { 0 },
};

static const isw_field function_fields[] = {
    { ISW_FIELD(STRING, iswi_report_function, name), .required = true },
    { ISW_FIELD(STRING, iswi_report_function, worker), .required = true },
    { ISW_FIELD(STRING, iswi_report_function, trigger) },
    { ISW_FIELD(STRING, iswi_report_function, methods) },
    { ISW_FIELD(STRING, iswi_report_function, url) },
    { ISW_FIELD(STRING, iswi_report_function, where) },
    { ISW_FIELD(STRING, iswi_report_function, refused) },
    { ISW_FIELD_LIST(STRING, iswi_report_function, chain, chain_count) },
    { ISW_FIELD_LIST(STRING, iswi_report_function, lost, lost_count) },
    { ISW_FIELD(INT, iswi_report_function, timeout_ms) },
    { ISW_FIELD(INT, iswi_report_function, in_flight) },
    { ISW_FIELD(INT, iswi_report_function, waiting) },
    { ISW_FIELD(INT, iswi_report_function, invocations) },
    { ISW_FIELD(INT, iswi_report_function, failures) },
    { ISW_FIELD(INT, iswi_report_function, refused_calls) },
    { ISW_FIELD(INT, iswi_report_function, mean_us) },
    { ISW_FIELD(INT, iswi_report_function, last_us) },
    { 0 },
};

static const isw_field number_fields[] = {
    { ISW_FIELD(STRING, iswi_report_number, name), .required = true },
    { ISW_FIELD(STRING, iswi_report_number, label) },
    { ISW_FIELD(STRING, iswi_report_number, value) },
    { ISW_FIELD(INT, iswi_report_number, number) },
    { 0 },
};

static const isw_field trigger_fields[] = {
    { ISW_FIELD(STRING, iswi_report_trigger, type), .required = true },
    { ISW_FIELD(STRING, iswi_report_trigger, url) },
    { ISW_FIELD_LIST(STRING, iswi_report_trigger, urls, url_count) },
    { ISW_FIELD_LIST(STRUCT, iswi_report_trigger, numbers, number_count),
      .fields = number_fields, .item_size = sizeof(iswi_report_number) },
    { 0 },
};

const isw_field iswi_report_fields[] = {
    { ISW_FIELD(STRUCT, iswi_report_all, host), .fields = head_fields, .required = true },
    { ISW_FIELD_LIST(STRUCT, iswi_report_all, processes, process_count),
      .fields = process_fields, .item_size = sizeof(iswi_report_process) },
    { ISW_FIELD_LIST(STRUCT, iswi_report_all, templates, template_count),
      .fields = template_fields, .item_size = sizeof(iswi_report_template) },
    { ISW_FIELD_LIST(STRUCT, iswi_report_all, queues, queue_count),
      .fields = queue_fields, .item_size = sizeof(iswi_report_queue) },
    { ISW_FIELD_LIST(STRUCT, iswi_report_all, functions, function_count),
      .fields = function_fields, .item_size = sizeof(iswi_report_function) },
    { ISW_FIELD_LIST(STRUCT, iswi_report_all, triggers, trigger_count),
      .fields = trigger_fields, .item_size = sizeof(iswi_report_trigger) },
    { ISW_FIELD_LIST(STRING, iswi_report_all, attention, attention_count) },
    { 0 },
};

const isw_field iswi_readiness_fields[] = {
    { ISW_FIELD(BOOL, iswi_readiness, ready), .required = true },
    { ISW_FIELD_LIST(STRING, iswi_readiness, reasons, reason_count) },
    { ISW_FIELD_LIST(STRING, iswi_readiness, warnings, warning_count) },
    { 0 },
};

const isw_field iswi_startup_fields[] = {
    { ISW_FIELD(BOOL, iswi_startup, started), .required = true },
    { ISW_FIELD_LIST(STRING, iswi_startup, reasons, reason_count) },
    { 0 },
};

const isw_field iswi_drain_fields[] = {
    { ISW_FIELD(STRING, iswi_drain, state), .required = true },
    { ISW_FIELD(INT, iswi_drain, in_flight) },
    { 0 },
};

static const isw_field restarted_fields[] = {
    { ISW_FIELD(STRING, iswi_restarted, worker), .required = true },
    { ISW_FIELD(STRING, iswi_restarted, state), .required = true },
    { ISW_FIELD(INT, iswi_restarted, replaced) },
    { ISW_FIELD(INT, iswi_restarted, total) },
    { ISW_FIELD(INT, iswi_restarted, took_ms) },
    { ISW_FIELD(STRING, iswi_restarted, why) },
    { 0 },
};

const isw_field iswi_restart_fields[] = {
    { ISW_FIELD(STRING, iswi_restart_line, process) },
    { ISW_FIELD(INT, iswi_restart_line, before) },
    { ISW_FIELD(INT, iswi_restart_line, pid) },
    { ISW_FIELD(INT, iswi_restart_line, took_ms) },
    { ISW_FIELD(STRING, iswi_restart_line, state) },
    { ISW_FIELD_LIST(STRUCT, iswi_restart_line, workers, worker_count),
      .fields = restarted_fields, .item_size = sizeof(iswi_restarted) },
    { 0 },
};

const isw_field iswi_succeeded_fields[] = {
    { ISW_FIELD(STRING, iswi_succeeded, state), .required = true },
    { ISW_FIELD(INT, iswi_succeeded, before) },
    { ISW_FIELD(INT, iswi_succeeded, pid) },
    { ISW_FIELD(INT, iswi_succeeded, took_ms) },
    { ISW_FIELD(STRING, iswi_succeeded, why) },
    { 0 },
};

const char *const iswi_messages_actions[] = { "list",   "peek",  "dead",  "put",
                                              "replay", "purge", "pause", "resume", NULL };

static const isw_field queue_of_messages_fields[] = {
    { ISW_FIELD(STRING, iswi_report_messages_queue, name), .required = true },
    { ISW_FIELD(BOOL, iswi_report_messages_queue, paused) },
    { ISW_FIELD(INT, iswi_report_messages_queue, ready) },
    { ISW_FIELD(INT, iswi_report_messages_queue, delayed) },
    { ISW_FIELD(INT, iswi_report_messages_queue, claimed) },
    { ISW_FIELD(INT, iswi_report_messages_queue, dead) },
    { ISW_FIELD(INT, iswi_report_messages_queue, bytes) },
    { ISW_FIELD(INT, iswi_report_messages_queue, oldest_age_ms) },
    { ISW_FIELD(INT, iswi_report_messages_queue, next_due_in_ms) },
    { ISW_FIELD(INT, iswi_report_messages_queue, put) },
    { ISW_FIELD(INT, iswi_report_messages_queue, completed) },
    { ISW_FIELD(INT, iswi_report_messages_queue, abandoned) },
    { ISW_FIELD(INT, iswi_report_messages_queue, died) },
    { ISW_FIELD(INT, iswi_report_messages_queue, duplicates) },
    { 0 },
};

static const isw_field message_fields[] = {
    { ISW_FIELD(STRING, iswi_report_message, id), .required = true },
    { ISW_FIELD(STRING, iswi_report_message, state) },
    { ISW_FIELD(STRING, iswi_report_message, key) },
    { ISW_FIELD(STRING, iswi_report_message, content_type) },
    { ISW_FIELD(STRING, iswi_report_message, last_error) },
    { ISW_FIELD(INT, iswi_report_message, attempts) },
    { ISW_FIELD(INT, iswi_report_message, priority) },
    { ISW_FIELD(INT, iswi_report_message, put_ms) },
    { ISW_FIELD(INT, iswi_report_message, due_ms) },
    { ISW_FIELD(INT, iswi_report_message, expires_ms) },
    { ISW_FIELD(INT, iswi_report_message, died_ms) },
    { ISW_FIELD(INT, iswi_report_message, size) },
    { ISW_FIELD(STRING, iswi_report_message, body) },
    { ISW_FIELD(BYTES, iswi_report_message, body_bytes) },
    { ISW_FIELD_LIST(STRING, iswi_report_message, headers, header_count) },
    { 0 },
};

const isw_field iswi_messages_fields[] = {
    { ISW_FIELD_LIST(STRUCT, iswi_report_messages, queues, queue_count),
      .fields = queue_of_messages_fields, .item_size = sizeof(iswi_report_messages_queue) },
    { ISW_FIELD_LIST(STRUCT, iswi_report_messages, messages, message_count),
      .fields = message_fields, .item_size = sizeof(iswi_report_message) },
    { ISW_FIELD(INT, iswi_report_messages, done) },
    { ISW_FIELD(INT, iswi_report_messages, duplicates) },
    { ISW_FIELD(BOOL, iswi_report_messages, over) },
    { ISW_FIELD(STRING, iswi_report_messages, id) },
    { ISW_FIELD(STRING, iswi_report_messages, bytes_of) },
    { 0 },
};

const isw_field iswi_invoked_fields[] = {
    { ISW_FIELD(STRING, iswi_report_invoked, invocation_id), .required = true },
    { ISW_FIELD(STRING, iswi_report_invoked, outcome), .required = true },
    { ISW_FIELD(STRING, iswi_report_invoked, status) },
    { ISW_FIELD(STRING, iswi_report_invoked, message) },
    { ISW_FIELD(VALUE, iswi_report_invoked, result) },
    { ISW_FIELD(INT, iswi_report_invoked, took_us) },
    { ISW_FIELD(INT, iswi_report_invoked, retry_after_ms) },
    { ISW_FIELD(BOOL, iswi_report_invoked, late) },
    { ISW_FIELD(BOOL, iswi_report_invoked, refused) },
    { 0 },
};

/* -- Writing ----------------------------------------------------------------------------------- */

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
