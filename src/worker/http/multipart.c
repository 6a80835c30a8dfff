/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart bodies: boundaries, headers, data. Invariant: start <= at <= end; everything before
 * `at` is understood. Lines end in CR LF and nothing else (RFC 2046, section 5.1.1). */
#include "worker/http/multipart.h"

#include "url/fields.h"

#include <string.h>

typedef struct reader {
    const char *start;
    const char *at;
    const char *end;
    char delimiter[4 + ISWI_BOUNDARY_MAX]; /* CR LF -- boundary */
    size_t delimiter_size;
    iswi_arena *arena;
    isw_error *error;
} reader;

static size_t left(const reader *r)
{
    return (size_t)(r->end - r->at);
}

static bool looking_at(const reader *r, const char *text, size_t size)
{
    return left(r) >= size && memcmp(r->at, text, size) == 0;
}

static isw_status refuse(const reader *r, const char *at, const char *what)
{
    return isw_error_set(r->error, ISW_E_INVALID, "the multipart body is malformed at byte %zu: %s",
                         (size_t)(at - r->start), what);
}

static isw_status no_memory(const reader *r)
{
    return isw_error_set(r->error, ISW_E_NO_MEMORY, "no memory for a multipart body");
}

static isw_status too_large(const reader *r, const char *what, int most)
{
    return isw_error_set(r->error, ISW_E_TOO_LARGE, "the multipart body has %s, %d at most, at "
                         "byte %zu", what, most, (size_t)(r->at - r->start));
}

/* -- Boundaries -------------------------------------------------------------------------------- */

/* Not ending in a space, and of more characters than RFC 2046 has in section 5.1.1: the examples of
 * Android and React Native have "*****", and nothing printable could be taken for a line's end. */
static bool is_boundary(isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return text.size > 0 && text.size <= ISWI_BOUNDARY_MAX && text.data[text.size - 1] != ' ';
}

/* As iswi_param_next, but a boundary that should stand in quotes and does not, such as
 * ----=_Part:1, goes to its semicolon. */
static iswi_param_result next_param(isw_str *rest, iswi_arena *arena, isw_pair *out)
{
    static const char name[] = "boundary=";
    const size_t size = sizeof name - 1;
    isw_str at = *rest;
    const iswi_param_result result = iswi_param_next(rest, arena, out);
    isw_str word;

    if (result != ISWI_PARAM_BAD)
        return result;
    do
        word = iswi_field_split(&at, ';');
    while (!word.size && at.size);
    if (word.size <= size || !iswi_field_equal((isw_str){ word.data, size }, name) ||
        word.data[size] == '"' || memchr(word.data, ' ', word.size))
        return ISWI_PARAM_BAD;
    *out = (isw_pair){ { word.data, size - 1 }, { word.data + size, word.size - size } };
    *rest = at;
    return ISWI_PARAM_FOUND;
}

isw_status iswi_multipart_boundary(isw_str content_type, iswi_arena *arena, isw_str *out,
                                   isw_error *error)
{
    isw_str boundary = { NULL, 0 };
    isw_pair param;
    iswi_param_result result;

    iswi_field_split(&content_type, ';');
    while ((result = next_param(&content_type, arena, &param)) == ISWI_PARAM_FOUND) {
        if (!iswi_field_equal(param.name, "boundary"))
            continue;
        if (boundary.data)
            return isw_error_set(error, ISW_E_INVALID, "the content type has two boundaries");
        boundary = param.value;
    }
    if (result == ISWI_PARAM_NO_MEMORY)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a multipart body");
    if (result == ISWI_PARAM_BAD)
        return isw_error_set(error, ISW_E_INVALID, "the parameters of the content type are "
                                                   "malformed");
    if (!boundary.data)
        return isw_error_set(error, ISW_E_INVALID, "the content type has no boundary");
    if (!is_boundary(boundary))
        return isw_error_set(error, ISW_E_INVALID, "the boundary of the content type is not 1 to "
                                                   "%d printable ASCII characters",
                             ISWI_BOUNDARY_MAX);
    *out = boundary;
    return ISW_OK;
}

/* Behind a boundary: the rest of its line. *last: it was the closing one. */
static isw_status end_boundary(reader *r, bool *last)
{
    *last = looking_at(r, "--", 2);
    if (*last)
        r->at += 2;
    while (left(r) && (*r->at == ' ' || *r->at == '\t'))
        r->at++;
    if (looking_at(r, "\r\n", 2))
        r->at += 2;
    else if (left(r) || !*last)
        return refuse(r, r->at, "a boundary is followed by something else");
    return ISW_OK;
}

/* The next boundary from `from` on, with the CR LF before it; NULL: there is none. */
static const char *find_delimiter(const reader *r, const char *from)
{
    return memmem(from, (size_t)(r->end - from), r->delimiter, r->delimiter_size);
}

/* The first boundary needs no line before it. */
static isw_status begin(reader *r, bool *last)
{
    const char *found;

    if (looking_at(r, r->delimiter + 2, r->delimiter_size - 2)) {
        r->at += r->delimiter_size - 2;
    } else {
        found = left(r) ? find_delimiter(r, r->at) : NULL;
        if (!found)
            return refuse(r, r->end, "the boundary that the content type names is nowhere");
        r->at = found + r->delimiter_size;
    }
    return end_boundary(r, last);
}

/* -- One part ---------------------------------------------------------------------------------- */

/* Take a line without its end; `most` bytes are the limit for it. */
static isw_status take_plain_line(reader *r, size_t most, isw_str *line)
{
    size_t size = 0;

    while (size < left(r) && r->at[size] != '\r' && r->at[size] != '\n') {
        if (size++ == most)
            return too_large(r, "headers of a part that are too long", ISW_PART_HEADER_BYTES_MAX);
    }
    if (left(r) - size < 2 || memcmp(r->at + size, "\r\n", 2) != 0)
        return refuse(r, r->at + size, "a header of a part does not end in CR LF");
    *line = (isw_str){ r->at, size };
    r->at += size + 2;
    return ISW_OK;
}

/* `more` went on on a line of its own: what folds it is one space (RFC 5322, section 2.2.3). */
static isw_status unfold(const reader *r, isw_str *line, isw_str more)
{
    char *text = iswi_arena_alloc(r->arena, line->size + more.size + 1);

    if (!text)
        return no_memory(r);
    more = iswi_field_trim(more);
    memcpy(text, line->data, line->size);
    text[line->size] = ' ';
    memcpy(text + line->size + 1, more.data, more.size);
    *line = (isw_str){ text, line->size + 1 + more.size };
    return ISW_OK;
}

/* The same with the lines behind it that begin with a space: they belong to it. */
static isw_status take_line(reader *r, size_t most, isw_str *line)
{
    isw_status status = take_plain_line(r, most, line);

    while (status == ISW_OK && line->size && left(r) && (*r->at == ' ' || *r->at == '\t')) {
        isw_str more = { NULL, 0 };

        status = take_plain_line(r, most - line->size, &more);
        if (status == ISW_OK)
            status = unfold(r, line, more);
    }
    return status;
}

/* `start` is where the line begins in the body. */
static isw_status split_header(const reader *r, const char *start, isw_str line, isw_pair *out)
{
    const char *colon = memchr(line.data, ':', line.size);
    isw_str name = { line.data, colon ? (size_t)(colon - line.data) : 0 };
    isw_str value = { line.data + name.size + 1, line.size - name.size - 1 };

    if (!colon || !iswi_field_is_token(name))
        return refuse(r, start, "a header of a part has no name");
    value = iswi_field_trim(value);
    if (!iswi_field_is_value(value))
        return refuse(r, line.data == start ? value.data + iswi_field_bad_byte(value) : start,
                      "a header of a part has a control character");
    *out = (isw_pair){ name, value };
    return ISW_OK;
}

/* Up to and with the empty line behind them. */
static isw_status take_headers(reader *r, isw_pairs *out)
{
    isw_pair headers[ISW_PART_HEADERS_MAX];
    size_t room = ISW_PART_HEADER_BYTES_MAX;
    size_t count = 0;
    isw_pair *copy;

    for (;;) {
        const char *start = r->at;
        isw_str line = { NULL, 0 };
        isw_status status = take_line(r, room, &line);

        if (status == ISW_OK && !line.size)
            break;
        if (status == ISW_OK && count == ISW_PART_HEADERS_MAX)
            status = too_large(r, "a part with too many headers", ISW_PART_HEADERS_MAX);
        if (status == ISW_OK)
            status = split_header(r, start, line, &headers[count]);
        if (status != ISW_OK)
            return status;
        room -= line.size;
        count++;
    }
    copy = iswi_arena_alloc(r->arena, count * sizeof *copy);
    if (!copy)
        return no_memory(r);
    if (count)
        memcpy(copy, headers, count * sizeof *copy);
    *out = (isw_pairs){ copy, count };
    return ISW_OK;
}

/* Up to the next boundary. The empty line's own end may be the one before it: then there is no
 * data at all. */
static isw_status take_data(reader *r, isw_bytes *out)
{
    const char *found = find_delimiter(r, r->at - 2);

    if (!found)
        return refuse(r, r->end, "it ends before the closing boundary");
    *out = (isw_bytes){ r->at, found > r->at ? (size_t)(found - r->at) : 0 };
    r->at = found + r->delimiter_size;
    return ISW_OK;
}

static isw_status take_part(reader *r, isw_part *part, bool *last)
{
    size_t at = (size_t)(r->at - r->start);
    isw_status status;

    memset(part, 0, sizeof *part);
    status = take_headers(r, &part->headers);
    if (status == ISW_OK)
        status = iswi_part_describe(part, at, r->arena, r->error);
    if (status == ISW_OK)
        status = take_data(r, &part->data);
    return status == ISW_OK ? end_boundary(r, last) : status;
}

/* -- All of them ------------------------------------------------------------------------------- */

/* Room for one more. */
static bool grow(iswi_arena *arena, isw_part **parts, size_t count, size_t *capacity)
{
    isw_part *grown;

    if (count < *capacity)
        return true;
    *capacity = *capacity ? *capacity * 2 : 8;
    grown = iswi_arena_alloc(arena, *capacity * sizeof *grown);
    if (grown && count)
        memcpy(grown, *parts, count * sizeof *grown);
    *parts = grown;
    return grown != NULL;
}

static void init(reader *r, isw_bytes body, isw_str boundary, iswi_arena *arena, isw_error *error)
{
    *r = (reader){ .start = body.data ? body.data : "", .arena = arena, .error = error };
    r->at = r->start;
    r->end = r->start + body.size;
    memcpy(r->delimiter, "\r\n--", 4);
    memcpy(r->delimiter + 4, boundary.data, boundary.size);
    r->delimiter_size = 4 + boundary.size;
}

isw_status iswi_multipart_read(isw_bytes body, isw_str boundary, iswi_arena *arena,
                               iswi_parts *out, isw_error *error)
{
    reader r;
    isw_part *parts = NULL;
    size_t count = 0;
    size_t capacity = 0;
    bool last = false;
    isw_status status;

    init(&r, body, boundary, arena, error);
    status = begin(&r, &last);
    while (status == ISW_OK && !last) {
        if (count == ISW_PARTS_MAX)
            return too_large(&r, "too many parts", ISW_PARTS_MAX);
        if (!grow(arena, &parts, count, &capacity))
            return no_memory(&r);
        status = take_part(&r, &parts[count], &last);
        count++;
    }
    if (status == ISW_OK)
        *out = (iswi_parts){ parts, count };
    return status;
}
