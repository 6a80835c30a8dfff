/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cors: lets scripts of other sites call (the Fetch standard, "CORS protocol"). Preflights are
 * answered here with 204 and never reach the function: a host passes them on to functions whose
 * chain has a middleware of this name (PROTOCOL.md, section 9). A request of a site that is not
 * allowed runs all the same, and without the headers its browser keeps the answer from the script;
 * cors is no protection of the function itself.
 *
 * Put it outside auth, for preflights bear no credentials, and outside error_handling, so that
 * failures can be read by the script, too.
 */
#include <isoworker/http.h>
#include <isoworker/stream.h>
#include <isoworker/sys/middleware.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct options {
    isw_option_strings origins;
    isw_option_strings methods;
    isw_option_strings headers;
    isw_option_strings expose;
    bool credentials;
    int64_t max_age_ms;
} options;

static const isw_option rows[] = {
    { .name = "origins", .type = ISW_OPTION_STRINGS, .offset = offsetof(options, origins),
      .help = "that may call: https://a.example, https://*.b.example, or * for any" },
    { .name = "methods", .type = ISW_OPTION_STRINGS,
      .default_value = "[GET, HEAD, POST, PUT, PATCH, DELETE]",
      .offset = offsetof(options, methods), .help = "that they may use" },
    { .name = "headers", .type = ISW_OPTION_STRINGS,
      .default_value = "[content-type, authorization]", .offset = offsetof(options, headers),
      .help = "of requests that they may set" },
    { .name = "expose_headers", .type = ISW_OPTION_STRINGS, .default_value = "[]",
      .offset = offsetof(options, expose), .help = "of answers that they may read" },
    { .name = "credentials", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(options, credentials), .help = "they may send cookies" },
    { .name = "max_age", .type = ISW_OPTION_DURATION, .default_value = "10m", .max = 86400000,
      .offset = offsetof(options, max_age_ms), .help = "how long a browser need not ask again" },
    { 0 },
};

/* The lists as header values. */
typedef struct state {
    char *methods, *headers, *expose;
    char max_age[24];
    bool any;
} state;

/* -- Life -------------------------------------------------------------------------------------- */

/* "a, b"; NULL: no memory. */
static char *join(const isw_option_strings *list)
{
    size_t size = 1;
    char *text;

    for (size_t i = 0; i < list->count; i++)
        size += strlen(list->items[i]) + 2;
    text = isw_calloc(1, size);
    for (size_t i = 0; text && i < list->count; i++) {
        strcat(text, i ? ", " : "");
        strcat(text, list->items[i]);
    }
    return text;
}

static void stop(isw_instance *self)
{
    state *own = isw_instance_state(self);

    isw_free(own->methods);
    isw_free(own->headers);
    isw_free(own->expose);
}

/* An origin has no path, and one '*' stands for a part of its host's name. */
static bool is_origin(const char *text)
{
    const char *host = strstr(text, "://");
    const char *star = strchr(text, '*');

    return strcmp(text, "*") == 0 || strcmp(text, "null") == 0 ||
           (host && host[3] && !strchr(host + 3, '/') &&
            (!star || (star >= host + 3 && !strchr(star + 1, '*'))));
}

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);

    for (size_t i = 0; i < opt->origins.count; i++) {
        if (!is_origin(opt->origins.items[i]))
            return isw_error_set(error, ISW_E_CONFIG,
                                 "\"%s\" is no origin: write https://host or https://host:port",
                                 opt->origins.items[i]);
        own->any = own->any || strcmp(opt->origins.items[i], "*") == 0;
    }
    if (own->any && opt->credentials)
        return isw_error_set(error, ISW_E_CONFIG,
                             "credentials are for origins that are named, not for *");
    snprintf(own->max_age, sizeof own->max_age, "%" PRId64, opt->max_age_ms / 1000);
    own->methods = join(&opt->methods);
    own->headers = join(&opt->headers);
    own->expose = join(&opt->expose);
    if (own->methods && own->headers && own->expose)
        return ISW_OK;
    stop(self);
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its lists");
}

/* -- Who may ----------------------------------------------------------------------------------- */

static bool is_host_part(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", text[i]) || !text[i])
            return false;
    return size > 0;
}

static bool matches(const char *pattern, const char *origin)
{
    const char *star = strchr(pattern, '*');
    size_t before = star ? (size_t)(star - pattern) : 0;
    size_t after = star ? strlen(star + 1) : 0;
    size_t size = strlen(origin);

    if (!star)
        return strcmp(pattern, origin) == 0;
    return size > before + after && strncmp(pattern, origin, before) == 0 &&
           strcmp(star + 1, origin + size - after) == 0 &&
           is_host_part(origin + before, size - before - after);
}

static bool allows(const options *opt, const state *own, const char *origin)
{
    bool allowed = own->any;

    for (size_t i = 0; !allowed && i < opt->origins.count; i++)
        allowed = matches(opt->origins.items[i], origin);
    return allowed;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static bool varies(const isw_http *reply)
{
    for (size_t i = 0; reply && i < reply->headers.count; i++)
        if (isw_str_equal(reply->headers.items[i].name, isw_str_of("vary")) &&
            strcasestr(reply->headers.items[i].value.data, "origin"))
            return true;
    return false;
}

/* What every answer to the origin has. */
static void tell(isw_context *ctx, const options *opt, const state *own, const char *origin)
{
    isw_http_set_header(ctx, "access-control-allow-origin", own->any ? "*" : origin);
    if (opt->credentials)
        isw_http_set_header(ctx, "access-control-allow-credentials", "true");
}

static isw_status answer_preflight(isw_context *ctx, const state *own, bool allowed)
{
    if (allowed) {
        isw_http_set_header(ctx, "access-control-allow-methods", own->methods);
        isw_http_set_header(ctx, "access-control-allow-headers", own->headers);
        isw_http_set_header(ctx, "access-control-max-age", own->max_age);
    }
    return isw_http_reply_bytes(ctx, 204, NULL, "", 0);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    const state *own = isw_instance_state(self);
    const isw_http *request = isw_http_request(ctx);
    const char *origin = request ? isw_http_header(ctx, "origin") : NULL;
    bool allowed = origin && allows(opt, own, origin);
    isw_status status;

    if (!request)
        return isw_next_run(next, ctx);
    if (!own->any)
        isw_http_add_header(ctx, "vary", "Origin");
    if (allowed)
        tell(ctx, opt, own, origin);
    if (origin && isw_str_equal(request->method, isw_str_of("OPTIONS")) &&
        isw_http_header(ctx, "access-control-request-method"))
        return answer_preflight(ctx, own, allowed);
    if (allowed && *own->expose)
        isw_http_set_header(ctx, "access-control-expose-headers", own->expose);
    status = isw_next_run(next, ctx);
    if (!own->any && !isw_http_begun(ctx) && isw_http_response(ctx) &&
        !varies(isw_http_response(ctx))) /* the function has set its own */
        isw_http_add_header(ctx, "vary", "Origin");
    return status;
}

const isw_middleware isw_middleware_cors = {
    .size = sizeof(isw_middleware),
    .name = "cors",
    .summary = "lets scripts of other sites call (CORS), and answers their preflights",
    .options = rows,
    .options_size = sizeof(options),
    .instance_size = sizeof(state),
    .start = start,
    .stop = stop,
    .invoke = invoke,
};
