/* SPDX-License-Identifier: Apache-2.0 */
/* What fields say of the body and the connection. Each is judged when its line is whole; what they
 * must not say together, when the second is. */
#include "http1/internal.h"

#include "base/text.h"
#include "url/authority.h"
#include "url/fields.h"

/* 18 digits fit an int64_t whatever they are. */
enum { LENGTH_DIGITS_MAX = 18 };

static bool note_host(iswi_http1_head *head, isw_str value, size_t at)
{
    if (head->seen.host)
        return iswi_http1_refuse_at(head, at, 400, "There is more than one Host field");
    /* An empty one says that the target has no host (RFC 9112, section 3.2). */
    if (value.size && !iswi_authority_valid(value))
        return iswi_http1_refuse_at(head, at, 400, "The Host field is not a host and a port");
    head->seen.host = head->field_count;
    return true;
}

static bool note_length(iswi_http1_head *head, isw_str value, size_t at)
{
    if (head->seen.length)
        return iswi_http1_refuse_at(head, at, 400, "There is more than one Content-Length field");
    if (head->seen.encoding)
        return iswi_http1_refuse_at(head, at, 400,
                                    "There is a Content-Length beside the Transfer-Encoding");
    head->seen.length = true;
    if (value.size > LENGTH_DIGITS_MAX)
        return iswi_http1_refuse_at(head, at, 400, "The Content-Length has more than 18 digits");
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return iswi_http1_refuse_at(head, at + i, 400,
                                        "The Content-Length is not a number of bytes");
        head->content_length = head->content_length * 10 + (value.data[i] - '0');
    }
    if (!value.size)
        return iswi_http1_refuse_at(head, at, 400, "The Content-Length is not a number of bytes");
    return true;
}

/* A list of codings other than chunked alone: 501 if we know of none that is amiss. */
static bool refuse_codings(iswi_http1_head *head, isw_str value, size_t at)
{
    bool open = value.size && value.data[value.size - 1] == ',';
    bool chunked = false;

    do {
        isw_str coding = iswi_field_split(&value, ',');
        size_t name = iswi_field_token_size(coding);

        if (open || !name || (name < coding.size && !memchr("; \t", coding.data[name], 3)))
            return iswi_http1_refuse_at(head, at, 400,
                                        "The Transfer-Encoding is not a list of codings");
        if (chunked)
            return iswi_http1_refuse_at(head, at, 400,
                                        "The Transfer-Encoding has chunked before its end");
        chunked = iswi_field_equal((isw_str){ coding.data, name }, "chunked");
        if (chunked && name < coding.size)
            return iswi_http1_refuse_at(head, at, 400, "The coding chunked has no parameters");
    } while (value.size);
    return iswi_http1_refuse_at(head, at, 501,
                                "The Transfer-Encoding has codings other than chunked");
}

static bool note_encoding(iswi_http1_head *head, isw_str value, size_t at)
{
    if (head->seen.encoding)
        return iswi_http1_refuse_at(head, at, 400,
                                    "There is more than one Transfer-Encoding field");
    if (head->seen.length)
        return iswi_http1_refuse_at(head, at, 400,
                                    "There is a Content-Length beside the Transfer-Encoding");
    if (head->minor == 0)
        return iswi_http1_refuse_at(head, at, 400, "HTTP/1.0 has no Transfer-Encoding");
    head->seen.encoding = true;
    return iswi_field_equal(value, "chunked") || refuse_codings(head, value, at);
}

static void note_connection(iswi_http1_head *head, isw_str value)
{
    while (value.size) {
        isw_str option = iswi_field_split(&value, ',');

        head->seen.close = head->seen.close || iswi_field_equal(option, "close");
        head->seen.keep_alive = head->seen.keep_alive || iswi_field_equal(option, "keep-alive");
        head->seen.takes_upgrade = head->seen.takes_upgrade || iswi_field_equal(option, "upgrade");
    }
}

static bool note_expect(iswi_http1_head *head, isw_str value, size_t at)
{
    if (head->minor == 0) /* which has none (RFC 9110, section 10.1.1) */
        return true;
    head->seen.expects = true;
    return iswi_field_equal(value, "100-continue") ||
           iswi_http1_refuse_at(head, at, 417, "Something other than 100-continue is expected");
}

bool iswi_http1_note_field(iswi_http1_head *head, const char *bytes, iswi_http1_span name,
                           iswi_http1_span value)
{
    const char *text = bytes + name.at;
    isw_str said = { bytes + value.at, value.size };

    switch (name.size) {
    case 4:
        return memcmp(text, "host", 4) != 0 || note_host(head, said, value.at);
    case 6:
        return memcmp(text, "expect", 6) != 0 || note_expect(head, said, value.at);
    case 7:
        if (memcmp(text, "upgrade", 7) == 0 && !head->seen.upgrade)
            head->seen.upgrade = head->field_count;
        return true;
    case 10:
        if (memcmp(text, "connection", 10) == 0)
            note_connection(head, said);
        return true;
    case 14:
        return memcmp(text, "content-length", 14) != 0 || note_length(head, said, value.at);
    case 17:
        return memcmp(text, "transfer-encoding", 17) != 0 || note_encoding(head, said, value.at);
    default:
        return true;
    }
}

/* -- What they say together -------------------------------------------------------------------- */

static bool mend(iswi_http1_head *head, isw_pair *fields)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (!iswi_field_mend(&fields[i].value, head->arena))
            return false;
    return true;
}

static bool keep_fields(iswi_http1_head *head, const char *bytes)
{
    isw_pair *fields = iswi_arena_alloc(head->arena, (head->field_count + 1) * sizeof *fields);

    if (!fields)
        return false;
    for (size_t i = 0; i < head->field_count; i++) {
        const iswi_http1_span *span = &head->spans[2 * i];

        fields[i] = (isw_pair){ { bytes + span[0].at, span[0].size },
                                { bytes + span[1].at, span[1].size } };
    }
    head->fields = (isw_pairs){ fields, head->field_count };
    if (head->seen.host && head->authority.size)
        fields[head->seen.host - 1].value = head->authority;
    else if (head->seen.host)
        head->authority = fields[head->seen.host - 1].value;
    if (head->seen.upgrade && head->seen.takes_upgrade && head->minor == 1)
        head->upgrade = fields[head->seen.upgrade - 1].value;
    return iswi_utf8_valid(bytes, head->at) || mend(head, fields);
}

void iswi_http1_conclude(iswi_http1_head *head, char *bytes)
{
    const iswi_http1_seen *seen = &head->seen;

    if (head->minor == 1 && !seen->host) {
        iswi_http1_refuse_whole(head, 400, "There is no Host field");
        return;
    }
    head->method = (isw_str){ bytes + head->method_span.at, head->method_span.size };
    if (!iswi_http1_target_keep(head, bytes))
        return;
    if (!keep_fields(head, bytes)) {
        iswi_http1_refuse_whole(head, 503, "There is no memory for the request");
        return;
    }
    if (seen->encoding)
        head->framing = ISWI_HTTP1_CHUNKED;
    else if (head->content_length)
        head->framing = ISWI_HTTP1_LENGTH;
    head->keep_alive = !seen->close && (head->minor == 1 || seen->keep_alive);
    head->expects_continue = seen->expects && head->framing != ISWI_HTTP1_NO_BODY;
    head->size = head->at + 2;
}
