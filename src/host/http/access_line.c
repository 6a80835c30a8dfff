/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/access_line.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* -- Pieces ------------------------------------------------------------------------------------ */

/* As Apache has it: quotes and backslashes behind a backslash, and what is no visible character of
 * ASCII as \xhh. */
static void put_escaped(iswi_buffer *out, isw_str text, bool spaces)
{
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char c = (unsigned char)text.data[i];

        if (c == '"' || c == '\\')
            iswi_buffer_printf(out, "\\%c", c);
        else if (c > ' ' && c < 0x7f)
            iswi_buffer_append(out, &c, 1);
        else if (c == ' ' && spaces)
            iswi_buffer_append(out, " ", 1);
        else
            iswi_buffer_printf(out, "\\x%02x", c);
    }
}

/* A column of its own. */
static void put_column(iswi_buffer *out, isw_str text)
{
    if (text.size)
        put_escaped(out, text, false);
    else
        iswi_buffer_append_text(out, "-");
}

static void put_quoted(iswi_buffer *out, isw_str text)
{
    iswi_buffer_append_text(out, "\"");
    if (text.size)
        put_escaped(out, text, true);
    else
        iswi_buffer_append_text(out, "-");
    iswi_buffer_append_text(out, "\"");
}

static isw_str shown_target(const iswi_access *access, bool query)
{
    isw_str target = access->target;
    const char *mark = target.size && !query ? memchr(target.data, '?', target.size) : NULL;

    if (mark)
        target.size = (size_t)(mark - target.data);
    return target;
}

static void put_request(iswi_buffer *out, const iswi_access *access, bool query)
{
    isw_str target = shown_target(access, query);

    iswi_buffer_append_text(out, "\"");
    if (access->method.size || target.size) {
        put_column(out, access->method);
        iswi_buffer_append_text(out, " ");
        put_column(out, target);
        iswi_buffer_append_text(out, " ");
        put_column(out, access->protocol);
    } else {
        iswi_buffer_append_text(out, "-");
    }
    iswi_buffer_append_text(out, "\"");
}

/* Names of months that no locale has a say in. */
static const char *month(int number)
{
    static const char *const names[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

    return names[number];
}

static void put_time(iswi_buffer *out, int64_t time_us, bool combined)
{
    const time_t seconds = (time_t)(time_us / 1000000);
    struct tm t;
    long zone;

    localtime_r(&seconds, &t);
    zone = t.tm_gmtoff / 60;
    if (combined)
        iswi_buffer_printf(out, "[%02d/%s/%d:%02d:%02d:%02d %c%02ld%02ld]", t.tm_mday,
                           month(t.tm_mon), t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec,
                           zone < 0 ? '-' : '+', labs(zone) / 60, labs(zone) % 60);
    else
        iswi_buffer_printf(out, "%d-%02d-%02dT%02d:%02d:%02d.%03d%c%02ld:%02ld", t.tm_year + 1900,
                           t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                           (int)(time_us / 1000 % 1000), zone < 0 ? '-' : '+', labs(zone) / 60,
                           labs(zone) % 60);
}

static void put_ms(iswi_buffer *out, const char *name, int64_t us)
{
    iswi_buffer_printf(out, " %s=%" PRId64 ".%03dms", name, us / 1000, (int)(us % 1000));
}

/* -- Text -------------------------------------------------------------------------------------- */

static void put_named(iswi_buffer *out, const char *name, isw_str text, bool quoted)
{
    if (!text.size)
        return;
    iswi_buffer_printf(out, " %s=", name);
    if (quoted)
        put_quoted(out, text);
    else
        put_column(out, text);
}

static void write_text(const iswi_access *access, bool query, iswi_buffer *out)
{
    put_time(out, access->begun_us, false);
    iswi_buffer_append_text(out, " ");
    put_column(out, access->client);
    iswi_buffer_append_text(out, " ");
    put_column(out, access->principal);
    iswi_buffer_append_text(out, " ");
    put_request(out, access, query);
    iswi_buffer_printf(out, " %d in=%" PRIu64 " out=%" PRIu64, access->status, access->received,
                       access->sent);
    put_ms(out, "took", access->took_us);
    if (access->worker_us >= 0)
        put_ms(out, "worker", access->worker_us);
    put_named(out, "reason", access->reason, true);
    put_named(out, "invocation", access->invocation_id, false);
    put_named(out, "request", access->request_id, false);
    put_named(out, "agent", access->agent, true);
    put_named(out, "referer", access->referer, true);
    iswi_buffer_append_text(out, access->cut ? " cut\n" : "\n");
}

/* -- JSON -------------------------------------------------------------------------------------- */

static void put_member(iswi_buffer *out, const char *name, isw_str text)
{
    if (!text.size)
        return;
    iswi_buffer_printf(out, ",\"%s\":", name);
    iswi_json_string(out, text);
}

static void write_json(const iswi_access *access, bool query, iswi_buffer *out)
{
    iswi_buffer_append_text(out, "{\"time\":\"");
    put_time(out, access->begun_us, false);
    iswi_buffer_append_text(out, "\"");
    put_member(out, "client", access->client);
    put_member(out, "principal", access->principal);
    put_member(out, "method", access->method);
    put_member(out, "path", shown_target(access, query));
    put_member(out, "protocol", access->protocol);
    iswi_buffer_printf(out,
                       ",\"status\":%d,\"received\":%" PRIu64 ",\"sent\":%" PRIu64
                       ",\"took_us\":%" PRId64,
                       access->status, access->received, access->sent, access->took_us);
    if (access->worker_us >= 0)
        iswi_buffer_printf(out, ",\"worker_us\":%" PRId64, access->worker_us);
    put_member(out, "reason", access->reason);
    put_member(out, "invocation", access->invocation_id);
    put_member(out, "request", access->request_id);
    put_member(out, "agent", access->agent);
    put_member(out, "referer", access->referer);
    iswi_buffer_append_text(out, access->cut ? ",\"cut\":true}\n" : "}\n");
}

/* -- Combined ---------------------------------------------------------------------------------- */

static void write_combined(const iswi_access *access, bool query, iswi_buffer *out)
{
    put_column(out, access->client);
    iswi_buffer_append_text(out, " - ");
    put_column(out, access->principal);
    iswi_buffer_append_text(out, " ");
    put_time(out, access->begun_us, true);
    iswi_buffer_append_text(out, " ");
    put_request(out, access, query);
    if (access->body_sent)
        iswi_buffer_printf(out, " %d %" PRIu64 " ", access->status, access->body_sent);
    else
        iswi_buffer_printf(out, " %d - ", access->status);
    put_quoted(out, access->referer);
    iswi_buffer_append_text(out, " ");
    put_quoted(out, access->agent);
    iswi_buffer_append_text(out, "\n");
}

void iswi_access_write(const iswi_access *access, iswi_access_form form, bool query,
                       iswi_buffer *out)
{
    if (form == ISWI_ACCESS_JSON)
        write_json(access, query, out);
    else if (form == ISWI_ACCESS_COMBINED)
        write_combined(access, query, out);
    else
        write_text(access, query, out);
}
