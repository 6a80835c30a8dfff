/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP trigger: what functions and host.yaml may say of it, and the routes that come of that.
 * An instance has a front unless it is switched off. */
#include "host/http/trigger.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/http/bridge.h"
#include "host/http/settings.h"
#include "host/http/tls_told.h"

#include <stddef.h>
#include <stdio.h>

enum { CODES_END = 600 };

#define LOOK_NS (ISWI_TLS_LOOK_MS * INT64_C(1000000))

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
    const iswi_http_settings *settings;
    iswi_host *host;
    iswi_http *front;  /* NULL: it is switched off */
    iswi_tls *tls;     /* NULL: there is none */
    int64_t look_ns;   /* when its files are to be looked at */
    iswi_http_trust trust;
    iswi_access_log *access_log; /* NULL: nobody asks for it */
    http_set *newest;  /* of all that were ever published: requests may still look at an old one */
} http_trigger;

/* How a taken address is got round on the command line. */
static const char *other_way(const isw_error *own)
{
    if (own->status != ISW_E_CONFLICT)
        return "";
    return strncmp(own->message, "unix:", 5) == 0 ? " or --listen" : " or --port";
}

static void say(void *user, isw_log_level level, const char *text)
{
    iswi_say(user, level, "http.tls: %s", text);
}

/* An address of a command may ask for what the settings do not have. */
static isw_status open_tls(http_trigger *trigger, const iswi_http_options *options,
                           isw_error *error)
{
    isw_status status = iswi_http_tls_open(&trigger->settings->tls, !options->http1_only, say,
                                           trigger->host, &trigger->tls, error);

    for (size_t i = 0; status == ISW_OK && !trigger->tls && i < options->listen_count; i++)
        if (options->listen[i].secure)
            status = isw_error_set(error, ISW_E_CONFIG, "%s needs a certificate, which http.tls of "
                                   "host.yaml names", options->listen[i].text);
    trigger->look_ns = iswi_now_ns() + LOOK_NS;
    return status;
}

static isw_status start_front(http_trigger *trigger, const iswi_trigger_start *with,
                              isw_error *error)
{
    const iswi_http_settings *settings = trigger->settings;
    iswi_address *addresses = NULL;
    iswi_http_options options = {
        .folder = with->listen ? NULL : iswi_host_folder(with->host),
        .prefix = settings->prefix,
        .body_limit_bytes = settings->body_limit,
        .body_memory_bytes = settings->body_memory,
        .answer_memory_bytes = settings->answer_memory,
        .header_timeout_ms = settings->header_timeout_ms,
        .body_timeout_ms = settings->body_timeout_ms,
        .idle_timeout_ms = settings->idle_timeout_ms,
        .connections = settings->connections,
        .connections_per_ip = settings->connections_per_address,
        .threads = (unsigned)settings->threads,
        .early_limit = (size_t)iswi_host_settings_of(with->host)->queue.limit,
        .early_wait_ms = iswi_host_settings_of(with->host)->queue.wait_ms,
        .http1_only = !settings->http2,
        .trust = &trigger->trust,
        .access_log = trigger->access_log,
        .legacy = with->legacy,
        .shut = with->shut,
    };
    isw_error own = { ISW_OK, "" };

    if (iswi_http_settings_addresses(settings, with, &addresses, &options.listen_count, error) !=
        ISW_OK)
        return error->status;
    options.listen = addresses;
    options.socket_mode = iswi_http_settings_mode(settings);
    if (open_tls(trigger, &options, &own) == ISW_OK) {
        options.tls = trigger->tls;
        iswi_bridge_start(with->host, &options, &trigger->front, &own);
    }
    iswi_free(addresses);
    return own.status == ISW_OK
               ? ISW_OK
               : isw_error_set(error, own.status, "%s%s", own.message, other_way(&own));
}

/* A line of the front and of the access log. */
static void tell_log(void *user, isw_log_level level, const char *text)
{
    iswi_say(user, level, "http: %s", text);
}

static isw_status start_all(http_trigger *trigger, const iswi_trigger_start *with,
                            isw_error *error)
{
    isw_status status = iswi_http_settings_trust(trigger->settings, &trigger->trust, error);

    if (status == ISW_OK)
        status = iswi_access_log_open(&trigger->settings->access_log, iswi_host_folder(with->host),
                                      tell_log, with->host, &trigger->access_log, error);
    return status == ISW_OK ? start_front(trigger, with, error) : status;
}

static void destroy(http_trigger *trigger)
{
    iswi_tls_destroy(trigger->tls);
    iswi_access_log_close(trigger->access_log);
    iswi_networks_fini(&trigger->trust.proxies);
    iswi_networks_fini(&trigger->trust.callers);
    iswi_free(trigger);
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    http_trigger *trigger = iswi_calloc(1, sizeof *trigger);
    isw_status status = ISW_OK;

    if (!trigger)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for HTTP");
    trigger->settings = with->settings;
    trigger->host = with->host;
    if (trigger->settings->enabled)
        status = start_all(trigger, with, error);
    if (status == ISW_OK)
        *self = trigger;
    else
        destroy(trigger);
    return status;
}

static void publish(void *self, void *user, iswi_more more)
{
    http_trigger *trigger = self;
    http_set *set = user;

    set->older = trigger->newest;
    trigger->newest = set;
    if (!trigger->front)
        return;
    if (more) /* before what it is about, so that nobody sees a 404 in between */
        iswi_http_expect_more(trigger->front, true, more == ISWI_MORE_SOON);
    iswi_http_set_routes(trigger->front, set->routes);
    if (!more)
        iswi_http_expect_more(trigger->front, false, false);
}

static void open_front(void *self)
{
    http_trigger *trigger = self;

    if (trigger->front)
        iswi_http_open(trigger->front);
}

static bool give(void *self, iswi_legacy *legacy)
{
    http_trigger *trigger = self;

    return !trigger->front || iswi_http_give(trigger->front, legacy);
}

static void leave(void *self)
{
    http_trigger *trigger = self;

    if (trigger->front)
        iswi_http_leave(trigger->front);
}

static size_t visitors(void *self)
{
    const http_trigger *trigger = self;

    return trigger->front ? iswi_http_connections(trigger->front) : 0;
}

static void hold(void *self, bool on)
{
    http_trigger *trigger = self;

    if (trigger->front)
        iswi_http_hold(trigger->front, on);
}

static void tend(void *self, bool asked, int64_t now_ns, int64_t *next_ns)
{
    http_trigger *trigger = self;

    if (asked) /* its file was moved away, and those who did so say it */
        iswi_access_log_reopen(trigger->access_log);
    if (!trigger->tls)
        return;
    if (asked || now_ns >= trigger->look_ns) {
        iswi_tls_look(trigger->tls, asked);
        trigger->look_ns = now_ns + LOOK_NS;
    }
    if (trigger->look_ns < *next_ns)
        *next_ns = trigger->look_ns;
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
    destroy(trigger);
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

static void count(iswi_trigger_row_fn row, void *user, const char *name, const char *help,
                  uint64_t number)
{
    const iswi_trigger_row told = { .name = name,
                                    .help = help,
                                    .counts = true,
                                    .number = (double)number };

    row(user, &told);
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

    if (trigger->front)
        row(user, &(iswi_trigger_row){ .name = "requests_early",
                                       .help = "HTTP requests that wait for their function to be "
                                               "known.",
                                       .number = (double)iswi_http_early(trigger->front) });
    if (trigger->tls) {
        count(row, user, "tls_failures_total", "Connections that came to no TLS.",
              iswi_http_unshaken(trigger->front));
        iswi_http_tls_rows_told(trigger->tls, row, user);
    }
    for (int code = 100; trigger->front && code < CODES_END; code++) {
        told.number = (double)iswi_http_answers(trigger->front, code);
        snprintf(text, sizeof text, "%d", code);
        if (told.number > 0)
            row(user, &told);
    }
    if (trigger->front && trigger->settings->trusted_proxies.count)
        count(row, user, "forwarded_refused_total",
              "HTTP requests of which a trusted proxy said what is not believed.",
              iswi_http_unsure(trigger->front));
    if (trigger->front) {
        count(row, user, "bodies_refused_total",
              "Bodies for which body_memory had no room.",
              iswi_http_bodies_refused(trigger->front));
        count(row, user, "answers_cut_total",
              "Answers that were cut off since too many waited for their clients.",
              iswi_http_answers_cut(trigger->front));
    }
    if (trigger->access_log)
        count(row, user, "access_log_lost_total", "Lines of the access log that could not be "
              "written.", iswi_access_log_lost(trigger->access_log));
}

static void attend(void *self, iswi_trigger_attend_fn add, void *user)
{
    const http_trigger *trigger = self;

    if (trigger->tls)
        iswi_http_tls_attend(trigger->tls, add, user);
}

const iswi_trigger iswi_http_trigger = {
    .type = "http",
    .title = "HTTP",
    .capabilities = ISWI_TRIGGER_STREAMS | ISWI_TRIGGER_LISTENS,
    .properties = property_rows,
    .properties_size = sizeof(http_properties),
    .settings = &iswi_http_settings_group,
    .start = start,
    .arrange = arrange,
    .discard = discard,
    .publish = publish,
    .open = open_front,
    .give = give,
    .leave = leave,
    .visitors = visitors,
    .hold = hold,
    .tend = tend,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .address = address,
    .tell = tell,
    .rows = rows,
    .attend = attend,
};
