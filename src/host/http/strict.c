/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict reading of request heads. Invariant: a head that passes has one meaning; whatever two
 * parsers might read in two ways is refused, never repaired.
 */
#include "host/http/strict.h"

#include "base/text.h"
#include "url/fields.h"
#include "url/percent.h"

/* 18 digits fit an int64_t whatever they are. */
enum { LENGTH_DIGITS_MAX = 18 };

static bool is_named(const isw_pair *header, const char *name)
{
    return isw_str_equal_nocase(header->name, isw_str_of(name));
}

/* The one value of header `name`; NULL if there is none or, with *repeated set, more than one. */
static const isw_str *find_single(const isw_pairs *headers, const char *name, bool *repeated)
{
    const isw_str *value = NULL;

    *repeated = false;
    for (size_t i = 0; i < headers->count; i++) {
        if (!is_named(&headers->items[i], name))
            continue;
        *repeated = *repeated || value;
        value = &headers->items[i].value;
    }
    return *repeated ? NULL : value;
}

static const char *check_request_line(const iswi_http_head *head)
{
    bool known = isw_str_equal(head->version, isw_str_of("HTTP/1.1")) ||
                 isw_str_equal(head->version, isw_str_of("HTTP/1.0"));

    if (!iswi_field_is_token(head->method))
        return "The method is not a token.";
    if (!known)
        return "The protocol version is neither HTTP/1.1 nor HTTP/1.0.";
    if (head->target.size == 0 || head->target.data[0] != '/')
        return "The request target does not begin with '/'.";
    for (size_t i = 0; i < head->target.size; i++) {
        unsigned char c = (unsigned char)head->target.data[i];

        if (c <= ' ' || c >= 0x7f || c == '#')
            return "The request target holds a character that must be percent-encoded.";
    }
    if (!iswi_percent_valid(head->target))
        return "The request target has a '%' without two hexadecimal digits.";
    return NULL;
}

static const char *check_fields(const isw_pairs *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        const isw_pair *header = &headers->items[i];

        if (!iswi_field_is_token(header->name))
            return "The name of a header field is not a token.";
        if (!iswi_field_is_value(header->value))
            return "A header field holds a control character.";
    }
    return NULL;
}

static const char *check_host(const iswi_http_head *head)
{
    bool repeated;
    const isw_str *host = find_single(&head->headers, "Host", &repeated);

    if (repeated)
        return "There is more than one Host field.";
    if (!host)
        return isw_str_equal(head->version, isw_str_of("HTTP/1.1")) ? "There is no Host field."
                                                                    : NULL;
    if (!iswi_utf8_valid(host->data, host->size))
        return "The Host field is not UTF-8.";
    for (size_t i = 0; i < host->size; i++)
        if (strchr("/\\?#@<>\"{}|^`, \t", host->data[i]))
            return "The Host field is not a host and a port.";
    return NULL;
}

static const char *check_framing(const iswi_http_head *head, iswi_http_framing *out)
{
    bool two_encodings;
    bool two_lengths;
    const isw_str *encoding = find_single(&head->headers, "Transfer-Encoding", &two_encodings);
    const isw_str *length = find_single(&head->headers, "Content-Length", &two_lengths);

    *out = (iswi_http_framing){ .has_body = encoding != NULL };
    if (two_lengths)
        return "There is more than one Content-Length field.";
    if (two_encodings)
        return "There is more than one Transfer-Encoding field.";
    if (encoding && length)
        return "There is a Content-Length beside the Transfer-Encoding.";
    if (encoding && isw_str_equal(head->version, isw_str_of("HTTP/1.0")))
        return "HTTP/1.0 has no Transfer-Encoding.";
    if (encoding && !isw_str_equal_nocase(*encoding, isw_str_of("chunked")))
        return "The Transfer-Encoding is not chunked.";
    if (!length)
        return NULL;
    if (length->size == 0 || length->size > LENGTH_DIGITS_MAX)
        return "The Content-Length is not a number of bytes.";
    for (size_t i = 0; i < length->size; i++) {
        if (length->data[i] < '0' || length->data[i] > '9')
            return "The Content-Length is not a number of bytes.";
        out->content_length = out->content_length * 10 + (length->data[i] - '0');
    }
    out->has_body = out->content_length > 0;
    return NULL;
}

const char *iswi_http_strict_check(const iswi_http_head *head, iswi_http_framing *out)
{
    const char *problem = check_request_line(head);

    if (!problem)
        problem = check_fields(&head->headers);
    if (!problem)
        problem = check_host(head);
    return problem ? problem : check_framing(head, out);
}

/* libmicrohttpd 0.9.75 reads the head into one block and cuts it up there: the spaces of the
 * request line and the colon of a field become one NUL, CR LF becomes two, a bare LF one. Parts of
 * a well-formed head thus lie at distances that follow from their sizes, and the last one ends
 * where the head does. What escapes: empty lines before the request line, which are skipped; NUL
 * CR LF for the empty line when the line before it ended in a bare LF; and bare LFs between the
 * chunks of a body, of which only the payload is shown to us. */
bool iswi_http_strict_layout(const iswi_http_head *head)
{
    const char *at = head->method.data + head->method.size + 1;

    if (head->target_place != at || head->version.data != at + head->target.size + 1)
        return false;
    at = head->version.data + head->version.size;
    for (size_t i = 0; i < head->headers.count; i++) {
        const isw_pair *header = &head->headers.items[i];
        const char *value = header->value.data;

        if (at[0] != '\0' || at[1] != '\0' || header->name.data != at + 2)
            return false;
        at += 2 + header->name.size;
        if (*at != '\0' || value <= at || value - at > (ptrdiff_t)head->size)
            return false;
        for (at++; at < value; at++)
            if (*at != ' ' && *at != '\t')
                return false;
        at += header->value.size;
    }
    return at + 4 == head->method.data + head->size && memcmp(at, "\0\0\0\0", 4) == 0;
}
