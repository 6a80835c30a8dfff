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
 * A circuit is in the store that all processes of the worker share, with `store` in the YAML those
 * of all hosts: what one of them opens is open for all. A probe that has not come back after a
 * minute, or `open_for` if that is longer, does not hold others up any more, as its process may have
 * ended. `on_error` says what becomes of invocations while a store elsewhere cannot be reached:
 * `open`, the default, lets them pass as if all circuits were closed, for circuits only spare callers
 * a wait; `closed` fails them with ISW_E_UNAVAILABLE (503).
 *
 * What counts as a failure is one that is not the caller's doing: those whose status stands for
 * HTTP 500 and above, replies of 500 and above, and what did not end before its deadline. What is
 * cancelled for another reason counts neither way.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/sys/store.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum { PROBE_WAIT_MS = 1000 }; /* until those that come while probes are under way may ask again */
enum { PROBE_LOST_MS = 60000 };
enum { CIRCUITS = 4096, KEPT_MS = 48 * 3600 * 1000 }; /* longer than any is open */
enum { TRIES = 100 }; /* of a change, each of which somebody else was quicker with */
enum { PASS, REFUSE };

enum scope { PER_FUNCTION, ALL };
enum phase { CLOSED, OPEN, HALF_OPEN };
enum verdict { SUCCEEDED, FAILED, SAYS_NOTHING };

typedef struct options {
    int64_t failures;
    int64_t open_for_ms;
    int64_t probes;
    int64_t scope;
    int64_t on_error;
} options;

static const char *const scopes[] = { "function", "all", NULL };
static const char *const ways[] = { "open", "closed", NULL };

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
    { .name = "on_error", .type = ISW_OPTION_ENUM, .default_value = "open", .choices = ways,
      .offset = offsetof(options, on_error),
      .help = "without the store of `store`: open passes all, closed answers 503" },
    { 0 },
};

/* As it is in the store; one that is not there is closed, and all zero. */
typedef struct circuit {
    int64_t until_us;       /* open until then */
    int64_t probe_until_us; /* when the youngest probe is taken for lost */
    uint64_t era;           /* of this phase: what began in another one does not count */
    enum phase phase;
    uint32_t failures;  /* in a row */
    uint32_t probing;   /* probes under way */
    uint32_t successes; /* of probes */
} circuit;

_Static_assert(sizeof(circuit) <= ISW_STORE_SMALL, "a circuit is a small value");

typedef struct state {
    isw_store *store; /* by function; the one that all share has no name */
} state;

/* What one invocation was let in by. */
typedef struct pass {
    uint64_t era;
    enum phase phase, after; /* that it came into, and that it left behind */
    bool entered;            /* it is the first of this phase */
    int64_t wait_ms;         /* it was not let in, and may ask again then */
    enum verdict verdict;
} pass;

/* -- Circuits ---------------------------------------------------------------------------------- */

static isw_status start(isw_instance *self, isw_error *error)
{
    const isw_store_options stored = { sizeof stored, CIRCUITS, 0 };

    return isw_store_open(self, &stored, &((state *)isw_instance_state(self))->store, error);
}

static void stop(isw_instance *self)
{
    isw_store_close(((state *)isw_instance_state(self))->store);
}

static void enter(circuit *at, enum phase phase)
{
    at->phase = phase;
    at->era++;
    at->failures = at->probing = at->successes = 0;
}

/* -- In and out -------------------------------------------------------------------------------- */

static void come_in(circuit *at, const options *opt, pass *in, isw_store *store)
{
    int64_t now_us = at->phase == CLOSED ? 0 : isw_store_now_us(store);
    int64_t left_us = at->until_us - now_us;

    *in = (pass){ .entered = at->phase == OPEN && left_us <= 0 };
    if (in->entered)
        enter(at, HALF_OPEN);
    in->phase = at->phase;
    in->era = at->era;
    if (at->phase == OPEN)
        in->wait_ms = (left_us + 999) / 1000;
    if (at->phase != HALF_OPEN)
        return;
    if (at->probing >= opt->probes && now_us >= at->probe_until_us)
        at->probing = 0;
    if (at->probing >= opt->probes) {
        in->wait_ms = opt->open_for_ms < PROBE_WAIT_MS ? opt->open_for_ms : PROBE_WAIT_MS;
        return;
    }
    at->probing++;
    at->probe_until_us =
        now_us + (opt->open_for_ms > PROBE_LOST_MS ? opt->open_for_ms : PROBE_LOST_MS) * 1000;
}

static void leave(circuit *at, const options *opt, pass *in, isw_store *store)
{
    in->after = in->phase;
    if (at->era != in->era)
        return;
    at->probing -= at->phase == HALF_OPEN && at->probing > 0;
    if (in->verdict == SUCCEEDED) {
        at->failures = 0;
        if (at->phase == HALF_OPEN && ++at->successes >= opt->probes)
            enter(at, CLOSED);
    } else if (in->verdict == FAILED &&
               (at->phase == HALF_OPEN || ++at->failures >= opt->failures)) {
        enter(at, OPEN);
        at->until_us = isw_store_now_us(store) + opt->open_for_ms * 1000;
    }
    in->after = at->phase;
}

/* Change the circuit of an invocation, unless somebody else is quicker: then what he has made of it. */
static isw_status change(isw_instance *self, isw_context *ctx, pass *in,
                         void (*step)(circuit *, const options *, pass *, isw_store *),
                         isw_error *error)
{
    const options *opt = isw_instance_options(self);
    const isw_str name = isw_str_of(opt->scope == ALL ? "" : isw_context_function(ctx)->name);
    const isw_store_key key = { &name, 1 };
    state *own = isw_instance_state(self);
    isw_status status = ISW_E_CONFLICT;

    for (int i = 0; status == ISW_E_CONFLICT && i < TRIES; i++) {
        circuit was = { 0 }, now;
        const isw_bytes is = { &was, sizeof was }, shall = { &now, sizeof now };
        size_t size = 0;

        status = isw_store_get(own->store, key, &was, sizeof was, &size, error);
        if (status != ISW_OK && status != ISW_E_NOT_FOUND)
            return status;
        now = was;
        step(&now, opt, in, own->store);
        if (memcmp(&was, &now, sizeof was) == 0)
            return ISW_OK;
        status = isw_store_replace(own->store, key,
                                   &(isw_store_change){ .was = size ? &is : NULL, .value = &shall,
                                                        .ttl_ms = KEPT_MS }, NULL);
    }
    return status == ISW_OK ? ISW_OK : isw_error_set(error, status, "a circuit cannot be changed");
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
    pass *in = isw_next_state(next, ctx);
    isw_error error;
    isw_status status;

    error.status = ISW_OK;
    status = change(self, ctx, in, come_in, &error);
    if (status == ISW_E_UNAVAILABLE && opt->on_error == PASS)
        return isw_next_run(next, ctx);
    if (status != ISW_OK)
        return isw_fail(ctx, status, "%s", error.message);
    if (in->wait_ms > 0)
        return refuse(ctx, in->phase, in->wait_ms);
    if (in->entered)
        tell(ctx, in->phase);
    status = isw_next_run(next, ctx);
    in->verdict = judge(ctx, isw_context_outcome(ctx, status));
    if (change(self, ctx, in, leave, &error) == ISW_OK && in->after != in->phase)
        tell(ctx, in->after);
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
