/* SPDX-License-Identifier: Apache-2.0 */
/* An issuer's keys over HTTP in a real worker: fetched once, renewed when the issuer signs with a
 * new one, and closed when there are none. */
#include "middleware/auth_worker.h"

#include <stdio.h>
#include <stdlib.h>

static const token_row good = { "good", "plain", 200, "jwt|ann", "Bearer ", "" };

typedef struct issuer {
    fixture worker;
    test_server server;
    char *source; /* of the YAML */
} issuer;

static char *set_of(const json_t *key)
{
    return key_set((json_t *[]){ public_key(key, NULL) }, 1);
}

static void publish(issuer *i, const json_t *key)
{
    char *set = set_of(key);

    server_answer(&i->server, 200, set);
    free(set);
}

static int setup(void **state)
{
    issuer *i = calloc(1, sizeof *i);

    i->worker.key = rsa_key(0, "k1");
    server_start(&i->server, "");
    publish(i, i->worker.key);
    assert_true(asprintf(&i->source, "jwks_url: http://127.0.0.1:%u/keys", i->server.port) > 0);
    *state = i;
    return 0;
}

static int stop(void **state)
{
    issuer *i = *state;

    destroy_worker(&i->worker);
    server_stop(&i->server);
    json_decref(i->worker.key);
    free(i->source);
    free(i);
    return 0;
}

static void keys_are_fetched_once_for_many_requests(void **state)
{
    issuer *i = *state;

    configure_jwt(&i->worker, i->source);
    for (int n = 0; n < 20; n++)
        check_token(&i->worker, &good);
    assert_int_equal(server_requests(&i->server), 1);
}

static void without_keys_tokens_wait_and_api_keys_open(void **state)
{
    static const token_row closed = { "closed", "plain", 503, "error: 500", "Bearer ", "" };
    static const request_row key = { "a key opens", "plain",           200,
                                     "key|ann",     KEY("key-of-ann"), { 0 } };
    issuer *i = *state;
    answer got;

    server_answer(&i->server, 500, "");
    configure_jwt(&i->worker, i->source);
    got = check_token(&i->worker, &closed);
    assert_non_null(strstr(got.body, "\"title\":\"Service Unavailable\",\"status\":503"));
    assert_null(strstr(got.body, "127.0.0.1"));
    check_request(&i->worker, &key);
    assert_int_equal(server_requests(&i->server), 1);
}

static void a_new_key_is_good_at_once_and_the_old_one_is_not(void **state)
{
    static const token_row gone = { "gone", "plain", 401, "no key fits", "Bearer ", "" };
    issuer *i = *state;
    json_t *old = i->worker.key;

    configure_jwt(&i->worker, i->source);
    check_token(&i->worker, &good);
    i->worker.key = rsa_key(1, "k2");
    publish(i, i->worker.key);
    check_token(&i->worker, &good);
    assert_int_equal(server_requests(&i->server), 2);
    json_decref(i->worker.key);
    i->worker.key = old;
    for (int n = 0; n < 20; n++)
        check_token(&i->worker, &gone);
    assert_int_equal(server_requests(&i->server), 2);
}

static void a_forged_token_fetches_nothing(void **state)
{
    static const token_row forged = { "forged", "plain", 401, "does not hold", "Bearer ", "" };
    issuer *i = *state;

    configure_jwt(&i->worker, i->source);
    json_decref(i->worker.key);
    i->worker.key = rsa_key(1, "k1");
    check_token(&i->worker, &forged);
    assert_int_equal(server_requests(&i->server), 1);
}

static void a_new_key_without_kid_is_found_too(void **state)
{
    issuer *i = *state;

    json_object_del(i->worker.key, "kid");
    publish(i, i->worker.key);
    configure_jwt(&i->worker, i->source);
    json_decref(i->worker.key);
    i->worker.key = rsa_key(1, NULL);
    publish(i, i->worker.key);
    check_token(&i->worker, &good);
    assert_int_equal(server_requests(&i->server), 2);
}

/* The keys at hand still serve while the issuer does not answer. */
static void an_unknown_kid_is_refused_while_the_issuer_is_down(void **state)
{
    static const token_row unknown = { "unknown", "plain", 401, "no key fits", "Bearer ", "" };
    issuer *i = *state;
    json_t *known = i->worker.key;

    configure_jwt(&i->worker, i->source);
    server_answer(&i->server, 503, "");
    i->worker.key = rsa_key(1, "k2");
    check_token(&i->worker, &unknown);
    json_decref(i->worker.key);
    i->worker.key = known;
    check_token(&i->worker, &good);
    assert_int_equal(server_requests(&i->server), 2);
}

/* Verifying costs time: a token without kid does not make us try every key there is. */
static void a_token_without_kid_is_tried_with_16_keys(void **state)
{
    static const token_row late = { "late", "plain", 401, "does not hold", "Bearer ", "" };
    issuer *i = *state;
    json_t *other = public_key(i->worker.key, NULL);
    json_t *keys[17];
    char *set;

    json_decref(i->worker.key);
    i->worker.key = rsa_key(1, NULL);
    for (size_t n = 0; n < 16; n++)
        keys[n] = json_incref(other);
    keys[16] = public_key(i->worker.key, NULL);
    set = key_set(keys, 17);
    server_answer(&i->server, 200, set);
    free(set);
    configure_jwt(&i->worker, i->source);
    check_token(&i->worker, &late);
    json_decref(other);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(keys_are_fetched_once_for_many_requests, setup, stop),
    cmocka_unit_test_setup_teardown(without_keys_tokens_wait_and_api_keys_open, setup, stop),
    cmocka_unit_test_setup_teardown(a_new_key_is_good_at_once_and_the_old_one_is_not, setup, stop),
    cmocka_unit_test_setup_teardown(a_forged_token_fetches_nothing, setup, stop),
    cmocka_unit_test_setup_teardown(a_new_key_without_kid_is_found_too, setup, stop),
    cmocka_unit_test_setup_teardown(an_unknown_kid_is_refused_while_the_issuer_is_down, setup,
                                    stop),
    cmocka_unit_test_setup_teardown(a_token_without_kid_is_tried_with_16_keys, setup, stop),
};

ISW_TEST_MAIN(tests)
