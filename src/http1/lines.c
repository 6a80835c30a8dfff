/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a head, stage by stage. Invariant: a stage that wants for bytes has changed nothing
 * but `at`, and looks at bytes before `at` no more than by their place; so it does not matter how
 * the bytes were cut.
 */
#include "http1/internal.h"

#include "url/fields.h"
#include "url/target.h"

/* An empty line or two before the request line are what some clients send behind a body (RFC 9112,
 * section 2.2). */
enum { EMPTY_BYTES_MAX = 4, FIELD_ROOM = 16 };

enum {
    AT_EMPTY_LINES,
    AT_METHOD,
    AT_TARGET,
    AT_VERSION,
    AT_LINE, /* a field's line, or the empty one */
    AT_NAME,
    AT_SPACE, /* before a value */
    AT_VALUE
};

void iswi_http1_head_begin(iswi_http1_head *head, iswi_arena *arena, size_t limit)
{
    *head = (iswi_http1_head){ .arena = arena, .line = 1 };
    head->limit = ISWI_HTTP1_HEAD_BYTES;
    if (limit)
        head->limit = limit < UINT32_MAX / 2 ? (uint32_t)limit : UINT32_MAX / 2;
}

/* What stands at `at`, where a line might have ended, is neither of what was hoped for. */
static bool refuse_byte(iswi_http1_head *head, const char *bytes, const char *otherwise)
{
    const char *what = otherwise;

    switch (bytes[head->at]) {
    case '\n':
        what = "A line ends with a line feed without its carriage return";
        break;
    case '\r':
        what = "A carriage return has no line feed behind it";
        break;
    case '\0':
        what = "There is a NUL in the head";
        break;
    default:
        break;
    }
    return iswi_http1_refuse_at(head, head->at, 400, what);
}

/* Whether CR LF begins at `at`; `otherwise` is the sentence if another byte does. */
static bool line_ends(iswi_http1_head *head, const char *bytes, size_t end, const char *otherwise)
{
    if (bytes[head->at] != '\r')
        return refuse_byte(head, bytes, otherwise);
    if (head->at + 1 == end)
        return false;
    return bytes[head->at + 1] == '\n' || refuse_byte(head, bytes, NULL);
}

static iswi_http1_span part_behind(const iswi_http1_head *head)
{
    return (iswi_http1_span){ head->part, head->at - head->part };
}

static void go_to(iswi_http1_head *head, int stage)
{
    head->stage = (uint8_t)stage;
    head->part = head->at;
}

/* A new line begins behind CR LF. */
static void go_to_line(iswi_http1_head *head, int stage)
{
    head->at += 2;
    head->line++;
    head->line_begin = head->at;
    go_to(head, stage);
}

/* -- The request line -------------------------------------------------------------------------- */

static bool read_empty_lines(iswi_http1_head *head, const char *bytes, size_t end)
{
    if (bytes[head->at] != '\r' || head->at == EMPTY_BYTES_MAX) {
        go_to(head, AT_METHOD);
        return true;
    }
    if (!line_ends(head, bytes, end, NULL))
        return false;
    go_to_line(head, AT_EMPTY_LINES);
    return true;
}

static bool read_method(iswi_http1_head *head, const char *bytes, size_t end)
{
    isw_str rest = { bytes + head->at, end - head->at };

    head->at += (uint32_t)iswi_field_token_size(rest);
    if (head->at == end)
        return false;
    head->method_span = part_behind(head);
    if (bytes[head->at] != ' ' || !head->method_span.size)
        return refuse_byte(head, bytes, "The method is not a token with one space behind it");
    if (head->method_span.size == 7 && memcmp(bytes + head->part, "CONNECT", 7) == 0)
        return iswi_http1_refuse_at(head, head->part, 501, "The method CONNECT is for proxies");
    head->at++;
    go_to(head, AT_TARGET);
    return true;
}

static bool read_target(iswi_http1_head *head, const char *bytes, size_t end)
{
    if (head->at == head->part && !iswi_http1_target_begins(head, bytes, head->at))
        return false;
    head->at += (uint32_t)iswi_target_size((isw_str){ bytes + head->at, end - head->at });
    if (head->at == end)
        return false;
    head->target_span = part_behind(head);
    if (bytes[head->at] == '\r')
        return iswi_http1_refuse_at(head, head->at, 400, "The request line has no version");
    if (bytes[head->at] != ' ')
        return refuse_byte(head, bytes,
                           "The request target holds a character that must be percent-encoded");
    if (!iswi_http1_target_check(head, bytes))
        return false;
    head->at++;
    go_to(head, AT_VERSION);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_version(iswi_http1_head *head, const char *bytes, size_t end)
{
    static const char form[] = "HTTP/0.0";
    const char *text = bytes + head->part;

    for (size_t i = head->at - head->part; form[i]; i++, head->at++) {
        if (head->at == end)
            return false;
        if (form[i] == '0' ? !is_digit(text[i]) : text[i] != form[i])
            return refuse_byte(head, bytes,
                               "The request line does not end with a version such as HTTP/1.1");
    }
    if (text[5] != '1' || text[7] > '1')
        return iswi_http1_refuse_at(head, head->part, 505,
                                    "The protocol version is neither HTTP/1.1 nor HTTP/1.0");
    head->minor = text[7] - '0';
    if (head->at == end ||
        !line_ends(head, bytes, end, "Something stands behind the version in the request line"))
        return false;
    go_to_line(head, AT_LINE);
    return true;
}

/* -- Fields ------------------------------------------------------------------------------------ */

static bool read_line(iswi_http1_head *head, char *bytes, size_t end)
{
    switch (bytes[head->at]) {
    case '\r':
        if (line_ends(head, bytes, end, NULL))
            iswi_http1_conclude(head, bytes);
        return false;
    case ' ':
    case '\t':
        return iswi_http1_refuse_at(head, head->at, 400,
                                    "A line of the head is folded, or begins with white space");
    default:
        go_to(head, AT_NAME);
        return true;
    }
}

static bool make_room(iswi_http1_head *head)
{
    uint32_t room = head->field_room ? head->field_room * 2 : FIELD_ROOM;
    iswi_http1_span *spans;

    if (head->field_count < head->field_room)
        return true;
    if (head->field_count == ISWI_HTTP1_FIELDS_MAX)
        return iswi_http1_refuse_at(head, head->part, 431, "There are too many header fields");
    spans = iswi_arena_alloc(head->arena, 2 * room * sizeof *spans);
    if (!spans)
        return iswi_http1_refuse_whole(head, 503, "There is no memory for the request");
    if (head->field_count)
        memcpy(spans, head->spans, 2 * head->field_count * sizeof *spans);
    head->spans = spans;
    head->field_room = room;
    return true;
}

static bool read_name(iswi_http1_head *head, char *bytes, size_t end)
{
    head->at += (uint32_t)iswi_field_lower_token(bytes + head->at, end - head->at);
    if (head->at == end)
        return false;
    if (bytes[head->at] != ':' || head->at == head->part)
        return refuse_byte(head, bytes,
                           "The name of a header field is not a token with a colon behind it");
    if (!make_room(head))
        return false;
    head->spans[2 * head->field_count] = part_behind(head);
    head->at++;
    go_to(head, AT_SPACE);
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool read_space(iswi_http1_head *head, const char *bytes, size_t end)
{
    while (head->at < end && is_space(bytes[head->at]))
        head->at++;
    if (head->at == end)
        return false;
    go_to(head, AT_VALUE);
    return true;
}

static bool read_value(iswi_http1_head *head, const char *bytes, size_t end)
{
    iswi_http1_span *field = &head->spans[2 * head->field_count];

    head->at += (uint32_t)iswi_field_bad_byte((isw_str){ bytes + head->at, end - head->at });
    if (head->at == end)
        return false;
    field[1] = part_behind(head);
    while (field[1].size && is_space(bytes[field[1].at + field[1].size - 1]))
        field[1].size--;
    if (!line_ends(head, bytes, end, "A header field holds a control character"))
        return false;
    head->field_count++;
    if (!iswi_http1_note_field(head, bytes, field[0], field[1]))
        return false;
    go_to_line(head, AT_LINE);
    return true;
}

/* -- All of it --------------------------------------------------------------------------------- */

/* One stage; whether the next can begin. */
static bool step(iswi_http1_head *head, char *bytes, size_t end)
{
    if (head->at == end)
        return false;
    switch (head->stage) {
    case AT_EMPTY_LINES:
        return read_empty_lines(head, bytes, end);
    case AT_METHOD:
        return read_method(head, bytes, end);
    case AT_TARGET:
        return read_target(head, bytes, end);
    case AT_VERSION:
        return read_version(head, bytes, end);
    case AT_LINE:
        return read_line(head, bytes, end);
    case AT_NAME:
        return read_name(head, bytes, end);
    case AT_SPACE:
        return read_space(head, bytes, end);
    default:
        return read_value(head, bytes, end);
    }
}

iswi_http1_result iswi_http1_head_read(iswi_http1_head *head, char *bytes, size_t size)
{
    size_t end = size < head->limit ? size : head->limit;

    while (step(head, bytes, end))
        continue;
    if (head->refusal.status)
        return ISWI_HTTP1_REFUSED;
    if (head->size)
        return ISWI_HTTP1_DONE;
    if (end < head->limit)
        return ISWI_HTTP1_MORE;
    if (head->stage <= AT_VERSION)
        iswi_http1_refuse_whole(head, 414, "The request line is too long");
    else
        iswi_http1_refuse_whole(head, 431, "The request line and the header fields are too large");
    return ISWI_HTTP1_REFUSED;
}

bool iswi_http1_head_has_begun(const iswi_http1_head *head)
{
    return head->stage != AT_EMPTY_LINES;
}
