/* SPDX-License-Identifier: Apache-2.0 */
/*
 * circuit_breaker: stops calling what keeps failing, so that callers wait for nothing and whatever
 * is broken behind the function gets air (M. Nygard, Release It!, 2007). Each function has a
 * circuit of its own, or with `scope: all` they share one.
 *
 *     closed      all pass; after `failures` in a row it opens
 *     open        none passes: ISW_E_UNAVAILABLE at once, retriable, with the rest of `open_for` as
 *                 Retry-After
 *     half open   after `open_for`, `probes` pass at a time; so many successes close it, one
 *                 failure opens it
 *
 * What counts as a failure is one that is not the caller's doing: those whose status stands for
 * HTTP 500 and above, replies of 500 and above, and what did not end before its deadline. What is
 * cancelled for another reason counts neither way.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/sys/middleware.h>
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stddef.h>
#include <string.h>

enum { PROBE_WAIT_MS = 1000 }; /* until those that come while probes are under way may ask again */

enum scope { PER_FUNCTION, ALL };
enum phase { CLOSED, OPEN, HALF_OPEN };
enum verdict { SUCCEEDED, FAILED, SAYS_NOTHING };

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
    const char *function; /* its name; the one that all share has "" */
    enum phase phase;
    int64_t failures;  /* in a row */
    int64_t until_us;  /* open until then */
    int64_t probing;   /* probes under way */
    int64_t successes; /* of probes */
    uint64_t era;      /* of this phase: what began in another one does not count */
    char name[];
} circuit;

typedef struct state {
    pthread_mutex_t lock;
    void *circuits; /* a tree by function, of those that were called */
} state;

/* What one invocation was let in by. */
typedef struct pass {
    circuit *through; /* lives as long as the instance */
    uint64_t era;
    enum phase phase;
    bool entered; /* it is the first of this phase */
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

    tdestroy(own->circuits, isw_free);
    pthread_mutex_destroy(&own->lock);
}

static int by_function(const void *one, const void *other)
{
    return strcmp(((const circuit *)one)->function, ((const circuit *)other)->function);
}

/* With the lock. NULL: no memory. */
static circuit *find(state *own, const char *function)
{
    circuit **found = tfind(&(circuit){ .function = function }, &own->circuits, by_function);
    circuit *made;

    if (found)
        return *found;
    made = isw_calloc(1, sizeof *made + strlen(function) + 1);
    if (!made)
        return NULL;
    made->function = strcpy(made->name, function);
    found = tsearch(made, &own->circuits, by_function);
    if (!found)
        isw_free(made);
    return found ? made : NULL;
}

static void enter(circuit *at, enum phase phase)
{
    at->phase = phase;
    at->era++;
    at->failures = at->probing = at->successes = 0;
}

/* -- In and out -------------------------------------------------------------------------------- */

/* Milliseconds to wait, 0 for one that may pass, -1 without memory. With the lock. */
static int64_t come_in(circuit *at, const options *opt, pass *in)
{
    int64_t left_us = at ? at->until_us - isw_now_us() : 0;

    if (!at)
        return -1;
    *in = (pass){ .through = at, .entered = at->phase == OPEN && left_us <= 0 };
    if (in->entered)
        enter(at, HALF_OPEN);
    in->phase = at->phase;
    in->era = at->era;
    if (at->phase == OPEN)
        return (left_us + 999) / 1000;
    if (at->phase == HALF_OPEN && at->probing >= opt->probes)
        return opt->open_for_ms < PROBE_WAIT_MS ? opt->open_for_ms : PROBE_WAIT_MS;
    at->probing += at->phase == HALF_OPEN;
    return 0;
}

/* Count it, and return the phase that this has brought about. With the lock. */
static enum phase leave(const pass *in, const options *opt, enum verdict verdict)
{
    circuit *at = in->through;

    if (at->era != in->era)
        return in->phase;
    at->probing -= at->phase == HALF_OPEN;
    if (verdict == SUCCEEDED) {
        at->failures = 0;
        if (at->phase == HALF_OPEN && ++at->successes >= opt->probes)
            enter(at, CLOSED);
    } else if (verdict == FAILED &&
               (at->phase == HALF_OPEN || ++at->failures >= opt->failures)) {
        enter(at, OPEN);
        at->until_us = isw_now_us() + opt->open_for_ms * 1000;
    }
    return at->phase;
}

static enum verdict judge(const isw_context *ctx, isw_outcome outcome)
{
    const isw_failure *failure = isw_context_failure(ctx);
    const isw_http *reply = isw_http_response(ctx);

    if (outcome == ISW_OUTCOME_CANCELLED)
        return isw_context_cancel_reason(ctx) == ISW_CANCEL_DEADLINE ? FAILED : SAYS_NOTHING;
    if (outcome != ISW_OUTCOME_SUCCESS && (!failure || isw_status_http(failure->status) >= 500))
        return FAILED;
    return reply && reply->status >= 500 ? FAILED : SUCCEEDED;
}

static isw_status refuse(isw_context *ctx, enum phase phase, int64_t wait_ms)
{
    isw_fail(ctx, ISW_E_UNAVAILABLE,
             phase == OPEN ? "the circuit of %s is open for another %" PRId64 " ms"
                           : "the circuit of %s is being probed: ask again in %" PRId64 " ms",
             isw_context_function(ctx)->name, wait_ms);
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, (uint32_t)wait_ms);
    return ISW_E_UNAVAILABLE;
}

static void tell(isw_context *ctx, enum phase phase)
{
    static const char *const what[] = { "closes", "opens", "is half open: this one probes it" };

    isw_log_fields(ctx, phase == OPEN ? ISW_LOG_WARNING : ISW_LOG_INFO, "Circuit", NULL, 0,
                   "the circuit of %s %s", isw_context_function(ctx)->name, what[phase]);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    pass *in = isw_next_state(next, ctx);
    enum verdict verdict;
    enum phase after;
    isw_status status;
    int64_t wait_ms;

    pthread_mutex_lock(&own->lock);
    wait_ms = come_in(find(own, opt->scope == ALL ? "" : isw_context_function(ctx)->name), opt, in);
    pthread_mutex_unlock(&own->lock);
    if (wait_ms < 0)
        return isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for a circuit");
    if (wait_ms > 0)
        return refuse(ctx, in->phase, wait_ms);
    if (in->entered)
        tell(ctx, in->phase);
    status = isw_next_run(next, ctx);
    verdict = judge(ctx, isw_context_outcome(ctx, status));
    pthread_mutex_lock(&own->lock);
    after = leave(in, opt, verdict);
    pthread_mutex_unlock(&own->lock);
    if (after != in->phase)
        tell(ctx, after);
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
