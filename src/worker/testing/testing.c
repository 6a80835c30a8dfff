/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test's life, its clock, and what the next invocation brings. Invariant: what prepares the next invocation first forgets the
 * last one, so that a result lives until then, and nothing of one test leaks into another.
 */
#include "worker/testing/testing.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

#include <assert.h>

enum { ARENA_BYTES = 16 * 1024 };

/* Where time begins to stand still: 2026-01-01 00:00:00 UTC, and any moment of the other clock. */
static const int64_t first_wall_us = INT64_C(1767225600000000);
static const int64_t first_now_ns = INT64_C(1000000000000);

static isw_test *only; /* the one that holds the clock */

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

static bool is_event(const isw_trigger *trigger)
{
    return strcmp(trigger->type, "cloudevents") == 0;
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

        if (iswi_local_is_request(entry->function))
            status = iswi_routes_add(test->routes,
                                     is_event(trigger) ? "POST" : trigger->methods,
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
        status = iswi_worker_start(worker, error);
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

/* -- Its health -------------------------------------------------------------------------------- */

const char *isw_test_health(isw_test *test)
{
    iswi_services *services = test->worker->shared.services;
    const char *why = NULL;

    iswi_test_prepare(test);
    for (size_t i = 0; i < iswi_services_count(services); i++) {
        isw_error error = { ISW_OK, "" };

        if (iswi_services_at(services, i)->lifetime == ISW_HEALTH_CHECK &&
            iswi_services_check_health(services, i, &error) != ISW_OK)
            why = iswi_test_must(iswi_arena_printf(&test->arena, "%s%s%s", why ? why : "",
                                                   why ? "; " : "", error.message));
    }
    return why;
}

/* -- What the next invocation brings ----------------------------------------------------------- */

void iswi_test_prepare(isw_test *test)
{
    if (test->spent)
        forget(test);
}

void isw_test_header(isw_test *test, const char *name, const char *value)
{
    isw_pair *pair;

    iswi_test_prepare(test);
    pair = iswi_test_add(test, &test->headers, sizeof *pair);
    *pair = (isw_pair){ iswi_test_str(test, name), iswi_test_str(test, value) };
    iswi_lower_case((char *)pair->name.data);
}

void isw_test_body(isw_test *test, const char *content_type, const void *body, size_t size)
{
    iswi_test_prepare(test);
    test->body = (isw_bytes){ iswi_test_text(test, (isw_str){ body, size }), size };
    if (content_type)
        isw_test_header(test, "content-type", content_type);
}

static void add_named(isw_test *test, iswi_test_list *list, const char *name,
                      const isw_value *value)
{
    isw_named_value *named;

    iswi_test_prepare(test);
    named = iswi_test_add(test, list, sizeof *named);
    *named = (isw_named_value){ iswi_test_str(test, name), iswi_test_copy(test, value) };
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
    iswi_test_prepare(test);
    test->retry = (isw_retry){ count, max, iswi_test_str(test, last_error ? last_error : "") };
}

void isw_test_trace(isw_test *test, const char *parent, const char *state)
{
    iswi_test_prepare(test);
    test->trace.parent = iswi_test_str(test, parent);
    test->trace.state = iswi_test_str(test, state ? state : "");
}

void isw_test_timeout_ms(isw_test *test, uint32_t timeout_ms)
{
    iswi_test_prepare(test);
    test->timeout_ms = timeout_ms;
}

static void cancel_after(isw_test *test, uint32_t ms, isw_cancel_reason reason)
{
    iswi_test_prepare(test);
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

void iswi_test_sleep_until(isw_context *ctx, int64_t until_ns)
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
