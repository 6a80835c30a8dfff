/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_LOGLINE_H
#define ISWI_BASE_LOGLINE_H

/* One log line as people or machines read it. Pure; any thread. */
#include "base/buffer.h"

#include <isoworker/failure.h>
#include <isoworker/log.h>
#include <isoworker/value.h>

typedef struct iswi_logline {
    isw_log_level level;
    int64_t time_us; /* since 1970-01-01 UTC */
    isw_str source;  /* the worker or "host" */
    isw_str category;
    isw_str function;      /* empty for none; only in JSON */
    isw_str invocation_id; /* empty for none */
    isw_str message;
    const isw_named_value *fields;
    size_t field_count;
} iswi_logline;

/* Append "2026-11-27T12:34:56.789+01:00 info     worker Category: message name=value
 * (invocation)\n" on one line, in the zone that the process is in. What could forge a line or drive
 * a terminal is written as an escape. `color` adds ANSI colours by level. */
void iswi_logline_text(const iswi_logline *line, bool color, iswi_buffer *out);

/* The same for systemd's journal, which has times itself: "<6>worker Category: message...", with the
 * level as a priority of syslog(3), as sd-daemon(3) has it. */
void iswi_logline_journald(const iswi_logline *line, iswi_buffer *out);

/* Append that priority alone, before a line of another kind. */
void iswi_logline_priority(isw_log_level level, iswi_buffer *out);

/* Append one JSON object and a line feed. */
void iswi_logline_json(const iswi_logline *line, iswi_buffer *out);

/* Append a value as JSON; HTTP, models and bytes as a short description. */
void iswi_json_value(iswi_buffer *out, const isw_value *data);

/* "info" and the like to its level; false for anything else. */
bool iswi_log_level_parse(isw_str text, isw_log_level *level);

/* The level of the line about a failure: what callers see as 500 and above is an error, less a
 * warning; "later" is meant, and a caller that left misses nothing. */
isw_log_level iswi_failure_level(isw_outcome outcome, isw_status status);

#endif
