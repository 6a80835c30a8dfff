/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cors: lets scripts of other sites call (the Fetch standard, "CORS protocol"). Preflights are
 * answered here with 204 and never reach the function: a host passes them on to functions whose
 * chain has a middleware of this name (PROTOCOL.md, section 9). A request of a site that is not
 * allowed runs all the same, and without the headers its browser keeps the answer from the script;
 * cors is no protection of the function itself. The host keeps to the same policy in the answers
 * that it makes in the function's stead, such as 413, 429, 502, 503 and 504.
 *
 * Put it outside auth, for preflights bear no credentials, and outside error_handling, so that
 * failures can be read by the script, too.
 */
#include <isoworker/http.h>
#include <isoworker/stream.h>
#include <isoworker/sys/middleware.h>
#include <stddef.h>
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
      .default_value = "[content-type, authorization, x-functions-key, idempotency-key, "
                       "traceparent, tracestate]",
      .offset = offsetof(options, headers),
      .help = "of requests that they may set" },
    { .name = "expose_headers", .type = ISW_OPTION_STRINGS, .default_value = "[]",
      .offset = offsetof(options, expose), .help = "of answers that they may read" },
    { .name = "credentials", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(options, credentials), .help = "they may send cookies" },
    { .name = "max_age", .type = ISW_OPTION_DURATION, .default_value = "10m", .max = 86400000,
      .offset = offsetof(options, max_age_ms), .help = "how long a browser need not ask again" },
    { 0 },
};

typedef struct state {
    isw_cors policy;
    char *methods, *headers, *expose; /* the lists as header values */
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
    bool any = false;

    for (size_t i = 0; i < opt->origins.count; i++) {
        if (!is_origin(opt->origins.items[i]))
            return isw_error_set(error, ISW_E_CONFIG,
                                 "\"%s\" is no origin: write https://host or https://host:port",
                                 opt->origins.items[i]);
        any = any || strcmp(opt->origins.items[i], "*") == 0;
    }
    if (any && opt->credentials)
        return isw_error_set(error, ISW_E_CONFIG,
                             "credentials are for origins that are named, not for *");
    own->methods = join(&opt->methods);
    own->headers = join(&opt->headers);
    own->expose = join(&opt->expose);
    own->policy = (isw_cors){ .origins = opt->origins.items, .origin_count = opt->origins.count,
                              .methods = own->methods, .headers = own->headers,
                              .expose = own->expose, .credentials = opt->credentials,
                              .max_age_s = opt->max_age_ms / 1000 };
    if (own->methods && own->headers && own->expose)
        return ISW_OK;
    stop(self);
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its lists");
}

/* The host keeps to it in the answers that it makes itself. */
static void tell(isw_instance *self, isw_facts *facts)
{
    isw_facts_cors(facts, &((const state *)isw_instance_state(self))->policy);
    isw_facts_not_inside(facts, "auth",
                         "browsers' preflights bear no credentials, and get 401 instead of leave");
    isw_facts_not_inside(facts, "validate",
                         "browsers' preflights have nothing of what is asked for, and get 400");
    isw_facts_not_inside(facts, "idempotency",
                         "who repeats a request gets what another site is allowed");
    isw_facts_not_inside(facts, "cors", "browsers refuse an answer with two policies");
}

/* -- Answers ----------------------------------------------------------------------------------- */

static const isw_str vary = { "vary", 4 };

static bool names_origin(isw_str value)
{
    for (; value.size >= 6; value.data++, value.size--)
        if (isw_str_equal_nocase((isw_str){ value.data, 6 }, isw_str_of("origin")))
            return true;
    return false;
}

static bool varies(const isw_http *reply)
{
    for (size_t i = 0; reply && i < reply->headers.count; i++)
        if (isw_str_equal(reply->headers.items[i].name, vary) &&
            names_origin(reply->headers.items[i].value))
            return true;
    return false;
}

/* Give the answer what the policy says; whether it says that answers differ by origin. */
static bool say(isw_context *ctx, const isw_cors *policy, bool preflight)
{
    isw_pair headers[ISW_CORS_HEADERS_MAX];
    char digits[24];
    size_t count =
        isw_cors_headers(policy, isw_http_header(ctx, "origin"), preflight, digits, headers);
    bool differs = false;

    for (size_t i = 0; i < count; i++) {
        bool add = isw_str_equal(headers[i].name, vary);

        differs = differs || add;
        (add ? isw_http_add_header : isw_http_set_header)(ctx, headers[i].name.data,
                                                          headers[i].value.data);
    }
    return differs;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const state *own = isw_instance_state(self);
    const isw_http *request = isw_http_request(ctx);
    bool preflight;
    bool differs;
    isw_status status;

    if (!request)
        return isw_next_run(next, ctx);
    preflight = isw_str_equal(request->method, isw_str_of("OPTIONS")) &&
                isw_http_header(ctx, "origin") &&
                isw_http_header(ctx, "access-control-request-method");
    differs = say(ctx, &own->policy, preflight);
    if (preflight)
        return isw_http_reply_bytes(ctx, 204, NULL, "", 0);
    status = isw_next_run(next, ctx);
    if (differs && !isw_http_begun(ctx) && isw_http_response(ctx) &&
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
    .tell = tell,
};
