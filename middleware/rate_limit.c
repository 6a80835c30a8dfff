/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate_limit: so many invocations in a time, for each caller. A token bucket as the generic cell
 * rate algorithm has it (ATM Forum TM 4.0, "virtual scheduling"): a bucket is one number, the time
 * at which it will be full again, so that nothing has to be refilled. `rate` tokens come in `per`,
 * `burst` of them can be saved up.
 *
 * Who a caller is: the principal that auth found (`principal`; put auth outside), the value of a
 * request header (`header`), the peer's address (`address`; all of its 128 bits with IPv6), or
 * everybody together (`function`: a bucket for each function). What lacks the one is counted by the
 * next of these: principal, then address, then function.
 *
 * Beyond it: ISW_E_BUSY, retriable, which error_handling answers with 429 (RFC 6585) and
 * Retry-After; a host with a queue gives it back. RateLimit-Policy and RateLimit are those of
 * draft-ietf-httpapi-ratelimit-headers-10. Buckets are in the store that all processes of the worker
 * share, so that the limit is that of the worker; with `store` in the YAML it is that of all
 * hosts. In memory there are `callers` of them at most; for a new one the fullest of those goes that
 * were quiet for longest.
 *
 * `on_error` says what becomes of invocations while a store elsewhere cannot be reached. `open`, the
 * default, lets them pass uncounted: a limit is there to keep the function at work, and callers who
 * keep to it should not lose it for the store. `closed` fails them with ISW_E_UNAVAILABLE (503), for
 * limits that must hold, as those against guessing passwords.
 */
#include <isoworker/http.h>
#include <isoworker/sys/store.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum { KEY_PARTS = 4 };

enum { OPEN, CLOSED };

enum by { BY_PRINCIPAL, BY_ADDRESS, BY_HEADER, BY_FUNCTION };

typedef struct options {
    int64_t rate;
    int64_t per_ms;
    int64_t burst;
    int64_t by;
    const char *header;
    int64_t callers;
    int64_t on_error;
} options;

static const char *const kinds[] = { "principal", "address", "header", "function", NULL };
static const char *const ways[] = { "open", "closed", NULL };

static const isw_option rows[] = {
    { .name = "rate", .type = ISW_OPTION_INT, .min = 1, .max = 1000000000,
      .offset = offsetof(options, rate), .help = "invocations for each caller" },
    { .name = "per", .type = ISW_OPTION_DURATION, .default_value = "1s", .min = 1,
      .max = 86400000, .offset = offsetof(options, per_ms), .help = "in so much time" },
    { .name = "burst", .type = ISW_OPTION_INT, .default_value = "0", .max = 1000000000,
      .offset = offsetof(options, burst), .help = "at once after a pause; 0: as many as rate" },
    { .name = "by", .type = ISW_OPTION_ENUM, .default_value = "principal", .choices = kinds,
      .offset = offsetof(options, by), .help = "who a caller is" },
    { .name = "header", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(options, header), .help = "the request header of `by: header`" },
    { .name = "callers", .type = ISW_OPTION_INT, .default_value = "16384", .min = 8,
      .max = 1 << 24, .offset = offsetof(options, callers),
      .help = "that are remembered at a time; about 100 bytes each" },
    { .name = "on_error", .type = ISW_OPTION_ENUM, .default_value = "open", .choices = ways,
      .offset = offsetof(options, on_error),
      .help = "without the store of `store`: open passes all, closed answers 503" },
    { 0 },
};

typedef struct state {
    isw_store *store; /* of each caller the nanosecond at which the bucket is full again */
    int64_t token_ns, burst_ns; /* in which one comes, and as many as can be saved */
    char policy[64]; /* a header's value */
} state;

/* -- Who calls --------------------------------------------------------------------------------- */

/* The key of whoever calls, whose parts are put into `texts`. */
static isw_store_key caller_of(const options *opt, isw_context *ctx, isw_str texts[KEY_PARTS])
{
    const isw_principal *who = opt->by == BY_PRINCIPAL ? isw_context_principal(ctx) : NULL;
    const isw_http *http = isw_http_request(ctx);
    const isw_str *value =
        http && opt->by == BY_HEADER ? isw_pairs_find(&http->headers, opt->header) : NULL;

    if (who && who->subject.size) {
        texts[0] = isw_str_of("principal");
        texts[1] = who->scheme;
        texts[2] = who->issuer;
        texts[3] = who->subject;
        return (isw_store_key){ texts, 4 };
    }
    if (value || (http && http->client.size && opt->by != BY_FUNCTION)) {
        texts[0] = isw_str_of(value ? "header" : "address");
        texts[1] = value ? *value : http->client;
    } else {
        texts[0] = isw_str_of("function");
        texts[1] = isw_str_of(isw_context_function(ctx)->name);
    }
    return (isw_store_key){ texts, 2 };
}

/* -- Buckets ----------------------------------------------------------------------------------- */

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    int64_t burst = opt->burst ? opt->burst : opt->rate;
    isw_store_options stored = ISW_STORE_OPTIONS_INIT;

    own->token_ns = opt->per_ms * 1000000 / opt->rate;
    if (!own->token_ns || burst > INT64_MAX / 4 / own->token_ns)
        return isw_error_set(error, ISW_E_CONFIG, "rate, per and burst cannot be counted in "
                                                  "nanoseconds");
    if (opt->by == BY_HEADER && !opt->header)
        return isw_error_set(error, ISW_E_CONFIG, "by: header needs the name of the header");
    own->burst_ns = burst * own->token_ns;
    snprintf(own->policy, sizeof own->policy, "\"default\";q=%" PRId64 ";w=%" PRId64, opt->rate,
             (opt->per_ms + 999) / 1000);
    stored.entries = opt->callers;
    return isw_store_open(self, &stored, &own->store, error);
}

static void stop(isw_instance *self)
{
    isw_store_close(((state *)isw_instance_state(self))->store);
}

/* Take a token: ISW_OK, or ISW_E_BUSY with the nanoseconds until there is one. *lacks_ns is what the
 * bucket lacks of being full then. Else what the store says. */
static isw_status take_token(state *own, isw_store_key caller, int64_t *lacks_ns, int64_t *wait_ns,
                             isw_error *error)
{
    int64_t now_ns = isw_store_now_us(own->store) * 1000;
    const isw_store_step step = { .by = own->token_ns, .floor = now_ns,
                                  .ceiling = now_ns + own->burst_ns,
                                  .ttl_ms = own->burst_ns / 1000000 + 1, .renews = true };
    int64_t full_ns = now_ns;
    isw_status status = isw_store_add(own->store, caller, &step, &full_ns, error);

    *lacks_ns = full_ns - now_ns;
    *wait_ns = *lacks_ns + own->token_ns - own->burst_ns;
    return status;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void tell(isw_context *ctx, const state *own, int64_t lacks_ns)
{
    int64_t left = (own->burst_ns - lacks_ns) / own->token_ns;
    int64_t reset_s = (lacks_ns + 999999999) / 1000000000;
    char now[64];

    snprintf(now, sizeof now, "\"default\";r=%" PRId64 ";t=%" PRId64, left, reset_s);
    isw_http_set_header(ctx, "ratelimit-policy", own->policy);
    isw_http_set_header(ctx, "ratelimit", now);
}

static isw_status refuse(isw_context *ctx, const options *opt, int64_t wait_ns)
{
    isw_fail(ctx, ISW_E_BUSY, "more than %" PRId64 " invocations in %" PRId64 " ms", opt->rate,
             opt->per_ms);
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, (uint32_t)(wait_ns / 1000000 + 1));
    return ISW_E_BUSY;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    isw_str texts[KEY_PARTS];
    int64_t lacks_ns, wait_ns;
    isw_error error;
    isw_status status;

    error.status = ISW_OK;
    error.message[0] = '\0';
    status = take_token(own, caller_of(opt, ctx, texts), &lacks_ns, &wait_ns, &error);
    if (status == ISW_E_UNAVAILABLE && opt->on_error == OPEN)
        return isw_next_run(next, ctx);
    if (status != ISW_OK && status != ISW_E_BUSY)
        return isw_fail(ctx, status, "%s", error.message);
    if (isw_http_request(ctx))
        tell(ctx, own, lacks_ns);
    return status == ISW_OK ? isw_next_run(next, ctx) : refuse(ctx, opt, wait_ns);
}

static void doubt(isw_instance *self, isw_facts *facts)
{
    const options *opt = isw_instance_options(self);

    isw_facts_not_outside(facts, "cors", "pages see no 429, and preflights get it");
    if (opt->by == BY_PRINCIPAL)
        isw_facts_not_outside(facts, "auth", "nobody is known yet who could have a limit");
}

const isw_middleware isw_middleware_rate_limit = {
    .size = sizeof(isw_middleware),
    .name = "rate_limit",
    .summary = "lets so many invocations of each caller pass in a time (429 beyond)",
    .options = rows,
    .options_size = sizeof(options),
    .instance_size = sizeof(state),
    .start = start,
    .stop = stop,
    .invoke = invoke,
    .tell = doubt,
};
