/* SPDX-License-Identifier: Apache-2.0 */
/* Order and counts of a chain, by what its members write into a trace. */
#include "pipeline/support.h"

#include <stdio.h>

static const isw_function sample = { .name = "sample", .trigger = ISW_HTTP(NULL, NULL) };

/* -- Order ------------------------------------------------------------------------------------- */

static void list_order_is_execution_order(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[mark: {as: a}, mark: {as: b}, mark: {as: c}]");
    assert_trace(&f, "a(b(c(handler)))");
    assert_trace(&f, "a(b(c(handler)))");
    fixture_fini(&f);
}

static void an_empty_chain_is_the_handler_alone(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[]");
    assert_trace(&f, "handler");
    fixture_fini(&f);
}

static void no_pipeline_at_all_is_an_empty_chain(void **state)
{
    isw_context ctx = { .trace = "" };
    fixture f;

    (void)state;
    fixture_init(&f, "[]");
    iswi_pipeline_destroy(f.pipeline);
    f.pipeline = NULL;
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_OK);
    assert_string_equal(ctx.trace, "handler");
    fixture_fini(&f);
}

static void one_who_does_not_call_next_ends_the_way_in(void **state)
{
    isw_context ctx = { .trace = "" };
    fixture f;

    (void)state;
    fixture_init(&f, "[mark: {as: a}, block, mark: {as: b}]");
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_E_FORBIDDEN);
    assert_string_equal(ctx.trace, "a(block)");
    assert_int_equal(ctx.run.failure.status, ISW_E_FORBIDDEN);
    fixture_fini(&f);
}

static void a_chain_names_its_steps(void **state)
{
    iswi_chain chain;
    fixture f;

    (void)state;
    fixture_init(&f, "[again, mark: {when: {functions: [other]}}, block]");
    assert_int_equal(iswi_pipeline_chain(f.pipeline, &sample, (iswi_ends){ .handler = NULL },
                                         &f.arena, &chain), ISW_OK);
    assert_int_equal(chain.count, 2);
    assert_string_equal(iswi_step_name(&chain.steps[0]), "again");
    assert_string_equal(iswi_step_name(&chain.steps[1]), "block");
    fixture_fini(&f);
}

/* -- Retry and state --------------------------------------------------------------------------- */

static void a_retry_runs_the_rest_again(void **state)
{
    isw_context ctx = { .trace = "", .failures_left = 2 };
    fixture f;

    (void)state;
    fixture_init(&f, "[mark: {as: a}, again: {times: 5}, mark: {as: b}]");
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_OK);
    assert_string_equal(ctx.trace, "a(b(handler)b(handler)b(handler))");
    assert_int_equal(ctx.run.failure.status, ISW_OK);
    fixture_fini(&f);
}

static void a_retry_gives_fresh_invocation_state_inside_it(void **state)
{
    isw_context ctx = { .trace = "", .failures_left = 2 };
    fixture f;

    (void)state;
    fixture_init(&f, "[count: {as: o}, again, count: {as: i}]");
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_OK);
    assert_string_equal(ctx.trace, "o1.1 i1.1 handleri1.2 handleri1.3 handler");
    fixture_fini(&f);
}

static void retries_nest(void **state)
{
    isw_context ctx = { .trace = "", .failures_left = 100 };
    fixture f;

    (void)state;
    fixture_init(&f, "[again: {times: 2}, mark: {as: m}, again: {times: 3}]");
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_E_UNAVAILABLE);
    assert_string_equal(ctx.trace, "m(handlerhandlerhandler)m(handlerhandlerhandler)");
    fixture_fini(&f);
}

static void state_belongs_to_the_entry_not_to_the_name(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[count: {as: a}, count: {as: b, when: {functions: [sample]}}]");
    assert_trace(&f, "a1.1 b1.1 handler");
    assert_trace(&f, "a1.2 b1.2 handler");
    fixture_fini(&f);
}

static void invocation_state_is_aligned_for_any_type(void **state)
{
    iswi_chain chain;
    fixture f;

    (void)state;
    fixture_init(&f, "[count, count, count]");
    assert_int_equal(iswi_pipeline_chain(f.pipeline, &sample, (iswi_ends){ .handler = NULL },
                                         &f.arena, &chain), ISW_OK);
    for (size_t i = 0; i < chain.count; i++)
        assert_int_equal(chain.steps[i].state_offset % _Alignof(max_align_t), 0);
    fixture_fini(&f);
}

/* -- Facts ------------------------------------------------------------------------------------- */

static void ask(fixture *f, const char *yaml, iswi_facts *facts)
{
    iswi_chain chain;

    fixture_init(f, yaml);
    assert_int_equal(iswi_pipeline_chain(f->pipeline, &sample, (iswi_ends){ .handler = NULL },
                                         &f->arena, &chain), ISW_OK);
    assert_int_equal(iswi_chain_facts(&chain, &f->arena, facts), ISW_OK);
}

static void the_middleware_of_a_chain_tell_their_facts(void **state)
{
    iswi_facts facts;
    fixture f;

    (void)state;
    ask(&f, "[mark, old: {as: o}, teller: {as: a}, teller: {as: b}]", &facts);
    assert_int_equal(facts.secrets.count, 4);
    assert_true(isw_str_equal(facts.secrets.items[0].name, isw_str_of("header")));
    assert_true(isw_str_equal(facts.secrets.items[1].name, isw_str_of("anywhere")));
    assert_true(isw_str_equal(facts.secrets.items[1].value, isw_str_of("a")));
    assert_true(isw_str_equal(facts.secrets.items[2].value, isw_str_of("b")));
    assert_string_equal(facts.cors->origins[0], "a"); /* the outermost */
    assert_string_equal(facts.cors->expose, "");
    fixture_fini(&f);
}

static void what_comes_and_goes_with_the_request_tells_its_secrets_alone(void **state)
{
    iswi_facts facts;
    fixture f;

    (void)state;
    ask(&f, "[teller: {as: a, when: {header: x}}, teller: {as: b, when: {except: [sample]}}]",
        &facts);
    assert_int_equal(facts.secrets.count, 2);
    assert_null(facts.cors);
    fixture_fini(&f);
}

/* -- Failure ----------------------------------------------------------------------------------- */

static void a_bare_status_is_recorded_with_its_text(void **state)
{
    isw_context ctx = { .trace = "", .failures_left = 1 };
    fixture f;

    (void)state;
    fixture_init(&f, "[mark]");
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_E_UNAVAILABLE);
    assert_int_equal(ctx.run.failure.status, ISW_E_UNAVAILABLE);
    assert_string_equal(ctx.run.failure.message, isw_status_text(ISW_E_UNAVAILABLE));
    fixture_fini(&f);
}

static void the_first_failure_stays(void **state)
{
    isw_context ctx = { .trace = "", .failures_left = 1 };
    fixture f;

    (void)state;
    ctx.run.failure = (isw_failure){ .status = ISW_E_CONFLICT, .message = "said before" };
    fixture_init(&f, "[mark]");
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_E_UNAVAILABLE);
    assert_int_equal(ctx.run.failure.status, ISW_E_CONFLICT);
    assert_string_equal(ctx.run.failure.message, "said before");
    fixture_fini(&f);
}

/* -- When -------------------------------------------------------------------------------------- */

static void assert_admitted(const char *when, const isw_function *function, bool admitted)
{
    isw_context ctx = { .trace = "" };
    char yaml[256];
    fixture f;

    snprintf(yaml, sizeof yaml, "[mark: {as: m, when: %s}]", when);
    fixture_init(&f, yaml);
    run_function(&f, &ctx, function);
    assert_string_equal(ctx.trace, admitted ? "m(handler)" : "handler");
    fixture_fini(&f);
}

static const isw_function users = { .name = "admin_users", .trigger = ISW_HTTP(NULL, NULL) };
static const isw_function nightly = { .name = "nightly", .trigger = ISW_TRIGGER("timer", NULL) };

static void when_chooses_by_trigger(void **state)
{
    (void)state;
    assert_admitted("{trigger: http}", &users, true);
    assert_admitted("{trigger: http}", &nightly, false);
    assert_admitted("{trigger: timer}", &nightly, true);
    assert_admitted("{}", &nightly, true);
}

static void when_chooses_by_function(void **state)
{
    (void)state;
    assert_admitted("{functions: ['admin_*']}", &users, true);
    assert_admitted("{functions: ['admin_*']}", &nightly, false);
    assert_admitted("{functions: ['admin_*', 'night?y']}", &nightly, true);
    assert_admitted("{functions: []}", &nightly, true);
}

static void when_excepts_functions(void **state)
{
    (void)state;
    assert_admitted("{except: ['*_users']}", &users, false);
    assert_admitted("{except: ['*_users']}", &nightly, true);
    assert_admitted("{functions: ['*'], except: [nightly]}", &nightly, false);
    assert_admitted("{functions: ['*'], except: [nightly]}", &users, true);
}

static void all_of_when_must_hold(void **state)
{
    (void)state;
    assert_admitted("{trigger: http, functions: ['admin_*']}", &users, true);
    assert_admitted("{trigger: timer, functions: ['admin_*']}", &users, false);
    assert_admitted("{trigger: timer, functions: ['*'], except: ['n*']}", &nightly, false);
}

static void when_chooses_by_metadata(void **state)
{
    const isw_property gold[] = { { "tier", "gold plus" }, { "audited", "" }, { 0 } };
    const isw_function function = { .name = "f", .trigger = { .type = "http" }, .metadata = gold };

    (void)state;
    assert_admitted("{metadata: [tier]}", &function, true);
    assert_admitted("{metadata: [\"tier=gold*\"]}", &function, true);
    assert_admitted("{metadata: [\"tier=gold*\", audited]}", &function, true);
    assert_admitted("{metadata: [\"tier=silver\"]}", &function, false);
    assert_admitted("{metadata: [tie]}", &function, false);
    assert_admitted("{metadata: [tier, owner]}", &function, false);
    assert_admitted("{metadata: [tier]}", &sample, false);
}

static void a_function_adds_and_leaves_out_by_name(void **state)
{
    const char *const mark[] = { "mark", NULL };
    const isw_function plain = { .name = "f", .trigger = { .type = "http" } };
    isw_function asking = plain;
    isw_function refusing = plain;

    (void)state;
    asking.with = mark;
    refusing.without = mark;
    assert_admitted("{on_request: true}", &plain, false);
    assert_admitted("{on_request: true}", &asking, true);
    assert_admitted("{}", &refusing, false);
    assert_admitted("{functions: [other], on_request: true}", &asking, false);
}

static void a_header_is_looked_for_in_each_request(void **state)
{
    isw_context without = { .trace = "" };
    isw_context with = { .trace = "", .header = "x-debug" };
    fixture f;

    (void)state;
    fixture_init(&f, "[mark: {as: a, when: {header: x-debug}}, mark: {as: b, when: {header: x-no}},"
                     " mark: {as: c}]");
    assert_int_equal(run_function(&f, &without, &sample), ISW_OK);
    assert_string_equal(without.trace, "c(handler)");
    assert_int_equal(run_function(&f, &with, &sample), ISW_OK);
    assert_string_equal(with.trace, "a(c(handler))");
    fixture_fini(&f);
}

static void names_that_no_entry_has_are_refused(void **state)
{
    const char *const known[] = { "mark", "block", NULL };
    const char *const odd[] = { "mark", "mork", NULL };
    fixture f;

    (void)state;
    fixture_init(&f, "[mark: {as: m}, block]");
    assert_int_equal(iswi_pipeline_knows(&f.list, "f", NULL, &f.arena, &f.error), ISW_OK);
    assert_int_equal(iswi_pipeline_knows(&f.list, "f", known, &f.arena, &f.error), ISW_OK);
    assert_int_equal(iswi_pipeline_knows(&f.list, "f", odd, &f.arena, &f.error), ISW_E_CONFIG);
    assert_string_equal(f.error.message,
                        "function f names the middleware \"mork\", which is not in the chain; the "
                        "chain has: mark, block");
    fixture_fini(&f);
}

/* -- Spans ------------------------------------------------------------------------------------- */

static void a_record_shows_how_each_step_ran(void **state)
{
    static const struct {
        const char *name;
        unsigned depth;
        isw_status status;
    } expected[] = { { "mark", 0, ISW_OK },
                     { "again", 1, ISW_OK },
                     { "handler", 2, ISW_E_UNAVAILABLE },
                     { "handler", 2, ISW_OK } };
    iswi_spans spans = { .count = 0 };
    isw_context ctx = { .trace = "", .failures_left = 1 };
    fixture f;

    (void)state;
    fixture_init(&f, "[mark: {as: m}, again]");
    spans.arena = &f.arena;
    ctx.run.spans = &spans;
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_OK);
    assert_int_equal(spans.count, 4);
    for (size_t i = 0; i < spans.count; i++) {
        assert_string_equal(spans.items[i].name, expected[i].name);
        assert_int_equal(spans.items[i].depth, expected[i].depth);
        assert_int_equal(spans.items[i].status, expected[i].status);
        assert_true(spans.items[i].start_ns <= spans.items[i].end_ns);
    }
    fixture_fini(&f);
}

static void a_record_grows(void **state)
{
    iswi_spans spans = { .count = 0 };
    isw_context ctx = { .trace = "", .failures_left = 30 };
    fixture f;

    (void)state;
    fixture_init(&f, "[again: {times: 40}]");
    spans.arena = &f.arena;
    ctx.run.spans = &spans;
    ctx.trace[sizeof ctx.trace - 1] = 0;
    run_function(&f, &ctx, &sample);
    assert_int_equal(spans.count, 32);
    assert_string_equal(spans.items[0].name, "again");
    assert_string_equal(spans.items[31].name, "handler");
    fixture_fini(&f);
}

static void a_misspelt_when_is_refused_with_its_place(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[mark: {when: {triger: http}}]");
    assert_int_equal(f.error.status, ISW_E_CONFIG);
    assert_memory_equal(f.error.message, "w.yaml:1:28: ", 13);
    assert_non_null(strstr(f.error.message, "trigger"));
    fixture_fini(&f);
}

/* -- Start and stop ---------------------------------------------------------------------------- */

static void instances_stop_in_reverse_order(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[live: {as: a}, mark, live: {as: b}, live: {as: c}]");
    assert_string_equal(life, "+a +b +c ");
    assert_trace(&f, "a(x(b(c(handler))))");
    fixture_fini(&f);
    assert_string_equal(life, "+a +b +c -c -b -a ");
}

static void an_instance_whose_entry_stays_lives_on_with_its_state(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[count: {as: c}, live: {as: a}, live: {as: b}]");
    assert_trace(&f, "c1.1 a(b(handler))");
    assert_int_equal(fixture_reload(&f, "[live: {as: b}, live: {as: d}, count: {as: c}]"), ISW_OK);
    assert_string_equal(life, "+a +b +d -a ");
    assert_trace(&f, "b(d(c1.2 handler))");
    fixture_fini(&f);
    assert_string_equal(life, "+a +b +d -a -d -b ");
}

static void other_options_make_another_instance(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[count: {as: c}, live: {as: a}, live: {as: a}]");
    assert_trace(&f, "c1.1 a(a(handler))");
    assert_int_equal(fixture_reload(&f, "[count: {as: e}, live: {as: a}]"), ISW_OK);
    assert_trace(&f, "e1.1 a(handler)");
    assert_string_equal(life, "+a +a -a ");
    fixture_fini(&f);
}

static void another_when_keeps_the_instance(void **state)
{
    isw_context ctx = { .trace = "" };
    fixture f;

    (void)state;
    fixture_init(&f, "[count: {as: c}]");
    assert_trace(&f, "c1.1 handler");
    assert_int_equal(fixture_reload(&f, "[count: {as: c, when: {functions: [other]}}]"), ISW_OK);
    assert_int_equal(run_function(&f, &ctx, &sample), ISW_OK);
    assert_string_equal(ctx.trace, "handler");
    assert_int_equal(fixture_reload(&f, "[count: {as: c}]"), ISW_OK);
    assert_trace(&f, "c1.2 handler");
    fixture_fini(&f);
}

static void a_list_that_cannot_start_leaves_the_old_one(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "[live: {as: a}]");
    assert_int_equal(
        fixture_reload(&f, "[live: {as: a}, live: {as: b}, live: {as: c, fail: true}]"),
        ISW_E_UNAVAILABLE);
    assert_string_equal(life, "+a +b !c -b ");
    f.error.status = ISW_OK;
    assert_trace(&f, "a(handler)");
    fixture_fini(&f);
    assert_string_equal(life, "+a +b !c -b -a ");
}

static void a_start_that_fails_stops_those_before_it(void **state)
{
    fixture f;

    (void)state;
    fixture_init(&f, "\n  - live: {as: a}\n  - live: {as: b}\n  - live: {as: c, fail: true}\n"
                     "  - live: {as: d}");
    assert_int_equal(f.error.status, ISW_E_UNAVAILABLE);
    assert_string_equal(f.error.message,
                        "w.yaml:4:5: middleware live did not start: c is closed today");
    assert_string_equal(life, "+a +b !c -b -a ");
    assert_null(f.pipeline);
    fixture_fini(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(list_order_is_execution_order),
    cmocka_unit_test(the_middleware_of_a_chain_tell_their_facts),
    cmocka_unit_test(what_comes_and_goes_with_the_request_tells_its_secrets_alone),
    cmocka_unit_test(an_empty_chain_is_the_handler_alone),
    cmocka_unit_test(no_pipeline_at_all_is_an_empty_chain),
    cmocka_unit_test(one_who_does_not_call_next_ends_the_way_in),
    cmocka_unit_test(a_chain_names_its_steps),
    cmocka_unit_test(a_retry_runs_the_rest_again),
    cmocka_unit_test(a_retry_gives_fresh_invocation_state_inside_it),
    cmocka_unit_test(retries_nest),
    cmocka_unit_test(state_belongs_to_the_entry_not_to_the_name),
    cmocka_unit_test(invocation_state_is_aligned_for_any_type),
    cmocka_unit_test(a_bare_status_is_recorded_with_its_text),
    cmocka_unit_test(the_first_failure_stays),
    cmocka_unit_test(when_chooses_by_trigger),
    cmocka_unit_test(when_chooses_by_function),
    cmocka_unit_test(when_excepts_functions),
    cmocka_unit_test(all_of_when_must_hold),
    cmocka_unit_test(when_chooses_by_metadata),
    cmocka_unit_test(a_function_adds_and_leaves_out_by_name),
    cmocka_unit_test(a_header_is_looked_for_in_each_request),
    cmocka_unit_test(names_that_no_entry_has_are_refused),
    cmocka_unit_test(a_record_shows_how_each_step_ran),
    cmocka_unit_test(a_record_grows),
    cmocka_unit_test(a_misspelt_when_is_refused_with_its_place),
    cmocka_unit_test(instances_stop_in_reverse_order),
    cmocka_unit_test(an_instance_whose_entry_stays_lives_on_with_its_state),
    cmocka_unit_test(other_options_make_another_instance),
    cmocka_unit_test(another_when_keeps_the_instance),
    cmocka_unit_test(a_list_that_cannot_start_leaves_the_old_one),
    cmocka_unit_test(a_start_that_fails_stops_those_before_it),
};

ISW_TEST_MAIN(tests)
