/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation through the hook fails once: the call says so, nothing crashes, nothing leaks.
 */
#include "config/support.h"
#include "support/memory.h"

#include "base/buffer.h"

static isw_status open_and_load(const char *text, isw_error *error)
{
    iswi_config *config = NULL;
    const void *out = NULL;
    isw_status status = iswi_config_open_text("c.yaml", text, strlen(text), NULL, &config, error);

    if (status == ISW_OK)
        status = iswi_config_load(config, sample_table, sizeof(sample), &out, error);
    if (status == ISW_OK)
        status = iswi_config_load(config, sample_table, sizeof(sample), &out, error);
    if (status == ISW_OK)
        assert_non_null(iswi_config_where(config, iswi_config_root(config)));
    iswi_config_close(config);
    return status;
}

/* Until a run has no failure; that one ends with `expected`. */
static void sweep(const char *text, isw_status expected)
{
    size_t failures = 0;

    for (size_t at = 1;; at++) {
        isw_error error = { 0 };
        isw_status status;
        counter count;

        counter_init(&count, at);
        status = open_and_load(text, &error);
        counter_fini(&count);
        assert_int_equal(status, error.status);
        if (count.calls < at) {
            assert_int_equal(status, expected);
            break;
        }
        /* A refusal stays one when only the words for it are missing. */
        assert_true(status == ISW_E_NO_MEMORY || status == expected);
        failures++;
    }
    assert_true(failures > 1);
}

static void a_load_survives_every_failure(void **state)
{
    char text[9000];
    char padding[8001];

    (void)state;
    setenv("ISW_T_SECRET", "x", 1);
    memset(padding, 'x', sizeof padding);
    /* An arena takes memory once a block: padding moves the end of the block to other calls. */
    for (int size = 0; size <= 8000; size += 80) {
        snprintf(text, sizeof text,
                 "name: %.*s ${ISW_T_SECRET}\nsecret: env:ISW_T_SECRET\npath: a\n"
                 "hosts: &h [a, b]\ntags: *h\nfactor: 2.5\nlimits: {words: [x]}\n"
                 "tls: {cert: c}\nservers: [{host: h, steps: [plain, logging]}]\n"
                 "steps: [logging, auth: {issuer: i, tls: {cert: c}}, plain]\n",
                 size, padding);
        sweep(text, ISW_OK);
    }
}

static void a_secret_file_survives_every_failure(void **state)
{
    (void)state;
    sweep("secret: file:/proc/version\n", ISW_OK);
    sweep("secret: file:/nothing/here\n", ISW_E_CONFIG);
}

static void a_refusal_survives_every_failure(void **state)
{
    (void)state;
    sweep("steps:\n  - auth: {issuer: x, tls: {crt: y}}\n", ISW_E_CONFIG);
    sweep("steps: [loging]\n", ISW_E_CONFIG);
    sweep("port: 70000\n", ISW_E_CONFIG);
    sweep("tls: {}\n", ISW_E_CONFIG);
    sweep("name: a\nname: b\n", ISW_E_CONFIG);
}

static void a_reference_survives_every_failure(void **state)
{
    counter count = { 0 };

    (void)state;
    for (size_t at = 1; count.calls >= count.fail_at; at++) {
        iswi_buffer out = { 0 };

        counter_init(&count, at);
        iswi_config_reference(sample_table, 0, &out);
        iswi_buffer_fini(&out);
        counter_fini(&count);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_load_survives_every_failure),
    cmocka_unit_test(a_secret_file_survives_every_failure),
    cmocka_unit_test(a_refusal_survives_every_failure),
    cmocka_unit_test(a_reference_survives_every_failure),
};

ISW_TEST_MAIN(tests)
