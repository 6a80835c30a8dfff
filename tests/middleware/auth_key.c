/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys may verify, and what is said of those that may not. */
#include "middleware/auth_support.h"

#include "../../middleware/auth_keyset.h"

#include <isoworker/isoworker.h>
#include <stdio.h>
#include <stdlib.h>

static auth_keyset *parse(const char *text)
{
    auth_keyset *set = NULL;
    isw_error error = { 0 };

    if (auth_keyset_parse(text, strlen(text), &set, &error) != ISW_OK)
        fail_msg("%s: %s", error.message, text);
    return set;
}

/* Two primes of 1,024 bits made as the library of CVE-2017-15361 did. */
#define ROCA_MODULUS                                                                               \
    "-S3EZP_qKjou9gmsHkfhLk12Qikqv4BntzhIBxCmPkGT-7HKu_oHWaiNJrtWD1BbH6H6f9NNiEhLxW24NSviDv"       \
    "aamdeOSvnmyRdlIh4fCY3Ca685CVe6YB2IZ2onG54JuT5ut_cy5ulqcZSgCbVG-8jCS_yNPzCloAvm1Yfd4x3h"       \
    "VVTs-TIu5k1u0YJANugnp4ZsQzhuLtTNxXiNVUIGYFq9s_TyaxkoOpEnaqcp5KeGsWA41hhUMwn2-8S7O7WUhp"       \
    "kur8RetXDALf3AKU3-G7GeNSpYZhtM7bs7H3KkgX4ZNelMfsrvAElMDfxRpOOAyhBTwNUzHsj0GO0EAJG7Dw"

typedef struct refusal_row {
    const char *extra;  /* what is changed in a sound key */
    const char *reason; /* part of it; NULL for a key that gets in, "" if nothing is said */
} refusal_row;

static void check_refusals(const json_t *key, const refusal_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *changed = json_deep_copy(key);
        json_t *extra = json_loads(rows[i].extra, 0, NULL);
        const char *reason;
        auth_keyset *set;
        char *text;

        assert_int_equal(json_object_update_new(changed, extra), 0);
        text = key_set(&changed, 1);
        set = parse(text);
        reason = set->refusal_count ? set->refusals[0].reason : "";
        if (set->count != !rows[i].reason || set->count + set->refusal_count > 1 ||
            (rows[i].reason && (!strstr(reason, rows[i].reason) || !*rows[i].reason != !*reason)))
            fail_msg("%s: %zu in, \"%s\"", rows[i].extra, set->count, reason);
        free(text);
        auth_keyset_release(set);
    }
}

static void an_rsa_key_that_is_not_sound_is_refused_with_the_reason(void **state)
{
    static const refusal_row rows[] = {
        { "{\"e\":\"AQAB\"}", NULL },
        { "{\"e\":\"AAEAAQ\"}", NULL }, /* a zero in front */
        { "{\"e\":\"AQAAAAAAAAAB\"}", NULL },
        { "{\"e\":\"AQ\"}", "exponent 1" },
        { "{\"e\":\"AAAB\"}", "exponent 1" },
        { "{\"e\":\"AA\"}", "even" },
        { "{\"e\":\"Ag\"}", "even" },
        { "{\"e\":\"AQAA\"}", "even" },
        { "{\"e\":\"Aw\"}", "not from 65537" },
        { "{\"e\":\"__8\"}", "not from 65537" },
        { "{\"e\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ\"}", "not from 65537" },
        { "{\"e\":\"\"}", "an e that is no base64url" },
        { "{\"e\":1}", "lacks a member" },
        { "{\"e\":\"!!\"}", "an e that is no base64url" },
        { "{\"e\":\"AQABAB\"}", "an e that is no base64url" }, /* bits beyond the last byte */
        { "{\"n\":\"AQAB\"}", "2048" },
        { "{\"n\":\"\"}", "an n that is no base64url" },
        { "{\"n\":\"AQ+/\"}", "an n that is no base64url" }, /* of the other alphabet */
        { "{\"n\":\"AQAB==\"}", "an n that is no base64url" },
        { "{\"n\":\"" ROCA_MODULUS "\"}", "ROCA" },
    };
    json_t *rsa = rsa_key(0, "r");

    (void)state;
    check_refusals(rsa, rows, sizeof rows / sizeof rows[0]);
    json_decref(rsa);
}

/* `n` plus or times something small, so that its size stays and its factors do not. */
static void a_modulus_that_two_primes_do_not_make_is_refused(void **state)
{
    json_t *rsa = rsa_key(1, "r");
    const char *modulus = json_string_value(json_object_get(rsa, "n"));
    refusal_row row = { NULL, NULL };
    char *extra;
    char *last;

    (void)state;
    assert_true(asprintf(&extra, "{\"n\":\"%s\"}", modulus) > 0);
    row.extra = extra;
    check_refusals(rsa, &row, 1);
    last = &extra[strlen(extra) - 3];
    *last = 'A'; /* four bits of it are in n, which were odd */
    row.reason = "even";
    check_refusals(rsa, &row, 1);
    memset(&extra[6], '_', strlen(modulus) - 1); /* 2^2048 - 1 has many small factors */
    *last = 'w';
    row.reason = "two large primes";
    check_refusals(rsa, &row, 1);
    free(extra);
    json_decref(rsa);
}

static void a_key_is_held_to_its_curve_and_its_hash(void **state)
{
    static const refusal_row ec_rows[] = {
        { "{\"alg\":\"ES256\"}", NULL },
        { "{\"x\":\"AAAA\"}", "length" },
        { "{\"x\":\"AA+/\"}", "no base64url" },
        { "{\"y\":\"\"}", "no base64url" },
        { "{\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "no point" },
        { "{\"crv\":\"P-384\"}", "length" },
        { "{\"crv\":\"secp256k1\"}", "crv" },
        { "{\"alg\":\"ES384\"}", "not for its kty" },
        { "{\"alg\":\"RS256\"}", "not for its kty" },
        { "{\"alg\":\"ES521\"}", "not offered" },
    };
    static const refusal_row oct_rows[] = {
        { "{\"alg\":\"HS256\"}", NULL },
        { "{\"alg\":\"HS384\"}", "as long as its hash" },
        { "{\"alg\":\"A256GCM\"}", "not offered" },
        { "{\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\"}", "fewer than 32" },
        { "{\"k\":\"\"}", "fewer than 32" },
        { "{\"k\":\"*\"}", "no base64url" },
        { "{\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+/\"}", "no base64url" },
        { "{\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}", NULL },
        { "{\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\"}", "no base64url" },
    };
    json_t *ec = make_key("ES256", "e");
    json_t *oct = make_key("HS256", "h");

    (void)state;
    check_refusals(ec, ec_rows, sizeof ec_rows / sizeof ec_rows[0]);
    check_refusals(oct, oct_rows, sizeof oct_rows / sizeof oct_rows[0]);
    json_decref(oct);
    json_decref(ec);
}

static void a_key_for_others_is_no_refusal_but_a_contradiction_is(void **state)
{
    static const refusal_row rows[] = {
        { "{\"use\":\"enc\"}", "" },
        { "{\"use\":\"enc\",\"alg\":\"RSA-OAEP\"}", "" },
        { "{\"key_ops\":[\"encrypt\"]}", "" },
        { "{\"key_ops\":[\"sign\"],\"use\":\"sig\"}", "" },
        { "{\"use\":\"enc\",\"alg\":\"RS256\"}", "contradict" },
        { "{\"use\":\"enc\",\"key_ops\":[\"verify\"]}", "contradict" },
        { "{\"use\":\"sig\",\"key_ops\":[\"encrypt\"]}", "contradict" },
        { "{\"use\":\"SIG\"}", "other than sig and enc" },
        { "{\"use\":[\"sig\"]}", "other than sig and enc" },
        { "{\"key_ops\":\"verify\"}", "no list" },
        { "{\"alg\":\"RSA-OAEP\"}", "not offered" },
        { "{\"kty\":\"OKP\"}", "kty" },
        { "{\"kid\":7}", "no text" },
    };
    json_t *rsa = rsa_key(0, "r");

    (void)state;
    check_refusals(rsa, rows, sizeof rows / sizeof rows[0]);
    json_decref(rsa);
}

static void a_refused_key_is_named_and_the_others_stay(void **state)
{
    json_t *rsa = rsa_key(0, NULL);
    json_t *keys[] = { public_key(rsa, "{\"kid\":\"a\\nb\\u2028\",\"e\":\"AQ\"}"),
                       public_key(rsa, "{\"kid\":\"good\"}"), public_key(rsa, "{\"e\":\"AQ\"}"),
                       json_string("RSA") };
    char *text = key_set(keys, 4);
    auth_keyset *set = parse(text);

    (void)state;
    assert_int_equal(set->count, 1);
    assert_string_equal(set->keys[0].id, "good");
    assert_int_equal(set->refusal_count, 3);
    assert_string_equal(set->refusals[0].key, "the key \"a\\nb\\u2028\"");
    assert_string_equal(set->refusals[1].key, "the key without kid at place 3");
    assert_string_equal(set->refusals[2].key, "the key without kid at place 4");
    auth_keyset_release(set);
    free(text);
    json_decref(rsa);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_rsa_key_that_is_not_sound_is_refused_with_the_reason),
    cmocka_unit_test(a_modulus_that_two_primes_do_not_make_is_refused),
    cmocka_unit_test(a_key_is_held_to_its_curve_and_its_hash),
    cmocka_unit_test(a_key_for_others_is_no_refusal_but_a_contradiction_is),
    cmocka_unit_test(a_refused_key_is_named_and_the_others_stay),
};

ISW_TEST_MAIN(tests)
