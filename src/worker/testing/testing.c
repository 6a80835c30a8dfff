/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test's life and its invocations. Invariant: what prepares the next invocation first forgets the
 * last one, so that a result lives until then, and nothing of one test leaks into another.
 */
#include "worker/testing/testing.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "url/preflight.h"
#include "url/query.h"
#include "worker/registry/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 16 * 1024 };

/* Where time begins to stand still: 2026-01-01 00:00:00 UTC, and any moment of the other clock. */
static const int64_t first_wall_us = INT64_C(1767225600000000);
static const int64_t first_now_ns = INT64_C(1000000000000);

static isw_test *only; /* the one that holds the clock */

static isw_str text_of(isw_test *test, const char *text)
{
    return isw_str_of(iswi_test_text(test, isw_str_of(text)));
}

/* -- Life -------------------------------------------------------------------------------------- */

static void set_clock(isw_test *test)
{
    iswi_clock_fake(test->now_ns, test->wall_us);
}

static isw_log_level take_all(void *user, const char *category)
{
    (void)user;
    (void)category;
    return ISW_LOG_TRACE;
}

static isw_status add_routes(isw_test *test, isw_error *error)
{
    isw_worker *worker = test->worker;
    isw_status status = ISW_OK;

    iswi_worker_set_levels(worker, &test->sink);
    test->routes = iswi_test_must(iswi_routes_create());
    for (size_t i = 0; status == ISW_OK && i < worker->function_count; i++) {
        iswi_entry *entry = &worker->entries[i];
        const isw_trigger *trigger = &entry->function->trigger;

        if (strcmp(trigger->type, "http") == 0)
            status = iswi_routes_add(test->routes, trigger->methods,
                                     trigger->route ? trigger->route : entry->function->name,
                                     entry, error);
    }
    return status;
}

isw_status isw_test_create(isw_worker *worker, isw_test **out, isw_error *error)
{
    isw_test *test = iswi_test_must(iswi_calloc(1, sizeof *test));
    isw_status status;

    assert(!only);
    iswi_arena_init(&test->arena, ARENA_BYTES);
    test->worker = worker;
    test->sink = (iswi_log_sink){ iswi_test_take_line, take_all, test };
    test->now_ns = first_now_ns;
    test->wall_us = first_wall_us;
    test->cancel_at_ns = INT64_MAX;
    set_clock(test);
    only = test;
    status = isw_worker_configure(worker, error);
    if (status == ISW_OK)
        status = add_routes(test, error);
    if (status == ISW_OK) {
        *out = test;
        return ISW_OK;
    }
    test->worker = NULL;
    isw_test_destroy(test);
    return status;
}

/* Forget the last invocation. */
static void forget(isw_test *test)
{
    if (test->ctx)
        iswi_local_end(test->ctx);
    test->ctx = NULL;
    if (test->replaying)
        iswi_replay_close(&test->replay);
    test->replaying = false;
    iswi_arena_reset(&test->arena);
    test->headers = test->inputs = test->metadata = test->lines = (iswi_test_list){ 0 };
    test->body = (isw_bytes){ NULL, 0 };
    test->retry = (isw_retry){ 0 };
    test->trace = (isw_trace){ 0 };
    test->timeout_ms = 0;
    test->cancel_at_ns = INT64_MAX;
    test->spent = false;
}

void isw_test_destroy(isw_test *test)
{
    if (!test)
        return;
    forget(test);
    isw_worker_destroy(test->worker);
    iswi_routes_destroy(test->routes);
    iswi_arena_fini(&test->arena);
    iswi_free(test);
    iswi_clock_real();
    only = NULL;
}

/* -- What the next invocation brings ----------------------------------------------------------- */

static void prepare(isw_test *test)
{
    if (test->spent)
        forget(test);
}

void isw_test_header(isw_test *test, const char *name, const char *value)
{
    isw_pair *pair;

    prepare(test);
    pair = iswi_test_add(test, &test->headers, sizeof *pair);
    *pair = (isw_pair){ text_of(test, name), text_of(test, value) };
    iswi_lower_case((char *)pair->name.data);
}

void isw_test_body(isw_test *test, const char *content_type, const void *body, size_t size)
{
    prepare(test);
    test->body = (isw_bytes){ iswi_test_text(test, (isw_str){ body, size }), size };
    if (content_type)
        isw_test_header(test, "content-type", content_type);
}

static void add_named(isw_test *test, iswi_test_list *list, const char *name,
                      const isw_value *value)
{
    isw_named_value *named;

    prepare(test);
    named = iswi_test_add(test, list, sizeof *named);
    *named = (isw_named_value){ text_of(test, name), iswi_test_copy(test, value) };
}

void isw_test_input(isw_test *test, const char *name, const isw_value *value)
{
    add_named(test, &test->inputs, name, value);
}

void isw_test_trigger_metadata(isw_test *test, const char *name, const isw_value *value)
{
    add_named(test, &test->metadata, name, value);
}

void isw_test_retry(isw_test *test, uint32_t count, uint32_t max, const char *last_error)
{
    prepare(test);
    test->retry = (isw_retry){ count, max, text_of(test, last_error ? last_error : "") };
}

void isw_test_trace(isw_test *test, const char *parent, const char *state)
{
    prepare(test);
    test->trace.parent = text_of(test, parent);
    test->trace.state = text_of(test, state ? state : "");
}

void isw_test_timeout_ms(isw_test *test, uint32_t timeout_ms)
{
    prepare(test);
    test->timeout_ms = timeout_ms;
}

static void cancel_after(isw_test *test, uint32_t ms, isw_cancel_reason reason)
{
    prepare(test);
    test->cancel_at_ns = test->now_ns + (int64_t)ms * 1000000;
    test->cancel_reason = reason;
}

void isw_test_cancel_after_ms(isw_test *test, uint32_t ms)
{
    cancel_after(test, ms, ISW_CANCEL_CALLER);
}

void isw_test_stop_after_ms(isw_test *test, uint32_t ms)
{
    cancel_after(test, ms, ISW_CANCEL_SHUTDOWN);
}

/* -- The clock --------------------------------------------------------------------------------- */

static void move_clock(isw_test *test, int64_t to_ns)
{
    test->wall_us += (to_ns - test->now_ns) / 1000;
    test->now_ns = to_ns;
    set_clock(test);
}

/* What isw_context_sleep does in a test. */
static void sleep_until(isw_context *ctx, int64_t until_ns)
{
    isw_test *test = only;
    bool cancelled = test->cancel_at_ns <= until_ns;

    if (until_ns > test->now_ns && !cancelled)
        move_clock(test, until_ns);
    else if (cancelled && test->cancel_at_ns > test->now_ns)
        move_clock(test, test->cancel_at_ns);
    if (cancelled)
        iswi_context_cancel(ctx, test->cancel_reason);
}

void isw_test_advance_ms(isw_test *test, int64_t ms)
{
    move_clock(test, test->now_ns + ms * 1000000);
}

/* -- Invocations ------------------------------------------------------------------------------- */

static const isw_test_result *run(isw_test *test, const iswi_entry *entry,
                                  const iswi_local *local)
{
    iswi_local seen = *local;
    isw_status status;

    seen.spans = &test->spans;
    test->ctx = iswi_test_must(iswi_local_begin(test->worker, entry, &seen));
    test->spans = (iswi_spans){ .arena = &test->ctx->arena };
    if (test->cancel_at_ns <= test->now_ns)
        iswi_context_cancel(test->ctx, test->cancel_reason);
    status = iswi_call_run(test->ctx);
    iswi_test_fill(test, status);
    iswi_context_after(test->ctx);
    iswi_test_take_lines(test);
    return &test->result;
}

static const isw_test_result *invoke(isw_test *test, const iswi_entry *entry,
                                     const isw_value *trigger)
{
    iswi_local local = { .trigger = *trigger,
                         .inputs = { test->inputs.items, test->inputs.count },
                         .trigger_metadata = { test->metadata.items, test->metadata.count },
                         .trace = test->trace,
                         .retry = test->retry,
                         .timeout_ms = test->timeout_ms,
                         .log = &test->sink,
                         .sleep = sleep_until };

    return run(test, entry, &local);
}

const isw_test_result *isw_test_invoke(isw_test *test, const char *function,
                                       const isw_value *trigger)
{
    iswi_entry *entry = iswi_worker_entry(test->worker, isw_str_of(function));
    isw_value data = isw_value_none();

    prepare(test);
    test->spent = true;
    if (!entry) {
        iswi_test_refuse(test, ISW_E_NOT_FOUND, 0, "the worker has no function of that name");
        return &test->result;
    }
    if (trigger)
        data = iswi_test_copy(test, trigger);
    return invoke(test, entry, &data);
}

const isw_test_result *isw_test_replay(isw_test *test, const char *path, const char **difference)
{
    isw_error error = { ISW_OK, "" };
    iswi_buffer text = { 0 };
    const iswi_entry *entry = NULL;

    prepare(test);
    test->spent = true;
    if (iswi_replay_open(&test->replay, path, &error) == ISW_OK)
        entry = iswi_worker_entry(test->worker, isw_str_of(test->replay.function));
    test->replaying = true;
    if (!entry) {
        isw_error_set(&error, ISW_E_NOT_FOUND, "%s: the worker has no function \"%s\"", path,
                      test->replay.function);
        iswi_test_refuse(test, error.status, 0, error.message);
        iswi_buffer_append_text(&text, error.message);
    } else {
        test->replay.local.log = &test->sink;
        test->replay.local.sleep = sleep_until;
        run(test, entry, &test->replay.local);
        iswi_replay_compare(&test->replay, test->result.outcome, test->result.failure,
                            &test->result.result, &test->result.outputs, &text);
    }
    if (difference)
        *difference = text.size
                          ? iswi_test_text(test, (isw_str){ (const char *)text.data, text.size })
                          : NULL;
    iswi_buffer_fini(&text);
    return &test->result;
}

/* The answer of a host to what its routes refuse. */
static const isw_test_result *refuse_route(isw_test *test, iswi_route_result result,
                                           const iswi_route_match *match)
{
    if (result == ISWI_ROUTE_WRONG_METHOD)
        iswi_test_refuse(test, ISW_E_INVALID, 405, match->allow);
    else if (result == ISWI_ROUTE_BAD_PATH)
        iswi_test_refuse(test, ISW_E_INVALID, 400, match->detail);
    else
        iswi_test_refuse(test, ISW_E_NOT_FOUND, 404, "no function answers at this path");
    return &test->result;
}

static bool answers_preflights(isw_test *test, const iswi_bound *bound)
{
    iswi_facts facts;

    for (size_t i = 0; i < bound->chain.count; i++)
        if (iswi_preflight_answered_by(isw_str_of(iswi_step_name(&bound->chain.steps[i]))))
            return true;
    return iswi_chain_facts(&bound->chain, &test->arena, &facts) == ISW_OK && facts.cors;
}

/* As a host does: a preflight goes to the function that it asks about, if that answers it. */
static bool find_preflight(isw_test *test, const isw_http *http, isw_str path,
                           iswi_route_match *match)
{
    isw_str method = iswi_preflight_method(http);
    const iswi_bound *bound;

    if (!method.size || iswi_routes_match(test->routes, method, path, &test->arena, match) !=
                            ISWI_ROUTE_FOUND)
        return false;
    bound = &atomic_load(&test->worker->generation)
                 ->functions[(iswi_entry *)match->target - test->worker->entries];
    return answers_preflights(test, bound);
}

const isw_test_result *isw_test_http(isw_test *test, const char *method, const char *url)
{
    iswi_route_match match = { .detail = NULL };
    isw_http *http;
    isw_str path;
    iswi_route_result result;
    isw_value data;
    size_t bad;

    prepare(test);
    test->spent = true;
    http = iswi_test_must(iswi_arena_calloc(&test->arena, 1, sizeof *http));
    http->method = text_of(test, method);
    http->url = isw_str_of(iswi_test_must(
        iswi_arena_printf(&test->arena, "%s%s", *url == '/' ? "" : "/", url)));
    http->headers = (isw_pairs){ test->headers.items, test->headers.count };
    http->body = test->body;
    http->client = isw_str_of("127.0.0.1");
    path = (isw_str){ http->url.data, strcspn(http->url.data, "?") };
    result = iswi_routes_match(test->routes, http->method, path, &test->arena, &match);
    if (result != ISWI_ROUTE_FOUND && !find_preflight(test, http, path, &match))
        return refuse_route(test, result, &match);
    http->params = match.params;
    if (path.size < http->url.size &&
        iswi_query_read(isw_str_of(path.data + path.size + 1), &test->arena, &http->query, &bad)) {
        iswi_test_refuse(test, ISW_E_INVALID, 400, "the query is malformed");
        return &test->result;
    }
    data = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = http };
    return invoke(test, match.target, &data);
}
