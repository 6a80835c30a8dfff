/* SPDX-License-Identifier: Apache-2.0 */
/* What the YAML says of functions. */
#include "worker/support.h"

#include "worker/registry/worker.h"


static isw_status shows_metadata(isw_context *ctx)
{
    const char *roles = isw_context_metadata(ctx, "roles");
    const char *tier = isw_context_metadata(ctx, "tier");
    isw_value value = isw_value_string(
        isw_context_printf(ctx, "%s/%s", roles ? roles : "-", tier ? tier : "-"));

    return isw_context_set_result(ctx, &value);
}

static const isw_property own[] = { { "tier", "lead" }, { 0 } };
static const isw_function functions[] = {
    { .name = "order_take", .trigger = ISW_TRIGGER("queue", NULL), .handler = shows_metadata,
      .metadata = own, .timeout_ms = 100 },
    { .name = "order_show", .trigger = ISW_TRIGGER("queue", NULL), .handler = shows_metadata },
    { .name = "other", .trigger = ISW_TRIGGER("queue", NULL), .handler = shows_metadata },
    { 0 },
};

static isw_worker *start(const char *yaml)
{
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    if (make_worker(functions, yaml, &worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return worker;
}

static void assert_result(isw_worker *worker, const char *name, const char *expected)
{
    isw_invocation result;
    isw_error error = { 0 };

    assert_int_equal(isw_worker_invoke(worker, name, NULL, &result, &error), ISW_OK);
    assert_string_equal(result.result.as.string.data, expected);
    isw_invocation_free(&result);
}

static void metadata_is_added_and_replaced(void **state)
{
    isw_worker *worker = start("functions:\n"
                               "  - name: order_*\n"
                               "    metadata: { roles: [clerk, auditor], tier: gold }\n"
                               "  - name: order_show\n"
                               "    metadata: { roles: none }\n");

    (void)state;
    assert_result(worker, "order_take", "clerk auditor/gold");
    assert_result(worker, "order_show", "none/gold");
    assert_result(worker, "other", "-/-");
    assert_string_equal(own[0].value, "lead");
    isw_worker_destroy(worker);
}

/* The function as the YAML adjusts it. */
static const iswi_bound *bound(isw_worker *worker, const char *name)
{
    iswi_generation *generation = atomic_load(&worker->generation);

    return &generation->functions[iswi_worker_entry(worker, isw_str_of(name)) - worker->entries];
}

static size_t chain_length(isw_worker *worker, const char *name)
{
    return bound(worker, name)->chain.count;
}

static void middleware_is_added_and_left_out(void **state)
{
    isw_worker *worker = start("middleware:\n"
                               "  - logging\n"
                               "  - error_handling: { when: { on_request: true } }\n"
                               "functions:\n"
                               "  - { name: order_take, with: [error_handling] }\n"
                               "  - { name: order_show, without: [logging] }\n");

    (void)state;
    assert_int_equal(chain_length(worker, "order_take"), 2);
    assert_int_equal(chain_length(worker, "order_show"), 0);
    assert_int_equal(chain_length(worker, "other"), 1);
    isw_worker_destroy(worker);
}

static void a_timeout_replaces_the_functions_own(void **state)
{
    isw_worker *worker = start("functions:\n"
                               "  - { name: order_*, timeout: 5s }\n");

    (void)state;
    assert_int_equal(bound(worker, "order_take")->function->timeout_ms, 5000);
    isw_worker_destroy(worker);
}

static void assert_refused(const char *yaml, const char *message)
{
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    assert_int_equal(make_worker(functions, yaml, &worker, &error), ISW_E_CONFIG);
    if (!strstr(error.message, message))
        fail_msg("\"%s\" lacks \"%s\"", error.message, message);
    isw_worker_destroy(worker);
}

static void what_matches_nothing_is_refused(void **state)
{
    (void)state;
    assert_refused("functions:\n"
                   "  - { name: order_* }\n"
                   "  - { name: oder_take }\n",
                   ":3:7: no function of this worker matches \"oder_take\"");
    assert_refused(
        "functions: [ { name: other, with: [audit] } ]\n",
        ":1:36: function other names the middleware \"audit\", which is not in the chain; the "
        "chain has: none");
    assert_refused("middleware: [logging]\nfunctions: [ { name: other, without: [loging] } ]\n",
                   ":2:39: function other names the middleware \"loging\", which is not in the "
                   "chain; the chain has: logging");
    assert_refused("functions: [ { name: other, metadata: { roles: { a: b } } } ]\n",
                   "an entry of \"metadata\" must be a text or a list of texts");
    assert_refused("functions: [ { name: other, metadata: [roles] } ]\n",
                   "\"metadata\" must be a mapping of names to texts");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(metadata_is_added_and_replaced),
    cmocka_unit_test(middleware_is_added_and_left_out),
    cmocka_unit_test(a_timeout_replaces_the_functions_own),
    cmocka_unit_test(what_matches_nothing_is_refused),
};

ISW_TEST_MAIN(tests)
