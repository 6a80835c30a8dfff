/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets by their names. Invariant: names are all that is known of a value; so JSON that cannot be
 * read is left out as a whole. */
#include "host/debug/redact.h"
#include "host/debug/redact_kind.h"
#include "host/debug/redact_parts.h"

#include "base/text.h"
#include "url/percent.h"
#include "value/typed.h"


typedef struct redaction {
    iswi_arena *arena;
    const iswi_secrets *secrets;
} redaction;

/* -- Parts of HTTP ----------------------------------------------------------------------------- */

static bool redact_pairs(const redaction *r, const isw_pairs *from, isw_pairs *out)
{
    isw_pair *pairs = iswi_arena_calloc(r->arena, from->count + 1, sizeof *pairs);

    for (size_t i = 0; pairs && i < from->count; i++) {
        pairs[i] = from->items[i];
        if (iswi_is_secret(pairs[i].name, r->secrets))
            pairs[i].value = isw_str_of(ISWI_REDACTED);
    }
    *out = (isw_pairs){ pairs, from->count };
    return pairs != NULL;
}

/* The same of a name in percent-encoding. */
static bool is_secret_encoded(isw_str name, const iswi_secrets *secrets)
{
    char plain[128];
    isw_str cut;
    size_t size;

    cut = (isw_str){ name.data, name.size < sizeof plain ? name.size : sizeof plain };
    size = iswi_percent_decode(cut, true, plain);
    if (size != SIZE_MAX)
        name = (isw_str){ plain, size };
    return iswi_is_secret(name, secrets);
}

/* Where the first byte of `set` is, or the end. */
static size_t find_any(isw_str text, const char *set)
{
    size_t at = 0;

    while (at < text.size && !memchr(set, text.data[at], strlen(set)))
        at++;
    return at;
}

/* "a=1&token=2" with "token=[redacted]" in it; the brackets are percent-encoded. Names may stand
 * behind any byte of `between`, but a secret goes on to the first one of them: who reads the rest
 * otherwise, as ';' in queries, would take all of it for the value. */
static bool redact_list(const redaction *r, isw_str text, const char *between, isw_str *out)
{
    static const char encoded[] = "%5Bredacted%5D";
    const char strong[] = { *between, '\0' };
    size_t size = 1;
    char *copy;

    for (size_t i = 0; i < text.size; i++)
        size += memchr(between, text.data[i], strlen(between)) != NULL;
    copy = iswi_arena_alloc(r->arena, text.size + size * sizeof encoded);
    size = 0;
    if (!copy)
        return false;
    while (text.size) {
        size_t whole = find_any(text, between);
        const char *equals = memchr(text.data, '=', whole);
        size_t name = equals ? (size_t)(equals - text.data) : whole;
        bool secret = equals && is_secret_encoded((isw_str){ text.data, name }, r->secrets);
        size_t kept = secret ? name + 1 : whole;

        memcpy(copy + size, text.data, kept);
        size += kept;
        if (secret) {
            memcpy(copy + size, encoded, sizeof encoded - 1);
            size += sizeof encoded - 1;
            whole = find_any(text, strong);
        }
        if (whole < text.size)
            copy[size++] = text.data[whole++];
        text = (isw_str){ text.data + whole, text.size - whole };
    }
    *out = (isw_str){ copy, size };
    return true;
}

/* "http://user:password@host" as "http://[redacted]@host", for each "//" of the text. */
static bool redact_userinfo(const redaction *r, isw_str text, isw_str *out)
{
    const char *begin = text.size ? memmem(text.data, text.size, "//", 2) : NULL;
    const char *made;
    isw_str authority, rest;

    for (*out = text; begin;) {
        size_t at = (size_t)(begin - out->data) + 2;
        const char *end;

        rest = (isw_str){ out->data + at, out->size - at };
        authority = (isw_str){ rest.data, find_any(rest, "/?# \t\"<>") };
        end = authority.size ? memrchr(authority.data, '@', authority.size) : NULL;
        if (end) {
            made = iswi_arena_printf(r->arena, "%.*s%%5Bredacted%%5D%.*s", (int)at, out->data,
                                     (int)(rest.size - (size_t)(end - rest.data)), end);
            if (!made)
                return false;
            *out = isw_str_of(made);
        }
        begin = memmem(out->data + at, out->size - at, "//", 2);
    }
    return true;
}

/* What follows the first '?' or '#', if there is one, as a query. */
static bool redact_query_of(const redaction *r, isw_str url, isw_str *out)
{
    size_t path = find_any(url, "?#") + 1;
    isw_str query;
    const char *joined;

    *out = url;
    if (path < url.size) {
        if (!redact_list(r, (isw_str){ url.data + path, url.size - path }, "&;?#", &query))
            return false;
        joined = iswi_arena_printf(r->arena, "%.*s%.*s", (int)path, url.data, (int)query.size,
                                   query.data);
        if (!joined)
            return false;
        *out = isw_str_of(joined);
    }
    return redact_userinfo(r, *out, out);
}

/* Of a value, too, what a function that splits at ';' would take for more parameters. */
static bool redact_query(const redaction *r, const isw_pairs *from, isw_pairs *out)
{
    bool done = redact_pairs(r, from, out);

    for (size_t i = 0; done && i < out->count; i++) {
        isw_pair *one = (isw_pair *)&out->items[i];

        if (memchr(one->value.size ? one->value.data : "", ';', one->value.size))
            done = redact_list(r, one->value, "&;", &one->value);
        done = done && redact_userinfo(r, one->value, &one->value);
    }
    return done;
}

/* Of them `baggage` and `tracestate` are lists of names and values themselves, and others, such as
 * `referer` and `location`, may hold a URL. */
static bool redact_headers(const redaction *r, const isw_pairs *from, isw_pairs *out)
{
    bool done = redact_pairs(r, from, out);

    for (size_t i = 0; done && i < out->count; i++) {
        isw_pair *header = (isw_pair *)&out->items[i];

        if (isw_str_equal(header->name, isw_str_of("baggage")) ||
            isw_str_equal(header->name, isw_str_of("tracestate")))
            done = redact_list(r, header->value, ",;", &header->value);
        else
            done = redact_query_of(r, header->value, &header->value);
    }
    return done;
}

/* -- JSON -------------------------------------------------------------------------------------- */

/* In place: the tree is ours. Returns whether there was a secret. */
static bool redact_tree(const redaction *r, isw_value *value)
{
    bool found = false;

    for (size_t i = 0; value->type == ISW_VALUE_ARRAY && i < value->as.array.count; i++)
        found = redact_tree(r, (isw_value *)&value->as.array.items[i]) || found;
    for (size_t i = 0; value->type == ISW_VALUE_MAP && i < value->as.map.count; i++) {
        isw_named_value *member = (isw_named_value *)&value->as.map.items[i];
        bool secret = iswi_is_secret(member->name, r->secrets);

        if (secret)
            member->value = isw_value_string(ISWI_REDACTED);
        found = secret || redact_tree(r, &member->value) || found;
    }
    return found;
}

static bool redact_json(const redaction *r, isw_str text, isw_str *out)
{
    isw_error unused = { ISW_OK, "" };
    isw_status status;
    isw_value tree;

    *out = text;
    status = iswi_json_parse(r->arena, text, &tree, &unused);
    if (status != ISW_OK && text.size)
        *out = isw_str_of("\"" ISWI_REDACTED "\"");
    else if (status == ISW_OK && redact_tree(r, &tree))
        status = iswi_json_write(r->arena, &tree, out, &unused);
    return status != ISW_E_NO_MEMORY;
}

bool iswi_is_sealed(iswi_arena *arena, const isw_http *http)
{
    const isw_str *encoding = isw_pairs_find(&http->headers, "content-encoding");
    const isw_str body = { http->body.data, http->body.size };
    const iswi_body_kind kind = iswi_body_kind_of(http);
    isw_error unused = { ISW_OK, "" };
    isw_value tree;

    if (encoding && encoding->size && !isw_str_equal(*encoding, isw_str_of("identity")) &&
        iswi_body_claims(http))
        return true;
    return kind == ISWI_BODY_CLOSED ||
           (kind == ISWI_BODY_JSON && body.size &&
            iswi_json_parse(arena, body, &tree, &unused) != ISW_OK);
}

static bool is_secret_field(const void *user, isw_str name)
{
    return iswi_is_secret(name, user);
}

static bool redact_body(const redaction *r, const isw_http *http, isw_str *body)
{
    switch (iswi_body_kind_of(http)) {
    case ISWI_BODY_JSON:
        return redact_json(r, *body, body);
    case ISWI_BODY_FORM:
        return redact_list(r, *body, "&;", body);
    case ISWI_BODY_PARTS:
        return iswi_redact_parts(r->arena, *isw_pairs_find(&http->headers, "content-type"), *body,
                                 is_secret_field, r->secrets, body);
    default:
        return true;
    }
}

static isw_status redact_http(const redaction *r, const isw_http *from, isw_value *out)
{
    isw_http *http = iswi_arena_alloc(r->arena, sizeof *http);
    isw_str body = { from->body.data, from->body.size };
    bool done = http != NULL;

    if (!done)
        return ISW_E_NO_MEMORY;
    *http = *from;
    done = redact_headers(r, &from->headers, &http->headers) &&
           redact_query(r, &from->query, &http->query) &&
           redact_pairs(r, &from->params, &http->params) &&
           redact_query_of(r, from->url, &http->url) && redact_body(r, from, &body);
    http->body = (isw_bytes){ body.data, body.size };
    *out = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = http };
    return done ? ISW_OK : ISW_E_NO_MEMORY;
}

/* -- Values ------------------------------------------------------------------------------------ */

static isw_status redact_array(const redaction *r, const isw_value *value, isw_value *out)
{
    size_t count = value->as.array.count;
    isw_value *items = iswi_arena_calloc(r->arena, count + 1, sizeof *items);
    isw_status status = items ? ISW_OK : ISW_E_NO_MEMORY;

    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = iswi_redact(r->arena, &value->as.array.items[i], r->secrets, &items[i]);
    *out = isw_value_array(items, count);
    return status;
}

static isw_status redact_map(const redaction *r, const isw_value *value, isw_value *out)
{
    size_t count = value->as.map.count;
    isw_named_value *items = iswi_arena_calloc(r->arena, count + 1, sizeof *items);
    isw_status status = items ? ISW_OK : ISW_E_NO_MEMORY;

    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        items[i] = value->as.map.items[i];
        if (iswi_is_secret(items[i].name, r->secrets))
            items[i].value = isw_value_string(ISWI_REDACTED);
        else
            status = iswi_redact(r->arena, &value->as.map.items[i].value, r->secrets,
                                 &items[i].value);
    }
    *out = isw_value_map(items, count);
    return status;
}

isw_status iswi_redact_pairs(iswi_arena *arena, const isw_pairs *pairs,
                             const iswi_secrets *secrets, isw_pairs *out)
{
    const redaction r = { arena, secrets };

    return redact_pairs(&r, pairs, out) ? ISW_OK : ISW_E_NO_MEMORY;
}

isw_status iswi_redact_members(iswi_arena *arena, isw_str text, const iswi_secrets *secrets,
                               isw_str *out)
{
    const redaction r = { arena, secrets };

    return redact_list(&r, text, ",;", out) ? ISW_OK : ISW_E_NO_MEMORY;
}

isw_status iswi_redact(iswi_arena *arena, const isw_value *value, const iswi_secrets *secrets,
                       isw_value *out)
{
    const redaction r = { arena, secrets };

    *out = *value;
    if (value->type == ISW_VALUE_HTTP)
        return redact_http(&r, value->as.http, out);
    if (value->type == ISW_VALUE_JSON ||
        (value->type == ISW_VALUE_STRING && iswi_looks_like_json(value->as.string)))
        return redact_json(&r, value->as.string, &out->as.string) ? ISW_OK : ISW_E_NO_MEMORY;
    if (value->type == ISW_VALUE_ARRAY)
        return redact_array(&r, value, out);
    if (value->type == ISW_VALUE_MAP)
        return redact_map(&r, value, out);
    return ISW_OK;
}
