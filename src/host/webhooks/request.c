/* SPDX-License-Identifier: Apache-2.0 */
#include "host/webhooks/request.h"

#include "url/fields.h"

#include <string.h>

/* -- Headers ----------------------------------------------------------------------------------- */

/* What is the host's to say, or libcurl's. */
static const char *const reserved[] = { "connection", "content-length", "expect", "host",
                                        "te", "traceparent", "trailer", "transfer-encoding",
                                        "upgrade", "webhook-id", "webhook-signature",
                                        "webhook-timestamp", NULL };

isw_status iswi_request_check_header(const isw_pair *header, isw_error *error)
{
    int shown = header->name.size > 100 ? 100 : (int)header->name.size;

    if (!iswi_field_is_token(header->name))
        return isw_error_set(error, ISW_E_INVALID, "\"%.*s\" cannot be the name of a header", shown,
                             header->name.data);
    for (size_t i = 0; reserved[i]; i++)
        if (iswi_field_equal(header->name, reserved[i]))
            return isw_error_set(error, ISW_E_INVALID,
                                 "the header %s is the host's own to say", reserved[i]);
    if (iswi_field_bad_byte(header->value) < header->value.size)
        return isw_error_set(error, ISW_E_INVALID,
                             "the header %.*s has a control character in its value", shown,
                             header->name.data);
    return ISW_OK;
}

/* -- As a message ------------------------------------------------------------------------------ */

static char *put_text(char *to, isw_str text)
{
    if (text.size)
        memcpy(to, text.data, text.size);
    return to + text.size;
}

isw_status iswi_request_pack(const isw_pairs *headers, isw_bytes body, iswi_arena *arena,
                             isw_bytes *out, isw_error *error)
{
    size_t size = body.size + 2;
    char *bytes, *to;

    if (headers->count > ISWI_REQUEST_HEADERS_MAX)
        return isw_error_set(error, ISW_E_INVALID, "a request has at most %d headers",
                             ISWI_REQUEST_HEADERS_MAX);
    for (size_t i = 0; i < headers->count; i++) {
        if (iswi_request_check_header(&headers->items[i], error) != ISW_OK)
            return error->status;
        size += headers->items[i].name.size + headers->items[i].value.size + 4;
    }
    bytes = to = iswi_arena_alloc(arena, size);
    if (!bytes)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a request");
    for (size_t i = 0; i < headers->count; i++) {
        to = put_text(to, headers->items[i].name);
        to = put_text(to, isw_str_of(": "));
        to = put_text(to, headers->items[i].value);
        to = put_text(to, isw_str_of("\r\n"));
    }
    to = put_text(to, isw_str_of("\r\n"));
    put_text(to, (isw_str){ body.data, body.size });
    *out = (isw_bytes){ bytes, size };
    return ISW_OK;
}

/* A line without its end, which goes from the front of *rest. False: it has none. */
static bool take_line(isw_str *rest, isw_str *line)
{
    const char *end = rest->size ? memchr(rest->data, '\r', rest->size) : NULL;
    size_t size = end ? (size_t)(end - rest->data) : 0;

    if (!end || rest->size < size + 2 || end[1] != '\n')
        return false;
    *line = (isw_str){ rest->data, size };
    *rest = (isw_str){ end + 2, rest->size - size - 2 };
    return true;
}

bool iswi_request_unpack(const iswi_delivery *message, iswi_arena *arena, isw_pairs *headers,
                         isw_bytes *body)
{
    isw_pair *pairs = iswi_arena_calloc(arena, ISWI_REQUEST_HEADERS_MAX, sizeof *pairs);
    isw_str rest = { message->body.data, message->body.size };
    isw_str line;

    *headers = (isw_pairs){ pairs, 0 };
    *body = message->body;
    if (!pairs)
        return false;
    if (!isw_str_equal(message->content_type, isw_str_of(ISWI_REQUEST_TYPE))) {
        pairs[0] = (isw_pair){ isw_str_of("content-type"), message->content_type };
        headers->count = message->content_type.size ? 1 : 0;
        return true;
    }
    while (take_line(&rest, &line) && line.size && headers->count < ISWI_REQUEST_HEADERS_MAX) {
        pairs[headers->count].name = iswi_field_split(&line, ':');
        pairs[headers->count++].value = iswi_field_trim(line);
    }
    *body = (isw_bytes){ rest.data, rest.size };
    return true;
}
