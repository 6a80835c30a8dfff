/* SPDX-License-Identifier: Apache-2.0 */
/* How a session ends: as one side means it to, or because the host broke the protocol. */
#include "worker/support.h"

#include "base/clock.h"
#include "support/scripted_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static isw_status succeeds(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static const isw_function functions[] = {
    { .name = "f", .trigger = ISW_TRIGGER("timer", NULL), .handler = succeeds },
    { 0 },
};

typedef struct session {
    isw_worker *worker;
    scripted_host host;
} session;

static void begin_greeted(session *s)
{
    isw_error error = { 0 };

    if (make_worker(functions, "worker: {}\n", &s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    host_start(&s->host, s->worker);
    assert_int_equal(host_greet(&s->host), 64);
}

static void finish(session *s, isw_status status, const char *message)
{
    assert_int_equal(host_join(&s->host), status);
    assert_string_equal(s->host.error.message, message);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

/* -- As meant ---------------------------------------------------------------------------------- */

static void terminate_is_answered_by_goodbye(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    host_send(&s.host, &(iswi_frame){ .kind = ISWI_TERMINATE, .as.terminate.grace_ms = 5000 });
    host_expect(&s.host, ISWI_GOODBYE);
    host_close(&s.host);
    finish(&s, ISW_OK, "");
}

static void a_stopped_worker_takes_its_credit_back_and_says_goodbye(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    isw_worker_stop(s.worker);
    assert_int_equal(host_expect(&s.host, ISWI_CREDIT)->as.credit.limit, 0);
    host_expect(&s.host, ISWI_STATUS_REQUEST);
    host_send_kind(&s.host, ISWI_STATUS, 1);
    host_expect(&s.host, ISWI_GOODBYE);
    host_close(&s.host);
    finish(&s, ISW_OK, "");
}

static void a_host_that_closes_ends_the_session_at_once(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    host_close(&s.host);
    finish(&s, ISW_E_CLOSED, "the host went away");
}

static void a_host_says_why_it_gives_up(void **state)
{
    iswi_frame frame = { .kind = ISWI_ERROR };
    session s;

    (void)state;
    begin_greeted(&s);
    frame.as.error.status = iswi_status_to_wire(ISW_E_UNSUPPORTED, "you are too old");
    host_send(&s.host, &frame);
    host_expect_close(&s.host);
    finish(&s, ISW_E_UNSUPPORTED, "the host ended the session: you are too old");
}

/* A session whose host promises a heartbeat every millisecond. */
static void begin_with_heartbeats(session *s)
{
    iswi_frame frame = { .kind = ISWI_HOST_HELLO };
    isw_error error = { 0 };

    assert_int_equal(make_worker(functions, "worker: {}\n", &s->worker, &error), ISW_OK);
    host_start(&s->host, s->worker);
    host_expect(&s->host, ISWI_WORKER_HELLO);
    frame.as.host_hello.protocol = 1;
    frame.as.host_hello.proof = (isw_bytes){ scripted_token + ISWI_TOKEN_BYTES, ISWI_TOKEN_BYTES };
    frame.as.host_hello.heartbeat_ms = 1;
    host_send(&s->host, &frame);
    host_expect(&s->host, ISWI_CREDIT);
}

static void a_host_that_falls_silent_is_taken_for_gone(void **state)
{
    session s;

    (void)state;
    begin_with_heartbeats(&s);
    host_send_kind(&s.host, ISWI_STATUS_REQUEST, 1);
    host_expect(&s.host, ISWI_STATUS);
    host_expect_close(&s.host);
    finish(&s, ISW_E_CLOSED, "the host fell silent");
}

/* The machine slept, say: that takes no time of the host's to speak. */
static void a_host_is_not_silent_while_nobody_could_speak(void **state)
{
    const struct timespec looks = { 0, 100 * 1000000 };
    session s;

    (void)state;
    iswi_clock_fake(iswi_now_ns(), iswi_wall_us());
    begin_with_heartbeats(&s);
    host_send_kind(&s.host, ISWI_STATUS_REQUEST, 1);
    host_expect(&s.host, ISWI_STATUS);
    iswi_clock_fake(iswi_now_ns() + INT64_C(3600000000000), iswi_wall_us());
    nanosleep(&looks, NULL);
    host_send_kind(&s.host, ISWI_STATUS_REQUEST, 2);
    host_expect(&s.host, ISWI_STATUS);
    iswi_clock_real();
    host_close(&s.host);
    finish(&s, ISW_E_CLOSED, "the host went away");
}

/* Silence cannot be awaited: ten times as long as it would bear it later. */
static void silence_before_the_first_heartbeat_is_borne(void **state)
{
    const struct timespec silence = { 0, 100 * 1000000 };
    session s;

    (void)state;
    begin_with_heartbeats(&s);
    nanosleep(&silence, NULL);
    host_send_kind(&s.host, ISWI_WARMUP, 7);
    host_expect(&s.host, ISWI_WARMED);
    host_close(&s.host);
    finish(&s, ISW_E_CLOSED, "the host went away");
}

/* -- Violations -------------------------------------------------------------------------------- */

/* What was sent is answered by an error frame of `why`, and the worker waits for us to close. */
static void finish_by_violation(session *s, const char *why)
{
    const iswi_wire_status *status = &host_expect(&s->host, ISWI_ERROR)->as.error.status;
    char message[256];

    assert_int_equal(status->code, ISW_E_PROTOCOL);
    snprintf(message, sizeof message, "%.*s", (int)status->message.size, status->message.data);
    assert_memory_equal(message, why, strlen(why));
    host_close(&s->host);
    assert_int_equal(host_join(&s->host), ISW_E_PROTOCOL);
    assert_memory_equal(s->host.error.message, "the host broke the protocol: ", 29);
    assert_string_equal(s->host.error.message + 29, message);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

static void garbage_is_a_violation(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } garbage[] = {
        { "garbage", 7 },
        { "\xc1", 1 },
        { "\x93\x0b\x01", 3 },                 /* cut short */
        { "\x93\x0b\x01\x80\x93", 5 },         /* a half after a whole one */
        { "\x93\x00\x01\x80", 4 },             /* a kind that is not defined */
        { "\x93\x05\x01\x81\x01\xa1x", 7 },    /* load with text for a number */
    };

    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        session s;

        begin_greeted(&s);
        host_send_bytes(&s.host, garbage[i].bytes, garbage[i].size);
        if (i == 3)
            host_expect(&s.host, ISWI_STATUS);
        finish_by_violation(&s, "");
    }
}

static void a_workers_frame_from_a_host_is_a_violation(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    host_send_kind(&s.host, ISWI_RESPONSE, 1);
    finish_by_violation(&s, "a host does not send response");
}

static void a_second_hello_is_a_violation(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    host_send_hello(&s.host, NULL);
    finish_by_violation(&s, "a second host_hello");
}

static void an_invoke_without_an_id_is_a_violation(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    host_invoke(&s.host, 0, 0, NULL);
    finish_by_violation(&s, "an invoke without an id");
}

static void an_invoke_after_terminate_is_a_violation(void **state)
{
    iswi_frame frame = { .kind = ISWI_INVOKE, .id = 1 };
    iswi_buffer both = { 0 };
    session s;

    (void)state;
    begin_greeted(&s);
    iswi_frame_encode(&(iswi_frame){ .kind = ISWI_TERMINATE }, &both, NULL);
    frame.as.invoke.invocation_id = isw_str_of("x");
    iswi_frame_encode(&frame, &both, NULL);
    host_send_bytes(&s.host, both.data, both.size);
    iswi_buffer_fini(&both);
    if (host_next(&s.host)->kind == ISWI_GOODBYE) /* the worker had nothing to wait for */
        host_expect(&s.host, ISWI_ERROR);
    host_close(&s.host);
    assert_int_equal(host_join(&s.host), ISW_E_PROTOCOL);
    assert_string_equal(s.host.error.message,
                        "the host broke the protocol: invoke after terminate");
    host_fini(&s.host);
    isw_worker_destroy(s.worker);
}

static void extensions_are_ignored(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    host_send_bytes(&s.host, "\x93\x40\x01\x80\x93\x7f\x01\xc0\x93\x0b\x09\x80", 12);
    assert_int_equal(host_expect(&s.host, ISWI_STATUS)->id, 9);
    host_close(&s.host);
    finish(&s, ISW_E_CLOSED, "the host went away");
}

static void a_message_has_a_most_of_frames(void **state)
{
    enum { FRAME = 4, COUNT = ISWI_MESSAGE_MAX_FRAMES };
    char *bytes = malloc(FRAME * (COUNT + 1));
    session s;

    (void)state;
    for (size_t i = 0; i <= COUNT; i++)
        memcpy(bytes + FRAME * i, "\x93\x40\x01\x80", FRAME);
    begin_greeted(&s);
    host_send_bytes(&s.host, bytes, FRAME * COUNT);
    host_send_kind(&s.host, ISWI_WARMUP, 1);
    host_expect(&s.host, ISWI_WARMED);
    host_send_bytes(&s.host, bytes, FRAME * (COUNT + 1));
    free(bytes);
    finish_by_violation(&s, "a message of too many frames");
}

static void what_follows_a_violation_is_not_read(void **state)
{
    session s;

    (void)state;
    begin_greeted(&s);
    host_send_bytes(&s.host, "\xc1", 1);
    host_send_kind(&s.host, ISWI_WARMUP, 1);
    host_expect(&s.host, ISWI_ERROR);
    host_expect_close(&s.host); /* by itself, after a second */
    assert_int_equal(host_join(&s.host), ISW_E_PROTOCOL);
    host_fini(&s.host);
    isw_worker_destroy(s.worker);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(terminate_is_answered_by_goodbye),
    cmocka_unit_test(a_stopped_worker_takes_its_credit_back_and_says_goodbye),
    cmocka_unit_test(a_host_that_closes_ends_the_session_at_once),
    cmocka_unit_test(a_host_says_why_it_gives_up),
    cmocka_unit_test(a_host_that_falls_silent_is_taken_for_gone),
    cmocka_unit_test(a_host_is_not_silent_while_nobody_could_speak),
    cmocka_unit_test(silence_before_the_first_heartbeat_is_borne),
    cmocka_unit_test(garbage_is_a_violation),
    cmocka_unit_test(a_workers_frame_from_a_host_is_a_violation),
    cmocka_unit_test(a_second_hello_is_a_violation),
    cmocka_unit_test(an_invoke_without_an_id_is_a_violation),
    cmocka_unit_test(an_invoke_after_terminate_is_a_violation),
    cmocka_unit_test(extensions_are_ignored),
    cmocka_unit_test(a_message_has_a_most_of_frames),
    cmocka_unit_test(what_follows_a_violation_is_not_read),
};

ISW_TEST_MAIN(tests)
