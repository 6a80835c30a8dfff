/* SPDX-License-Identifier: Apache-2.0 */
#include "host/tls/support.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A server that asks clients, as hard as `optional` says, and one that shows `name`, if any. */
static void begin(tls_pair *pair, bool optional, const char *name)
{
    static tls_ear ear;
    iswi_tls_options options = tls_options(&ear);

    options.client_ca = tls_file("ca.pem");
    options.client_optional = optional;
    tls_pair_begin(pair, &options);
    if (name)
        tls_show(pair, name);
}

static void assert_same(isw_str text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static void assert_is_client(const tls_pair *pair)
{
    const iswi_tls_peer *peer = iswi_tls_peer_of(pair->server);

    assert_non_null(peer);
    assert_same(peer->subject, "CN=J\xc3\xbcrgen\\, the first,O=Example");
    assert_same(peer->issuer, "CN=ca");
    assert_int_equal(peer->name_count, 4);
    assert_same(peer->names[0], "URI:spiffe://example/orders");
    assert_same(peer->names[1], "DNS:a.example");
    assert_same(peer->names[2], "email:j@example");
    assert_same(peer->names[3], "IP:10.0.0.7");
    assert_int_equal(peer->fingerprint.size, 64);
    assert_int_equal(strspn(peer->fingerprint.data, "0123456789abcdef"), 64);
    assert_true(peer->expires_s > time(NULL));
}

static void a_client_is_known_by_its_certificate(void **state)
{
    tls_pair pair;

    (void)state;
    for (int optional = 0; optional < 2; optional++) {
        begin(&pair, optional, "client");
        assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
        assert_is_client(&pair);
        tls_pair_end(&pair);
    }
}

static void a_client_without_a_subject_has_its_names(void **state)
{
    const iswi_tls_peer *peer;
    tls_pair pair;

    (void)state;
    begin(&pair, false, "nameless");
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    peer = iswi_tls_peer_of(pair.server);
    assert_non_null(peer);
    assert_int_equal(peer->subject.size, 0);
    assert_int_equal(peer->name_count, 1);
    assert_same(peer->names[0], "URI:spiffe://example/nobody");
    tls_pair_end(&pair);
}

static void a_client_that_shows_none_is_refused_or_nobody(void **state)
{
    tls_pair pair;

    (void)state;
    begin(&pair, false, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_FAILED);
    assert_string_equal(iswi_tls_session_fault(pair.server),
                        "peer did not return a certificate");
    tls_pair_end(&pair);
    begin(&pair, true, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_null(iswi_tls_peer_of(pair.server));
    tls_pair_end(&pair);
}

static void one_that_is_not_good_is_refused_even_where_none_is_needed(void **state)
{
    tls_pair pair;

    (void)state;
    for (int optional = 0; optional < 2; optional++) {
        begin(&pair, optional, "unknown");
        assert_int_equal(tls_shake(&pair), ISWI_TLS_FAILED);
        assert_string_equal(iswi_tls_session_fault(pair.server),
                            "unable to get local issuer certificate");
        tls_pair_end(&pair);
        begin(&pair, optional, "expired");
        assert_int_equal(tls_shake(&pair), ISWI_TLS_FAILED);
        assert_string_equal(iswi_tls_session_fault(pair.server), "certificate has expired");
        tls_pair_end(&pair);
    }
}

static void one_that_nobody_asked_for_is_not_looked_at(void **state)
{
    tls_pair pair;

    (void)state;
    tls_pair_begin(&pair, NULL);
    tls_show(&pair, "unknown");
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_null(iswi_tls_peer_of(pair.server));
    tls_pair_end(&pair);
}

/* The connection's session, as it is once its tickets have come. */
static SSL_SESSION *end_first(tls_pair *pair)
{
    SSL_SESSION *session = SSL_get1_session(pair->client);

    SSL_shutdown(pair->client);
    iswi_tls_session_end(pair->server);
    SSL_free(pair->client);
    close(pair->server_fd);
    close(pair->client_fd);
    return session;
}

static void a_session_that_is_resumed_is_of_the_same_client(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    SSL_SESSION *session;
    tls_pair pair;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(&pair, false, "client");
        SSL_set_max_proto_version(pair.client, versions[i]);
        assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
        session = end_first(&pair);
        tls_pair_again(&pair, session);
        SSL_set_max_proto_version(pair.client, versions[i]);
        assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
        assert_int_equal(SSL_session_reused(pair.client), 1);
        assert_is_client(&pair);
        SSL_SESSION_free(session);
        tls_pair_end(&pair);
    }
}

/* What was read again may trust others. */
static void a_session_is_not_resumed_once_the_files_were_read_again(void **state)
{
    SSL_SESSION *session;
    tls_pair pair;

    (void)state;
    begin(&pair, false, "client");
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    session = end_first(&pair);
    iswi_tls_look(pair.tls, true);
    tls_pair_again(&pair, session);
    tls_show(&pair, "client");
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_int_equal(SSL_session_reused(pair.client), 0);
    assert_is_client(&pair);
    SSL_SESSION_free(session);
    tls_pair_end(&pair);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_client_is_known_by_its_certificate),
    cmocka_unit_test(a_client_without_a_subject_has_its_names),
    cmocka_unit_test(a_client_that_shows_none_is_refused_or_nobody),
    cmocka_unit_test(one_that_is_not_good_is_refused_even_where_none_is_needed),
    cmocka_unit_test(one_that_nobody_asked_for_is_not_looked_at),
    cmocka_unit_test(a_session_that_is_resumed_is_of_the_same_client),
    cmocka_unit_test(a_session_is_not_resumed_once_the_files_were_read_again),
};

ISW_TEST_MAIN(tests)
