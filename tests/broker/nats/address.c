/* SPDX-License-Identifier: Apache-2.0 */
/* What a place on NATS may say. */
#include "broker/nats/address.h"

#include "support/main.h"

#include <string.h>

static void a_place_is_taken_apart(void **state)
{
    static const char place[] = "tls://one:4222,two:4223?prefix=shop&replicas=3&nkey=UABC"
                                "&seed=ada.nk&ca=ca.pem&cert=c.pem&key=k.pem";
    iswi_nats_address of;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(iswi_nats_address_read(place, &of, &error), ISW_OK);
    assert_string_equal(of.scheme, "tls");
    assert_int_equal(of.server_count, 2);
    assert_string_equal(of.servers[0], "one:4222");
    assert_string_equal(of.servers[1], "two:4223");
    assert_string_equal(of.prefix, "shop");
    assert_int_equal(of.replicas, 3);
    assert_string_equal(of.nkey, "UABC");
    assert_string_equal(of.seed, "ada.nk");
    assert_string_equal(of.ca, "ca.pem");
    assert_string_equal(of.cert, "c.pem");
    assert_string_equal(of.key, "k.pem");
    iswi_nats_address_free(&of);
}

static void what_a_place_does_not_say_is_as_usual(void **state)
{
    iswi_nats_address of;

    (void)state;
    assert_int_equal(iswi_nats_address_read("nats://ada:secret@localhost", &of, NULL), ISW_OK);
    assert_string_equal(of.user, "ada:secret");
    iswi_nats_address_free(&of);
    assert_int_equal(iswi_nats_address_read("nats://localhost?creds=a.creds", &of, NULL), ISW_OK);
    assert_null(of.user);
    assert_string_equal(of.creds, "a.creds");
    iswi_nats_address_free(&of);
    assert_int_equal(iswi_nats_address_read("nats://localhost", &of, NULL), ISW_OK);
    assert_null(of.user);
    assert_string_equal(of.servers[0], "localhost");
    assert_string_equal(of.prefix, "isoworker");
    assert_int_equal(of.replicas, 1);
    assert_null(of.creds);
    iswi_nats_address_free(&of);
}

static void a_wrong_place_is_refused_with_what_is_wrong(void **state)
{
    static const struct { const char *place, *word; } rows[] = {
        { "nats:localhost", "\"//\" is missing" },
        { "nats://", "a server is HOST" },
        { "nats://a:0", "a server is HOST" },
        { "nats://ada:secret@a:70000", "a server is HOST" },
        { "nats://a:4222x", "a server is HOST" },
        { "nats://a,,b", "a server is HOST" },
        { "nats://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16" },
        { "nats://secret@a?colour=red", "no such option" },
        { "nats://a?prefix", "NAME=VALUE" },
        { "nats://a?prefix=", "NAME=VALUE" },
        { "nats://a?prefix=a.b", "a prefix is of letters" },
        { "nats://a?replicas=0", "replicas are 1 to 5" },
        { "nats://a?replicas=6", "replicas are 1 to 5" },
        { "tls://a?cert=c.pem", "go together" },
        { "nats://a?nkey=U", "go together" },
        { "nats://secret@a?creds=c", "said once" },
        { "nats://a?creds=c&nkey=U&seed=s", "said once" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        isw_error error = { 0 };
        iswi_nats_address of;

        assert_int_equal(iswi_nats_address_read(rows[i].place, &of, &error), ISW_E_CONFIG);
        if (!strstr(error.message, rows[i].word))
            fail_msg("%s: %s", rows[i].place, error.message);
        assert_non_null(strstr(error.message, "nats://[USER:PASSWORD@]HOST:PORT"));
        assert_null(strstr(error.message, "secret"));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_place_is_taken_apart),
    cmocka_unit_test(what_a_place_does_not_say_is_as_usual),
    cmocka_unit_test(a_wrong_place_is_refused_with_what_is_wrong),
};

ISW_TEST_MAIN(tests)
