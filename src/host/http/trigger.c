/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP trigger: what functions and host.yaml may say of it, and the routes that come of that.
 * An instance has a front unless it is switched off. */
#include "host/http/trigger.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/look.h"
#include "host/http/bridge.h"
#include "host/http/conditions.h"
#include "host/http/settings.h"
#include "host/http/tls_told.h"

#include <stdatomic.h>
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
    iswi_host *host;
    _Atomic(iswi_http_conditions *) now; /* those in force, and those of before behind them */
    iswi_http_conditions *next;          /* that are prepared; NULL: none are */
    iswi_http_terms *terms;              /* likewise */
    iswi_http *front;  /* NULL: it is switched off */
    bool secure;       /* some address is over TLS */
    int64_t look_ns;   /* when files of certificates are to be looked at */
    http_set *newest;  /* of all that were ever published: requests may still look at an old one */
} http_trigger;

/* How a taken address is got round on the command line. */
static const char *other_way(const isw_error *own)
{
    if (own->status != ISW_E_CONFLICT)
        return "";
    return strncmp(own->message, "unix:", 5) == 0 ? " or --listen" : " or --port";
}

/* An address of a command may ask for what the settings do not have. */
static isw_status check_tls(const iswi_http_options *options, isw_error *error)
{
    for (size_t i = 0; !options->tls && i < options->listen_count; i++)
        if (options->listen[i].secure)
            return isw_error_set(error, ISW_E_CONFIG, "%s needs a certificate, which http.tls of "
                                 "host.yaml names", options->listen[i].text);
    return ISW_OK;
}

static isw_status start_front(http_trigger *trigger, const iswi_trigger_start *with,
                              isw_error *error)
{
    const iswi_http_conditions *now = trigger->now;
    iswi_http_options options =
        iswi_http_conditions_options(now, iswi_host_settings_of(with->host));
    iswi_address *addresses = NULL;
    isw_error own = { ISW_OK, "" };

    if (iswi_http_settings_addresses(now->settings, with, &addresses, &options.listen_count,
                                     error) != ISW_OK)
        return error->status;
    options.folder = with->listen ? NULL : iswi_host_folder(with->host);
    options.legacy = with->legacy;
    options.shut = with->shut;
    options.listen = addresses;
    for (size_t i = 0; i < options.listen_count; i++)
        trigger->secure = trigger->secure || addresses[i].secure;
    if (check_tls(&options, &own) == ISW_OK)
        iswi_bridge_start(with->host, &options, &trigger->front, &own);
    iswi_free(addresses);
    trigger->look_ns = iswi_now_ns() + LOOK_NS;
    return own.status == ISW_OK
               ? ISW_OK
               : isw_error_set(error, own.status, "%s%s", own.message, other_way(&own));
}

static isw_status start_all(http_trigger *trigger, const iswi_trigger_start *with,
                            isw_error *error)
{
    iswi_http_conditions *first;
    isw_status status =
        iswi_http_conditions_make(with->host, with->settings, NULL, &first, error);

    if (status != ISW_OK)
        return status;
    atomic_store(&trigger->now, first);
    return start_front(trigger, with, error);
}

static void destroy(http_trigger *trigger)
{
    iswi_http_conditions *at = trigger->now;

    while (at) {
        iswi_http_conditions *before = at->before;

        iswi_http_conditions_free(at);
        at = before;
    }
    iswi_free(trigger);
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    const iswi_http_settings *settings = with->settings;
    http_trigger *trigger = iswi_calloc(1, sizeof *trigger);
    isw_status status = ISW_OK;

    if (!trigger)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for HTTP");
    trigger->host = with->host;
    if (settings->enabled)
        status = start_all(trigger, with, error);
    if (status == ISW_OK)
        *self = trigger;
    else
        destroy(trigger);
    return status;
}

static void renew(void *self, bool take)
{
    http_trigger *trigger = self;

    if (take && trigger->next) {
        trigger->next->before = trigger->now;
        atomic_store(&trigger->now, trigger->next);
        iswi_http_take_terms(trigger->front, trigger->terms);
    } else {
        iswi_http_terms_free(trigger->terms);
        iswi_http_conditions_free(trigger->next);
    }
    trigger->next = NULL;
    trigger->terms = NULL;
}

static isw_status prepare(void *self, const void *settings, const iswi_host_settings *all,
                          isw_error *error)
{
    http_trigger *trigger = self;
    iswi_http_options options;
    isw_status status;

    if (!trigger->front)
        return ISW_OK;
    status = iswi_http_conditions_make(trigger->host, settings, trigger->now, &trigger->next,
                                       error);
    if (status != ISW_OK)
        return status;
    options = iswi_http_conditions_options(trigger->next, all);
    if (trigger->secure && !options.tls)
        status = isw_error_set(error, ISW_E_CONFIG, "http.tls: the address that a command gave needs "
                               "a certificate");
    else
        status = iswi_http_terms_make(&options, &trigger->terms, error);
    if (status != ISW_OK)
        renew(trigger, false);
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
    const iswi_http_conditions *now = trigger->now;

    if (now && asked) /* its file was moved away, and those who did so say it */
        iswi_access_log_reopen(now->access_log);
    if (!now || !now->tls)
        return;
    if (asked || now_ns >= trigger->look_ns) {
        iswi_tls_look(now->tls, asked);
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
    const iswi_http_conditions *now = trigger->now;
    const char *prefix = now ? now->settings->prefix : "";
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
    const iswi_http_conditions *now = trigger->now;
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
    if (now && now->tls) {
        count(row, user, "tls_failures_total", "Connections that came to no TLS.",
              iswi_http_unshaken(trigger->front));
        iswi_http_tls_rows_told(now->tls, row, user);
    }
    for (int code = 100; trigger->front && code < CODES_END; code++) {
        told.number = (double)iswi_http_answers(trigger->front, code);
        snprintf(text, sizeof text, "%d", code);
        if (told.number > 0)
            row(user, &told);
    }
    if (trigger->front && now->settings->trusted_proxies.count)
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
    if (now && now->access_log)
        count(row, user, "access_log_lost_total", "Lines of the access log that could not be "
              "written.", iswi_access_log_lost(now->access_log));
}

static void attend(void *self, iswi_trigger_attend_fn add, void *user)
{
    const http_trigger *trigger = self;
    const iswi_http_conditions *now = trigger->now;

    if (now && now->tls)
        iswi_http_tls_attend(now->tls, add, user);
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
    .prepare = prepare,
    .renew = renew,
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
