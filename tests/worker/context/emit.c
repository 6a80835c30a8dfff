/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs that leave while a function runs, or with its answer where nobody takes them before. */
#include "worker/session/streaming.h"

#include <stdio.h>

/* Emits from memory that it uses again, as a loop does. */
static isw_status emits(isw_context *ctx)
{
    isw_value set = isw_value_string("set");
    char text[8];

    for (int i = 1; i <= 3; i++) {
        isw_value value;

        snprintf(text, sizeof text, "no. %d", i);
        value = isw_value_string(text);
        if (isw_context_emit(ctx, i == 2 ? "rare" : "often", &value) != ISW_OK)
            return ISW_E_FAILED;
    }
    isw_context_set_output(ctx, "often", &set);
    return ISW_OK;
}

static isw_status fails_at_last(isw_context *ctx)
{
    isw_value value = isw_value_int(1);

    isw_context_emit(ctx, "often", &value);
    return isw_fail(ctx, ISW_E_FAILED, "too bad");
}

static isw_status emits_what_it_did_not_declare(isw_context *ctx)
{
    isw_value value = isw_value_int(1);

    return isw_context_emit(ctx, "oftne", &value);
}

static isw_status emits_what_cannot_travel(isw_context *ctx)
{
    isw_value value = isw_value_string("\xff");

    return isw_context_emit(ctx, "often", &value);
}

static isw_status puts_beyond_the_priorities(isw_context *ctx)
{
    const isw_queue_options options = { .priority = 101 };
    isw_value value = isw_value_int(1);

    return isw_queue_put(ctx, "often", &value, &options);
}

static char long_text[257];

static isw_status puts_a_long_id(isw_context *ctx)
{
    const isw_queue_options options = { .id = long_text };
    isw_value value = isw_value_int(1);

    return isw_queue_put(ctx, "often", &value, &options);
}

static isw_status puts_a_long_key(isw_context *ctx)
{
    const isw_queue_options options = { .id = long_text + 1, .key = long_text };
    isw_value value = isw_value_int(1);

    return isw_queue_put(ctx, "often", &value, &options);
}

static isw_status puts_within_the_priorities(isw_context *ctx)
{
    isw_queue_options options = { .priority = -100 };
    isw_value value = isw_value_int(1);
    isw_status status = isw_queue_put(ctx, "often", &value, &options);

    options.priority = 100;
    return status == ISW_OK ? isw_queue_put(ctx, "often", &value, &options) : status;
}

static void emit_late(isw_context *ctx, void *user)
{
    isw_value value = isw_value_int(1);

    *(isw_status *)user = isw_context_emit(ctx, "often", &value);
}

static isw_status late_status;

static isw_status emits_after_its_answer(isw_context *ctx)
{
    return isw_context_after(ctx, emit_late, &late_status);
}

enum {
    EMITS,
    FAILS_AT_LAST,
    NOT_DECLARED,
    CANNOT_TRAVEL,
    AFTER_ITS_ANSWER,
    BEYOND,
    WITHIN,
    LONG_ID,
    LONG_KEY
};

static const isw_binding bindings[] = {
    { .name = "source", .type = "t", .direction = ISW_IN },
    { .name = "often", .type = "queue", .direction = ISW_OUT },
    { .name = "rare", .type = "queue", .direction = ISW_OUT },
    { 0 },
};

#define EMITTING(function)                                                      \
    { .name = #function, .trigger = ISW_TRIGGER("timer", NULL),                 \
      .handler = function, .bindings = bindings }

static const isw_function functions[] = {
    EMITTING(emits),
    EMITTING(fails_at_last),
    EMITTING(emits_what_it_did_not_declare),
    EMITTING(emits_what_cannot_travel),
    EMITTING(emits_after_its_answer),
    EMITTING(puts_beyond_the_priorities),
    EMITTING(puts_within_the_priorities),
    EMITTING(puts_a_long_id),
    EMITTING(puts_a_long_key),
    { 0 },
};

static void expect_output(streaming *s, uint64_t id, const char *name, const char *value)
{
    const iswi_frame *frame = host_expect(&s->host, ISWI_OUTPUT);

    assert_int_equal(frame->id, id);
    assert_text(frame->as.output.name, name);
    assert_text(frame->as.output.value.as.string, value);
}

static void what_is_emitted_leaves_at_once_and_stays_out(void **state)
{
    const iswi_response *response;
    streaming s;

    (void)state;
    streaming_begin(&s, functions, HOST_STREAMS, "worker: {}\n");
    host_invoke(&s.host, 4, EMITS, NULL);
    expect_output(&s, 4, "often", "no. 1");
    expect_output(&s, 4, "rare", "no. 2");
    expect_output(&s, 4, "often", "no. 3");
    response = answer_to(&s, 4);
    assert_int_equal(response->outputs.count, 1);
    assert_text(response->outputs.items[0].value.as.string, "set");
    host_invoke(&s.host, 5, FAILS_AT_LAST, NULL);
    host_expect(&s.host, ISWI_OUTPUT);
    assert_int_equal(answer_to(&s, 5)->outcome, ISW_OUTCOME_FAILED);
    streaming_end(&s);
}

static const isw_value *output_of(const isw_map *outputs, const char *name)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (isw_str_equal(outputs->items[i].name, isw_str_of(name)))
            return &outputs->items[i].value;
    fail_msg("there is no output %s", name);
    return NULL;
}

static void without_the_capability_it_leaves_with_the_answer(void **state)
{
    const isw_value *often;
    const iswi_response *response;
    streaming s;

    (void)state;
    streaming_begin(&s, functions, 0, "worker: {}\n");
    host_invoke(&s.host, 4, EMITS, NULL);
    response = answer_to(&s, 4);
    assert_int_equal(response->outputs.count, 2);
    often = output_of(&response->outputs, "often");
    assert_int_equal(often->type, ISW_VALUE_ARRAY);
    assert_int_equal(often->as.array.count, 3);
    assert_text(often->as.array.items[0].as.string, "no. 1");
    assert_text(often->as.array.items[1].as.string, "no. 3");
    assert_text(often->as.array.items[2].as.string, "set");
    assert_text(output_of(&response->outputs, "rare")->as.string, "no. 2");
    host_invoke(&s.host, 5, FAILS_AT_LAST, NULL);
    assert_int_equal(answer_to(&s, 5)->outputs.count, 0);
    streaming_end(&s);
}

static void assert_refused(streaming *s, uint64_t function, isw_status status, const char *message)
{
    const iswi_response *response;

    host_invoke(&s->host, 1, function, NULL);
    response = answer_to(s, 1);
    assert_int_equal(response->status.code, status);
    assert_in_range(response->status.message.size, strlen(message), 1024);
    assert_memory_equal(response->status.message.data, message, strlen(message));
}

static void what_cannot_be_emitted_is_refused_by_name(void **state)
{
    (void)state;
    for (unsigned ways = 0; ways <= HOST_STREAMS; ways++) {
        streaming s;

        streaming_begin(&s, functions, ways, "worker: {}\n");
        assert_refused(&s, NOT_DECLARED, ISW_E_FAILED,
                       "function emits_what_it_did_not_declare has no output \"oftne\"; declared: "
                       "often, rare");
        assert_refused(&s, CANNOT_TRAVEL, ISW_E_FAILED,
                       "a value of output \"often\" cannot travel: output");
        late_status = ISW_OK;
        host_invoke(&s.host, 2, AFTER_ITS_ANSWER, NULL);
        answer_to(&s, 2);
        streaming_end(&s); /* joins its threads */
        assert_int_equal(late_status, ISW_E_CONFLICT);
    }
}

static void a_priority_is_within_its_range(void **state)
{
    streaming s;

    (void)state;
    streaming_begin(&s, functions, 0, "worker: {}\n");
    assert_refused(&s, BEYOND, ISW_E_FAILED,
                   "isw_queue_put: the priority 101 is not from -100 to 100");
    host_invoke(&s.host, 2, WITHIN, NULL);
    assert_int_equal(answer_to(&s, 2)->outcome, ISW_OUTCOME_SUCCESS);
    streaming_end(&s);
}

static void ids_and_keys_are_short(void **state)
{
    streaming s;

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    streaming_begin(&s, functions, 0, "worker: {}\n");
    assert_refused(&s, LONG_ID, ISW_E_FAILED,
                   "isw_queue_put: the id of a message has at most 255 bytes, not 256");
    assert_refused(&s, LONG_KEY, ISW_E_FAILED,
                   "isw_queue_put: the key of a message has at most 255 bytes, not 256");
    streaming_end(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_emitted_leaves_at_once_and_stays_out),
    cmocka_unit_test(without_the_capability_it_leaves_with_the_answer),
    cmocka_unit_test(what_cannot_be_emitted_is_refused_by_name),
    cmocka_unit_test(a_priority_is_within_its_range),
    cmocka_unit_test(ids_and_keys_are_short),
};

ISW_TEST_MAIN(tests)
