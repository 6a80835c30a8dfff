/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP trigger: what functions and host.yaml may say of it, and the routes that come of that.
 * An instance has a front unless it is switched off. */
#include "host/http/trigger.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/http/bridge.h"
#include "host/http/guest.h"
#include "host/http/instance.h"
#include "host/http/settings.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_NS (ISWI_TLS_LOOK_MS * INT64_C(1000000))

/* -- Functions --------------------------------------------------------------------------------- */

static const isw_option property_rows[] = {
    { .name = "methods", .type = ISW_OPTION_STRING, .default_value = "",
      .offset = offsetof(iswi_http_properties, methods),
      .help = "such as \"GET POST\"; empty: any" },
    { .name = "route", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_http_properties, route),
      .help = "path behind the prefix; left out: the function's name" },
    { 0 },
};

static void discard(void *user)
{
    iswi_http_set *set = user;

    iswi_routes_destroy(set->routes);
    iswi_free(set->lost);
    iswi_free(set);
}

static isw_status arrange(iswi_entry *const *entries, size_t count,
                          iswi_entry_refuse_fn tell_refused, void *user, void **out)
{
    iswi_http_set *set = iswi_calloc(1, sizeof *set);

    if (!set || !(set->routes = iswi_routes_create())) {
        iswi_free(set);
        return ISW_E_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        isw_error error = { ISW_OK, "" };
        const iswi_entry *rival;

        if (iswi_routes_add(set->routes, iswi_http_methods_of(entries[i]),
                            iswi_http_route_of(entries[i]), entries[i], &error) == ISW_OK)
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

/* One that has no address, which no other host.yaml gives it. */
static isw_status start_indoors(iswi_http_instance *trigger, isw_error *error)
{
    iswi_http_options options =
        iswi_http_conditions_options(trigger->now, iswi_host_settings_of(trigger->host));

    options.indoors = true;
    trigger->commanded = true;
    return iswi_bridge_start(trigger->host, &options, &trigger->front, error);
}

/* A platform that sets PORT looks for us there and nowhere else; but it is also set in many a shell,
 * so that nothing is opened to the world for it. */
static void hint_at_port(const iswi_http_instance *trigger)
{
    const char *port = getenv("PORT");
    char end[16];
    const char *url;
    bool found = trigger->commanded || !port;

    snprintf(end, sizeof end, ":%s", port ? port : "");
    for (size_t i = 0; !found && (url = iswi_http_url(trigger->front, i)) != NULL; i++)
        found = strlen(url) >= strlen(end) && strcmp(url + strlen(url) - strlen(end), end) == 0;
    if (!found)
        iswi_say(trigger->host, ISW_LOG_INFO,
                 "PORT is %s, and nothing listens there: a platform that sets it wants "
                 "http.listen: 0.0.0.0:${PORT} in host.yaml, or --listen 0.0.0.0:0 --port-from "
                 "PORT",
                 port);
}

static isw_status start_front(iswi_http_instance *trigger, const iswi_trigger_start *with,
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
    trigger->commanded = with->listen || with->port >= 0;
    options.legacy = with->legacy;
    options.side = trigger->side;
    options.shut = with->shut;
    options.listen = addresses;
    for (size_t i = 0; i < options.listen_count; i++)
        trigger->secure = trigger->secure || addresses[i].secure;
    if (check_tls(&options, &own) == ISW_OK)
        iswi_bridge_start(with->host, &options, &trigger->front, &own);
    iswi_free(addresses);
    trigger->look_ns = iswi_now_ns() + LOOK_NS;
    if (own.status == ISW_OK)
        hint_at_port(trigger);
    return own.status == ISW_OK
               ? ISW_OK
               : isw_error_set(error, own.status, "%s%s", own.message, other_way(&own));
}

static isw_status start_all(iswi_http_instance *trigger, const iswi_trigger_start *with,
                            bool indoors, isw_error *error)
{
    iswi_http_conditions *first;
    isw_status status =
        iswi_http_conditions_make(with->host, with->settings, NULL, !trigger->plain, &first, error);

    if (status != ISW_OK)
        return status;
    atomic_store(&trigger->now, first);
    return indoors ? start_indoors(trigger, error) : start_front(trigger, with, error);
}

static void destroy(iswi_http_instance *trigger)
{
    iswi_http_conditions *at = trigger->now;

    while (at) {
        iswi_http_conditions *before = at->before;

        iswi_http_conditions_free(at);
        at = before;
    }
    iswi_free(trigger);
}

/* Addresses of a command, none of which is over TLS. */
static bool is_plain(const char *const *listen)
{
    for (size_t i = 0; listen && listen[i]; i++)
        if (strncmp(listen[i], "https://", 8) == 0)
            return false;
    return listen != NULL;
}

static isw_status create(const iswi_trigger_start *with, bool indoors, const iswi_http_side *side,
                         void **self, isw_error *error)
{
    const iswi_http_settings *settings = with->settings;
    iswi_http_instance *trigger = iswi_calloc(1, sizeof *trigger);
    isw_status status = ISW_OK;

    if (!trigger)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for HTTP");
    trigger->host = with->host;
    trigger->side = side;
    trigger->plain = indoors || is_plain(with->listen);
    if (settings->enabled)
        status = start_all(trigger, with, indoors, error);
    if (status == ISW_OK)
        *self = trigger;
    else
        destroy(trigger);
    return status;
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    return create(with, false, NULL, self, error);
}

isw_status iswi_http_trigger_start(const iswi_trigger_start *with, const iswi_http_side *side,
                                   void **self, isw_error *error)
{
    return create(with, false, side, self, error);
}

static isw_status start_for_guests(const iswi_trigger_start *with, void **self, isw_error *error)
{
    return create(with, true, NULL, self, error);
}

/* The first worker that was given up before it told its functions; NULL: no memory. */
static char *find_lost(iswi_host *host)
{
    char text[ISW_ERROR_MESSAGE_BYTES + 256];
    iswi_process_look look;

    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        if (!iswi_host_has_worker(host, i))
            continue;
        iswi_process_look_at(iswi_host_first_process(host, i), &look, NULL);
        if (look.state != ISWI_PROCESS_GONE || look.functions_known)
            continue;
        snprintf(text, sizeof text,
                 "No function at this path is known, and worker %s, which may have one, was given "
                 "up: %s",
                 iswi_host_worker_name(host, i), look.fault.message);
        return iswi_strdup(text);
    }
    return NULL;
}

static void publish(void *self, void *user, iswi_more more)
{
    iswi_http_instance *trigger = self;
    iswi_http_set *set = user;

    set->older = trigger->newest;
    trigger->newest = set;
    if (!trigger->front)
        return;
    set->lost = more == ISWI_MORE_LOST ? find_lost(trigger->host) : NULL;
    iswi_http_say_lost(trigger->front, set->lost);
    if (more) /* before what it is about, so that nobody sees a 404 in between */
        iswi_http_expect_more(trigger->front, true, more == ISWI_MORE_SOON);
    iswi_http_set_routes(trigger->front, set->routes);
    if (!more)
        iswi_http_expect_more(trigger->front, false, false);
}

static void open_front(void *self)
{
    iswi_http_instance *trigger = self;

    if (trigger->front)
        iswi_http_open(trigger->front);
}

static bool give(void *self, iswi_legacy *legacy)
{
    iswi_http_instance *trigger = self;

    return !trigger->front || iswi_http_give(trigger->front, legacy);
}

static void leave(void *self)
{
    iswi_http_instance *trigger = self;

    if (trigger->front)
        iswi_http_leave(trigger->front);
}

static void hand_on(void *self, iswi_legacy *legacy)
{
    iswi_http_instance *trigger = self;

    if (trigger->front)
        iswi_http_hand_on(trigger->front, legacy);
}

static void adopt(void *self, iswi_legacy *legacy)
{
    iswi_http_instance *trigger = self;

    if (trigger->front)
        iswi_http_adopt(trigger->front, legacy);
}

static size_t visitors(void *self)
{
    const iswi_http_instance *trigger = self;

    return trigger->front ? iswi_http_connections(trigger->front) : 0;
}

static void hold(void *self, bool on)
{
    iswi_http_instance *trigger = self;

    if (trigger->front)
        iswi_http_hold(trigger->front, on);
}

static void tend(void *self, bool asked, int64_t now_ns, int64_t *next_ns)
{
    iswi_http_instance *trigger = self;
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
    iswi_http_instance *trigger = self;

    if (trigger->front)
        iswi_http_quiesce(trigger->front);
}

static size_t admitted(void *self)
{
    const iswi_http_instance *trigger = self;

    return trigger->front ? iswi_http_admitted(trigger->front) : 0;
}

static void stop(void *self)
{
    iswi_http_instance *trigger = self;
    iswi_http_set *set;

    if (trigger->front)
        iswi_http_stop(trigger->front);
    while ((set = trigger->newest) != NULL) {
        trigger->newest = set->older;
        discard(set);
    }
    destroy(trigger);
}

iswi_http *iswi_http_guests_front(void *self)
{
    return ((iswi_http_instance *)self)->front;
}

/* -- The tables -------------------------------------------------------------------------------- */

/* What holds for both. */
#define HTTP_HOOKS                                                                               \
    .type = "http", .title = "HTTP", .properties = property_rows,                                \
    .properties_size = sizeof(iswi_http_properties),                                             \
    .arrange = arrange, .discard = discard, .prepare = iswi_http_prepare,                        \
    .renew = iswi_http_renew, .publish = publish, .hold = hold, .tend = tend,                    \
    .quiesce = quiesce, .admitted = admitted, .stop = stop, .tell = iswi_http_tell_of,           \
    .rows = iswi_http_rows, .attend = iswi_http_attend, .make_up = iswi_http_make_up

const iswi_trigger iswi_http_trigger = {
    HTTP_HOOKS,
    .settings = &iswi_http_settings_group,
    .capabilities = ISWI_TRIGGER_STREAMS | ISWI_TRIGGER_LISTENS | ISWI_TRIGGER_REQUESTS,
    .start = start,
    .open = open_front,
    .give = give,
    .leave = leave,
    .hand_on = hand_on,
    .adopt = adopt,
    .visitors = visitors,
    .address = iswi_http_address,
};

const iswi_trigger iswi_http_guests_trigger = {
    HTTP_HOOKS,
    .settings = &iswi_http_indoors_group,
    .capabilities = ISWI_TRIGGER_REQUESTS,
    .start = start_for_guests,
};
