/* SPDX-License-Identifier: Apache-2.0 */
/* Problems, as text. */
#include "base/problem.h"

#include "base/text.h"

#include <string.h>

/* https://www.iana.org/assignments/http-status-codes; 499 is nginx's, and widely known. */
static const struct {
    int status;
    const char *text;
} reasons[] = {
    { 200, "OK" }, /* the first, for it is looked up most */
    { 201, "Created" },
    { 202, "Accepted" },
    { 203, "Non-Authoritative Information" },
    { 204, "No Content" },
    { 205, "Reset Content" },
    { 206, "Partial Content" },
    { 207, "Multi-Status" },
    { 208, "Already Reported" },
    { 226, "IM Used" },
    { 300, "Multiple Choices" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 305, "Use Proxy" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 402, "Payment Required" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 407, "Proxy Authentication Required" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 424, "Failed Dependency" },
    { 425, "Too Early" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 451, "Unavailable For Legal Reasons" },
    { 499, "Client Closed Request" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 506, "Variant Also Negotiates" },
    { 507, "Insufficient Storage" },
    { 508, "Loop Detected" },
    { 511, "Network Authentication Required" },
};

const char *iswi_http_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return status < 400 ? "OK" : status < 500 ? "Request Refused" : "Server Error";
}

bool iswi_field_of_body(isw_str name)
{
    static const char *const names[] = {
        "accept-ranges",    "content-disposition", "content-encoding", "content-language",
        "content-length",   "content-location",    "content-range",    "content-type",
        "etag",             "last-modified",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (isw_str_equal(name, isw_str_of(names[i])))
            return true;
    return false;
}

static void add(iswi_buffer *out, const char *name, const char *text)
{
    iswi_buffer_printf(out, ",\"%s\":", name);
    iswi_json_string(out, isw_str_of(text));
}

void iswi_problem_text(iswi_buffer *out, const char *name, const char *text)
{
    if (text && *text)
        add(out, name, text);
}

void iswi_problem_begin(iswi_buffer *out, int status, const char *title, const char *detail)
{
    iswi_buffer_append_text(out, "{\"type\":\"about:blank\"");
    add(out, "title", title ? title : iswi_http_reason(status));
    iswi_buffer_printf(out, ",\"status\":%d", status);
    if (detail)
        add(out, "detail", detail);
}

void iswi_problem_failure(iswi_buffer *out, isw_status error, const char *type, bool retriable)
{
    iswi_problem_text(out, "error", isw_status_name(error));
    iswi_problem_text(out, "error_type", type);
    iswi_buffer_printf(out, ",\"retriable\":%s", retriable ? "true" : "false");
}

void iswi_problem_end(iswi_buffer *out, const char *invocation_id)
{
    if (invocation_id && *invocation_id) {
        iswi_buffer_append_text(out, ",\"instance\":\"urn:isoworker:invocation:");
        iswi_buffer_printf(out, "%s\"", invocation_id);
        iswi_problem_text(out, "invocation_id", invocation_id);
    }
    iswi_buffer_append_text(out, "}\n");
}
