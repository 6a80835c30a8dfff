/* SPDX-License-Identifier: Apache-2.0 */
/* The middleware auth in a real worker: levels, API keys, configuration, and the module. */
#include "middleware/auth_worker.h"
#include "middleware/conformance.h"

#include "../../middleware/auth_keys.h"

#include <dlfcn.h>
#include <isoworker/sys/module.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static int setup_keys(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    must_configure(f, "middleware:\n  - error_handling: {log: false}\n  - auth:\n" KEYS);
    *state = f;
    return 0;
}

/* -- Levels and keys --------------------------------------------------------------------------- */

static void levels_ask_for_keys(void **state)
{
    static char over_long[514];
    const request_row rows[] = {
        { "an anonymous function is open", "open", 200, "nobody", { NULL }, { NULL } },
        { "an anonymous function does not look at keys", "open", 200, "nobody",
          KEY("wrong"), { 0 } },
        { "a function without level asks for a key", "plain", 401, "no credentials", { 0 }, { 0 } },
        { "a key in the header opens", "plain", 200, "key|ann|||", KEY("key-of-ann"), { 0 } },
        { "a key in the query opens", "plain", 200, "key|ann|||", CODE("key-of-ann") },
        { "the header's name has no case", "plain", 200, "ann", { "X-Functions-Key", "key-of-ann" },
          { 0 } },
        { "the query's name has case", "plain", 401, "no cred", { 0 }, { "CODE", "key-of-ann" } },
        { "a wrong key is refused", "plain", 401, "not one of ours", KEY("key-of-anne"), { 0 } },
        { "a key in other case is refused", "plain", 401, "not one", KEY("Key-of-ann"), { 0 } },
        { "a key with a space is refused", "plain", 401, "not one", KEY("key-of-ann "), { 0 } },
        { "an empty key is refused", "plain", 401, "not one", KEY(""), { 0 } },
        { "a hash is no key", "plain", 401, "not one",
          KEY("bc9f7383b52d9e99dff17485235bca5e86cf42606d4c1ce63a499917c7b11f30"), { 0 } },
        { "salt and key is no key", "plain", 401, "not one",
          KEY("00112233445566778899aabbccddeeffkey-of-ann"), { 0 } },
        { "a key of 513 bytes is refused", "plain", 401, "not one", KEY(over_long), { 0 } },
        { "the wrong key in the header is not mended by the query", "plain", 401, "not one",
          KEY("wrong"), { "code", "key-of-ann" } },
        { "two keys are refused", "plain", 401, "more than one key",
          { "x-functions-key", "key-of-ann", "x-functions-key", "key-of-ann" }, { 0 } },
        { "two codes are refused", "plain", 401, "more than one key", { 0 },
          { "code", "key-of-ann", "code", "wrong" } },
        { "a key as bearer token is refused", "plain", 401, "no kind",
          { "authorization", "Bearer key-of-ann" }, { 0 } },
        { "a key for others is refused", "plain", 403, "other functions",
          KEY("key-of-bob"), { 0 } },
        { "a key opens what its pattern names", "orders_list", 200, "key|bob||guest+manager|",
          KEY("key-of-bob"), { 0 } },
        { "an upper-case hash and a star at the end are good", "orders_list", 200, "cron",
          KEY("key-of-cron"), { 0 } },
        { "a '?' is one character", "boss", 403, "no admin", KEY("key-of-cron"), { 0 } },
        { "a pattern matches whole names", "orders", 403, "other functions",
          KEY("key-of-cron"), { 0 } },
        { "a function key is no admin key", "boss", 403, "no admin", KEY("key-of-ann"), { 0 } },
        { "an admin key opens admin functions", "boss", 200, "key|root",
          KEY("key-of-root"), { 0 } },
        { "an admin key opens function level", "plain", 200, "root", KEY("key-of-root"), { 0 } },
        { "a key without roles is refused", "staff", 403, "roles", KEY("key-of-ann"), { 0 } },
        { "an admin key without roles is refused", "staff", 403, "roles",
          KEY("key-of-root"), { 0 } },
        { "one of the roles is enough", "staff", 200, "bob", KEY("key-of-bob"), { 0 } },
        { "all of the scopes open", "reader", 200, "bob", KEY("key-of-bob"), { 0 } },
        { "no scopes do not open", "reader", 403, "scope", KEY("key-of-ann"), { 0 } },
        { "roles without words let nobody in", "locked", 403, "roles", KEY("key-of-root"), { 0 } },
    };

    memset(over_long, 'k', sizeof over_long - 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_request(*state, &rows[i]);
}

/* The entry of a key of `size` times 'k', made as the comment in auth_keys.h says. */
static bool opens_with_key_of(size_t size)
{
    static const char salt[] = "0123456789abcdef";
    unsigned char hash[32];
    char text[2 * AUTH_KEY_MAX_BYTES];
    char hex[sizeof "sha256::" + sizeof salt + 2 * sizeof hash];
    auth_key_options entry = { .name = "long", .hash = hex };
    const isw_option_list list = { &entry, 1 };
    auth_keys keys;
    bool found;
    int at;

    memcpy(text, salt, sizeof salt - 1);
    memset(text + sizeof salt - 1, 'k', size);
    assert_int_equal(EVP_Digest(text, sizeof salt - 1 + size, hash, NULL, EVP_sha256(), NULL), 1);
    at = snprintf(hex, sizeof hex, "sha256:%s:", salt);
    for (size_t i = 0; i < sizeof hash; i++)
        at += snprintf(hex + at, sizeof hex - (size_t)at, "%02x", hash[i]);
    assert_int_equal(auth_keys_init(&keys, &list, NULL), ISW_OK);
    found = auth_keys_find(&keys, (isw_str){ text + sizeof salt - 1, size }) == &entry;
    auth_keys_fini(&keys);
    return found;
}

static void keys_have_up_to_512_bytes(void **state)
{
    (void)state;
    assert_true(opens_with_key_of(1));
    assert_true(opens_with_key_of(512));
    assert_false(opens_with_key_of(513));
    assert_false(opens_with_key_of(0));
}

static void an_unknown_level_opens_nothing(void **state)
{
    static const request_row rows[] = {
        { "a misspelt level is refused", "typo", 500, "auth_level", KEY("key-of-root"), { 0 } },
        { "a level in capitals is refused", "capital", 500, "auth_level", { 0 }, { 0 } },
        { "an empty level is refused", "blank", 500, "auth_level", KEY("key-of-root"), { 0 } },
        { "an anonymous function with roles is refused", "riddle", 500, "anonymous", { 0 }, { 0 } },
        { "an anonymous function with scopes is refused", "puzzle", 500, "anonymous", { 0 },
          { 0 } },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_request(*state, &rows[i]);
}

static void what_http_does_not_trigger_passes(void **state)
{
    fixture *f = *state;
    const isw_value text = isw_value_string("key-of-root");
    isw_invocation done;
    isw_error error = { 0 };

    assert_int_equal(isw_worker_invoke(f->worker, "tick", NULL, &done, &error), ISW_OK);
    assert_int_equal(done.outcome, ISW_OUTCOME_SUCCESS);
    isw_invocation_free(&done);
    assert_int_equal(isw_worker_invoke(f->worker, "plain", &text, &done, &error), ISW_OK);
    assert_int_equal(done.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(done.failure.status, ISW_E_UNAUTHENTICATED);
    assert_non_null(strstr(done.failure.message, "without a request"));
    isw_invocation_free(&done);
}

static void names_of_header_and_query_can_be_chosen(void **state)
{
    static const request_row rows[] = {
        { "the chosen header opens", "plain", 200, "ann", { "x-key", "key-of-ann" }, { 0 } },
        { "the usual header does not", "plain", 401, "no cred", KEY("key-of-ann"), { 0 } },
        { "the query is off", "plain", 401, "no cred", CODE("key-of-ann") },
        { "an empty name is off", "plain", 401, "no cred", { 0 }, { "", "key-of-ann" } },
    };
    fixture f = { 0 };

    (void)state;
    must_configure(&f, "middleware:\n  - auth:\n"
                       "      key_header: X-Key\n      key_query: \"\"\n" KEYS);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_request(&f, &rows[i]);
    destroy_worker(&f);
}

static void the_default_level_can_be_chosen(void **state)
{
    static const request_row anonymous = { "plain is open", "plain", 200, "nobody", { 0 }, { 0 } };
    static const request_row level = { "boss is not", "boss", 401, "no cred", { 0 }, { 0 } };
    static const request_row admin = { "plain is for admins", "plain", 403, "admin",
                                       KEY("key-of-ann"), { 0 } };
    fixture f = { 0 };

    (void)state;
    must_configure(&f, "middleware:\n  - auth: {default_level: anonymous}\n");
    check_request(&f, &anonymous);
    check_request(&f, &level);
    destroy_worker(&f);
    must_configure(&f, "middleware:\n  - auth:\n      default_level: admin\n" KEYS);
    check_request(&f, &admin);
    destroy_worker(&f);
}

/* -- Start ------------------------------------------------------------------------------------- */

static void refuses_to_start(const char *yaml, const char *place, const char *message)
{
    fixture f = { 0 };
    isw_error error = { 0 };
    isw_status status = make_worker(&f, yaml, &error);

    if (status != ISW_E_CONFIG || !strstr(error.message, f.yaml_path) ||
        !strstr(error.message, place) || !strstr(error.message, message))
        fail_msg("%s: %s", isw_status_name(status), error.message);
    destroy_worker(&f);
}

#define AUTH "middleware:\n  - auth:\n"
#define JWT AUTH "      jwt:\n        issuer: x\n        audience: [y]\n"
#define HASH "e6665f78e8be6b89edf7f8e0d64b899e9f16a0a4d5a8b2c5be41bb91f12f5267"

static void wrong_configuration_does_not_start(void **state)
{
    static const char *const hashes[] = {
        "key-of-ann",
        HASH,
        "sha256:" HASH,
        "sha1:0123456789abcdef:" HASH,
        "sha256:0123456789abcde:" HASH,
        "sha256:0123456789abcdef0:" HASH,
        "sha256:0123456789abcdeg:" HASH,
        "sha256:0123456789abcdef:" HASH "0",
        "sha256:0123456789abcdef:0" HASH "0",
        "sha256:0123456789abcdef:0123",
    };

    (void)state;
    refuses_to_start(AUTH, ":2:5", "neither keys, certificates nor jwt");
    refuses_to_start(JWT "        jwks: nowhere.json\n", ":2:5", "/tmp/nowhere.json");
    refuses_to_start(JWT, ":2:5", "one of jwks");
    refuses_to_start(JWT "        jwks_url: http://example.com/\n", ":2:5", "no https URL");
    refuses_to_start(JWT "        jwks: a\n        algorithms: [none]\n", ":2:5", "\"none\"");
    refuses_to_start(JWT "        jwks: a\n        clock_skew: 6m\n", ":7:21", "too large");
    refuses_to_start(AUTH "      level: admin\n", ":3:7", "level");
    refuses_to_start(AUTH KEYS "        - name: ann\n          hash: sha256:0123456789abcdef:" HASH
                          "\n",
                     ":2:5", "two keys are named \"ann\"");
    refuses_to_start(AUTH "      certificates: [{name: orders}]\n", ":2:5",
                     "\"orders\" is neither a subject, such as CN=orders,O=Example, nor");
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        char *yaml;

        assert_true(asprintf(&yaml, AUTH "      keys: [{name: a, hash: \"%s\"}]\n", hashes[i]) > 0);
        refuses_to_start(yaml, ":2:5", "is not of the form");
        free(yaml);
    }
}

static void the_module_exports_its_entry_alone(void **state)
{
    void *module = dlopen(ISW_TEST_AUTH_MODULE, RTLD_NOW | RTLD_LOCAL);
    const isw_module *exports;

    (void)state;
    if (!module)
        fail_msg("%s", dlerror());
    exports = dlsym(module, ISW_MODULE_SYMBOL);
    assert_non_null(exports);
    assert_string_equal(exports->app->middleware[0]->name, "auth");
    assert_null(exports->app->middleware[1]);
    assert_null(exports->app->functions);
    assert_null(dlsym(module, "isw_middleware_auth"));
    assert_null(dlsym(module, "auth_keys_find"));
    dlclose(module);
}

static const isw_pair key_headers[] = { { { "x-functions-key", 15 }, { "bench-key", 9 } },
                                        { { NULL, 0 }, { NULL, 0 } } };

#define ONE_KEY                                                                      \
    "keys: [{name: t, hash: 'sha256:4b67f4a0c2b62a93f5eb08e010668e55:"               \
    "8df66d7d9730c63a558073dc80bb99cb89da50837f34e2176a07290ec1e1f117'}]"

const conforming subject = {
    .middleware = &isw_middleware_auth, .name = "auth", .options = "{" ONE_KEY "}",
    .other_options = "{" ONE_KEY ", key_query: ''}", .headers = key_headers,
};

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test_setup_teardown(levels_ask_for_keys, setup_keys, teardown),
    cmocka_unit_test(keys_have_up_to_512_bytes),
    cmocka_unit_test_setup_teardown(an_unknown_level_opens_nothing, setup_keys, teardown),
    cmocka_unit_test_setup_teardown(what_http_does_not_trigger_passes, setup_keys, teardown),
    cmocka_unit_test(names_of_header_and_query_can_be_chosen),
    cmocka_unit_test(the_default_level_can_be_chosen),
    cmocka_unit_test(wrong_configuration_does_not_start),
    cmocka_unit_test(the_module_exports_its_entry_alone),
};

ISW_TEST_MAIN(tests)
