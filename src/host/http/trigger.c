/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP trigger: what functions and host.yaml may say of it, and the routes that come of that.
 * An instance has a front unless it is switched off. */
#include "host/http/trigger.h"

#include "base/alloc.h"
#include "host/http/bridge.h"
#include "host/system/listen.h"

#include <stddef.h>
#include <stdio.h>

enum { HOUR_MS = 3600000, ADDRESS_BYTES = 256, CODES_END = 600 };

/* -- Settings ---------------------------------------------------------------------------------- */

typedef struct http_settings {
    bool enabled;
    const char *listen, *prefix;
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
    ROW(listen, STRING, "listen", "127.0.0.1:7071", 0, 0,
        "address and port; port 0: any free one"),
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

static isw_status check_admin(iswi_config *config, const iswi_host_settings *all,
                              const http_settings *own, isw_error *error)
{
    const char *colon = all->admin.listen ? strrchr(all->admin.listen, ':') : NULL;

    if (!own->enabled || !colon || strcmp(colon, ":0") == 0 ||
        strcmp(all->admin.listen, own->listen) != 0)
        return ISW_OK;
    return refuse(config, "admin", "listen", error,
                  "admin.listen and http.listen are the same address; give one of them another "
                  "port");
}

static isw_status check(iswi_config *config, const iswi_host_settings *all, const void *settings,
                        isw_error *error)
{
    const http_settings *own = settings;
    iswi_faults *faults = iswi_config_faults(config);
    isw_status status = ISW_OK;

    if (iswi_faults_go_on(faults, iswi_host_settings_listen(config, "http", own->listen,
                                                            "http.listen", error), &status) &&
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

/* The address to listen at; NULL: there is no room for it, so that it is none. */
static const char *address_of(const http_settings *settings, const iswi_trigger_start *with,
                              char text[ADDRESS_BYTES])
{
    const char *listen = with->listen ? with->listen : settings->listen;
    const char *colon = strrchr(listen, ':');
    int size = colon ? (int)(colon - listen) : (int)strlen(listen);

    if (with->port < 0)
        return listen;
    return snprintf(text, ADDRESS_BYTES, "%.*s:%d", size, listen, with->port) < ADDRESS_BYTES
               ? text
               : listen;
}

static isw_status start_front(http_trigger *trigger, const iswi_trigger_start *with,
                              isw_error *error)
{
    const http_settings *settings = trigger->settings;
    char address[ADDRESS_BYTES];
    iswi_http_options options = {
        .listen = address_of(settings, with, address),
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

    if (iswi_bridge_start(with->host, &options, &trigger->front, &own) == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, own.status, "%s%s", own.message,
                         own.status == ISW_E_CONFLICT ? " or --port" : "");
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

static const char *address(void *self)
{
    const http_trigger *trigger = self;

    return trigger->front ? iswi_http_url(trigger->front) : NULL;
}

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    const http_trigger *trigger = self;
    const http_properties *properties = entry->properties;
    const char *prefix = trigger->settings->prefix;
    const char *url = iswi_arena_printf(arena, "%s%s%s/%s", trigger->front ? address(self) : "",
                                        *prefix ? "/" : "", prefix, route_of(entry));

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
