/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: counts the invocations of each function, for the host's /metrics (metric.h).
 *
 *     isoworker_invocations_total{function,status}        those that have ended; "ISW_OK", or the
 *                                                         status that they failed with
 *     isoworker_invocation_duration_seconds{function}     a histogram
 *     isoworker_in_flight{function}                       those that run now
 *
 * All of it as seen from its place in the chain: what is outside adds nothing to the duration, and
 * what a retry outside it runs again is counted each time. A reply of 500 that a function has made
 * on purpose is a success here; the host counts replies by their code. Names and units follow
 * https://prometheus.io/docs/practices/naming/.
 */
#include <isoworker/metric.h>
#include <isoworker/sys/middleware.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum { SLOTS = 512 };

typedef struct options {
    isw_option_strings buckets;
} options;

static const isw_option rows[] = {
    { .name = "buckets", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(options, buckets),
      .help = "upper bounds in seconds, such as [0.001, 0.1, 2]; else 16 from 100 us to 10 s" },
    { 0 },
};

/* The series of one function, so that they need not be looked up each time. */
typedef struct known {
    isw_series *running, *duration, *succeeded;
    char name[];
} known;

typedef struct state {
    double bounds[ISW_METRIC_BOUNDS_MAX];
    isw_metric duration;
    _Atomic(known *) slots[SLOTS]; /* by where a function's name lies; made once, kept to the end */
} state;

static const isw_metric total = {
    .name = "isoworker_invocations_total",
    .help = "Invocations that have ended, by the status that they ended with.",
    .type = ISW_COUNTER,
    .labels = { "function", "status" },
};

static const isw_metric in_flight = {
    .name = "isoworker_in_flight",
    .help = "Invocations that run now.",
    .type = ISW_GAUGE,
    .labels = { "function" },
};

static const isw_metric duration = {
    .name = "isoworker_invocation_duration_seconds",
    .help = "How long invocations took in the worker.",
    .type = ISW_HISTOGRAM,
    .labels = { "function" },
};

/* -- Buckets ----------------------------------------------------------------------------------- */

/* Digits with at most one point among them, whatever the program's locale; below 0: it is none. */
static double seconds_of(const char *text)
{
    double value = 0;
    double unit = 1;
    int digits = 0;
    bool fraction = false;

    for (; *text; text++) {
        if (*text == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > 15)
            return -1;
        value = 10 * value + (*text - '0');
        unit *= fraction ? 10 : 1;
    }
    return digits ? value / unit : -1;
}

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    double last = 0;

    own->duration = duration;
    if (opt->buckets.count > ISW_METRIC_BOUNDS_MAX)
        return isw_error_set(error, ISW_E_CONFIG, "buckets has %zu bounds; %d are the most",
                             opt->buckets.count, ISW_METRIC_BOUNDS_MAX);
    for (size_t i = 0; i < opt->buckets.count; i++) {
        own->bounds[i] = seconds_of(opt->buckets.items[i]);
        if (own->bounds[i] <= last)
            return isw_error_set(error, ISW_E_CONFIG,
                                 "buckets: \"%s\" is not a number of seconds above %s; write "
                                 "decimals that ascend, such as [0.001, 0.1, 2]",
                                 opt->buckets.items[i], i ? opt->buckets.items[i - 1] : "0");
        last = own->bounds[i];
    }
    if (opt->buckets.count) {
        own->duration.bounds = own->bounds;
        own->duration.bound_count = opt->buckets.count;
    }
    return ISW_OK;
}

static void stop(isw_instance *self)
{
    state *own = isw_instance_state(self);

    for (size_t i = 0; i < SLOTS; i++)
        isw_free(atomic_load(&own->slots[i]));
}

/* -- Functions --------------------------------------------------------------------------------- */

static void look_up(const state *own, isw_metrics *metrics, const char *name, known *out)
{
    out->running = isw_metric_series(metrics, &in_flight, name, NULL);
    out->duration = isw_metric_series(metrics, &own->duration, name, NULL);
    out->succeeded = isw_metric_series(metrics, &total, name, isw_status_name(ISW_OK), NULL);
}

/* What has the place then, which may be another function; NULL: memory is out. */
static known *remember(state *own, isw_metrics *metrics, const char *name,
                       _Atomic(known *) *slot)
{
    size_t size = strlen(name) + 1;
    known *before = NULL;
    known *made = isw_calloc(1, sizeof *made + size);

    if (!made)
        return NULL;
    memcpy(made->name, name, size);
    look_up(own, metrics, name, made);
    if (made->running && made->duration && made->succeeded &&
        atomic_compare_exchange_strong(slot, &before, made))
        return made;
    isw_free(made);
    return before;
}

static void find(state *own, const isw_context *ctx, known *out)
{
    const char *name = isw_context_function(ctx)->name;
    _Atomic(known *) *slot = &own->slots[(uintptr_t)name / sizeof(void *) % SLOTS];
    known *found = atomic_load_explicit(slot, memory_order_acquire);

    if (!found)
        found = remember(own, isw_context_metrics(ctx), name, slot);
    if (found && strcmp(found->name, name) == 0)
        memcpy(out, found, sizeof *out);
    else
        look_up(own, isw_context_metrics(ctx), name, out);
}

/* -- Invocations ------------------------------------------------------------------------------- */

static isw_status status_of(const isw_context *ctx, isw_status status)
{
    const isw_failure *failure = isw_context_failure(ctx);
    isw_outcome outcome = isw_context_outcome(ctx, status);

    if (outcome == ISW_OUTCOME_SUCCESS)
        return ISW_OK;
    if (failure)
        return failure->status;
    if (status != ISW_OK)
        return status;
    return outcome == ISW_OUTCOME_CANCELLED ? ISW_E_CANCELLED : ISW_E_FAILED;
}

static void count_failure(const isw_context *ctx, isw_status status)
{
    isw_series_add(isw_metric_series(isw_context_metrics(ctx), &total,
                                     isw_context_function(ctx)->name, isw_status_name(status),
                                     NULL), 1);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    int64_t begun_us = isw_now_us();
    isw_status status;
    isw_status end;
    known series;

    find(isw_instance_state(self), ctx, &series);
    isw_series_add(series.running, 1);
    status = isw_next_run(next, ctx);
    isw_series_add(series.running, -1);
    isw_series_observe(series.duration, (double)(isw_now_us() - begun_us) / 1e6);
    end = status_of(ctx, status);
    if (end == ISW_OK)
        isw_series_add(series.succeeded, 1);
    else
        count_failure(ctx, end);
    return status;
}

static void tell(isw_instance *self, isw_facts *facts)
{
    (void)self;
    isw_facts_not_inside(facts, "metrics", "each invocation counts twice");
}

const isw_middleware isw_middleware_metrics = {
    .size = sizeof(isw_middleware),
    .name = "metrics",
    .summary = "counts and times invocations for the host's /metrics",
    .options = rows,
    .options_size = sizeof(options),
    .instance_size = sizeof(state),
    .start = start,
    .stop = stop,
    .invoke = invoke,
    .tell = tell,
};
