/* SPDX-License-Identifier: Apache-2.0 */
/* Lists from their ends. Invariant: an element is cut off by what stands behind it alone, which
 * trusted proxies wrote, so that nothing a client puts in front moves where the cut is. */
#include "url/forwarded.h"

#include "url/authority.h"
#include "url/fields.h"

static const char malformed[] = "it is malformed";
static const char too_many[] = "it names more proxies than there can be";
static const char not_web[] = "its scheme is neither http nor https";
static const char no_host[] = "its host is none";
static const char differ[] = "Forwarded and X-Forwarded-For are both there and differ; say which "
                             "one the proxy writes by http.proxy_headers";

/* -- Elements, from the last to the first ------------------------------------------------------ */

/* All lines of a field as one list. */
typedef struct backwards {
    const isw_pairs *headers;
    const char *name;
    size_t next;  /* lines before this one were not begun */
    isw_str rest; /* of the line that is being read */
    bool quotes;  /* whether commas may stand in quotes */
} backwards;

/* Whether the quote at `at` is written with a backslash, as a part of what is quoted. */
static bool is_escaped(isw_str text, size_t at)
{
    size_t begin = at;

    while (begin && text.data[begin - 1] == '\\')
        begin--;
    return (at - begin) % 2;
}

static isw_str cut_last(isw_str *rest, bool quotes)
{
    size_t at = rest->size;
    bool quoted = false;
    isw_str last;

    for (; at; at--) {
        char c = rest->data[at - 1];

        if (quotes && c == '"' && !(quoted && is_escaped(*rest, at - 1)))
            quoted = !quoted;
        else if (c == ',' && !quoted)
            break;
    }
    last = (isw_str){ rest->data + at, rest->size - at };
    rest->size = at ? at - 1 : 0;
    return iswi_field_trim(last);
}

/* False at the begin of the list. Empty elements are none (RFC 9110, section 5.6.1.2). */
static bool previous(backwards *list, isw_str *element)
{
    for (;;) {
        while (list->rest.size) {
            *element = cut_last(&list->rest, list->quotes);
            if (element->size)
                return true;
        }
        do
            if (!list->next)
                return false;
        while (!isw_str_equal(list->headers->items[--list->next].name, isw_str_of(list->name)));
        list->rest = list->headers->items[list->next].value;
    }
}

static backwards list_of(const isw_pairs *headers, const char *name, bool quotes)
{
    return (backwards){ headers, name, headers->count, { "", 0 }, quotes };
}

/* -- Whom a proxy names ------------------------------------------------------------------------ */

typedef enum node_kind { NODE_BAD, NODE_UNKNOWN, NODE_TRUSTED, NODE_CLIENT } node_kind;

static bool is_name(isw_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '.' && c != '_' && c != '-')
            return false;
    }
    return text.size > 1 && text.data[0] == '_';
}

/* Digits, or a name that hides it. */
static bool is_port(isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return is_name(text);
    return text.size > 0 && text.size <= 5;
}

/* What stands before the port, without brackets. False where it cannot be told. */
static bool cut_port(isw_str *node)
{
    bool v6 = node->size && node->data[0] == '[';
    const char *end = node->size ? memchr(node->data, v6 ? ']' : ':', node->size) : NULL;
    isw_str port;

    if (!end)
        return !v6;
    port = (isw_str){ end, node->size - (size_t)(end - node->data) };
    if (!v6 && memchr(port.data + 1, ':', port.size - 1))
        return true; /* IPv6 without brackets, which X-Forwarded-For is full of, has no port */
    node->data += v6;
    node->size = (size_t)(end - node->data);
    if (v6)
        port = (isw_str){ port.data + 1, port.size - 1 };
    return !port.size ||
           (port.data[0] == ':' && is_port((isw_str){ port.data + 1, port.size - 1 }));
}

static node_kind read_node(isw_str node, const iswi_networks *trusted, char *client)
{
    iswi_ip ip;

    if (isw_str_equal(node, isw_str_of("unix:"))) { /* as nginx has it */
        memcpy(client, "unix", sizeof "unix");
        return trusted->local ? NODE_TRUSTED : NODE_CLIENT;
    }
    if (!cut_port(&node))
        return NODE_BAD;
    if (iswi_ip_read(node, &ip)) {
        iswi_ip_write(&ip, client);
        return iswi_networks_have(trusted, &ip) ? NODE_TRUSTED : NODE_CLIENT;
    }
    if (iswi_field_equal(node, "unknown"))
        return NODE_UNKNOWN;
    if (!is_name(node) || node.size >= ISWI_CLIENT_BYTES)
        return NODE_BAD;
    memcpy(client, node.data, node.size);
    client[node.size] = '\0';
    return NODE_CLIENT;
}

static const char *take_scheme(isw_str text, iswi_forwarded *out)
{
    if (iswi_field_equal(text, "https"))
        out->scheme = "https";
    else if (iswi_field_equal(text, "http"))
        out->scheme = "http";
    else
        return not_web;
    return NULL;
}

static const char *take_host(isw_str text, iswi_forwarded *out)
{
    if (text.size >= sizeof out->host || !iswi_authority_valid(text))
        return no_host;
    memcpy(out->host, text.data, text.size);
    out->host[text.size] = '\0';
    return NULL;
}

/* -- Forwarded --------------------------------------------------------------------------------- */

/* What one proxy says, in its order. */
typedef struct said {
    isw_str node, scheme, host; /* views of `text`; data NULL: not said */
    char text[3 * ISWI_FORWARDED_HOST];
    size_t used;
} said;

/* A token or a quoted string at the begin of *rest, without its quotes; false for neither. */
static bool cut_value(isw_str *rest, said *all, isw_str *value)
{
    size_t at = 1;

    if (!rest->size || rest->data[0] != '"') {
        *value = (isw_str){ rest->data, iswi_field_token_size(*rest) };
        rest->data += value->size;
        rest->size -= value->size;
        return value->size > 0;
    }
    *value = (isw_str){ all->text + all->used, 0 };
    for (; at < rest->size && rest->data[at] != '"'; at++) {
        if (rest->data[at] == '\\' && ++at == rest->size)
            return false;
        if (all->used == sizeof all->text)
            return false;
        all->text[all->used++] = rest->data[at];
        value->size++;
    }
    if (at >= rest->size)
        return false;
    rest->data += at + 1;
    rest->size -= at + 1;
    return true;
}

/* One `name=value`; false where it is none, or says again what was said. */
static bool cut_pair(isw_str *rest, said *all)
{
    isw_str name = { rest->data, iswi_field_token_size(*rest) };
    isw_str value;
    isw_str *place = NULL;

    if (!name.size || name.size == rest->size || rest->data[name.size] != '=')
        return false;
    *rest = (isw_str){ rest->data + name.size + 1, rest->size - name.size - 1 };
    if (!cut_value(rest, all, &value))
        return false;
    if (iswi_field_equal(name, "for"))
        place = &all->node;
    else if (iswi_field_equal(name, "proto"))
        place = &all->scheme;
    else if (iswi_field_equal(name, "host"))
        place = &all->host;
    if (place && place->data)
        return false;
    if (place)
        *place = value;
    return true;
}

static bool read_element(isw_str element, said *all)
{
    all->node = all->scheme = all->host = (isw_str){ NULL, 0 };
    all->used = 0;
    for (;;) {
        element = iswi_field_trim(element);
        if (element.size && element.data[0] != ';' && !cut_pair(&element, all))
            return false;
        element = iswi_field_trim(element);
        if (!element.size)
            return true;
        if (element.data[0] != ';')
            return false;
        element = (isw_str){ element.data + 1, element.size - 1 };
    }
}

/* The word of one proxy. NULL, and whether the one before it is to be asked; or what is wrong. */
static const char *take_element(isw_str element, const iswi_networks *trusted, iswi_forwarded *out,
                                bool *goes_on)
{
    const char *wrong = NULL;
    node_kind kind = NODE_UNKNOWN;
    said all;

    if (!read_element(element, &all))
        return malformed;
    if (all.node.data)
        kind = read_node(all.node, trusted, out->client);
    if (kind == NODE_BAD)
        return malformed;
    if (all.scheme.data)
        wrong = take_scheme(all.scheme, out);
    if (all.host.data && !wrong)
        wrong = take_host(all.host, out);
    *goes_on = kind == NODE_TRUSTED;
    return wrong;
}

static const char *read_standard(const isw_pairs *headers, const iswi_networks *trusted,
                                 iswi_forwarded *out)
{
    backwards list = list_of(headers, "forwarded", true);
    const char *wrong = NULL;
    bool goes_on = true;
    isw_str element;

    for (size_t hops = 0; goes_on && !wrong && previous(&list, &element); hops++)
        wrong = hops < ISWI_FORWARDED_HOPS_MAX ? take_element(element, trusted, out, &goes_on)
                                               : too_many;
    return wrong;
}

/* -- X-Forwarded-* ----------------------------------------------------------------------------- */

/* What the proxy said that is `hops` before the last one, or, where fewer say it, the first that
 * did. False: nobody did. */
static bool said_before(const isw_pairs *headers, const char *name, size_t hops, isw_str *out)
{
    backwards list = list_of(headers, name, false);
    bool found = previous(&list, out);
    isw_str element;

    while (found && hops-- && previous(&list, &element))
        *out = element;
    return found;
}

static const char *read_x(const isw_pairs *headers, const iswi_networks *trusted,
                          iswi_forwarded *out)
{
    backwards list = list_of(headers, "x-forwarded-for", false);
    node_kind kind = NODE_TRUSTED;
    const char *wrong = NULL;
    size_t hops = 0;
    isw_str element;

    while (kind == NODE_TRUSTED && previous(&list, &element)) {
        if (hops++ == ISWI_FORWARDED_HOPS_MAX)
            return too_many;
        kind = read_node(element, trusted, out->client);
    }
    if (kind == NODE_BAD)
        return malformed;
    hops -= hops > 0;
    if (said_before(headers, "x-forwarded-proto", hops, &element))
        wrong = take_scheme(element, out);
    if (!wrong && said_before(headers, "x-forwarded-host", hops, &element))
        wrong = take_host(element, out);
    return wrong;
}

/* -- Either ------------------------------------------------------------------------------------ */

static bool has(const isw_pairs *headers, const char *name)
{
    backwards list = list_of(headers, name, false);
    isw_str element;

    return previous(&list, &element);
}

static bool same(const iswi_forwarded *a, const iswi_forwarded *b)
{
    return strcmp(a->client, b->client) == 0 && a->scheme == b->scheme &&
           strcmp(a->host, b->host) == 0;
}

static void empty(iswi_forwarded *out)
{
    out->client[0] = out->host[0] = '\0';
    out->scheme = NULL;
}

iswi_forwarded_result iswi_forwarded_read(const isw_pairs *headers, iswi_forwarded_by by,
                                          const iswi_networks *trusted, iswi_forwarded *out,
                                          const char **why)
{
    bool standard = by != ISWI_FORWARDED_X && has(headers, "forwarded");
    bool x = by != ISWI_FORWARDED_STANDARD &&
             (has(headers, "x-forwarded-for") || has(headers, "x-forwarded-proto") ||
              has(headers, "x-forwarded-host"));
    iswi_forwarded other;

    empty(out);
    empty(&other);
    *why = standard ? read_standard(headers, trusted, out) : NULL;
    if (x && !*why)
        *why = read_x(headers, trusted, standard ? &other : out);
    if (standard && x && !*why && !same(out, &other))
        *why = differ;
    if (*why) {
        empty(out);
        return ISWI_FORWARDED_BAD;
    }
    return standard || x ? ISWI_FORWARDED_READ : ISWI_FORWARDED_NONE;
}
