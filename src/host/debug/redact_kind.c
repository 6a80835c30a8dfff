/* SPDX-License-Identifier: Apache-2.0 */
/* The type is believed first. Many clients send none, or text/plain, and many functions read what
 * comes whatever it is called; so what begins like JSON counts as that under any other name. */
#include "host/debug/redact_kind.h"

#include <string.h>

static bool is_type(const isw_http *http, const char *wanted)
{
    const isw_str *type = isw_pairs_find(&http->headers, "content-type");
    size_t size = strlen(wanted);

    for (size_t i = 0; type && i + size <= type->size; i++)
        if (isw_str_equal_nocase((isw_str){ type->data + i, size }, isw_str_of(wanted)))
            return true;
    return false;
}

static iswi_body_kind kind_by_type(const isw_http *http)
{
    if (is_type(http, "json"))
        return ISWI_BODY_JSON;
    if (is_type(http, "application/x-www-form-urlencoded"))
        return ISWI_BODY_FORM;
    if (is_type(http, "multipart/form-data"))
        return ISWI_BODY_PARTS;
    return is_type(http, "xml") ? ISWI_BODY_CLOSED : ISWI_BODY_OTHER;
}

/* The body without blanks, and without a mark of its byte order, in front. */
static isw_str start_of(isw_str text)
{
    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = (isw_str){ text.data + 3, text.size - 3 };
    while (text.size && memchr(" \t\r\n", *text.data, 4))
        text = (isw_str){ text.data + 1, text.size - 1 };
    return text;
}

bool iswi_looks_like_json(isw_str text)
{
    text = start_of(text);
    return text.size && (*text.data == '{' || *text.data == '[');
}

/* One line of text without blanks, with a name and a value. */
static bool is_form_line(isw_str text)
{
    while (text.size && memchr("\r\n", text.data[text.size - 1], 2))
        text.size--;
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == '<')
            return false;
    return text.size && memchr(text.data, '=', text.size);
}

iswi_body_kind iswi_body_kind_of(const isw_http *http)
{
    const iswi_body_kind kind = kind_by_type(http);
    const isw_str text = start_of((isw_str){ http->body.data, http->body.size });
    bool plain = !isw_pairs_find(&http->headers, "content-type") || is_type(http, "text/plain");

    if (kind != ISWI_BODY_OTHER || !text.size)
        return kind;
    if (iswi_looks_like_json(text))
        return ISWI_BODY_JSON;
    if (text.size > 5 && memcmp(text.data, "<?xml", 5) == 0)
        return ISWI_BODY_CLOSED;
    return plain && is_form_line(text) ? ISWI_BODY_FORM : ISWI_BODY_OTHER;
}

bool iswi_body_claims(const isw_http *http)
{
    return kind_by_type(http) != ISWI_BODY_OTHER;
}
