/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs, outputs, memory, items, time: what a handler and the middleware around it see. */
#include "worker/support.h"

#include <stdio.h>
#include <string.h>

static void assert_succeeded(const run *r)
{
    if (r->result.outcome != ISW_OUTCOME_SUCCESS)
        fail_msg("%s", r->result.failure.message);
}

/* -- Inputs, result, outputs ------------------------------------------------------------------- */

static isw_status reads_the_trigger(isw_context *ctx)
{
    const isw_value *trigger = isw_context_trigger(ctx);

    assert_ptr_equal(isw_context_input(ctx, "trigger"), trigger);
    assert_null(isw_context_input(ctx, "other"));
    assert_null(isw_context_trigger_metadata(ctx, "any"));
    return isw_context_set_result(ctx, trigger);
}

static void the_triggers_data_is_an_input(void **state)
{
    isw_value input = isw_value_int(42);
    run r;

    (void)state;
    run_function(&r, reads_the_trigger, NULL, &input);
    assert_succeeded(&r);
    assert_int_equal(r.result.result.as.integer, 42);
    run_fini(&r);
}

static void no_input_is_data_of_type_none(void **state)
{
    run r;

    (void)state;
    run_function(&r, reads_the_trigger, NULL, NULL);
    assert_succeeded(&r);
    assert_int_equal(r.result.result.type, ISW_VALUE_NONE);
    run_fini(&r);
}

static isw_status replaces_inputs(isw_context *ctx, const isw_next *next)
{
    isw_value trigger = isw_value_string("instead");
    isw_value first = isw_value_int(1);
    isw_value second = isw_value_int(2);

    isw_context_set_input(ctx, "trigger", &trigger);
    isw_context_set_input(ctx, "extra", &first);
    isw_context_set_input(ctx, "extra", &second);
    return isw_next_run(next, ctx);
}

static isw_status sees_replaced_inputs(isw_context *ctx)
{
    isw_str text = isw_context_trigger(ctx)->as.string;

    assert_true(isw_str_equal(text, isw_str_of("instead")));
    assert_true(isw_str_equal(isw_context_input(ctx, "trigger")->as.string, text));
    assert_int_equal(isw_context_input(ctx, "extra")->as.integer, 2);
    return ISW_OK;
}

static void what_middleware_sets_the_handler_sees(void **state)
{
    isw_value input = isw_value_int(42);
    run r;

    (void)state;
    around = replaces_inputs;
    run_function(&r, sees_replaced_inputs, AROUND, &input);
    assert_succeeded(&r);
    run_fini(&r);
}

static isw_status sets_and_takes_back(isw_context *ctx)
{
    isw_value data = isw_value_string("x");

    assert_null(isw_context_result(ctx));
    isw_context_set_result(ctx, &data);
    assert_int_equal(isw_context_result(ctx)->type, ISW_VALUE_STRING);
    isw_context_set_result(ctx, NULL);
    assert_null(isw_context_result(ctx));
    return ISW_OK;
}

static void a_result_can_be_taken_back(void **state)
{
    run r;

    (void)state;
    run_function(&r, sets_and_takes_back, NULL, NULL);
    assert_succeeded(&r);
    assert_int_equal(r.result.result.type, ISW_VALUE_NONE);
    run_fini(&r);
}

/* On the stack of a function that returns before the answer is looked at. */
static isw_status sets_nested(isw_context *ctx)
{
    isw_value inner[2] = { isw_value_int(1), isw_value_int(2) };
    isw_named_value members[1] = { isw_named("list", isw_value_array(inner, 2)) };
    isw_value value = isw_value_map(members, 1);
    isw_status status = isw_context_set_result(ctx, &value);

    memset(inner, 0, sizeof inner);
    memset(members, 0, sizeof members);
    return status;
}

static void arrays_and_maps_of_a_result_are_copied(void **state)
{
    const isw_named_value *member;
    run r;

    (void)state;
    run_function(&r, sets_nested, NULL, NULL);
    assert_succeeded(&r);
    member = &r.result.result.as.map.items[0];
    assert_true(isw_str_equal(member->name, isw_str_of("list")));
    assert_int_equal(member->value.as.array.items[1].as.integer, 2);
    run_fini(&r);
}

static isw_status sets_outputs(isw_context *ctx)
{
    isw_value one = isw_value_int(1);
    isw_value two = isw_value_int(2);

    assert_null(isw_context_output(ctx, "out"));
    assert_int_equal(isw_context_set_output(ctx, "out", &one), ISW_OK);
    assert_int_equal(isw_context_set_output(ctx, "out", &two), ISW_OK);
    assert_int_equal(isw_context_set_output(ctx, "both", &one), ISW_OK);
    assert_int_equal(isw_context_set_output(ctx, "in", &one), ISW_E_NOT_FOUND);
    isw_context_recover(ctx);
    assert_int_equal(isw_context_set_output(ctx, "undeclared", &one), ISW_E_NOT_FOUND);
    assert_string_equal(isw_context_failure(ctx)->message,
                        "function f has no output \"undeclared\"; declared: out, both, spare");
    isw_context_recover(ctx);
    assert_int_equal(isw_context_set_output(ctx, "spare", &one), ISW_OK);
    assert_int_equal(isw_context_set_output(ctx, "spare", NULL), ISW_OK);
    assert_int_equal(isw_context_outputs(ctx).count, 2);
    assert_int_equal(isw_context_output(ctx, "out")->as.integer, 2);
    return ISW_OK;
}

static void only_declared_outputs_are_taken(void **state)
{
    static const isw_binding bindings[] = {
        { .name = "in", .type = "queue", .direction = ISW_IN },
        { .name = "out", .type = "queue", .direction = ISW_OUT },
        { .name = "both", .type = "queue", .direction = ISW_INOUT },
        { .name = "spare", .type = "queue", .direction = ISW_OUT },
        { 0 },
    };
    const isw_function functions[] = {
        { .name = "f", .trigger = ISW_TRIGGER("timer", NULL), .handler = sets_outputs,
          .bindings = bindings },
        { 0 },
    };
    isw_invocation result;
    isw_worker *worker;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(make_worker(functions, "worker: {}\n", &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_invoke(worker, "f", NULL, &result, &error), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(result.output_count, 2);
    assert_true(isw_str_equal(result.outputs[0].name, isw_str_of("out")));
    assert_int_equal(result.outputs[0].value.as.integer, 2);
    assert_true(isw_str_equal(result.outputs[1].name, isw_str_of("both")));
    isw_invocation_free(&result);
    isw_worker_destroy(worker);
}

/* -- Items, memory, the caller ----------------------------------------------------------------- */

static unsigned destroyed[3];

static void destroy_item(void *item)
{
    ++*(unsigned *)item;
}

static const isw_item_key counted = { "counted", destroy_item };
static const isw_item_key twin = { "counted", destroy_item };
static const isw_item_key plain = { "plain", NULL };

static isw_status keeps_items(isw_context *ctx)
{
    assert_null(isw_context_item(ctx, &counted));
    isw_context_set_item(ctx, &counted, &destroyed[0]);
    isw_context_set_item(ctx, &counted, &destroyed[0]); /* the same again is no replacement */
    assert_int_equal(destroyed[0], 0);
    isw_context_set_item(ctx, &counted, &destroyed[1]);
    assert_int_equal(destroyed[0], 1);
    assert_ptr_equal(isw_context_item(ctx, &counted), &destroyed[1]);
    isw_context_set_item(ctx, &twin, &destroyed[2]);
    isw_context_set_item(ctx, &twin, NULL);
    assert_int_equal(destroyed[2], 1);
    assert_null(isw_context_item(ctx, &twin));
    isw_context_set_item(ctx, &plain, ctx);
    return ISW_OK;
}

static void each_item_is_destroyed_once(void **state)
{
    run r;

    (void)state;
    memset(destroyed, 0, sizeof destroyed);
    run_function(&r, keeps_items, NULL, NULL);
    assert_succeeded(&r);
    assert_int_equal(destroyed[1], 0);
    run_fini(&r);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(destroyed[i], 1);
}

static isw_status makes_texts(isw_context *ctx)
{
    char *copy = isw_context_strndup(ctx, "abcdef", 3);
    char *text = isw_context_printf(ctx, "%s-%d", copy, 7);
    char *large = isw_context_alloc(ctx, 100000);

    assert_string_equal(copy, "abc");
    assert_string_equal(text, "abc-7");
    memset(large, 'x', 100000);
    assert_int_equal((uintptr_t)isw_context_alloc(ctx, 1) % _Alignof(max_align_t), 0);
    assert_string_equal(isw_context_json_string(ctx, "a\"\n\xff"), "\"a\\\"\\n\\ufffd\"");
    return isw_context_set_result(ctx, &(isw_value){ .type = ISW_VALUE_STRING,
                                                    .as.string = isw_str_of(text) });
}

static void texts_live_until_the_invocation_is_freed(void **state)
{
    run r;

    (void)state;
    run_function(&r, makes_texts, NULL, NULL);
    assert_succeeded(&r);
    assert_true(isw_str_equal(r.result.result.as.string, isw_str_of("abc-7")));
    run_fini(&r);
}

static const isw_principal somebody = { .subject = { "ann", 3 } };

static isw_status identifies(isw_context *ctx, const isw_next *next)
{
    isw_principal own = somebody; /* gone before the answer is made */

    assert_null(isw_context_principal(ctx));
    isw_context_set_principal(ctx, &own);
    return isw_next_run(next, ctx);
}

static isw_status knows_the_caller(isw_context *ctx)
{
    const isw_function *function = isw_context_function(ctx);

    assert_memory_equal(isw_context_principal(ctx), &somebody, sizeof somebody);
    assert_string_equal(function->name, "sample");
    assert_int_equal(strlen(isw_context_invocation_id(ctx)), 32);
    assert_int_equal(isw_context_trace(ctx)->parent.size, 0);
    assert_int_equal(isw_context_retry(ctx)->count, 0);
    return ISW_OK;
}

static void a_handler_knows_who_and_what_it_is(void **state)
{
    run r;

    (void)state;
    around = identifies;
    run_function(&r, knows_the_caller, AROUND, NULL);
    assert_succeeded(&r);
    run_fini(&r);
}

/* -- Time -------------------------------------------------------------------------------------- */

static isw_status has_time(isw_context *ctx)
{
    assert_true(isw_context_remaining_ms(ctx) == INT64_MAX);
    assert_false(isw_context_cancelled(ctx));
    assert_int_equal(isw_context_sleep(ctx, 1), ISW_OK);
    assert_true(isw_context_elapsed_us(ctx) >= 1000);
    return ISW_OK;
}

static void without_a_deadline_there_is_time(void **state)
{
    run r;

    (void)state;
    run_function(&r, has_time, NULL, NULL);
    assert_succeeded(&r);
    assert_true(r.result.duration_us >= 1000);
    run_fini(&r);
}

static isw_status runs_out_of_time(isw_context *ctx)
{
    assert_true(isw_context_remaining_ms(ctx) <= 20);
    assert_int_equal(isw_context_sleep(ctx, 60000), ISW_E_CANCELLED);
    assert_int_equal(isw_context_remaining_ms(ctx), 0);
    assert_true(isw_context_cancelled(ctx));
    return ISW_E_CANCELLED;
}

static void a_deadline_cuts_a_sleep_short(void **state)
{
    const isw_function functions[] = {
        { .name = "f", .trigger = ISW_TRIGGER("timer", NULL), .handler = runs_out_of_time,
          .timeout_ms = 20 },
        { 0 },
    };
    isw_invocation result;
    isw_worker *worker;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(make_worker(functions, "worker: {}\n", &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_invoke(worker, "f", NULL, &result, &error), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_CANCELLED);
    assert_true(result.duration_us >= 20000 && result.duration_us < 30000000);
    isw_invocation_free(&result);
    isw_worker_destroy(worker);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_triggers_data_is_an_input),
    cmocka_unit_test(no_input_is_data_of_type_none),
    cmocka_unit_test(what_middleware_sets_the_handler_sees),
    cmocka_unit_test(a_result_can_be_taken_back),
    cmocka_unit_test(arrays_and_maps_of_a_result_are_copied),
    cmocka_unit_test(only_declared_outputs_are_taken),
    cmocka_unit_test(each_item_is_destroyed_once),
    cmocka_unit_test(texts_live_until_the_invocation_is_freed),
    cmocka_unit_test(a_handler_knows_who_and_what_it_is),
    cmocka_unit_test(without_a_deadline_there_is_time),
    cmocka_unit_test(a_deadline_cuts_a_sleep_short),
};

ISW_TEST_MAIN(tests)
