/* SPDX-License-Identifier: Apache-2.0 */
/* `http` of host.yaml: its rows, what they cannot say, and what comes of it with a command's own
 * wishes. */
#include "host/http/settings.h"

#include "base/alloc.h"
#include "host/http/front.h"

#include <stddef.h>

enum { HOUR_MS = 3600000 };

#define ROW(member, kind, yaml, standard, low, high, text)                                        \
    { .name = (yaml), .type = ISW_OPTION_##kind, .offset = offsetof(iswi_http_settings, member),  \
      .default_value = (standard), .min = (low), .max = (high), .help = (text) }

static const char *const proxy_headers[] = { "auto", "forwarded", "x_forwarded", NULL };

static const isw_option rows[] = {
    ROW(enabled, BOOL, "enabled", "true", 0, 0, "serve HTTP triggers"),
    { .name = "listen", .type = ISWI_OPTION_TEXTS, .default_value = "127.0.0.1:7071",
      .offset = offsetof(iswi_http_settings, listen),
      .help = "address and port (0: any free one), unix:PATH, or systemd or fd:NAME for sockets "
              "from systemd; https:// before it for TLS" },
    { .name = "tls", .type = ISW_OPTION_GROUP, .optional = true, .group = iswi_http_tls_rows,
      .group_size = sizeof(iswi_http_tls_settings), .offset = offsetof(iswi_http_settings, tls),
      .help = "of addresses that begin with https://" },
    ROW(socket_mode, STRING, "socket_mode", "0660", 0, 0,
        "permissions of sockets at paths; 0666 lets every user in"),
    ROW(prefix, STRING, "prefix", "api", 0, 0, "path before every route"),
    ROW(body_limit, SIZE, "body_limit", "16MiB", 1, 32 << 20, "of a request; above: 413"),
    ROW(body_memory, SIZE, "body_memory", "256MiB", 1, INT64_C(1) << 40,
        "of the bodies of all requests together; above: 503"),
    ROW(answer_memory, SIZE, "answer_memory", "256MiB", 1, INT64_C(1) << 40,
        "of all answers together that wait for clients to take them; above: the one that has "
        "waited longest is cut off"),
    ROW(header_timeout_ms, DURATION, "header_timeout", "10s", 1, HOUR_MS,
        "for the head of a request, however it drips"),
    ROW(body_timeout_ms, DURATION, "body_timeout", "60s", 1, HOUR_MS,
        "for its body, and until a client takes more of its answer"),
    ROW(idle_timeout_ms, DURATION, "idle_timeout", "75s", 1, HOUR_MS,
        "between two requests of a connection"),
    ROW(connections, INT, "connections", "10000", 1, 1000000,
        "open at the same time; many thousands may need a higher limit of descriptors"),
    ROW(connections_per_address, INT, "connections_per_address", "0", 0, 1000000,
        "of one client; 0: no limit"),
    ROW(threads, INT, "threads", "1", 1, 64, "that read and write"),
    ROW(http2, BOOL, "http2", "true", 0, 0,
        "is spoken, too: where TLS agrees on it, and in plain with clients that begin with it"),
    ROW(probes, BOOL, "probes", "false", 0, 0,
        "GET /health, /ready and /startup are answered here, too, with ok or 503: for platforms that "
        "give one port; admin.listen says why"),
    { .name = "trusted_proxies", .type = ISWI_OPTION_TEXTS, .optional = true,
      .offset = offsetof(iswi_http_settings, trusted_proxies),
      .help = "networks (10.0.0.0/8, ::1, unix) that are believed whom they serve; left out: "
              "none" },
    { .name = "proxy_headers", .type = ISW_OPTION_ENUM, .default_value = "auto",
      .choices = proxy_headers, .offset = offsetof(iswi_http_settings, proxy_headers),
      .help = "what they write: Forwarded or X-Forwarded-*; auto: what is there, if both agree" },
    ROW(proxy_protocol, BOOL, "proxy_protocol", "false", 0, 0,
        "their connections begin with the PROXY protocol, version 1 or 2"),
    { .name = "deadlines_from", .type = ISWI_OPTION_TEXTS, .optional = true,
      .offset = offsetof(iswi_http_settings, deadlines_from),
      .help = "networks (127.0.0.1, unix) whose requests may shorten their function's timeout by "
              "the header x-envoy-expected-rq-timeout-ms; left out: none" },
    { .name = "access_log", .type = ISW_OPTION_GROUP, .group = iswi_access_log_rows,
      .group_size = sizeof(iswi_access_log_settings),
      .offset = offsetof(iswi_http_settings, access_log), .help = "a line for each request" },
    { 0 },
};

static isw_status refuse(iswi_config *config, const char *group, const char *name,
                         isw_error *error, const char *text)
{
    const iswi_node *node = iswi_node_find(iswi_config_root(config), group);
    const iswi_node *child = iswi_node_find(node, name);

    return iswi_config_refuse(config, child ? child : node, error, "%s", text);
}

static isw_status check_prefix(iswi_config *config, const iswi_http_settings *own, isw_error *error)
{
    isw_error said = { ISW_OK, "" };

    if (iswi_http_prefix_check(own->prefix, &said) == ISW_OK)
        return ISW_OK;
    return refuse(config, "http", "prefix", error, said.message);
}

/* Three octal digits, with or without a zero in front. */
static bool read_mode(const char *text, unsigned *mode)
{
    unsigned value = 0;
    size_t size = strspn(text, "01234567");

    if (text[size] || size < 3 || size > 4 || (size == 4 && text[0] != '0'))
        return false;
    for (; *text; text++)
        value = value * 8 + (unsigned)(*text - '0');
    *mode = value;
    return true;
}

static isw_status check_mode(iswi_config *config, const iswi_http_settings *own, isw_error *error)
{
    unsigned mode;

    if (read_mode(own->socket_mode, &mode))
        return ISW_OK;
    return refuse(config, "http", "socket_mode", error,
                  "socket_mode takes permissions as chmod does, such as 0660 or 0666");
}

static isw_status check_memory(iswi_config *config, const iswi_http_settings *own,
                               isw_error *error)
{
    if (own->body_memory >= own->body_limit)
        return ISW_OK;
    return refuse(config, "http", "body_memory", error,
                  "body_memory, for the bodies of all requests together, is less than body_limit, "
                  "which one may have; give it several times as much");
}

static isw_status check_admin(iswi_config *config, const iswi_host_settings *all,
                              const iswi_http_settings *own, isw_error *error)
{
    iswi_address admin;
    iswi_address http;
    const char *listen = all->admin.listen;

    if (!own->enabled || !listen ||
        iswi_address_read(listen, "admin.listen", &admin, NULL) != ISW_OK)
        return ISW_OK;
    for (size_t i = 0; i < own->listen.count; i++)
        if (iswi_address_read(own->listen.items[i], "http.listen", &http, NULL) == ISW_OK &&
            iswi_address_same(&admin, &http))
            return refuse(config, "admin", "listen", error,
                          "admin.listen and http.listen are the same address; give one of them "
                          "another port");
    return ISW_OK;
}

static isw_status check_listen(iswi_config *config, const iswi_http_settings *own, isw_error *error)
{
    if (!own->listen.count)
        return refuse(config, "http", "listen", error,
                      "listen names no address; write one, or enabled: false for no HTTP");
    return iswi_host_settings_listen(config, "http", own->listen.items, own->listen.count, error);
}

static isw_status check_tls(iswi_config *config, const iswi_http_settings *own, isw_error *error)
{
    const char *secure = NULL;
    iswi_address one;

    for (size_t i = 0; i < own->listen.count && !secure; i++)
        if (iswi_address_read(own->listen.items[i], "http.listen", &one, NULL) == ISW_OK &&
            one.secure)
            secure = own->listen.items[i];
    return own->enabled ? iswi_http_tls_check(config, &own->tls, secure, error) : ISW_OK;
}

static isw_status check_network(iswi_config *config, const char *text, const iswi_node *place,
                                isw_error *error)
{
    iswi_networks networks = { NULL, 0, false };
    isw_error said = { ISW_OK, "" };
    size_t bad;

    iswi_networks_read(&text, 1, &networks, &bad, &said);
    iswi_networks_fini(&networks);
    return said.status == ISW_OK ? ISW_OK
                                 : iswi_config_refuse(config, place, error, "%s", said.message);
}

static isw_status check_networks(iswi_config *config, const char *name,
                                 const isw_option_strings *texts, isw_error *error)
{
    const iswi_node *http = iswi_node_find(iswi_config_root(config), "http");
    const iswi_node *node = iswi_node_find(http, name);
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; on && i < texts->count; i++) {
        const iswi_node *place = node->type == ISWI_NODE_LIST ? &node->children[i] : node;

        on = iswi_faults_go_on(iswi_config_faults(config),
                               check_network(config, texts->items[i], place, error), &all);
    }
    return all;
}

static isw_status check_proxies(iswi_config *config, const iswi_http_settings *own,
                                isw_error *error)
{
    if (own->proxy_protocol && !own->trusted_proxies.count)
        return refuse(config, "http", "proxy_protocol", error,
                      "the PROXY protocol is read from trusted_proxies alone, and none is named; "
                      "write their networks there");
    return check_networks(config, "trusted_proxies", &own->trusted_proxies, error);
}

static isw_status check_all(iswi_config *config, const iswi_host_settings *all,
                            const iswi_http_settings *own, bool listens, isw_error *error)
{
    iswi_faults *faults = iswi_config_faults(config);
    isw_status status = ISW_OK;

    if ((!listens || iswi_faults_go_on(faults, check_listen(config, own, error), &status)) &&
        iswi_faults_go_on(faults, check_mode(config, own, error), &status) &&
        iswi_faults_go_on(faults, check_memory(config, own, error), &status) &&
        (!listens || iswi_faults_go_on(faults, check_tls(config, own, error), &status)) &&
        iswi_faults_go_on(faults, check_prefix(config, own, error), &status) &&
        iswi_faults_go_on(faults, check_proxies(config, own, error), &status) &&
        iswi_faults_go_on(faults, check_networks(config, "deadlines_from", &own->deadlines_from,
                                                 error), &status) &&
        (!listens ||
         iswi_faults_go_on(faults, iswi_access_log_check(config, &own->access_log, error), &status)))
        iswi_faults_go_on(faults, check_admin(config, all, own, error), &status);
    return status;
}

static isw_status check(iswi_config *config, const iswi_host_settings *all, const void *settings,
                        isw_error *error)
{
    return check_all(config, all, settings, true, error);
}

/* Certificates need not be there where nobody is shown them, nor folders for sockets and logs. */
static isw_status check_indoors(iswi_config *config, const iswi_host_settings *all,
                                const void *settings, isw_error *error)
{
    return check_all(config, all, settings, false, error);
}

/* terms.c and conditions.c */
static const char *const renewed[] = {
    "listen",          "prefix",        "body_limit",    "body_memory",    "answer_memory",  "header_timeout",
    "body_timeout",    "idle_timeout",  "connections",    "connections_per_address",
    "http2",           "tls",           "trusted_proxies", "proxy_headers", "proxy_protocol",
    "deadlines_from",  "access_log",    NULL,
};

#define OF_HTTP                                                                                    \
    .name = "http", .summary = "the HTTP trigger", .options = rows,                                \
    .size = sizeof(iswi_http_settings), .renewed = renewed

const iswi_settings_group iswi_http_settings_group = { OF_HTTP, .check = check };
const iswi_settings_group iswi_http_indoors_group = { OF_HTTP, .check = check_indoors };

/* -- In use ------------------------------------------------------------------------------------ */

unsigned iswi_http_settings_mode(const iswi_http_settings *settings)
{
    unsigned mode = 0;

    read_mode(settings->socket_mode, &mode);
    return mode;
}

isw_status iswi_http_settings_trust(const iswi_http_settings *settings, iswi_http_trust *out,
                                    isw_error *error)
{
    size_t bad;

    out->by = (iswi_forwarded_by)settings->proxy_headers;
    out->proxy_protocol = settings->proxy_protocol;
    if (iswi_networks_read(settings->trusted_proxies.items, settings->trusted_proxies.count,
                           &out->proxies, &bad, error) != ISW_OK)
        return error->status;
    return iswi_networks_read(settings->deadlines_from.items, settings->deadlines_from.count,
                              &out->callers, &bad, error);
}

/* The port that a command gave is for the first address that has one, and for those that share it:
 * 127.0.0.1 and [::1] move together. */
static isw_status move_port(iswi_address *addresses, size_t count, int port, isw_error *error)
{
    const iswi_address *first = NULL;
    unsigned before;

    for (size_t i = 0; i < count && !first; i++)
        if (addresses[i].kind == ISWI_ADDRESS_IP)
            first = &addresses[i];
    if (!first)
        return isw_error_set(error, ISW_E_CONFIG, "--port: none of the addresses has a port");
    before = iswi_address_port(first);
    for (size_t i = 0; i < count; i++)
        if (addresses[i].kind == ISWI_ADDRESS_IP && iswi_address_port(&addresses[i]) == before)
            iswi_address_set_port(&addresses[i], (unsigned)port);
    return ISW_OK;
}

isw_status iswi_http_settings_addresses(const iswi_http_settings *settings,
                                        const iswi_trigger_start *with, iswi_address **out,
                                        size_t *count, isw_error *error)
{
    const char *const *texts = with->listen ? with->listen : settings->listen.items;
    isw_status status = ISW_OK;
    iswi_address *addresses;

    for (*count = 0; with->listen ? texts[*count] != NULL : *count < settings->listen.count;)
        ++*count;
    addresses = iswi_calloc(*count + 1, sizeof *addresses);
    if (!addresses)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for addresses");
    for (size_t i = 0; status == ISW_OK && i < *count; i++)
        status = iswi_address_read(texts[i], "http.listen", &addresses[i], error);
    if (status == ISW_OK && with->port >= 0)
        status = move_port(addresses, *count, with->port, error);
    if (status == ISW_OK)
        *out = addresses;
    else
        iswi_free(addresses);
    return status;
}
