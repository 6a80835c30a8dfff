/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns are written by people, so every refusal says what to write instead. What passes here
 * can be matched segment by segment: no segment is empty, "." or "..", and only the last one may
 * stand for other than exactly one segment. */
#include "url/route_pattern.h"

#include "base/text.h"
#include "url/percent.h"

enum { NAME_MAX_BYTES = 63, PATTERN_MAX_BYTES = 1024 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(isw_str text)
{
    if (text.size == 0 || text.size > NAME_MAX_BYTES ||
        !(is_letter(text.data[0]) || text.data[0] == '_'))
        return false;
    for (size_t i = 1; i < text.size; i++)
        if (!is_letter(text.data[i]) && !is_digit(text.data[i]) && !strchr("_-", text.data[i]))
            return false;
    return true;
}

/* The unencoded characters of a path segment (RFC 3986, "pchar"), and UTF-8 beyond ASCII: a
 * literal is compared with the decoded segment. */
static bool is_literal(isw_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (!is_letter(c) && !is_digit(c) && !((unsigned char)c & 0x80) &&
            !(c && strchr("-._~!$&'()*+,;=:@", c)))
            return false;
    }
    return iswi_utf8_valid(text.data, text.size);
}

static isw_status parse_parameter(const char *pattern, isw_str text, iswi_segment *out,
                                  isw_error *error)
{
    isw_str name = { text.data + 1, text.size - 2 };

    out->kind = ISWI_SEGMENT_PARAMETER;
    if (name.size && name.data[0] == '*') {
        out->kind = ISWI_SEGMENT_CATCH_ALL;
        name.data++;
        name.size--;
    } else if (name.size && name.data[name.size - 1] == '?') {
        out->kind = ISWI_SEGMENT_OPTIONAL;
        name.size--;
    }
    if (!is_name(name))
        return isw_error_set(error, ISW_E_CONFIG,
                             "route \"%s\": \"%.*s\" is not a parameter; write {name}, {name?} or "
                             "{*name}, where a name is a letter or '_', then letters, digits, '_' "
                             "or '-', up to %d bytes",
                             pattern, (int)text.size, text.data, NAME_MAX_BYTES);
    out->text = name;
    return ISW_OK;
}

static isw_status parse_segment(const char *pattern, isw_str text, iswi_segment *out,
                                isw_error *error)
{
    if (text.size == 0)
        return isw_error_set(error, ISW_E_CONFIG,
                             "route \"%s\" has an empty segment; write single '/' between "
                             "segments and none at the end",
                             pattern);
    if (isw_str_equal(text, isw_str_of(".")) || isw_str_equal(text, isw_str_of("..")))
        return isw_error_set(error, ISW_E_CONFIG,
                             "route \"%s\": \"%.*s\" cannot be a segment, since no request may "
                             "have it; write the path that it leads to",
                             pattern, (int)text.size, text.data);
    if (text.data[0] == '{' && text.data[text.size - 1] == '}' && text.size > 1)
        return parse_parameter(pattern, text, out, error);
    if (memchr(text.data, '{', text.size) || memchr(text.data, '}', text.size))
        return isw_error_set(error, ISW_E_CONFIG,
                             "route \"%s\": \"%.*s\" mixes a parameter with text; a parameter "
                             "takes a whole segment, as in orders/{id}",
                             pattern, (int)text.size, text.data);
    if (text.data[0] == ':')
        return isw_error_set(error, ISW_E_CONFIG,
                             "route \"%s\": write {%.*s} for a parameter, not \"%.*s\"", pattern,
                             (int)text.size - 1, text.data + 1, (int)text.size, text.data);
    if (!is_literal(text))
        return isw_error_set(error, ISW_E_CONFIG,
                             "route \"%s\": \"%.*s\" has a character that a path does not hold; "
                             "write letters, digits and -._~!$&'()*+,;=:@ unencoded",
                             pattern, (int)text.size, text.data);
    out->kind = ISWI_SEGMENT_LITERAL;
    out->text = text;
    return ISW_OK;
}

/* What the newest segment may not be in view of those before it. */
static isw_status check_order(const char *pattern, const iswi_route_pattern *parsed,
                              isw_error *error)
{
    const iswi_segment *last = &parsed->segments[parsed->count - 1];

    if (parsed->count > 1 && last[-1].kind >= ISWI_SEGMENT_OPTIONAL)
        return isw_error_set(error, ISW_E_CONFIG,
                             "route \"%s\": {%s%.*s%s} must be the last segment; move it to the "
                             "end or make it {%.*s}",
                             pattern, last[-1].kind == ISWI_SEGMENT_CATCH_ALL ? "*" : "",
                             (int)last[-1].text.size, last[-1].text.data,
                             last[-1].kind == ISWI_SEGMENT_OPTIONAL ? "?" : "",
                             (int)last[-1].text.size, last[-1].text.data);
    if (last->kind == ISWI_SEGMENT_LITERAL)
        return ISW_OK;
    for (const iswi_segment *s = parsed->segments; s < last; s++)
        if (s->kind != ISWI_SEGMENT_LITERAL && isw_str_equal(s->text, last->text))
            return isw_error_set(error, ISW_E_CONFIG,
                                 "route \"%s\" has two parameters named \"%.*s\"; rename one",
                                 pattern, (int)s->text.size, s->text.data);
    return ISW_OK;
}

isw_status iswi_route_pattern_parse(const char *text, iswi_route_pattern *out, isw_error *error)
{
    const char *at = text[0] == '/' ? text + 1 : text;
    const char *end = text + strlen(text);

    out->count = 0;
    if (end - text > PATTERN_MAX_BYTES)
        return isw_error_set(error, ISW_E_CONFIG, "route \"%.60s...\" is longer than %d bytes",
                             text, PATTERN_MAX_BYTES);
    if (at == end)
        return ISW_OK;
    for (;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        isw_str segment = { at, (size_t)((slash ? slash : end) - at) };
        isw_status status;

        if (out->count == ISWI_ROUTE_SEGMENTS_MAX)
            return isw_error_set(error, ISW_E_CONFIG,
                                 "route \"%s\" has more than %d segments; make it shorter", text,
                                 ISWI_ROUTE_SEGMENTS_MAX);
        status = parse_segment(text, segment, &out->segments[out->count], error);
        if (status)
            return status;
        out->count++;
        status = check_order(text, out, error);
        if (status || !slash)
            return status;
        at = slash + 1;
    }
}

/* -- Parameters -------------------------------------------------------------------------------- */

/* Their names are what they are, also in the case of their letters. */
static const isw_str *find(const isw_pairs *params, isw_str name)
{
    for (size_t i = 0; i < params->count; i++)
        if (isw_str_equal(params->items[i].name, name))
            return &params->items[i].value;
    return NULL;
}

isw_str iswi_route_pattern_lacks(const iswi_route_pattern *pattern, const isw_pairs *params)
{
    for (size_t i = 0; i < pattern->count; i++)
        if (pattern->segments[i].kind == ISWI_SEGMENT_PARAMETER &&
            !find(params, pattern->segments[i].text))
            return pattern->segments[i].text;
    return (isw_str){ NULL, 0 };
}

void iswi_route_pattern_path(const iswi_route_pattern *pattern, const isw_pairs *params,
                             iswi_buffer *out)
{
    static const char in_segments[] = "!$&'()*+,;=:@"; /* RFC 3986, 3.3 */

    for (size_t i = 0; i < pattern->count; i++) {
        const iswi_segment *segment = &pattern->segments[i];
        const isw_str *value = find(params, segment->text);

        if (segment->kind != ISWI_SEGMENT_LITERAL && !value)
            continue;
        if (i)
            iswi_buffer_append_text(out, "/");
        if (segment->kind == ISWI_SEGMENT_LITERAL)
            iswi_buffer_append(out, segment->text.data, segment->text.size);
        else
            iswi_percent_encode(*value, segment->kind == ISWI_SEGMENT_CATCH_ALL
                                            ? "!$&'()*+,;=:@/" : in_segments, out);
    }
}

/* -- Methods ----------------------------------------------------------------------------------- */

/* Those that are registered (RFC 9110, section 16.1), and a few that servers and proxies are known
 * to take; the usual ones first, so that a slip is taken for one of these. */
static const char *const known_methods[] = {
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", "TRACE", "CONNECT",
    /* WebDAV, its relatives, and UPnP: */
    "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK",
    "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE",
    "M-SEARCH", "NOTIFY", "ORDERPATCH", "PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT",
    "SEARCH", "SUBSCRIBE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UNSUBSCRIBE", "UPDATE",
    "UPDATEREDIRECTREF", "VERSION-CONTROL",
};

enum { KNOWN_METHODS = sizeof known_methods / sizeof known_methods[0], METHOD_BYTES_MAX = 32 };

static bool is_known_method(isw_str method)
{
    for (size_t i = 0; i < KNOWN_METHODS; i++)
        if (isw_str_equal(method, isw_str_of(known_methods[i])))
            return true;
    return false;
}

/* NULL: it is near to none. */
static const char *nearest_method(isw_str method)
{
    char wrong[METHOD_BYTES_MAX + 1];
    size_t nearest = 2; /* edits */
    const char *found = NULL;

    if (method.size > METHOD_BYTES_MAX)
        return NULL;
    memcpy(wrong, method.data, method.size);
    wrong[method.size] = '\0';
    for (size_t i = 0; i < KNOWN_METHODS; i++) {
        size_t edits = iswi_edit_distance(wrong, known_methods[i]);

        if (edits <= nearest && edits * 2 < method.size) {
            found = known_methods[i];
            nearest = edits - 1;
        }
    }
    return found;
}

static isw_status check_method(isw_str method, const char *pattern, isw_error *error)
{
    const char *nearest;

    for (size_t i = 0; i < method.size; i++)
        if (!(method.data[i] >= 'A' && method.data[i] <= 'Z') && method.data[i] != '-')
            return isw_error_set(error, ISW_E_CONFIG,
                                 "route \"%s\": \"%.*s\" is not a method; write methods in "
                                 "capitals, such as \"GET POST\"",
                                 pattern, (int)method.size, method.data);
    if (is_known_method(method))
        return ISW_OK;
    nearest = nearest_method(method);
    return isw_error_set(error, ISW_E_CONFIG,
                         "route \"%s\": \"%.*s\" is no method of HTTP; %s%s%s function that names "
                         "none gets requests of any",
                         pattern, (int)method.size, method.data,
                         nearest ? "did you mean \"" : "", nearest ? nearest : "",
                         nearest ? "\"? A" : "a");
}

isw_status iswi_route_methods_check(const char *methods, const char *pattern, isw_error *error)
{
    const char *at = methods;

    if (at && *at && !at[strspn(at, " ,")])
        return isw_error_set(error, ISW_E_CONFIG, "route \"%s\": \"%s\" names no method; leave it "
                             "out for any", pattern, methods);
    while (at && *at) {
        isw_str method = { at, strcspn(at, " ,") };

        isw_status status = check_method(method, pattern, error);

        if (status != ISW_OK)
            return status;
        at += method.size;
        at += strspn(at, " ,");
    }
    return ISW_OK;
}
