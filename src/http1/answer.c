/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers: small, and read again from their begin while they are not whole. */
#include "http1/answer.h"

#include "url/fields.h"

enum { FIELDS_MAX = 128, LENGTH_DIGITS_MAX = 18, STATUS_LINE_BYTES = 12 };

static iswi_http1_result refuse(const char **what, const char *sentence)
{
    *what = sentence;
    return ISWI_HTTP1_REFUSED;
}

/* One line without its CR LF; false: it is not whole. */
static bool take_line(const char *bytes, size_t size, size_t *at, isw_str *line)
{
    const char *begin = bytes + *at;
    const char *end = memchr(begin, '\n', size - *at);

    if (!end)
        return false;
    *line = (isw_str){ begin, (size_t)(end - begin) };
    *at += line->size + 1;
    return true;
}

static bool trim_return(isw_str *line)
{
    if (!line->size || line->data[line->size - 1] != '\r')
        return false;
    line->size--;
    return true;
}

/* "HTTP/1.1 200 OK": 0, if it is none. */
static int status_of(isw_str line, bool *is_new)
{
    const char *at = line.data;

    if (line.size < STATUS_LINE_BYTES || memcmp(at, "HTTP/1.", 7) != 0 ||
        (at[7] != '0' && at[7] != '1') || at[8] != ' ' ||
        (line.size > STATUS_LINE_BYTES && at[STATUS_LINE_BYTES] != ' '))
        return 0;
    for (size_t i = 9; i < STATUS_LINE_BYTES; i++)
        if (at[i] < '0' || at[i] > '9')
            return 0;
    *is_new = at[7] == '1';
    return (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
}

static bool read_length(isw_str value, int64_t *out)
{
    int64_t length = 0;

    if (!value.size || value.size > LENGTH_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        length = 10 * length + (value.data[i] - '0');
    }
    *out = length;
    return true;
}

/* What a field says of body and connection; a sentence if that cannot be. */
static const char *note(iswi_http1_answer *out, const isw_pair *field)
{
    iswi_http1_head *body = &out->body;

    if (isw_str_equal(field->name, isw_str_of("connection"))) {
        out->keep_alive = out->keep_alive && !iswi_field_equal(field->value, "close");
    } else if (isw_str_equal(field->name, isw_str_of("transfer-encoding"))) {
        if (!iswi_field_equal(field->value, "chunked") || body->framing != ISWI_HTTP1_NO_BODY)
            return "Its body is neither in chunks nor of one length";
        body->framing = ISWI_HTTP1_CHUNKED;
    } else if (isw_str_equal(field->name, isw_str_of("content-length"))) {
        if (body->framing != ISWI_HTTP1_NO_BODY ||
            !read_length(field->value, &body->content_length))
            return "Its Content-Length is no number, or not the only thing that says where it ends";
        body->framing = ISWI_HTTP1_LENGTH;
    }
    return NULL;
}

static const char *take_field(iswi_http1_answer *out, isw_pair *fields, isw_str line)
{
    const char *colon = memchr(line.data, ':', line.size);
    const size_t size = colon ? (size_t)(colon - line.data) : 0;
    isw_pair *field = &fields[out->fields.count];

    if (!size || iswi_field_lower_token((char *)line.data, size) != size)
        return "A line of its head is no field";
    if (out->fields.count == FIELDS_MAX)
        return "Its head has too many fields";
    field->name = (isw_str){ line.data, size };
    field->value = iswi_field_trim((isw_str){ colon + 1, line.size - size - 1 });
    if (!iswi_field_is_value(field->value))
        return "A field of its head holds a control character";
    out->fields.count++;
    return note(out, field);
}

/* A head that says nothing of a length has a body until the connection ends; a status has its say,
 * too (RFC 9112, section 6.3). */
static void settle(iswi_http1_answer *out)
{
    if (out->status == 204 || out->status == 304)
        out->body.framing = ISWI_HTTP1_NO_BODY;
    else if (out->body.framing == ISWI_HTTP1_NO_BODY)
        out->keep_alive = false;
    else if (out->body.framing == ISWI_HTTP1_LENGTH && !out->body.content_length)
        out->body.framing = ISWI_HTTP1_NO_BODY;
}

iswi_http1_result iswi_http1_answer_read(char *bytes, size_t size, iswi_arena *arena,
                                         iswi_http1_answer *out, const char **what)
{
    isw_pair *fields = iswi_arena_alloc(arena, FIELDS_MAX * sizeof *fields);
    bool begun = false;
    size_t at = 0;
    isw_str line;

    if (!fields)
        return refuse(what, "There is no memory for it");
    while (take_line(bytes, size, &at, &line)) {
        if (!trim_return(&line))
            return refuse(what, "A line of its head ends without a carriage return");
        if (!begun) {
            *out = (iswi_http1_answer){ .fields = { fields, 0 } };
            out->status = status_of(line, &out->keep_alive);
            begun = true;
            if (!out->status)
                return refuse(what, "It does not begin with a status line of HTTP/1");
        } else if (line.size) {
            *what = take_field(out, fields, line);
            if (*what)
                return ISWI_HTTP1_REFUSED;
        } else if (out->status < 200) {
            begun = false; /* the one that counts follows */
        } else {
            out->size = at;
            settle(out);
            return ISWI_HTTP1_DONE;
        }
    }
    return size < ISWI_HTTP1_HEAD_BYTES ? ISWI_HTTP1_MORE
                                        : refuse(what, "Its head is too large");
}
