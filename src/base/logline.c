/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines as text and as JSON. Everything that came from outside goes through text.h. */
#include "base/logline.h"

#include "base/number.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const level_names[] = { "trace", "debug",    "info", "warning",
                                           "error", "critical", "none" };

const char *isw_log_level_name(isw_log_level level)
{
    return (size_t)level <= ISW_LOG_NONE ? level_names[level] : "unknown";
}

bool iswi_log_level_parse(isw_str text, isw_log_level *level)
{
    for (int i = 0; i <= ISW_LOG_NONE; i++) {
        if (isw_str_equal(text, isw_str_of(level_names[i]))) {
            *level = (isw_log_level)i;
            return true;
        }
    }
    return false;
}

/* As short as gives the same double again, with a point or an exponent, so that it stays one. */
static void json_double(iswi_buffer *out, double real)
{
    char text[ISWI_DOUBLE_BYTES];

    if (!isfinite(real)) {
        iswi_buffer_append_text(out, "null");
        return;
    }
    iswi_double_text(real, text);
    iswi_buffer_append_text(out, text);
    if (!strpbrk(text, ".e"))
        iswi_buffer_append_text(out, ".0");
}

static void json_array(iswi_buffer *out, const isw_value *data)
{
    iswi_buffer_append_text(out, "[");
    for (size_t i = 0; i < data->as.array.count; i++) {
        if (i)
            iswi_buffer_append_text(out, ",");
        iswi_json_value(out, &data->as.array.items[i]);
    }
    iswi_buffer_append_text(out, "]");
}

static void json_map(iswi_buffer *out, const isw_map *map)
{
    iswi_buffer_append_text(out, "{");
    for (size_t i = 0; i < map->count; i++) {
        if (i)
            iswi_buffer_append_text(out, ",");
        iswi_json_string(out, map->items[i].name);
        iswi_buffer_append_text(out, ":");
        iswi_json_value(out, &map->items[i].value);
    }
    iswi_buffer_append_text(out, "}");
}

void iswi_json_value(iswi_buffer *out, const isw_value *data)
{
    switch (data->type) {
    case ISW_VALUE_NONE:
        iswi_buffer_append_text(out, "null");
        break;
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        iswi_json_string(out, data->as.string);
        break;
    case ISW_VALUE_INT:
        iswi_buffer_printf(out, "%lld", (long long)data->as.integer);
        break;
    case ISW_VALUE_DOUBLE:
        json_double(out, data->as.real);
        break;
    case ISW_VALUE_BOOL:
        iswi_buffer_append_text(out, data->as.boolean ? "true" : "false");
        break;
    case ISW_VALUE_ARRAY:
        json_array(out, data);
        break;
    case ISW_VALUE_MAP:
        json_map(out, &data->as.map);
        break;
    default:
        iswi_buffer_printf(out, "\"(%s, %zu bytes)\"", isw_value_type_name(data->type),
                           isw_value_payload(data).size);
    }
}

/* A field's value for people: text bare unless it has a space, everything else as in JSON. */
static void text_value(iswi_buffer *out, const isw_value *data)
{
    bool text = data->type == ISW_VALUE_STRING || data->type == ISW_VALUE_JSON;

    if (text && data->as.string.size && !memchr(data->as.string.data, ' ', data->as.string.size))
        iswi_terminal_text(out, data->as.string);
    else if (text)
        iswi_json_string(out, data->as.string);
    else
        iswi_json_value(out, data);
}

/* With the zone's distance from UTC, "Z" for UTC itself: RFC 3339. */
static void append_time(iswi_buffer *out, int64_t time_us, bool utc)
{
    time_t seconds = (time_t)(time_us / 1000000);
    char text[64];
    struct tm parts;
    long minutes;

    if (utc)
        gmtime_r(&seconds, &parts);
    else
        localtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    iswi_buffer_printf(out, "%s.%03d", text, (int)(time_us / 1000 % 1000));
    minutes = labs(parts.tm_gmtoff) / 60;
    if (utc)
        iswi_buffer_append_text(out, "Z");
    else
        iswi_buffer_printf(out, "%c%02ld:%02ld", parts.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                           minutes % 60);
}

/* What a line says, but for when and how bad that is. */
static void append_words(const iswi_logline *line, iswi_buffer *out)
{
    iswi_terminal_text(out, line->source);
    if (line->category.size) {
        iswi_buffer_append_text(out, " ");
        iswi_terminal_text(out, line->category);
    }
    iswi_buffer_append_text(out, ": ");
    iswi_terminal_text(out, line->message);
    for (size_t i = 0; i < line->field_count; i++) {
        iswi_buffer_append_text(out, " ");
        iswi_terminal_text(out, line->fields[i].name);
        iswi_buffer_append_text(out, "=");
        text_value(out, &line->fields[i].value);
    }
    if (line->invocation_id.size) {
        iswi_buffer_append_text(out, " (");
        iswi_terminal_text(out, line->invocation_id);
        iswi_buffer_append_text(out, ")");
    }
    iswi_buffer_append_text(out, "\n");
}

void iswi_logline_text(const iswi_logline *line, bool color, iswi_buffer *out)
{
    static const char *const colors[] = { "\x1b[2m",  "\x1b[2m",  "\x1b[32m",
                                          "\x1b[33m", "\x1b[31m", "\x1b[1;31m" };
    bool tinted = color && (size_t)line->level < sizeof colors / sizeof colors[0];

    append_time(out, line->time_us, false);
    iswi_buffer_printf(out, " %s%-8s%s ", tinted ? colors[line->level] : "",
                       isw_log_level_name(line->level), tinted ? "\x1b[0m" : "");
    append_words(line, out);
}

void iswi_logline_priority(isw_log_level level, iswi_buffer *out)
{
    static const char priorities[] = { '7', '7', '6', '4', '3', '2' }; /* of syslog(3) */

    if ((size_t)level < sizeof priorities)
        iswi_buffer_printf(out, "<%c>", priorities[level]);
}

void iswi_logline_journald(const iswi_logline *line, iswi_buffer *out)
{
    iswi_logline_priority(line->level, out);
    append_words(line, out);
}

static void json_member(iswi_buffer *out, const char *name, isw_str value)
{
    if (!value.size)
        return;
    iswi_buffer_printf(out, ",\"%s\":", name);
    iswi_json_string(out, value);
}

void iswi_logline_json(const iswi_logline *line, iswi_buffer *out)
{
    iswi_buffer_append_text(out, "{\"time\":\"");
    append_time(out, line->time_us, true);
    iswi_buffer_printf(out, "\",\"level\":\"%s\"", isw_log_level_name(line->level));
    json_member(out, "source", line->source);
    json_member(out, "category", line->category);
    json_member(out, "function", line->function);
    json_member(out, "invocation_id", line->invocation_id);
    iswi_buffer_append_text(out, ",\"message\":");
    iswi_json_string(out, line->message);
    if (line->field_count) {
        iswi_buffer_append_text(out, ",\"fields\":");
        json_map(out, &(isw_map){ line->fields, line->field_count });
    }
    iswi_buffer_append_text(out, "}\n");
}

isw_log_level iswi_failure_level(isw_outcome outcome, isw_status status)
{
    if (outcome == ISW_OUTCOME_RETRY_LATER)
        return isw_status_retriable(status) ? ISW_LOG_INFO : ISW_LOG_WARNING;
    if (status == ISW_E_CANCELLED)
        return ISW_LOG_INFO;
    return isw_status_http(status) >= 500 ? ISW_LOG_ERROR : ISW_LOG_WARNING;
}
