/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of middleware that nobody can mean are told, with both places; all others are not. */
#include "worker/support.h"

#include "worker/registry/worker.h"

static isw_status answer(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static isw_status pass(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    return isw_next_run(next, ctx);
}

static void tell(isw_instance *self, isw_facts *facts)
{
    (void)self;
    isw_facts_not_inside(facts, "retry", "it is done again");
    isw_facts_not_outside(facts, "timeout", "it never ends");
}

static const isw_middleware picky = { .size = sizeof(isw_middleware), .name = "picky",
                                      .invoke = pass, .tell = tell };

/* In the place of auth. */
static void tell_of_levels(isw_instance *self, isw_facts *facts)
{
    (void)self;
    isw_facts_reads(facts, "auth_level scopes");
}

static const isw_middleware guard = { .size = sizeof(isw_middleware), .name = "guard",
                                      .invoke = pass, .tell = tell_of_levels };

static const isw_function functions[] = {
    { .name = "a", .trigger = ISW_HTTP("GET", "a"), .handler = answer },
    { .name = "b", .trigger = ISW_HTTP("GET", "b"), .handler = answer },
    { .name = "c", .trigger = ISW_HTTP("GET", "c"), .handler = answer },
    { 0 },
};

/* Hold what is said of this YAML to these lines; "" for nothing. */
static void told_of(const isw_function *list, const char *yaml, const char *lines)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    const isw_middleware *const own[] = { &picky, &guard, NULL };
    const isw_app app = { .functions = list, .middleware = own };
    iswi_faults warnings = { .count = 0 };
    isw_worker *worker = NULL;
    isw_error error = { ISW_OK, "" };

    options.config_text = yaml;
    assert_int_equal(isw_worker_create(&options, &worker, NULL), ISW_OK);
    assert_int_equal(isw_worker_add_app(worker, &app, NULL), ISW_OK);
    if (isw_worker_configure(worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    iswi_worker_warn_of_doubts(worker, &warnings);
    assert_string_equal(warnings.count ? iswi_buffer_text(&warnings.lines) : "", lines);
    iswi_faults_fini(&warnings);
    isw_worker_destroy(worker);
}

static void told(const char *yaml, const char *lines)
{
    told_of(functions, yaml, lines);
}

#define CORS "cors: {origins: [\"https://a.example\"]"

static void what_cannot_be_meant_is_told_with_both_places(void **state)
{
    (void)state;
    told("middleware:\n  - validate\n  - " CORS "}\n",
         "(text):3:5: warning: cors stands inside of validate ((text):2:5) for function a and 2 "
         "more: "
         "browsers' preflights have nothing of what is asked for, and get 400; move it further up, "
         "or tell the two apart by `when`\n");
    told("middleware:\n  - rate_limit: {rate: 1}\n  - " CORS "}\n",
         "(text):3:5: warning: cors stands inside of rate_limit ((text):2:5) for function a and 2 "
         "more: pages see no 429, and preflights get it; move it further up, or tell the two apart "
         "by `when`\n");
    told("middleware: [metrics, metrics]\n",
         "(text):1:23: warning: metrics stands inside of metrics ((text):1:14) for function a and "
         "2 more: each invocation counts twice; leave one of them out, or tell the two apart by "
         "`when`\n");
}

static void middleware_of_others_tells_likewise(void **state)
{
    (void)state;
    told("middleware: [retry, picky: {when: {functions: [b]}}]\n",
         "(text):1:21: warning: picky stands inside of retry ((text):1:14) for function b: it is "
         "done again; move it further up, or tell the two apart by `when`\n");
    told("middleware: [picky, timeout: {after: 1s, when: {except: [b]}}]\n",
         "(text):1:21: warning: timeout stands inside of picky ((text):1:14) for function a and 1 "
         "more: it never ends; move it further up, or tell the two apart by `when`\n");
}

static void what_no_function_has_in_its_chain_is_not_told(void **state)
{
    (void)state;
    told("middleware:\n  - validate: {when: {functions: [a]}}\n  - " CORS
         ", when: {except: [a]}}\n", "");
    told("middleware: [metrics: {when: {functions: [a]}}, metrics: {when: {functions: [b, c]}}]\n",
         "");
}

static void what_may_be_meant_is_left_alone(void **state)
{
    (void)state;
    told("middleware:\n  - metrics\n  - trace\n  - " CORS "}\n  - error_handling\n  - logging\n"
         "  - rate_limit: {rate: 1}\n  - timeout: {after: 1s}\n  - validate\n  - idempotency\n"
         "  - circuit_breaker\n  - retry\n", "");
    told("middleware:\n  - logging\n  - " CORS "}\n  - idempotency\n  - retry\n"
         "  - timeout: {after: 1s}\n  - validate\n  - error_handling\n"
         "  - rate_limit: {rate: 1}\n  - metrics\n", "");
    told("{}\n", "");
}

static void protection_that_no_chain_gives_is_told(void **state)
{
    static const isw_property keyed[] = { { "auth_level", "function" }, { 0 } };
    static const isw_property open[] = { { "auth_level", "anonymous" }, { 0 } };
    static const isw_property roles[] = { { "roles", "clerk" }, { 0 } };
    static const isw_field fields[] = { { .name = "x", .type = ISW_FIELD_BOOL }, { 0 } };
    const isw_function keys[] = {
        { .name = "a", .trigger = ISW_HTTP("GET", "a"), .handler = answer, .metadata = keyed },
        { .name = "b", .trigger = ISW_HTTP("GET", "b"), .handler = answer, .metadata = open },
        { 0 },
    };
    const isw_function role[] = {
        { .name = "a", .trigger = ISW_HTTP("GET", "a"), .handler = answer, .metadata = roles },
        { 0 },
    };
    const isw_function bodies[] = {
        { .name = "a", .trigger = ISW_HTTP("POST", "a"), .handler = answer, .body = fields },
        { .name = "b", .trigger = ISW_HTTP("POST", "b"), .handler = answer, .body = fields,
          .streams = true },
        { 0 },
    };

    (void)state;
    told_of(keys, "{}\n",
            "warning: function a has the metadata auth_level, and nothing in its chain acts on it, "
            "so that everybody may call it; put auth into its chain\n");
    told_of(keys, "middleware: [guard: {when: {functions: [b]}}]\n",
            "warning: function a has the metadata auth_level, and nothing in its chain acts on it, "
            "so that everybody may call it; put auth into its chain\n");
    told_of(keys, "middleware: [guard]\n", "");
    told_of(role, "middleware: [guard]\n",
            "warning: function a has the metadata roles, and nothing in its chain acts on it, so "
            "that everybody may call it; put auth into its chain\n");
    told_of(bodies, "{}\n",
            "warning: function a has fields for its body, and nothing in its chain acts on it, so "
            "that anything comes through; put validate into its chain\n");
    told_of(bodies, "middleware: [validate]\n", "");
    told("functions: [{name: a, metadata: {auth_level: function}}]\n",
         "warning: function a has the metadata auth_level, and nothing in its chain acts on it, so "
         "that everybody may call it; put auth into its chain\n");
}

static void an_entry_that_is_in_no_chain_is_told(void **state)
{
    (void)state;
    told("middleware: [retry: {when: {functions: [aa]}}]\n",
         "(text):1:14: warning: retry is in no function's chain; its `when` admits none of those "
         "that there are, or they leave it out\n");
    told("middleware: [retry: {when: {metadata: [teir]}}]\n",
         "(text):1:14: warning: retry is in no function's chain; its `when` admits none of those "
         "that there are, or they leave it out\n");
    told("middleware: [retry: {when: {functions: [\"admin_*\"]}}]\n", "");
    told("middleware: [retry: {when: {on_request: true}}]\n", "");
}

static void a_name_in_when_that_no_function_has_is_told(void **state)
{
    (void)state;
    told("middleware:\n  - metrics: {when: {functions: [a, aa, \"x*\"], except: [bb, c]}}\n",
         "(text):2:37: warning: this worker has no function \"aa\"\n"
         "(text):2:57: warning: this worker has no function \"bb\"\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_name_in_when_that_no_function_has_is_told),
    cmocka_unit_test(protection_that_no_chain_gives_is_told),
    cmocka_unit_test(an_entry_that_is_in_no_chain_is_told),
    cmocka_unit_test(what_cannot_be_meant_is_told_with_both_places),
    cmocka_unit_test(middleware_of_others_tells_likewise),
    cmocka_unit_test(what_no_function_has_in_its_chain_is_not_told),
    cmocka_unit_test(what_may_be_meant_is_left_alone),
};

ISW_TEST_MAIN(tests)
