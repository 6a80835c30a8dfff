/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP/2: the same rules as for HTTP/1.1, so that a function need not know which it was.
 * nghttp2 has seen to pseudo-header fields (each once, before the others), small names, and fields
 * of a connection, of which there are none. */
#include "host/http/h2.h"

#include "url/authority.h"
#include "url/fields.h"
#include "url/target.h"

enum { FIELDS_BEGIN = 16, LENGTH_DIGITS_MAX = 18 };

static isw_str keep(iswi_h2_stream *stream, isw_str text)
{
    char *copy = iswi_arena_strndup(&stream->request->arena, text.data, text.size);

    stream->head.no_memory = stream->head.no_memory || !copy;
    return (isw_str){ copy, copy ? text.size : 0 };
}

static bool make_room(iswi_h2_stream *stream)
{
    iswi_h2_head *head = &stream->head;
    const size_t room = head->room ? head->room * 2 : FIELDS_BEGIN;
    isw_pair *fields;

    if (head->count < head->room)
        return true;
    fields = iswi_arena_alloc(&stream->request->arena, room * sizeof *fields);
    if (!fields) {
        head->no_memory = true;
        return false;
    }
    if (head->count)
        memcpy(fields, head->fields, head->count * sizeof *fields);
    head->fields = fields;
    head->room = room;
    return true;
}

static isw_str *pseudo_of(iswi_h2_head *head, isw_str name)
{
    if (iswi_field_equal(name, ":method"))
        return &head->method;
    if (iswi_field_equal(name, ":scheme"))
        return &head->scheme;
    if (iswi_field_equal(name, ":authority"))
        return &head->authority;
    return &head->path;
}

void iswi_h2_head_add(iswi_h2_stream *stream, isw_str name, isw_str value)
{
    iswi_h2_head *head = &stream->head;

    head->bytes += name.size + value.size + 4;
    head->too_large = head->too_large || head->bytes > ISWI_HTTP1_HEAD_BYTES ||
                      head->count == ISWI_HTTP1_FIELDS_MAX;
    if (head->too_large || head->no_memory)
        return;
    if (name.size && name.data[0] == ':') {
        *pseudo_of(head, name) = keep(stream, value);
        return;
    }
    if (head->count == 0) { /* the place of Host */
        if (!make_room(stream))
            return;
        head->fields[head->count++] = (isw_pair){ isw_str_of("host"), { NULL, 0 } };
    }
    if (make_room(stream)) {
        head->fields[head->count] = (isw_pair){ keep(stream, name), keep(stream, value) };
        head->count += !head->no_memory;
    }
}

/* -- What it says ------------------------------------------------------------------------------ */

static int refuse(const char **why, int status, const char *sentence)
{
    *why = sentence;
    return status;
}

static int check_line(const iswi_h2_head *head, const char **why)
{
    const bool asks_all = isw_str_equal(head->path, isw_str_of("*"));

    if (iswi_field_equal(head->method, "CONNECT"))
        return refuse(why, 501, "The method CONNECT is for proxies.");
    if (!iswi_field_is_token(head->method))
        return refuse(why, 400, "The method is not a token.");
    if (!iswi_field_equal(head->scheme, "http") && !iswi_field_equal(head->scheme, "https"))
        return refuse(why, 400, "The scheme is neither http nor https.");
    if (asks_all && !isw_str_equal(head->method, isw_str_of("OPTIONS")))
        return refuse(why, 400, "The path * is for OPTIONS alone.");
    if (!asks_all && !iswi_target_valid(head->path))
        return refuse(why, 400,
                      "The path does not begin with '/', or holds a character that must "
                      "be percent-encoded.");
    return 0;
}

/* One Host at the first place, which the authority has, a field, or both if they are the same. */
static int settle_host(iswi_h2_head *head, const char **why)
{
    isw_str *host = &head->fields[0].value;
    size_t kept = 1;

    *host = head->authority;
    for (size_t i = 1; i < head->count; i++) {
        const isw_pair *field = &head->fields[i];

        if (!isw_str_equal(field->name, isw_str_of("host"))) {
            head->fields[kept++] = *field;
            continue;
        }
        if (host->size && !isw_str_equal_nocase(*host, field->value))
            return refuse(why, 400, "The Host field is not the authority.");
        *host = field->value;
    }
    head->count = kept;
    return iswi_authority_valid(*host) ? 0
                                       : refuse(why, 400,
                                                "The authority is not a host and a "
                                                "port.");
}

/* What one field says to us. */
static int note(iswi_h2_head *head, const isw_pair *field, const char **why)
{
    if (!iswi_field_is_token(field->name) || !iswi_field_is_value(field->value))
        return refuse(why, 400,
                      "A header field has a name that is no token, or holds a control "
                      "character.");
    if (isw_str_equal(field->name, isw_str_of("expect"))) {
        head->expects_continue = true;
        return iswi_field_equal(field->value, "100-continue")
                   ? 0
                   : refuse(why, 417, "Something other than 100-continue is expected.");
    }
    if (!isw_str_equal(field->name, isw_str_of("content-length")))
        return 0;
    head->content_length = 0;
    for (size_t i = 0; i < field->value.size; i++) /* nghttp2 takes digits alone */
        head->content_length = head->content_length * 10 + (field->value.data[i] - '0');
    return 0;
}

/* A client may cut its cookies up, so that each can be compressed; to whom that is not told, they
 * are one (RFC 9113, section 8.2.3). */
static bool join_cookies(iswi_h2_stream *stream)
{
    iswi_h2_head *head = &stream->head;
    const isw_str name = isw_str_of("cookie");
    isw_str *first = NULL;
    size_t kept = 0;

    for (size_t i = 0; i < head->count; i++) {
        isw_pair *field = &head->fields[i];

        if (!first || !isw_str_equal(field->name, name)) {
            head->fields[kept] = *field;
            if (isw_str_equal(field->name, name))
                first = &head->fields[kept].value;
            kept++;
            continue;
        }
        first->data = iswi_arena_printf(&stream->request->arena, "%.*s; %.*s", (int)first->size,
                                        first->data, (int)field->value.size, field->value.data);
        if (!first->data)
            return false;
        first->size += 2 + field->value.size;
    }
    head->count = kept;
    return true;
}

static int check(iswi_h2_stream *stream, const char **why)
{
    iswi_h2_head *head = &stream->head;
    int status;

    if (head->too_large)
        return refuse(why, 431, "The head is too large, or has too many fields.");
    if (head->no_memory || (!head->count && !make_room(stream)))
        return refuse(why, 503, iswi_http_no_memory);
    if (!head->count)
        head->fields[head->count++] = (isw_pair){ isw_str_of("host"), { NULL, 0 } };
    if (head->invalid)
        return refuse(why, 400,
                      "A header field has a name that is no small token, or a value with "
                      "a control character or white space around it.");
    status = check_line(head, why);
    if (!status)
        status = settle_host(head, why);
    for (size_t i = 0; i < head->count && !status; i++)
        status = note(head, &head->fields[i], why);
    return status;
}

int iswi_h2_head_read(iswi_h2_stream *stream, const char **why)
{
    iswi_h2_head *head = &stream->head;
    iswi_http_request *request = stream->request;
    int status = check(stream, why);

    if (status)
        return status;
    if (!join_cookies(stream))
        return refuse(why, 503, iswi_http_no_memory);
    for (size_t i = 0; i < head->count; i++)
        if (!iswi_field_mend(&head->fields[i].value, &request->arena))
            return refuse(why, 503, iswi_http_no_memory);
    request->data.method = head->method;
    request->data.url = head->path;
    request->data.headers = (isw_pairs){ head->fields, head->count };
    return iswi_http_request_arrived(request, &stream->h2->connection->peer,
                                     stream->h2->connection->tls, why);
}
