/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer, as HTTP/1.1. What its body is and what becomes of the connection is ours
 * to say; the rest is the function's, as far as it cannot break the answer. */
#include "host/http/internal.h"

#include "base/problem.h"
#include "url/fields.h"

#include <stdio.h>

enum { LINES_BYTES = 256 }; /* for all that is not a header of its own */

static bool is_ours_to_set(isw_str name)
{
    static const char *const fields[] = {
        "connection", "content-length", "keep-alive",        "proxy-connection",
        "te",         "trailer",        "transfer-encoding", "upgrade"
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (iswi_field_equal(name, fields[i]))
            return true;
    return false;
}

/* What a 304 does not repeat (RFC 9110, section 15.4.5). */
static bool is_of_content(isw_str name)
{
    return iswi_field_equal(name, "content-type") || iswi_field_equal(name, "content-encoding");
}

bool iswi_http_head_takes(const iswi_http_reply *reply, const isw_pair *header)
{
    return iswi_field_is_token(header->name) && iswi_field_is_value(header->value) &&
           !is_ours_to_set(header->name) &&
           !(reply->status == 304 && is_of_content(header->name)) &&
           !(reply->is_problem && iswi_field_of_body(header->name));
}

static char *put(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

char *iswi_http_put_number(char *at, uint64_t number)
{
    char digits[ISWI_HTTP_NUMBER_BYTES];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        *at++ = digits[--count];
    return at;
}

static char *put_header(char *at, const isw_pair *header)
{
    at = put(at, header->name.data, header->name.size);
    at = put(at, ": ", 2);
    at = put(at, header->value.data, header->value.size);
    return put(at, "\r\n", 2);
}

static size_t size_of(const isw_pair *headers, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += headers[i].name.size + headers[i].value.size + 4;
    return size;
}

static char *put_status(char *at, unsigned status)
{
    if (status == 200)
        return put(at, "HTTP/1.1 200 OK\r\n", 17);
    return at + sprintf(at, "HTTP/1.1 %03u %s\r\n", status, iswi_http_reason((int)status));
}

/* The reply's own, and when it was made, unless it says that itself. */
static char *put_headers(char *at, const iswi_http_reply *reply, const char *date)
{
    bool dated = !*date;

    for (size_t i = 0; i < reply->own_count; i++)
        at = put_header(at, &reply->own[i]);
    for (size_t i = 0; i < reply->given.count; i++) {
        const isw_pair *header = &reply->given.items[i];

        if (!iswi_http_head_takes(reply, header))
            continue;
        at = put_header(at, header);
        dated = dated || iswi_field_equal(header->name, "date");
    }
    return dated ? at : put_header(at, &(isw_pair){ isw_str_of("Date"), isw_str_of(date) });
}

bool iswi_http_head_write(iswi_buffer *out, const iswi_http_reply *reply, const char *date,
                          bool chunked, const char *connection)
{
    char *at;

    if (!iswi_buffer_reserve(out, LINES_BYTES + size_of(reply->own, reply->own_count) +
                                      size_of(reply->given.items, reply->given.count)))
        return false;
    at = put_status((char *)out->data + out->size, reply->status);
    at = put_headers(at, reply, date);
    if (chunked)
        at = put(at, "Transfer-Encoding: chunked\r\n", 28);
    else if (reply->length != ISWI_HTTP_NO_LENGTH)
        at = put(iswi_http_put_number(put(at, "Content-Length: ", 16), (uint64_t)reply->length),
                 "\r\n", 2);
    if (connection)
        at += sprintf(at, "Connection: %s\r\n", connection);
    at = put(at, "\r\n", 2);
    out->size = (size_t)(at - (char *)out->data);
    return true;
}
