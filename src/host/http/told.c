/* SPDX-License-Identifier: Apache-2.0 */
/* What the HTTP trigger tells: where it is, where functions are, what it has counted. */
#include "host/http/instance.h"

#include "host/http/tls_told.h"

#include <stdio.h>

enum { CODES_END = 600 };

const char *iswi_http_methods_of(const iswi_entry *entry)
{
    const iswi_http_properties *properties = entry->properties;
    const iswi_http_dialect *dialect = iswi_http_dialect_of(entry);

    return dialect ? dialect->methods : properties->methods;
}

/* One that names no route is found by its own name; an empty route is the prefix itself. Behind the
 * prefix a '/' in front says nothing more. */
const char *iswi_http_route_of(const iswi_entry *entry)
{
    const iswi_http_properties *properties = entry->properties;
    const char *route = properties->route ? properties->route : entry->name;

    return route + (*route == '/');
}

const char *iswi_http_address(void *self, size_t index)
{
    const iswi_http_instance *trigger = self;

    return trigger->front ? iswi_http_url(trigger->front, index) : NULL;
}

/* What a function's path follows: the first address that a client can simply ask. Where there are
 * sockets alone, as nginx writes one; where there is none at all, nothing. */
static const char *base_of(const iswi_http_instance *trigger, iswi_arena *arena)
{
    const char *url = "";

    for (size_t i = 0; trigger->front && (url = iswi_http_url(trigger->front, i)) != NULL; i++)
        if (strncmp(url, "unix:", 5) != 0)
            return url;
    return trigger->front && iswi_http_url(trigger->front, 0)
               ? iswi_arena_printf(arena, "http://%s:", iswi_http_url(trigger->front, 0))
               : "";
}

void iswi_http_tell_of(void *self, const iswi_entry *entry, iswi_arena *arena,
                       iswi_entry_told *out)
{
    const iswi_http_instance *trigger = self;
    const char *methods = iswi_http_methods_of(entry);
    const iswi_http_conditions *now = trigger->now;
    const char *prefix = now ? now->settings->prefix : "";
    const char *base = base_of(trigger, arena);
    const char *url = base ? iswi_arena_printf(arena, "%s%s%s/%s", base, *prefix ? "/" : "",
                                               prefix, iswi_http_route_of(entry))
                           : NULL;

    out->methods = *methods ? methods : NULL;
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

void iswi_http_rows(void *self, iswi_trigger_row_fn row, void *user)
{
    const iswi_http_instance *trigger = self;
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

void iswi_http_attend(void *self, iswi_trigger_attend_fn add, void *user)
{
    const iswi_http_instance *trigger = self;
    const iswi_http_conditions *now = trigger->now;

    if (now && now->tls)
        iswi_http_tls_attend(now->tls, add, user);
}
