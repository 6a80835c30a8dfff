/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures, by the vector that the libraries of Standard Webhooks have in their tests. */
#include "support/main.h"

#include "host/webhooks/sign.h"

#include <stdio.h>
#include <string.h>

static const char SECRET[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char SIGNATURE[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

static isw_bytes payload(void)
{
    static const char text[] = "{\"test\": 2432232314}";

    return (isw_bytes){ text, sizeof text - 1 };
}

static void a_request_is_signed_as_others_sign_it(void **state)
{
    const isw_str id = isw_str_of("msg_p5jXN8AQM9LWM0D4loKWxJek");
    iswi_signing_key keys[2];
    isw_error error = { ISW_OK, "" };
    iswi_arena arena;
    char both[2 * sizeof SIGNATURE];

    (void)state;
    iswi_arena_init(&arena, 256);
    assert_int_equal(iswi_signing_key_read(SECRET, &keys[0], &error), ISW_OK);
    keys[1] = keys[0];
    assert_string_equal(iswi_sign(keys, 1, id, 1614265330, payload(), &arena), SIGNATURE);
    snprintf(both, sizeof both, "%s %s", SIGNATURE, SIGNATURE);
    assert_string_equal(iswi_sign(keys, 2, id, 1614265330, payload(), &arena), both);
    keys[0].bytes[0] ^= 1;
    assert_string_not_equal(iswi_sign(keys, 1, id, 1614265330, payload(), &arena), SIGNATURE);
    iswi_arena_fini(&arena);
}

static void a_secret_of_another_form_is_refused_and_not_shown(void **state)
{
    static const char *const wrong[] = {
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "whsec_AAAA",
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAA",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        isw_error error = { ISW_OK, "" };
        iswi_signing_key key = { 0 };

        assert_int_equal(iswi_signing_key_read(wrong[i], &key, &error), ISW_E_CONFIG);
        assert_int_equal(key.size, 0);
        assert_null(strlen(wrong[i]) > 8 ? strstr(error.message, wrong[i]) : NULL);
    }
}

static void padding_of_a_secret_is_no_part_of_it(void **state)
{
    isw_error error = { ISW_OK, "" };
    iswi_signing_key key;

    (void)state;
    assert_int_equal(iswi_signing_key_read("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGA==", &key, &error),
                     ISW_OK);
    assert_int_equal(key.size, 25);
    assert_int_equal(key.bytes[24], 24);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_request_is_signed_as_others_sign_it),
    cmocka_unit_test(a_secret_of_another_form_is_refused_and_not_shown),
    cmocka_unit_test(padding_of_a_secret_is_no_part_of_it),
};

ISW_TEST_MAIN(tests)
