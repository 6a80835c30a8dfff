/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP trigger: what functions and host.yaml may say of it, and the routes that come of that.
 * An instance has a front unless it is switched off. */
#include "host/http/trigger.h"

#include "base/alloc.h"
#include "host/http/bridge.h"
#include "host/engine/look.h"

#include <stddef.h>
#include <stdio.h>

enum { HOUR_MS = 3600000, CODES_END = 600 };

/* -- Settings ---------------------------------------------------------------------------------- */

typedef struct http_settings {
    bool enabled;
    isw_option_strings listen;
    const char *socket_mode, *prefix;
    int64_t body_limit;
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    int64_t connections, connections_per_address;
    int64_t threads;
} http_settings;

#define ROW(member, kind, yaml, standard, low, high, text)                                        \
    { .name = (yaml), .type = ISW_OPTION_##kind, .offset = offsetof(http_settings, member),        \
      .default_value = (standard), .min = (low), .max = (high), .help = (text) }

static const isw_option setting_rows[] = {
    ROW(enabled, BOOL, "enabled", "true", 0, 0, "serve HTTP triggers"),
    { .name = "listen", .type = ISWI_OPTION_TEXTS, .default_value = "127.0.0.1:7071",
      .offset = offsetof(http_settings, listen),
      .help = "address and port (0: any free one), unix:PATH, or systemd or fd:NAME for sockets "
              "from systemd" },
    ROW(socket_mode, STRING, "socket_mode", "0660", 0, 0,
        "permissions of sockets at paths; 0666 lets every user in"),
    ROW(prefix, STRING, "prefix", "api", 0, 0, "path before every route"),
    ROW(body_limit, SIZE, "body_limit", "16MiB", 1, 32 << 20, "of a request; above: 413"),
    ROW(header_timeout_ms, DURATION, "header_timeout", "10s", 1, HOUR_MS,
        "for the head of a request, however it drips"),
    ROW(body_timeout_ms, DURATION, "body_timeout", "60s", 1, HOUR_MS, "for its body"),
    ROW(idle_timeout_ms, DURATION, "idle_timeout", "75s", 1, HOUR_MS,
        "between two requests of a connection"),
    ROW(connections, INT, "connections", "10000", 1, 1000000, "open at the same time"),
    ROW(connections_per_address, INT, "connections_per_address", "0", 0, 1000000,
        "of one client; 0: no limit"),
    ROW(threads, INT, "threads", "1", 1, 64, "that read and write"),
    { 0 },
};

static isw_status refuse(iswi_config *config, const char *group, const char *name,
                         isw_error *error, const char *text)
{
    const iswi_node *node = iswi_node_find(iswi_config_root(config), group);
    const iswi_node *child = iswi_node_find(node, name);

    return iswi_config_refuse(config, child ? child : node, error, "%s", text);
}

static isw_status check_prefix(iswi_config *config, const http_settings *own, isw_error *error)
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

static isw_status check_mode(iswi_config *config, const http_settings *own, isw_error *error)
{
    unsigned mode;

    if (read_mode(own->socket_mode, &mode))
        return ISW_OK;
    return refuse(config, "http", "socket_mode", error,
                  "socket_mode takes permissions as chmod does, such as 0660 or 0666");
}

static isw_status check_admin(iswi_config *config, const iswi_host_settings *all,
                              const http_settings *own, isw_error *error)
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

static isw_status check_listen(iswi_config *config, const http_settings *own, isw_error *error)
{
    if (!own->listen.count)
        return refuse(config, "http", "listen", error,
                      "listen names no address; write one, or enabled: false for no HTTP");
    return iswi_host_settings_listen(config, "http", own->listen.items, own->listen.count, error);
}

static isw_status check(iswi_config *config, const iswi_host_settings *all, const void *settings,
                        isw_error *error)
{
    const http_settings *own = settings;
    iswi_faults *faults = iswi_config_faults(config);
    isw_status status = ISW_OK;

    if (iswi_faults_go_on(faults, check_listen(config, own, error), &status) &&
        iswi_faults_go_on(faults, check_mode(config, own, error), &status) &&
        iswi_faults_go_on(faults, check_prefix(config, own, error), &status))
        iswi_faults_go_on(faults, check_admin(config, all, own, error), &status);
    return status;
}

static const iswi_settings_group group = {
    .name = "http",
    .summary = "the HTTP trigger",
    .options = setting_rows,
    .size = sizeof(http_settings),
    .check = check,
};

/* -- Functions --------------------------------------------------------------------------------- */

typedef struct http_properties {
    const char *methods;
    const char *route; /* NULL: the function's name */
} http_properties;

static const isw_option property_rows[] = {
    { .name = "methods", .type = ISW_OPTION_STRING, .default_value = "",
      .offset = offsetof(http_properties, methods), .help = "such as \"GET POST\"; empty: any" },
    { .name = "route", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(http_properties, route), .help = "path behind the prefix; left out: the "
                                                          "function's name" },
    { 0 },
};

/* One that names no route is found by its own name; an empty route is the prefix itself. Behind the
 * prefix a '/' in front says nothing more. */
static const char *route_of(const iswi_entry *entry)
{
    const http_properties *properties = entry->properties;
    const char *route = properties->route ? properties->route : entry->name;

    return route + (*route == '/');
}

typedef struct http_set {
    iswi_routes *routes;
    struct http_set *older; /* that was published before */
} http_set;

static void discard(void *user)
{
    http_set *set = user;

    iswi_routes_destroy(set->routes);
    iswi_free(set);
}

static isw_status arrange(iswi_entry *const *entries, size_t count,
                          iswi_entry_refuse_fn tell_refused, void *user, void **out)
{
    http_set *set = iswi_calloc(1, sizeof *set);

    if (!set || !(set->routes = iswi_routes_create())) {
        iswi_free(set);
        return ISW_E_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const http_properties *properties = entries[i]->properties;
        isw_error error = { ISW_OK, "" };
        const iswi_entry *rival;

        if (iswi_routes_add(set->routes, properties->methods, route_of(entries[i]), entries[i],
                            &error) == ISW_OK)
            continue;
        rival = error.status == ISW_E_CONFLICT ? iswi_routes_rival(set->routes) : NULL;
        tell_refused(user, entries[i], rival,
                     rival ? "another function has its route" : "its route was refused",
                     error.message);
    }
    *out = set;
    return ISW_OK;
}

/* -- An instance ------------------------------------------------------------------------------- */

typedef struct http_trigger {
    const http_settings *settings;
    iswi_http *front;  /* NULL: it is switched off */
    http_set *newest;  /* of all that were ever published: requests may still look at an old one */
} http_trigger;

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

/* The addresses to listen at, which are the caller's to free. */
static isw_status read_addresses(const http_settings *settings, const iswi_trigger_start *with,
                                 iswi_address **out, size_t *count, isw_error *error)
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

/* How a taken address is got round on the command line. */
static const char *other_way(const isw_error *own)
{
    if (own->status != ISW_E_CONFLICT)
        return "";
    return strncmp(own->message, "unix:", 5) == 0 ? " or --listen" : " or --port";
}

static isw_status start_front(http_trigger *trigger, const iswi_trigger_start *with,
                              isw_error *error)
{
    const http_settings *settings = trigger->settings;
    iswi_address *addresses = NULL;
    iswi_http_options options = {
        .folder = with->listen ? NULL : iswi_host_folder(with->host),
        .prefix = settings->prefix,
        .body_limit_bytes = settings->body_limit,
        .header_timeout_ms = settings->header_timeout_ms,
        .body_timeout_ms = settings->body_timeout_ms,
        .idle_timeout_ms = settings->idle_timeout_ms,
        .connections = settings->connections,
        .connections_per_ip = settings->connections_per_address,
        .threads = (unsigned)settings->threads,
    };
    isw_error own = { ISW_OK, "" };

    if (read_addresses(settings, with, &addresses, &options.listen_count, error) != ISW_OK)
        return error->status;
    options.listen = addresses;
    read_mode(settings->socket_mode, &options.socket_mode);
    iswi_bridge_start(with->host, &options, &trigger->front, &own);
    iswi_free(addresses);
    return own.status == ISW_OK
               ? ISW_OK
               : isw_error_set(error, own.status, "%s%s", own.message, other_way(&own));
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    http_trigger *trigger = iswi_calloc(1, sizeof *trigger);
    isw_status status = ISW_OK;

    if (!trigger)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for HTTP");
    trigger->settings = with->settings;
    if (trigger->settings->enabled)
        status = start_front(trigger, with, error);
    if (status == ISW_OK)
        *self = trigger;
    else
        iswi_free(trigger);
    return status;
}

static void publish(void *self, void *user, bool more)
{
    http_trigger *trigger = self;
    http_set *set = user;

    set->older = trigger->newest;
    trigger->newest = set;
    if (!trigger->front)
        return;
    if (more) /* before what it is about, so that nobody sees a 404 in between */
        iswi_http_expect_more(trigger->front, true);
    iswi_http_set_routes(trigger->front, set->routes);
    if (!more)
        iswi_http_expect_more(trigger->front, false);
}

static void hold(void *self, bool on)
{
    http_trigger *trigger = self;

    if (trigger->front)
        iswi_http_hold(trigger->front, on);
}

static void quiesce(void *self)
{
    http_trigger *trigger = self;

    if (trigger->front)
        iswi_http_quiesce(trigger->front);
}

static size_t admitted(void *self)
{
    const http_trigger *trigger = self;

    return trigger->front ? iswi_http_admitted(trigger->front) : 0;
}

static void stop(void *self)
{
    http_trigger *trigger = self;
    http_set *set;

    if (trigger->front)
        iswi_http_stop(trigger->front);
    while ((set = trigger->newest) != NULL) {
        trigger->newest = set->older;
        discard(set);
    }
    iswi_free(trigger);
}

/* -- What it tells ----------------------------------------------------------------------------- */

static const char *address(void *self, size_t index)
{
    const http_trigger *trigger = self;

    return trigger->front ? iswi_http_url(trigger->front, index) : NULL;
}

/* What a function's path follows: the first address that a client can simply ask. Where there are
 * sockets alone, as nginx writes one. */
static const char *base_of(const http_trigger *trigger, iswi_arena *arena)
{
    const char *url = "";

    for (size_t i = 0; trigger->front && (url = iswi_http_url(trigger->front, i)) != NULL; i++)
        if (strncmp(url, "unix:", 5) != 0)
            return url;
    return trigger->front ? iswi_arena_printf(arena, "http://%s:", iswi_http_url(trigger->front, 0))
                          : "";
}

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    const http_trigger *trigger = self;
    const http_properties *properties = entry->properties;
    const char *prefix = trigger->settings->prefix;
    const char *base = base_of(trigger, arena);
    const char *url = base ? iswi_arena_printf(arena, "%s%s%s/%s", base, *prefix ? "/" : "",
                                               prefix, route_of(entry))
                           : NULL;

    out->methods = *properties->methods ? properties->methods : NULL;
    out->url = trigger->front ? url : NULL;
    out->text = url ? iswi_arena_printf(arena, "%s %s", out->methods ? out->methods : "ANY", url)
                    : NULL;
}

static void rows(void *self, iswi_trigger_row_fn row, void *user)
{
    const http_trigger *trigger = self;
    char text[16];
    iswi_trigger_row told = { .name = "requests_total",
                              .help = "HTTP requests, by the code of the answer.",
                              .counts = true,
                              .label = "code",
                              .value = text };

    for (int code = 100; trigger->front && code < CODES_END; code++) {
        told.number = (double)iswi_http_answers(trigger->front, code);
        snprintf(text, sizeof text, "%d", code);
        if (told.number > 0)
            row(user, &told);
    }
}

const iswi_trigger iswi_http_trigger = {
    .type = "http",
    .title = "HTTP",
    .capabilities = ISWI_TRIGGER_STREAMS | ISWI_TRIGGER_LISTENS,
    .properties = property_rows,
    .properties_size = sizeof(http_properties),
    .settings = &group,
    .start = start,
    .arrange = arrange,
    .discard = discard,
    .publish = publish,
    .hold = hold,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .address = address,
    .tell = tell,
    .rows = rows,
};
