/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on their way to the host: order, levels, and text that needs care. */
#include "worker/support.h"

#include "support/scripted_host.h"


static isw_status logs(isw_context *ctx)
{
    isw_named_value field = isw_named("n", isw_value_int(3));

    isw_log(ctx, ISW_LOG_DEBUG, "debug");
    isw_log_push_scope(ctx, "scope", "s");
    isw_log_fields(ctx, ISW_LOG_INFO, NULL, &field, 1, "info");
    isw_log_fields(ctx, ISW_LOG_WARNING, "Other", NULL, 0, "warning");
    return ISW_OK;
}

static isw_status logs_bytes(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "bad \xff byte");
    return ISW_OK;
}

/* One byte, then letters of two: the greatest length falls into a letter. */
static isw_status logs_at_length(isw_context *ctx)
{
    enum { LETTERS = ISWI_TEXT_MAX };
    char *text = isw_context_alloc(ctx, 2 + 2 * LETTERS);

    text[0] = 'x';
    for (size_t i = 0; i < LETTERS; i++)
        memcpy(text + 1 + 2 * i, "\xc3\xbc", 2);
    text[1 + 2 * LETTERS] = '\0';
    isw_log(ctx, ISW_LOG_INFO, "%s", text);
    return ISW_OK;
}

static const isw_function functions[] = {
    { .name = "logs", .trigger = ISW_TRIGGER("t", NULL), .handler = logs },
    { .name = "bytes", .trigger = ISW_TRIGGER("t", NULL), .handler = logs_bytes },
    { .name = "length", .trigger = ISW_TRIGGER("t", NULL), .handler = logs_at_length },
    { 0 },
};

typedef struct session {
    isw_worker *worker;
    scripted_host host;
} session;

/* A session whose host wants these levels; function `which` is invoked as id 4. */
static void begin(session *s, uint64_t which, const isw_pair *levels, size_t count)
{
    isw_pairs pairs = { levels, count };
    isw_error error = { 0 };

    if (make_worker(functions, "worker: {}\n", &s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    host_start(&s->host, s->worker);
    host_expect(&s->host, ISWI_WORKER_HELLO);
    host_send_hello(&s->host, &pairs);
    host_expect(&s->host, ISWI_CREDIT);
    host_load(&s->host, which, functions[which].name);
    host_expect(&s->host, ISWI_LOADED);
    host_invoke(&s->host, 4, which, NULL);
}

static void finish(session *s)
{
    assert_int_equal(host_expect(&s->host, ISWI_RESPONSE)->as.response.outcome,
                     ISW_OUTCOME_SUCCESS);
    host_close(&s->host);
    assert_int_equal(host_join(&s->host), ISW_E_CLOSED);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

static const iswi_log *expect_line(session *s, isw_log_level level, const char *category,
                                   const char *message)
{
    const iswi_frame *frame = host_expect(&s->host, ISWI_LOG);
    const iswi_log *line = &frame->as.log;

    assert_int_equal(frame->id, 4);
    assert_int_equal(line->level, level);
    assert_true(isw_str_equal(line->category, isw_str_of(category)));
    assert_true(isw_str_equal(line->message, isw_str_of(message)));
    return line;
}

static void lines_precede_the_response(void **state)
{
    const iswi_log *line;
    session s;

    (void)state;
    begin(&s, 0, NULL, 0);
    line = expect_line(&s, ISW_LOG_INFO, "Function.logs", "info");
    assert_int_equal(line->fields.count, 2);
    assert_true(isw_str_equal(line->fields.items[0].name, isw_str_of("scope")));
    assert_int_equal(line->fields.items[1].value.as.integer, 3);
    assert_true(line->time_us > UINT64_C(1500000000000000));
    expect_line(&s, ISW_LOG_WARNING, "Other", "warning");
    finish(&s);
}

static void levels_of_the_host_are_obeyed(void **state)
{
    const isw_pair levels[] = {
        { isw_str_of("*"), isw_str_of("error") },
        { isw_str_of("Function.*"), isw_str_of("trace") },
    };
    session s;

    (void)state;
    begin(&s, 0, levels, 2);
    expect_line(&s, ISW_LOG_DEBUG, "Function.logs", "debug");
    expect_line(&s, ISW_LOG_INFO, "Function.logs", "info");
    finish(&s);
}

static void the_last_pattern_that_matches_counts(void **state)
{
    const isw_pair levels[] = {
        { isw_str_of("Function.logs"), isw_str_of("trace") },
        { isw_str_of("*"), isw_str_of("nonsense") }, /* no level: no rule */
        { isw_str_of("Function.l?gs"), isw_str_of("none") },
    };
    session s;

    (void)state;
    begin(&s, 0, levels, 3);
    expect_line(&s, ISW_LOG_WARNING, "Other", "warning");
    finish(&s);
}

static void a_line_that_is_not_utf8_arrives_escaped(void **state)
{
    session s;

    (void)state;
    begin(&s, 1, NULL, 0);
    expect_line(&s, ISW_LOG_INFO, "Function", "bad \\xff byte");
    finish(&s);
}

static void a_line_is_cut_between_two_characters(void **state)
{
    const iswi_log *line;
    session s;

    (void)state;
    begin(&s, 2, NULL, 0);
    line = &host_expect(&s.host, ISWI_LOG)->as.log;
    assert_int_equal(line->message.size, ISWI_TEXT_MAX - 1);
    assert_memory_equal(line->message.data, "x\xc3\xbc", 3);
    assert_true(isw_str_equal(line->category, isw_str_of("Function.length")));
    finish(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lines_precede_the_response),
    cmocka_unit_test(levels_of_the_host_are_obeyed),
    cmocka_unit_test(the_last_pattern_that_matches_counts),
    cmocka_unit_test(a_line_that_is_not_utf8_arrives_escaped),
    cmocka_unit_test(a_line_is_cut_between_two_characters),
};

ISW_TEST_MAIN(tests)
