/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of a request target. What RFC 3986 would have escaped but browsers send as it is (such
 * as
 * '|' and '{') is taken; what ends a target or is cut off from it elsewhere is not. */
#include "http1/internal.h"

#include "url/authority.h"
#include "url/percent.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool iswi_http1_target_begins(iswi_http1_head *head, const char *bytes, size_t at)
{
    char c = bytes[at];
    isw_str method = { bytes + head->method_span.at, head->method_span.size };

    if (c == '/' || is_letter(c))
        return true;
    if (c == '*')
        return isw_str_equal(method, isw_str_of("OPTIONS")) ||
               iswi_http1_refuse_at(head, at, 400, "The request target * is for OPTIONS alone");
    return iswi_http1_refuse_at(head, at, 400,
                                "The request target begins with neither '/' nor http://");
}

/* What is behind "http://" and "https://", or nothing with a NULL. */
static isw_str behind_scheme(isw_str target)
{
    static const char *const schemes[] = { "http://", "https://" };

    for (size_t i = 0; i < 2; i++) {
        isw_str scheme = isw_str_of(schemes[i]);

        if (target.size >= scheme.size &&
            isw_str_equal_nocase((isw_str){ target.data, scheme.size }, scheme))
            return (isw_str){ target.data + scheme.size, target.size - scheme.size };
    }
    return (isw_str){ NULL, 0 };
}

static isw_str authority_of(isw_str rest)
{
    size_t size = 0;

    while (size < rest.size && rest.data[size] != '/' && rest.data[size] != '?')
        size++;
    return (isw_str){ rest.data, size };
}

static bool check_absolute(iswi_http1_head *head, isw_str target)
{
    isw_str rest = behind_scheme(target);

    if (!rest.data)
        return iswi_http1_refuse_at(head, head->target_span.at, 400,
                                    "The request target begins with neither '/' nor http://");
    if (!iswi_authority_valid(authority_of(rest)))
        return iswi_http1_refuse_at(head, head->target_span.at + (size_t)(rest.data - target.data),
                                    400, "The host in the request target is not a host and a port");
    head->form = ISWI_HTTP1_ABSOLUTE;
    return true;
}

bool iswi_http1_target_check(iswi_http1_head *head, const char *bytes)
{
    isw_str target = { bytes + head->target_span.at, head->target_span.size };

    if (!iswi_percent_valid(target))
        return iswi_http1_refuse_at(head, head->target_span.at, 400,
                                    "The request target has a '%' without two hexadecimal digits");
    if (target.data[0] == '/')
        head->form = ISWI_HTTP1_ORIGIN;
    else if (target.data[0] != '*')
        return check_absolute(head, target);
    else if (target.size == 1)
        head->form = ISWI_HTTP1_ASTERISK;
    else
        return iswi_http1_refuse_at(head, head->target_span.at + 1, 400,
                                    "Something stands behind * in the request target");
    return true;
}

bool iswi_http1_target_keep(iswi_http1_head *head, const char *bytes)
{
    isw_str target = { bytes + head->target_span.at, head->target_span.size };
    isw_str rest;

    head->target = target;
    head->url = target;
    if (head->form != ISWI_HTTP1_ABSOLUTE)
        return true;
    rest = behind_scheme(target);
    head->authority = authority_of(rest);
    head->url.data = rest.data + head->authority.size;
    head->url.size = rest.size - head->authority.size;
    if (head->url.size == 0 && isw_str_equal(head->method, isw_str_of("OPTIONS"))) {
        head->url = isw_str_of("*");
        head->form = ISWI_HTTP1_ASTERISK;
    } else if (head->url.size == 0) {
        head->url = isw_str_of("/");
    } else if (head->url.data[0] == '?') {
        head->url.data =
            iswi_arena_printf(head->arena, "/%.*s", (int)head->url.size, head->url.data);
        head->url.size++;
    }
    return head->url.data ||
           iswi_http1_refuse_whole(head, 503, "There is no memory for the request");
}
