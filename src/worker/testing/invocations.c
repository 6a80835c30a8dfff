/* SPDX-License-Identifier: Apache-2.0 */
/* Functions run as a host would have them run, and requests led to them as it would lead them. */
#include "worker/testing/testing.h"

#include "url/preflight.h"
#include "url/query.h"
#include "worker/registry/call.h"

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
                         .sleep = iswi_test_sleep_until };

    return run(test, entry, &local);
}

const isw_test_result *isw_test_invoke(isw_test *test, const char *function,
                                       const isw_value *trigger)
{
    iswi_entry *entry = iswi_worker_entry(test->worker, isw_str_of(function));
    isw_value data = isw_value_none();

    iswi_test_prepare(test);
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

    iswi_test_prepare(test);
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
        test->replay.local.sleep = iswi_test_sleep_until;
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
    const char *lacks;
    isw_value data;
    size_t bad;

    iswi_test_prepare(test);
    test->spent = true;
    http = iswi_test_must(iswi_arena_calloc(&test->arena, 1, sizeof *http));
    http->method = iswi_test_str(test, method);
    http->url = isw_str_of(iswi_test_must(
        iswi_arena_printf(&test->arena, "%s%s", *url == '/' ? "" : "/", url)));
    http->headers = (isw_pairs){ test->headers.items, test->headers.count };
    http->body = test->body;
    http->client = isw_str_of("127.0.0.1");
    path = (isw_str){ http->url.data, strcspn(http->url.data, "?") };
    result = iswi_routes_match(test->routes, http->method, path, &test->arena, &match);
    if (result != ISWI_ROUTE_FOUND && !find_preflight(test, http, path, &match))
        return refuse_route(test, result, &match);
    lacks = iswi_local_event_lacks(((const iswi_entry *)match.target)->function, http);
    if (lacks) {
        iswi_test_refuse(test, ISW_E_INVALID, 400,
                         iswi_test_must(iswi_arena_printf(
                             &test->arena, "an event needs the header %s", lacks)));
        return &test->result;
    }
    http->params = match.params;
    if (path.size < http->url.size &&
        iswi_query_read(isw_str_of(path.data + path.size + 1), &test->arena, &http->query, &bad)) {
        iswi_test_refuse(test, ISW_E_INVALID, 400, "the query is malformed");
        return &test->result;
    }
    data = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = http };
    return invoke(test, match.target, &data);
}
