/* SPDX-License-Identifier: Apache-2.0 */
/*
 * circuit_breaker: stops calling what keeps failing, so that callers wait for nothing and whatever
 * is broken behind the function gets air (M. Nygard, Release It!, 2007). Each function has a
 * circuit of its own, or with `scope: all` they share one.
 *
 *     closed      all pass; after `failures` in a row it opens
 *     open        none passes: ISW_E_UNAVAILABLE at once, retriable, with the rest of `open_for` as
 *                 Retry-After
 *     half open   after `open_for`, `probes` pass at a time; so many successes close it, one failure
 *                 opens it
 *
 * What counts as a failure is one that is not the caller's doing: those whose status stands for
 * HTTP 500 and above, and replies of 500 and above. Cancelled ones count neither way.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/sys/middleware.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

enum { BUCKETS = 64 };

enum scope { PER_FUNCTION, ALL };
enum phase { CLOSED, OPEN, HALF_OPEN };

typedef struct options {
    int64_t failures;
    int64_t open_for_ms;
    int64_t probes;
    int64_t scope;
} options;

static const char *const scopes[] = { "function", "all", NULL };

static const isw_option rows[] = {
    { .name = "failures", .type = ISW_OPTION_INT, .default_value = "5", .min = 1, .max = 1000000,
      .offset = offsetof(options, failures), .help = "in a row, until it opens" },
    { .name = "open_for", .type = ISW_OPTION_DURATION, .default_value = "30s", .min = 1,
      .max = 86400000, .offset = offsetof(options, open_for_ms),
      .help = "how long nothing passes" },
    { .name = "probes", .type = ISW_OPTION_INT, .default_value = "1", .min = 1, .max = 1000,
      .offset = offsetof(options, probes),
      .help = "that pass at a time then, and successes that close it" },
    { .name = "scope", .type = ISW_OPTION_ENUM, .default_value = "function", .choices = scopes,
      .offset = offsetof(options, scope), .help = "what has a circuit of its own" },
    { 0 },
};

typedef struct circuit {
    struct circuit *next; /* of its bucket */
    enum phase phase;
    int64_t failures;  /* in a row */
    int64_t until_us;  /* open until then */
    int64_t probing;   /* probes under way */
    int64_t successes; /* of probes */
    uint64_t era;      /* of this phase: what began in another one does not count */
    char function[];
} circuit;

typedef struct state {
    pthread_mutex_t lock;
    circuit *buckets[BUCKETS]; /* by function: as many circuits as are called */
} state;

/* What one invocation was let in by. */
typedef struct pass {
    circuit *through; /* lives as long as the instance */
    uint64_t era;
} pass;

/* -- Circuits ---------------------------------------------------------------------------------- */

static isw_status start(isw_instance *self, isw_error *error)
{
    state *own = isw_instance_state(self);

    (void)error;
    pthread_mutex_init(&own->lock, NULL);
    return ISW_OK;
}

static void stop(isw_instance *self)
{
    state *own = isw_instance_state(self);

    for (size_t i = 0; i < BUCKETS; i++) {
        while (own->buckets[i]) {
            circuit *first = own->buckets[i];

            own->buckets[i] = first->next;
            isw_free(first);
        }
    }
    pthread_mutex_destroy(&own->lock);
}

/* FNV-1a */
static size_t bucket_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % BUCKETS;
}

/* With the lock. NULL: no memory. */
static circuit *find(state *own, const char *name)
{
    circuit **bucket = &own->buckets[bucket_of(name)];
    size_t size = strlen(name) + 1;
    circuit *at = *bucket;

    while (at && strcmp(at->function, name) != 0)
        at = at->next;
    if (at)
        return at;
    at = isw_calloc(1, sizeof *at + size);
    if (at) {
        memcpy(at->function, name, size);
        at->next = *bucket;
        *bucket = at;
    }
    return at;
}

static void enter(circuit *at, enum phase phase)
{
    at->phase = phase;
    at->era++;
    at->failures = at->probing = at->successes = 0;
}

/* -- In and out -------------------------------------------------------------------------------- */

/* With the lock: milliseconds to wait, 0 for one that may pass. */
static int64_t knock(circuit *at, const options *opt)
{
    int64_t left_us = at->until_us - isw_now_us();

    if (at->phase == OPEN && left_us <= 0)
        enter(at, HALF_OPEN);
    if (at->phase == OPEN)
        return left_us / 1000 + 1;
    if (at->phase == HALF_OPEN && at->probing >= opt->probes)
        return opt->open_for_ms;
    at->probing += at->phase == HALF_OPEN;
    return 0;
}

/* With the lock. Returns whether it has changed its phase. */
static bool leave(circuit *at, const options *opt, isw_outcome outcome, bool failed)
{
    if (at->phase == HALF_OPEN)
        at->probing--;
    if (outcome == ISW_OUTCOME_CANCELLED)
        return false;
    at->failures = failed ? at->failures + 1 : 0;
    if (failed && (at->phase == HALF_OPEN || at->failures >= opt->failures)) {
        enter(at, OPEN);
        at->until_us = isw_now_us() + opt->open_for_ms * 1000;
        return true;
    }
    if (failed || at->phase == CLOSED || ++at->successes < opt->probes)
        return false;
    enter(at, CLOSED);
    return true;
}

static bool is_failure(const isw_context *ctx, isw_outcome outcome)
{
    const isw_failure *failure = isw_context_failure(ctx);
    const isw_http *reply = isw_http_response(ctx);

    if (reply && reply->status >= 500)
        return true;
    if (outcome == ISW_OUTCOME_SUCCESS)
        return false;
    return !failure || isw_status_http(failure->status) >= 500;
}

static isw_status refuse(isw_context *ctx, int64_t wait_ms)
{
    isw_fail(ctx, ISW_E_UNAVAILABLE, "the circuit of %s is open for another %lld ms",
             isw_context_function(ctx)->name, (long long)wait_ms);
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, (uint32_t)wait_ms);
    return ISW_E_UNAVAILABLE;
}

static void tell(isw_context *ctx, const options *opt, enum phase phase)
{
    const char *name = isw_context_function(ctx)->name;

    if (phase == OPEN)
        isw_log_fields(ctx, ISW_LOG_WARNING, "Circuit", NULL, 0,
                       "the circuit of %s opens for %lld ms", name, (long long)opt->open_for_ms);
    else
        isw_log_fields(ctx, ISW_LOG_INFO, "Circuit", NULL, 0, "the circuit of %s closes", name);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    pass *in = isw_next_state(next, ctx);
    bool changed = false;
    enum phase phase;
    isw_outcome outcome;
    isw_status status;
    int64_t wait_ms;

    pthread_mutex_lock(&own->lock);
    in->through = find(own, opt->scope == ALL ? "" : isw_context_function(ctx)->name);
    wait_ms = in->through ? knock(in->through, opt) : 0;
    in->era = in->through ? in->through->era : 0;
    pthread_mutex_unlock(&own->lock);
    if (!in->through)
        return isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for a circuit");
    if (wait_ms)
        return refuse(ctx, wait_ms);
    status = isw_next_run(next, ctx);
    outcome = isw_context_outcome(ctx, status);
    pthread_mutex_lock(&own->lock);
    if (in->through->era == in->era)
        changed = leave(in->through, opt, outcome, is_failure(ctx, outcome));
    phase = in->through->phase;
    pthread_mutex_unlock(&own->lock);
    if (changed)
        tell(ctx, opt, phase);
    return status;
}

const isw_middleware isw_middleware_circuit_breaker = {
    .size = sizeof(isw_middleware),
    .name = "circuit_breaker",
    .summary = "answers at once for functions that keep failing, until they may work again",
    .options = rows,
    .options_size = sizeof(options),
    .instance_size = sizeof(state),
    .invocation_size = sizeof(pass),
    .start = start,
    .stop = stop,
    .invoke = invoke,
};
