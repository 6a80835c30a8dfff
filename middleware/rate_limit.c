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
 * draft-ietf-httpapi-ratelimit-headers-10. Buckets are in this process: a worker of several
 * processes lets so many pass in each. There are `callers` of them at most; of those that share a
 * set the fullest goes for a new one, which is the one that was quiet for longest.
 */
#include <isoworker/http.h>
#include <isoworker/sys/middleware.h>
#include <inttypes.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAYS = 8 }; /* places that a caller may have */

enum by { BY_PRINCIPAL, BY_ADDRESS, BY_HEADER, BY_FUNCTION };

typedef struct options {
    int64_t rate;
    int64_t per_ms;
    int64_t burst;
    int64_t by;
    const char *header;
    int64_t callers;
} options;

static const char *const kinds[] = { "principal", "address", "header", "function", NULL };

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
      .help = "that are remembered at a time; about 32 bytes each" },
    { 0 },
};

/* A caller is known by 64 bits of a keyed hash: two of a million share a bucket by chance once in
 * thirty million times, and nobody can choose a name that shares another's. */
typedef struct bucket {
    uint64_t caller; /* 0: not in use */
    int64_t full_ns; /* when it is full again */
} bucket;

typedef struct state {
    pthread_mutex_t lock;
    bucket *buckets;
    size_t sets; /* of WAYS buckets; a caller's is in one of them */
    uint64_t key[2];
    int64_t token_ns, burst_ns; /* in which one comes, and as many as can be saved */
    char policy[64];  /* a header's value */
} state;

/* -- Who calls --------------------------------------------------------------------------------- */

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void take_word(uint64_t *v, uint64_t word, int rounds)
{
    v[3] ^= word;
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
        v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
    }
    v[0] ^= word;
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012) of some texts, each filled up to whole words behind
 * its size. Never 0. */
static uint64_t hash_of(const uint64_t *key, const isw_str *texts, size_t count)
{
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                      key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };

    for (size_t i = 0; i < count; i++) {
        take_word(v, texts[i].size, 1);
        for (size_t at = 0; at < texts[i].size; at += 8) {
            uint64_t word = 0;

            memcpy(&word, texts[i].data + at, texts[i].size - at < 8 ? texts[i].size - at : 8);
            take_word(v, word, 1);
        }
    }
    v[2] ^= 0xff;
    take_word(v, 0, 3);
    return (v[0] ^ v[1] ^ v[2] ^ v[3]) | 1; /* the lowest bit says nothing */
}

static uint64_t caller_of(const state *own, const options *opt, isw_context *ctx)
{
    const isw_principal *who = opt->by == BY_PRINCIPAL ? isw_context_principal(ctx) : NULL;
    const isw_http *http = isw_http_request(ctx);
    const isw_str *value =
        http && opt->by == BY_HEADER ? isw_pairs_find(&http->headers, opt->header) : NULL;
    isw_str texts[4] = { isw_str_of("function"), isw_str_of(isw_context_function(ctx)->name) };

    if (who && who->subject.size) {
        const isw_str all[4] = { isw_str_of("principal"), who->scheme, who->issuer, who->subject };

        return hash_of(own->key, all, 4);
    }
    if (value || (http && http->client.size && opt->by != BY_FUNCTION)) {
        texts[0] = isw_str_of(value ? "header" : "address");
        texts[1] = value ? *value : http->client;
    }
    return hash_of(own->key, texts, 2);
}

/* -- Buckets ----------------------------------------------------------------------------------- */

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    int64_t burst = opt->burst ? opt->burst : opt->rate;

    own->token_ns = opt->per_ms * 1000000 / opt->rate;
    if (!own->token_ns || burst > INT64_MAX / 4 / own->token_ns)
        return isw_error_set(error, ISW_E_CONFIG, "rate, per and burst cannot be counted in "
                                                  "nanoseconds");
    if (opt->by == BY_HEADER && !opt->header)
        return isw_error_set(error, ISW_E_CONFIG, "by: header needs the name of the header");
    own->burst_ns = burst * own->token_ns;
    snprintf(own->policy, sizeof own->policy, "\"default\";q=%" PRId64 ";w=%" PRId64, opt->rate,
             (opt->per_ms + 999) / 1000);
    own->sets = (size_t)(opt->callers + WAYS - 1) / WAYS;
    own->buckets = isw_calloc(own->sets * WAYS, sizeof *own->buckets);
    if (!own->buckets)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for %" PRId64 " callers",
                             opt->callers);
    if (getentropy(own->key, sizeof own->key) != 0) {
        isw_free(own->buckets);
        return isw_error_set(error, ISW_E_IO, "the kernel gave no random bytes");
    }
    pthread_mutex_init(&own->lock, NULL);
    return ISW_OK;
}

static void stop(isw_instance *self)
{
    state *own = isw_instance_state(self);

    pthread_mutex_destroy(&own->lock);
    isw_free(own->buckets);
}

/* The caller's, or the one of its set that is best given to it. With the lock. */
static bucket *find(state *own, uint64_t caller)
{
    bucket *set = &own->buckets[(caller >> 1) % own->sets * WAYS];
    bucket *fullest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].caller == caller)
            return &set[i];
        if (set[i].full_ns < fullest->full_ns)
            fullest = &set[i];
    }
    *fullest = (bucket){ caller, 0 };
    return fullest;
}

/* Take a token. Returns 0, or the nanoseconds until there is one; *lacks_ns is what the bucket
 * lacks of being full then. */
static int64_t take_token(state *own, uint64_t caller, int64_t *lacks_ns)
{
    int64_t now_ns = isw_now_us() * 1000;
    int64_t wait_ns;
    bucket *found;

    pthread_mutex_lock(&own->lock);
    found = find(own, caller);
    if (found->full_ns < now_ns)
        found->full_ns = now_ns;
    wait_ns = found->full_ns + own->token_ns - now_ns - own->burst_ns;
    if (wait_ns <= 0)
        found->full_ns += own->token_ns;
    *lacks_ns = found->full_ns - now_ns;
    pthread_mutex_unlock(&own->lock);
    return wait_ns > 0 ? wait_ns : 0;
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

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    int64_t lacks_ns;
    int64_t wait_ns = take_token(own, caller_of(own, opt, ctx), &lacks_ns);

    if (isw_http_request(ctx))
        tell(ctx, own, lacks_ns);
    if (!wait_ns)
        return isw_next_run(next, ctx);
    isw_fail(ctx, ISW_E_BUSY, "more than %" PRId64 " invocations in %" PRId64 " ms", opt->rate,
             opt->per_ms);
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, (uint32_t)(wait_ns / 1000000 + 1));
    return ISW_E_BUSY;
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
