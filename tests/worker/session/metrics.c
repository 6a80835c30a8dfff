/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells its host of its metrics: asked, and before goodbye. */
#include "worker/support.h"

#include "support/scripted_host.h"

#include <stdio.h>

static const isw_metric seen = { .name = "seen_total", .help = "Seen.", .type = ISW_COUNTER,
                                 .labels = { "what" } };

static isw_status counts(isw_context *ctx)
{
    isw_series_add(isw_metric_series(isw_context_metrics(ctx), &seen, "timer", NULL), 1);
    return ISW_OK;
}

static const isw_function functions[] = {
    { .name = "f", .trigger = ISW_TRIGGER("timer", NULL), .handler = counts },
    { 0 },
};

typedef struct session {
    isw_worker *worker;
    scripted_host host;
} session;

static void begin(session *s, unsigned ways)
{
    isw_error error = { 0 };

    if (make_worker(functions, "middleware: [metrics]\n", &s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    host_start_with(&s->host, s->worker, ways);
    host_greet(&s->host);
    host_load(&s->host, 0, "f");
    host_expect(&s->host, ISWI_LOADED);
}

static void invoke(session *s)
{
    host_invoke(&s->host, 5, 0, NULL);
    assert_int_equal(host_expect_answer(&s->host)->as.response.outcome, ISW_OUTCOME_SUCCESS);
}

static void finish(session *s)
{
    host_close(&s->host);
    host_join(&s->host);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

static const iswi_wire_family *family_of(const iswi_frame *frame, const char *name)
{
    const iswi_wire_metrics *metrics = &frame->as.metrics;

    for (size_t i = 0; i < metrics->families.count; i++)
        if (isw_str_equal(metrics->families.items[i].name, isw_str_of(name)))
            return &metrics->families.items[i];
    fail_msg("nothing is told of %s", name);
    return NULL;
}

static double value_of(const iswi_frame *frame, const char *name)
{
    return family_of(frame, name)->series.items[0].value.as.real;
}

static void a_request_is_answered_by_what_has_changed(void **state)
{
    const iswi_frame *frame;
    session s;

    (void)state;
    begin(&s, HOST_METRICS);
    host_send_kind(&s.host, ISWI_METRICS_REQUEST, 70);
    frame = host_expect(&s.host, ISWI_METRICS);
    assert_int_equal(frame->id, 70);
    assert_int_equal(frame->as.metrics.families.count, 0);
    invoke(&s);
    invoke(&s);
    host_send_kind(&s.host, ISWI_METRICS_REQUEST, 71);
    frame = host_expect(&s.host, ISWI_METRICS);
    assert_true(value_of(frame, "seen_total") == 2);
    assert_true(value_of(frame, "isoworker_invocations_total") == 2);
    assert_int_equal(family_of(frame, "isoworker_invocation_duration_seconds")->type,
                     ISWI_METRIC_HISTOGRAM);
    invoke(&s);
    host_send_kind(&s.host, ISWI_METRICS_REQUEST, 72);
    frame = host_expect(&s.host, ISWI_METRICS);
    assert_true(value_of(frame, "seen_total") == 1);
    finish(&s);
}

static void what_is_left_is_told_before_goodbye(void **state)
{
    const iswi_frame *frame;
    session s;

    (void)state;
    begin(&s, HOST_METRICS | HOST_RING);
    invoke(&s);
    host_send(&s.host, &(iswi_frame){ .kind = ISWI_TERMINATE, .as.terminate.grace_ms = 5000 });
    frame = host_expect(&s.host, ISWI_METRICS);
    assert_int_equal(frame->id, 0);
    assert_true(value_of(frame, "seen_total") == 1);
    host_expect(&s.host, ISWI_GOODBYE);
    finish(&s);
}

static void a_host_that_does_not_take_metrics_gets_none(void **state)
{
    session s;

    (void)state;
    begin(&s, 0);
    invoke(&s);
    host_send(&s.host, &(iswi_frame){ .kind = ISWI_TERMINATE, .as.terminate.grace_ms = 5000 });
    host_expect(&s.host, ISWI_GOODBYE);
    finish(&s);
}

static void what_is_long_comes_in_frames_of_one_id(void **state)
{
    size_t series = 0;
    bool more = true;
    session s;

    (void)state;
    begin(&s, HOST_METRICS);
    for (int i = 0; i < 1000; i++) {
        char label[16];

        snprintf(label, sizeof label, "%d", i);
        isw_metric_series(isw_worker_metrics(s.worker), &seen, label, NULL);
    }
    host_send_kind(&s.host, ISWI_METRICS_REQUEST, 73);
    while (more) {
        const iswi_frame *frame = host_expect(&s.host, ISWI_METRICS);

        assert_int_equal(frame->id, 73);
        series += frame->as.metrics.families.items[0].series.count;
        more = frame->as.metrics.more;
    }
    assert_int_equal(series, 1000);
    finish(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_request_is_answered_by_what_has_changed),
    cmocka_unit_test(what_is_left_is_told_before_goodbye),
    cmocka_unit_test(a_host_that_does_not_take_metrics_gets_none),
    cmocka_unit_test(what_is_long_comes_in_frames_of_one_id),
};

ISW_TEST_MAIN(tests)
