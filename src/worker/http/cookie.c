/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: read leniently and written strictly (RFC 6265, section 4). */
#include "worker/http/cookie.h"

#include "url/date.h"
#include "url/fields.h"
#include "worker/context/failure.h"
#include "worker/http/reply.h"

#include <isoworker/http.h>

/* Of a name with its value, and of one attribute (RFC 6265bis, section 5.6). */
enum { PAIR_MOST_BYTES = 4096, ATTRIBUTE_MOST_BYTES = 1024 };

/* -- Reading ----------------------------------------------------------------------------------- */

static isw_str unquoted(isw_str value)
{
    if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
        return (isw_str){ value.data + 1, value.size - 2 };
    return value;
}

bool iswi_cookie_find(isw_str header, isw_str name, isw_str *out)
{
    while (header.size) {
        isw_str part = iswi_field_split(&header, ';');
        isw_str value = part;
        isw_str own = iswi_field_split(&value, '=');

        if (own.size == part.size || !isw_str_equal(own, name))
            continue;
        *out = unquoted(iswi_field_trim(value));
        return true;
    }
    return false;
}

const char *isw_http_cookie(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);
    const isw_pair *header;
    size_t at = 0;
    isw_str value;

    while (request && (header = isw_pairs_next(&request->headers, "cookie", &at)))
        if (iswi_cookie_find(header->value, isw_str_of(name), &value))
            return isw_context_strndup(ctx, value.data, value.size);
    return NULL;
}

/* -- What is wrong with one -------------------------------------------------------------------- */

/* cookie-octet (RFC 6265, section 4.1.1). */
static bool is_value(const char *value)
{
    for (; *value; value++)
        if (*value <= 0x20 || *value >= 0x7f || strchr("\",;\\", *value))
            return false;
    return true;
}

/* Any visible ASCII and space but the semicolon. */
static bool is_path(const char *path)
{
    for (const char *at = path; *at; at++)
        if (*at < 0x20 || *at >= 0x7f || *at == ';')
            return false;
    return *path == '/' && strlen(path) <= ATTRIBUTE_MOST_BYTES;
}

/* Labels of letters, digits and hyphens between dots (RFC 1034, section 3.5; RFC 1123, 2.1). */
static bool is_domain(const char *domain)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

    if (strlen(domain) > 253)
        return false;
    for (;;) {
        size_t size = strspn(domain, letters);

        if (size == 0 || size > 63 || domain[0] == '-' || domain[size - 1] == '-')
            return false;
        if (domain[size] != '.')
            return domain[size] == '\0';
        domain += size + 1;
    }
}

static bool begins_with(const char *name, const char *prefix)
{
    const isw_str start = { name, strnlen(name, strlen(prefix)) };

    return isw_str_equal_nocase(start, isw_str_of(prefix));
}

/* What a name promises by its prefix (RFC 6265bis, section 4.1.3), or NULL. */
static const char *prefix_fault(const isw_cookie *cookie)
{
    bool host = begins_with(cookie->name, "__Host-");
    bool secure = begins_with(cookie->name, "__Secure-");

    if ((host || secure) && !cookie->secure)
        return "a name with that prefix needs secure";
    if (host && (cookie->domain || !cookie->path || strcmp(cookie->path, "/") != 0))
        return "a name that begins with __Host- needs the path / and no domain";
    return NULL;
}

/* NULL if there is none. */
static const char *fault_of(const isw_cookie *cookie)
{
    char date[ISWI_HTTP_DATE_BYTES];

    if (!is_value(cookie->value))
        return "its value takes visible ASCII without quotes, commas, semicolons and backslashes; "
               "encode what is not";
    if (strlen(cookie->name) + strlen(cookie->value) > PAIR_MOST_BYTES)
        return "its name and value have more than 4096 bytes together, which clients drop";
    if (cookie->path && !is_path(cookie->path))
        return "its path begins with / and takes up to 1024 bytes of ASCII without semicolons";
    if (cookie->domain && !is_domain(cookie->domain))
        return "its domain is no name of a host";
    if ((unsigned)cookie->same_site > ISW_SAME_SITE_NONE)
        return "its same_site is none of the list";
    if (cookie->same_site == ISW_SAME_SITE_NONE && !cookie->secure)
        return "same_site none needs secure";
    if (!iswi_http_date_write(cookie->expires_s, date))
        return "its expires_s is beyond the year 9999";
    return prefix_fault(cookie);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void write_cookie(iswi_buffer *out, const isw_cookie *cookie)
{
    static const char *const same_site[] = { "", "; SameSite=Lax", "; SameSite=Strict",
                                             "; SameSite=None" };
    char date[ISWI_HTTP_DATE_BYTES];

    iswi_buffer_printf(out, "%s=%s", cookie->name, cookie->value);
    if (cookie->path)
        iswi_buffer_printf(out, "; Path=%s", cookie->path);
    if (cookie->domain)
        iswi_buffer_printf(out, "; Domain=%s", cookie->domain);
    if (cookie->max_age_s)
        iswi_buffer_printf(out, "; Max-Age=%lld",
                           cookie->max_age_s < 0 ? 0LL : (long long)cookie->max_age_s);
    if (cookie->expires_s && iswi_http_date_write(cookie->expires_s, date))
        iswi_buffer_printf(out, "; Expires=%s", date);
    if (cookie->secure)
        iswi_buffer_append_text(out, "; Secure");
    if (cookie->http_only)
        iswi_buffer_append_text(out, "; HttpOnly");
    iswi_buffer_append_text(out, same_site[cookie->same_site]);
}

isw_status isw_http_set_cookie(isw_context *ctx, const isw_cookie *cookie)
{
    ISWI_ALIVE(ctx);
    iswi_buffer *text = &ctx->outgoing.bytes; /* warm, and nothing is being sent now */
    isw_status status = iswi_context_may_answer(ctx);
    const char *fault;

    if (status == ISW_OK)
        status = iswi_needs(ctx, __func__, "cookie", cookie);
    if (status == ISW_OK)
        status = iswi_needs(ctx, __func__, "cookie's name", cookie->name);
    if (status == ISW_OK && !cookie->value)
        status = iswi_misuse(ctx, ISW_E_INVALID, "%s: the value of \"%s\" is NULL", __func__,
                             cookie->name);
    if (status != ISW_OK)
        return status;
    if (!iswi_field_is_token(isw_str_of(cookie->name)))
        return iswi_misuse(ctx, ISW_E_INVALID,
                         "\"%s\" is no name of a cookie; it takes letters, digits and "
                         "!#$%%&'*+-.^_`|~ (RFC 6265, section 4.1.1)", cookie->name);
    fault = fault_of(cookie);
    if (fault)
        return iswi_misuse(ctx, ISW_E_INVALID, "the cookie \"%s\" cannot be set: %s", cookie->name,
                         fault);
    iswi_buffer_reset(text);
    write_cookie(text, cookie);
    if (!iswi_buffer_text(text))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a cookie");
    return iswi_reply_header(ctx, "set-cookie", iswi_buffer_text(text), false);
}
