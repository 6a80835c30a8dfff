/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations of a session: credits, cancels, answers and what is in flight at its end. */
#include "worker/support.h"

#include "support/scripted_host.h"

/* -- A door that handlers wait at -------------------------------------------------------------- */

typedef struct door {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned inside, most, entered;
    bool open;
} door;

static door gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, false };

static void gate_set(bool open)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = open;
    if (!open)
        gate.inside = gate.most = gate.entered = 0;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_wait_for(unsigned entered)
{
    pthread_mutex_lock(&gate.lock);
    while (gate.entered < entered)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

/* -- Functions --------------------------------------------------------------------------------- */

static isw_status waits(isw_context *ctx)
{
    (void)ctx;
    pthread_mutex_lock(&gate.lock);
    gate.entered++;
    if (++gate.inside > gate.most)
        gate.most = gate.inside;
    pthread_cond_broadcast(&gate.changed);
    while (!gate.open)
        pthread_cond_wait(&gate.changed, &gate.lock);
    gate.inside--;
    pthread_mutex_unlock(&gate.lock);
    return ISW_OK;
}

static isw_status echoes(isw_context *ctx)
{
    isw_value text = isw_value_string(isw_context_invocation_id(ctx));

    isw_context_set_output(ctx, "id", &text);
    return isw_context_set_result(ctx, isw_context_trigger(ctx));
}

static isw_status sleeps(isw_context *ctx)
{
    pthread_mutex_lock(&gate.lock);
    gate.entered++;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    return isw_context_sleep(ctx, 600000);
}

static isw_status tells_time(isw_context *ctx)
{
    isw_value elapsed = isw_value_int(isw_context_elapsed_us(ctx));

    if (isw_context_cancelled(ctx))
        isw_context_set_outcome(ctx, ISW_OUTCOME_CANCELLED, 0);
    return isw_context_set_result(ctx, &elapsed);
}

static isw_status is_not_utf8(isw_context *ctx)
{
    isw_value data = isw_value_string("\xff");

    return isw_context_set_result(ctx, &data);
}

static isw_status blames_bytes(isw_context *ctx)
{
    isw_value data = isw_value_int(404);

    isw_context_set_result(ctx, &data);
    return isw_fail(ctx, ISW_E_NOT_FOUND, "no order \xff");
}

static isw_status postpones(isw_context *ctx)
{
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 1500);
    return ISW_OK;
}

/* The caller is what it is given; what is too long to travel, where that is nothing. */
static isw_status identifies(isw_context *ctx)
{
    static const char too_long[300] = { 'x' };
    isw_bytes name = isw_value_payload(isw_context_trigger(ctx));
    isw_principal caller = { .scheme = { "key", 3 }, .subject = { name.data, name.size } };

    if (!name.size)
        caller.subject = (isw_str){ too_long, sizeof too_long };
    isw_context_set_principal(ctx, &caller);
    return isw_context_principal(ctx) ? ISW_OK : ISW_E_FAILED;
}

enum {
    WAITS,
    ECHOES,
    SLEEPS,
    TELLS_TIME,
    IS_NOT_UTF8,
    BLAMES_BYTES,
    POSTPONES,
    IDENTIFIES,
    FUNCTIONS
};

static const isw_binding outputs[] = { { .name = "id", .type = "queue", .direction = ISW_OUT },
                                       { 0 } };
static const isw_function functions[] = {
    { .name = "waits", .trigger = ISW_TRIGGER("t", NULL), .handler = waits },
    { .name = "echoes", .trigger = ISW_TRIGGER("t", NULL), .handler = echoes,
      .bindings = outputs },
    { .name = "sleeps", .trigger = ISW_TRIGGER("t", NULL), .handler = sleeps },
    { .name = "tells_time", .trigger = ISW_TRIGGER("t", NULL), .handler = tells_time },
    { .name = "is_not_utf8", .trigger = ISW_TRIGGER("t", NULL), .handler = is_not_utf8 },
    { .name = "blames_bytes", .trigger = ISW_TRIGGER("t", NULL), .handler = blames_bytes },
    { .name = "postpones", .trigger = ISW_TRIGGER("t", NULL), .handler = postpones },
    { .name = "identifies", .trigger = ISW_TRIGGER("t", NULL), .handler = identifies },
    { 0 },
};

/* -- Sessions ---------------------------------------------------------------------------------- */

typedef struct session {
    isw_worker *worker;
    scripted_host host;
} session;

static void begin_with(session *s, const char *yaml, unsigned ways)
{
    isw_error error = { 0 };

    gate_set(false);
    if (make_worker(functions, yaml, &s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    host_start_with(&s->host, s->worker, ways);
    host_greet(&s->host);
    for (uint64_t i = 0; i < FUNCTIONS; i++) {
        host_load(&s->host, i, functions[i].name);
        assert_int_equal(host_expect(&s->host, ISWI_LOADED)->as.loaded.status.code, ISW_OK);
    }
}

static void begin(session *s, const char *yaml)
{
    begin_with(s, yaml, 0);
}

static void finish(session *s, isw_status status)
{
    assert_int_equal(host_join(&s->host), status);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

static void finish_by_closing(session *s)
{
    host_close(&s->host);
    finish(s, ISW_E_CLOSED);
}

static const iswi_response *response_to(session *s, uint64_t id)
{
    const iswi_frame *frame = host_expect_answer(&s->host);

    assert_int_equal(frame->id, id);
    return &frame->as.response;
}

static const iswi_response *ask(session *s, uint64_t id, uint64_t function)
{
    host_invoke(&s->host, id, function, NULL);
    return response_to(s, id);
}

static void cancel(session *s, uint64_t id)
{
    host_send_kind(&s->host, ISWI_CANCEL, id);
}

#define ONE_AT_A_TIME "worker: {concurrency: 1}\n"

/* -- Answers ----------------------------------------------------------------------------------- */

static void an_invoke_is_answered_with_result_and_outputs(void **state)
{
    const iswi_response *response;
    isw_value trigger = isw_value_int(-5);
    session s;

    (void)state;
    begin(&s, "worker: {}\n");
    host_invoke(&s.host, 77, ECHOES, &trigger);
    response = response_to(&s, 77);
    assert_int_equal(response->outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(response->result.as.integer, -5);
    assert_int_equal(response->outputs.count, 1);
    assert_true(isw_str_equal(response->outputs.items[0].value.as.string,
                              isw_str_of("an-invocation")));
    finish_by_closing(&s);
}

static void a_number_that_was_not_loaded_is_not_found(void **state)
{
    const iswi_response *response;
    session s;

    (void)state;
    begin(&s, "worker: {}\n");
    response = ask(&s, 1, FUNCTIONS);
    assert_int_equal(response->outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(response->status.code, ISW_E_NOT_FOUND);
    assert_int_equal(ask(&s, 2, UINT64_MAX)->status.code, ISW_E_NOT_FOUND);
    finish_by_closing(&s);
}

static isw_str principal_of(session *s, uint64_t id, const isw_value *name)
{
    const iswi_response *response;

    host_invoke(&s->host, id, IDENTIFIES, name);
    response = response_to(s, id);
    assert_int_equal(response->outcome, ISW_OUTCOME_SUCCESS);
    return response->principal;
}

/* The one thread is in the first while the second waits. */
static void see_marks(unsigned ways, bool waiting)
{
    const uint64_t first = 7u << 16 | 1;
    const uint64_t second = 8u << 16;
    session s;

    begin_with(&s, "worker: {concurrency: 1, max_in_flight: 2}\n", ways);
    host_invoke(&s.host, first, WAITS, NULL);
    host_invoke(&s.host, second, WAITS, NULL);
    gate_wait_for(1);
    assert_true(iswi_link_is_marked(s.host.link, first));
    assert_int_equal(iswi_link_is_marked(s.host.link, second), waiting);
    gate_set(true);
    response_to(&s, first);
    response_to(&s, second);
    assert_true(iswi_link_is_marked(s.host.link, second));
    finish_by_closing(&s);
}

static void what_is_begun_is_marked_if_that_was_agreed(void **state)
{
    (void)state;
    see_marks(HOST_RING | HOST_BEGUN, false);
    see_marks(HOST_RING, true); /* nobody tells */
    see_marks(0, true);
}

static bool lies_apart(unsigned ways, const isw_value *trigger)
{
    const iswi_response *response;
    bool apart;
    session s;

    begin_with(&s, ONE_AT_A_TIME, ways);
    host_invoke(&s.host, 1, ECHOES, trigger);
    response = response_to(&s, 1);
    assert_int_equal(response->result.type, trigger->type);
    assert_int_equal(response->result.as.bytes.size, trigger->as.bytes.size);
    assert_memory_equal(response->result.as.bytes.data, trigger->as.bytes.data,
                        trigger->as.bytes.size);
    apart = host_sees_apart(&s.host);
    finish_by_closing(&s);
    return apart;
}

static void long_bytes_of_an_answer_lie_apart_if_that_was_agreed(void **state)
{
    static char bytes[64 * 1024];
    const isw_value whole = isw_value_bytes(bytes, sizeof bytes);
    const isw_value small = isw_value_bytes(bytes, 1000);
    isw_value text;

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    text = isw_value_text((isw_str){ bytes, sizeof bytes });
    assert_true(lies_apart(HOST_RING | HOST_APART, &whole));
    assert_false(lies_apart(HOST_RING | HOST_APART, &small));
    assert_false(lies_apart(HOST_RING | HOST_APART, &text));
    assert_false(lies_apart(HOST_RING, &whole));
    assert_false(lies_apart(0, &whole));
}

static void a_response_says_how_long_it_took(void **state)
{
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    host_invoke(&s.host, 1, ECHOES, NULL);
    assert_in_range(response_to(&s, 1)->took_ns, 1, INT64_C(30000000000));
    finish_by_closing(&s);
}

static void a_response_says_who_called_if_that_can_travel(void **state)
{
    isw_value ada = isw_value_string("Ada");
    isw_value latin = isw_value_bytes("\xe4", 1);
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    assert_true(isw_str_equal(principal_of(&s, 1, &ada), isw_str_of("Ada")));
    assert_int_equal(principal_of(&s, 2, &latin).size, 0);
    assert_int_equal(principal_of(&s, 3, NULL).size, 0);
    assert_int_equal(ask(&s, 4, POSTPONES)->principal.size, 0);
    finish_by_closing(&s);
}

/* Its place in the pool is that of one before, whose failure was logged. */
static void what_never_began_is_not_called_logged(void **state)
{
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    assert_true(ask(&s, 1, BLAMES_BYTES)->logged);
    assert_false(ask(&s, 2, FUNCTIONS)->logged);
    finish_by_closing(&s);
}

static void a_result_that_cannot_travel_fails_and_the_session_lives(void **state)
{
    const iswi_response *response;
    session s;

    (void)state;
    begin(&s, "worker: {}\n");
    response = ask(&s, 1, IS_NOT_UTF8);
    assert_int_equal(response->outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(response->status.code, ISW_E_FAILED);
    assert_int_equal(ask(&s, 2, ECHOES)->outcome, ISW_OUTCOME_SUCCESS);
    finish_by_closing(&s);
}

static void a_sentence_that_is_not_utf8_costs_no_answer(void **state)
{
    const iswi_response *response;
    session s;

    (void)state;
    begin(&s, "worker: {}\n");
    response = ask(&s, 1, BLAMES_BYTES);
    assert_int_equal(response->status.code, ISW_E_NOT_FOUND);
    assert_true(isw_str_equal(response->status.message, isw_str_of("no order \\xff")));
    assert_int_equal(response->result.as.integer, 404);
    finish_by_closing(&s);
}

static void retry_later_says_when(void **state)
{
    const iswi_response *response;
    session s;

    (void)state;
    begin(&s, "worker: {}\n");
    response = ask(&s, 1, POSTPONES);
    assert_int_equal(response->outcome, ISW_OUTCOME_RETRY_LATER);
    assert_int_equal(response->retry_after_ms, 1500);
    finish_by_closing(&s);
}

/* -- Credits ----------------------------------------------------------------------------------- */

static void many_are_in_flight_and_few_run(void **state)
{
    enum { COUNT = 64, RUNNING = 4 };
    const iswi_status_frame *status;
    bool answered[COUNT] = { false };
    session s;

    (void)state;
    begin(&s, "worker: {concurrency: 4, max_in_flight: 64}\n");
    for (uint64_t i = 1; i <= COUNT; i++)
        host_invoke(&s.host, i, WAITS, NULL);
    gate_wait_for(RUNNING);
    host_send_kind(&s.host, ISWI_STATUS_REQUEST, 9); /* answered although all handlers block */
    status = &host_expect(&s.host, ISWI_STATUS)->as.status;
    assert_int_equal(status->running, RUNNING);
    assert_int_equal(status->waiting, COUNT - RUNNING);
    gate_set(true);
    for (int i = 0; i < COUNT; i++) {
        const iswi_frame *frame = host_expect_answer(&s.host);

        assert_in_range(frame->id, 1, COUNT);
        assert_false(answered[frame->id - 1]);
        answered[frame->id - 1] = true;
        assert_int_equal(frame->as.response.outcome, ISW_OUTCOME_SUCCESS);
    }
    assert_int_equal(gate.most, RUNNING);
    finish_by_closing(&s);
}

static void an_invoke_beyond_the_credits_ends_the_session(void **state)
{
    session s;

    (void)state;
    begin(&s, "worker: {concurrency: 1, max_in_flight: 2}\n");
    for (uint64_t i = 1; i <= 3; i++)
        host_invoke(&s.host, i, WAITS, NULL);
    assert_int_equal(host_expect(&s.host, ISWI_ERROR)->as.error.status.code, ISW_E_PROTOCOL);
    gate_set(true);
    host_close(&s.host);
    finish(&s, ISW_E_PROTOCOL);
}

static void a_response_gives_its_credit_back_at_once(void **state)
{
    session s;

    (void)state;
    begin(&s, "worker: {concurrency: 1, max_in_flight: 1}\n");
    for (uint64_t i = 1; i <= 2000; i++)
        assert_int_equal(ask(&s, i, ECHOES)->outcome, ISW_OUTCOME_SUCCESS);
    finish_by_closing(&s);
}

/* -- Cancels and deadlines --------------------------------------------------------------------- */

static void a_cancel_wakes_a_sleep(void **state)
{
    const iswi_response *response;
    session s;

    (void)state;
    begin(&s, "worker: {}\n");
    host_invoke(&s.host, 5, SLEEPS, NULL);
    gate_wait_for(1);
    cancel(&s, 6); /* unknown, and ignored */
    cancel(&s, 5);
    response = response_to(&s, 5);
    assert_int_equal(response->outcome, ISW_OUTCOME_CANCELLED);
    assert_int_equal(response->status.code, ISW_E_CANCELLED);
    cancel(&s, 5); /* too late, and not for the next one */
    assert_int_equal(ask(&s, 7, ECHOES)->outcome, ISW_OUTCOME_SUCCESS);
    finish_by_closing(&s);
}

static void one_that_waits_is_cancelled_before_it_begins(void **state)
{
    const iswi_response *response;
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    host_invoke(&s.host, 1, WAITS, NULL);
    host_invoke(&s.host, 2, WAITS, NULL);
    gate_wait_for(1);
    cancel(&s, 2);
    host_send_kind(&s.host, ISWI_WARMUP, 3);
    host_expect(&s.host, ISWI_WARMED); /* the cancel was handled */
    gate_set(true);
    assert_int_equal(response_to(&s, 1)->outcome, ISW_OUTCOME_SUCCESS);
    response = response_to(&s, 2);
    assert_int_equal(response->outcome, ISW_OUTCOME_CANCELLED);
    assert_true(isw_str_equal(response->status.message,
                              isw_str_of("cancelled before it began")));
    assert_int_equal(gate.entered, 1);
    finish_by_closing(&s);
}

static void a_deadline_counts_from_arrival(void **state)
{
    iswi_frame frame = { .kind = ISWI_INVOKE };
    const iswi_response *response;
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    frame.as.invoke.invocation_id = isw_str_of("timed");
    frame.as.invoke.timeout_ms = 50;
    for (frame.id = 1; frame.id <= 2; frame.id++) { /* the second waits for all its time */
        frame.as.invoke.function = frame.id == 1 ? SLEEPS : TELLS_TIME;
        host_send(&s.host, &frame);
    }
    assert_int_equal(response_to(&s, 1)->outcome, ISW_OUTCOME_CANCELLED);
    response = response_to(&s, 2);
    assert_in_range(response->result.as.integer, 20000, 60000000);
    frame.id = 3;
    frame.as.invoke.function = SLEEPS;
    frame.as.invoke.timeout_ms = 20;
    host_send(&s.host, &frame);
    assert_int_equal(response_to(&s, 3)->outcome, ISW_OUTCOME_CANCELLED);
    finish_by_closing(&s);
}

/* -- The end with something in flight ---------------------------------------------------------- */

static void terminate_finishes_what_is_in_flight(void **state)
{
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    host_invoke(&s.host, 1, WAITS, NULL);
    host_invoke(&s.host, 2, WAITS, NULL);
    host_send(&s.host, &(iswi_frame){ .kind = ISWI_TERMINATE, .as.terminate.grace_ms = 60000 });
    host_send_kind(&s.host, ISWI_STATUS_REQUEST, 3);
    host_expect(&s.host, ISWI_STATUS);
    gate_set(true);
    response_to(&s, 1);
    response_to(&s, 2);
    host_expect(&s.host, ISWI_GOODBYE);
    host_close(&s.host);
    finish(&s, ISW_OK);
}

static void a_stopped_worker_finishes_what_is_in_flight(void **state)
{
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    host_invoke(&s.host, 1, WAITS, NULL);
    gate_wait_for(1);
    isw_worker_stop(s.worker);
    assert_int_equal(host_expect(&s.host, ISWI_CREDIT)->as.credit.limit, 0);
    host_expect(&s.host, ISWI_STATUS_REQUEST);
    gate_set(true);
    response_to(&s, 1);
    host_invoke(&s.host, 2, WAITS, NULL); /* it crossed the credit, and is still answered */
    host_send_kind(&s.host, ISWI_STATUS, 1);
    response_to(&s, 2);
    host_expect(&s.host, ISWI_GOODBYE);
    host_close(&s.host);
    finish(&s, ISW_OK);
}

static void a_host_that_goes_cancels_what_is_in_flight(void **state)
{
    session s;

    (void)state;
    begin(&s, ONE_AT_A_TIME);
    host_invoke(&s.host, 1, SLEEPS, NULL);
    host_invoke(&s.host, 2, SLEEPS, NULL);
    gate_wait_for(1);
    finish_by_closing(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_invoke_is_answered_with_result_and_outputs),
    cmocka_unit_test(a_number_that_was_not_loaded_is_not_found),
    cmocka_unit_test(a_response_says_who_called_if_that_can_travel),
    cmocka_unit_test(long_bytes_of_an_answer_lie_apart_if_that_was_agreed),
    cmocka_unit_test(a_response_says_how_long_it_took),
    cmocka_unit_test(what_is_begun_is_marked_if_that_was_agreed),
    cmocka_unit_test(what_never_began_is_not_called_logged),
    cmocka_unit_test(a_result_that_cannot_travel_fails_and_the_session_lives),
    cmocka_unit_test(a_sentence_that_is_not_utf8_costs_no_answer),
    cmocka_unit_test(retry_later_says_when),
    cmocka_unit_test(many_are_in_flight_and_few_run),
    cmocka_unit_test(an_invoke_beyond_the_credits_ends_the_session),
    cmocka_unit_test(a_response_gives_its_credit_back_at_once),
    cmocka_unit_test(a_cancel_wakes_a_sleep),
    cmocka_unit_test(one_that_waits_is_cancelled_before_it_begins),
    cmocka_unit_test(a_deadline_counts_from_arrival),
    cmocka_unit_test(terminate_finishes_what_is_in_flight),
    cmocka_unit_test(a_stopped_worker_finishes_what_is_in_flight),
    cmocka_unit_test(a_host_that_goes_cancels_what_is_in_flight),
};

ISW_TEST_MAIN(tests)
