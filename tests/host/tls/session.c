/* SPDX-License-Identifier: Apache-2.0 */
#include "host/tls/support.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void assert_texts(isw_str text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static void write_text(tls_pair *pair, const char *text)
{
    struct iovec piece = { (char *)text, strlen(text) };

    assert_int_equal(iswi_tls_write(pair->server, &piece, 1), piece.iov_len);
}

/* -- Shaking hands ----------------------------------------------------------------------------- */

static void bytes_go_both_ways_in_either_version(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    tls_pair pair;
    char text[16];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        tls_pair_begin(&pair, NULL);
        SSL_set_min_proto_version(pair.client, versions[i]);
        SSL_set_max_proto_version(pair.client, versions[i]);
        assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
        assert_int_equal(SSL_version(pair.client), versions[i]);
        assert_int_equal(SSL_get_verify_result(pair.client), X509_V_OK);
        assert_int_equal(SSL_write(pair.client, "ping", 4), 4);
        assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), 4);
        assert_memory_equal(text, "ping", 4);
        write_text(&pair, "pong");
        assert_int_equal(SSL_read(pair.client, text, sizeof text), 4);
        assert_memory_equal(text, "pong", 4);
        assert_null(iswi_tls_peer_of(pair.server));
        tls_pair_end(&pair);
    }
}

static void an_older_version_than_the_least_is_refused(void **state)
{
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);
    tls_pair pair;

    (void)state;
    for (options.least = ISWI_TLS_1_2; options.least <= ISWI_TLS_1_3; options.least++) {
        tls_pair_begin(&pair, &options);
        SSL_set_security_level(pair.client, 0);
        SSL_set_min_proto_version(pair.client, TLS1_VERSION);
        SSL_set_max_proto_version(pair.client, options.least == ISWI_TLS_1_2 ? TLS1_1_VERSION
                                                                             : TLS1_2_VERSION);
        assert_int_equal(tls_shake(&pair), ISWI_TLS_FAILED);
        assert_string_equal(iswi_tls_session_fault(pair.server), "unsupported protocol");
        assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_FAILED);
        tls_pair_end(&pair);
    }
}

static void a_suite_without_forward_secrecy_is_refused(void **state)
{
    tls_pair pair;

    (void)state;
    tls_pair_begin(&pair, NULL);
    SSL_set_max_proto_version(pair.client, TLS1_2_VERSION);
    assert_int_equal(SSL_set_cipher_list(pair.client, "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA"),
                     1);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_FAILED);
    assert_string_equal(iswi_tls_session_fault(pair.server), "no shared cipher");
    tls_pair_end(&pair);
}

static void assert_protocol(bool http2, const char *offered, size_t size, const char *agreed)
{
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);
    const unsigned char *name;
    unsigned name_size;
    tls_pair pair;

    options.http2 = http2;
    tls_pair_begin(&pair, &options);
    if (size)
        SSL_set_alpn_protos(pair.client, (const unsigned char *)offered, (unsigned)size);
    assert_int_equal(tls_shake(&pair), agreed ? ISWI_TLS_DONE : ISWI_TLS_FAILED);
    if (agreed) {
        SSL_get0_alpn_selected(pair.client, &name, &name_size);
        assert_texts((isw_str){ (const char *)name, name_size }, agreed);
        assert_int_equal(iswi_tls_is_http2(pair.server), strcmp(agreed, "h2") == 0);
    }
    tls_pair_end(&pair);
}

#define OFFER(text) (text), sizeof(text) - 1

static void the_protocol_is_agreed_on(void **state)
{
    (void)state;
    assert_protocol(false, OFFER("\2h2\10http/1.1"), "http/1.1");
    assert_protocol(true, OFFER("\10http/1.1\2h2"), "h2");
    assert_protocol(true, OFFER("\10http/1.1"), "http/1.1");
    assert_protocol(true, "", 0, "");
    assert_protocol(true, OFFER("\3ftp\6spdy/1"), NULL);
    assert_protocol(false, OFFER("\2h2"), NULL);
}

static void text_is_told_from_tls(void **state)
{
    tls_pair pair;

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(write(pair.client_fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_PLAIN);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_PLAIN);
    assert_string_equal(iswi_tls_session_fault(pair.server), "it does not speak TLS");
    tls_pair_end(&pair);
}

static void what_is_neither_is_refused(void **state)
{
    tls_pair pair;

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(write(pair.client_fd, "\0\1\2\3\4\5\6\7", 8), 8);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_FAILED);
    tls_pair_end(&pair);
}

static void a_client_that_leaves_in_the_middle_is_told(void **state)
{
    tls_pair pair;

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_WANTS_INPUT);
    SSL_do_handshake(pair.client);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_WANTS_INPUT);
    shutdown(pair.client_fd, SHUT_WR);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_FAILED);
    assert_string_equal(iswi_tls_session_fault(pair.server), "the client left");
    tls_pair_end(&pair);
}

static void a_client_that_only_knocks_is_no_failure(void **state)
{
    tls_pair pair;

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_WANTS_INPUT);
    shutdown(pair.client_fd, SHUT_WR);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_LEFT);
    assert_int_equal(iswi_tls_handshake(pair.server), ISWI_TLS_LEFT);
    tls_pair_end(&pair);
}

static void hands_are_shaken_once(void **state)
{
    tls_pair pair;
    char text[16];

    (void)state;
    tls_pair_begin(&pair, NULL);
    SSL_set_max_proto_version(pair.client, TLS1_2_VERSION);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_int_equal(SSL_renegotiate(pair.client), 1);
    SSL_do_handshake(pair.client);
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), -1);
    ERR_clear_error();
    assert_int_equal(SSL_do_handshake(pair.client), -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    tls_pair_end(&pair);
}

/* -- Reading and writing ----------------------------------------------------------------------- */

static void before_hands_are_shaken_nothing_is_read_or_written(void **state)
{
    struct iovec piece = { "early", 5 };
    tls_pair pair;
    char text[16];

    (void)state;
    tls_pair_begin(&pair, NULL);
    errno = 0;
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), -1);
    assert_int_equal(errno, EPROTO);
    assert_int_equal(iswi_tls_write(pair.server, &piece, 1), -1);
    assert_true(iswi_tls_finish(pair.server));
    assert_int_equal(recv(pair.client_fd, text, sizeof text, MSG_DONTWAIT), -1);
    tls_pair_end(&pair);
}

static void small_pieces_are_one_record(void **state)
{
    struct iovec pieces[] = { { "head;", 5 }, { "", 0 }, { "body;", 5 }, { "end", 3 } };
    tls_pair pair;
    char text[32];

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_int_equal(iswi_tls_write(pair.server, pieces, 4), 13);
    assert_int_equal(SSL_read(pair.client, text, sizeof text), 13); /* never more than a record */
    assert_memory_equal(text, "head;body;end", 13);
    tls_pair_end(&pair);
}

static void what_was_read_ahead_is_told(void **state)
{
    tls_pair pair;
    char text[64];

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_int_equal(SSL_write(pair.client, "one two", 7), 7);
    assert_int_equal(SSL_write(pair.client, "three", 5), 5);
    assert_int_equal(iswi_tls_read(pair.server, text, 4), 4);
    assert_int_equal(recv(pair.server_fd, text, 1, MSG_PEEK | MSG_DONTWAIT), -1);
    assert_true(iswi_tls_has_input(pair.server));
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), 3);
    assert_true(iswi_tls_has_input(pair.server));
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), 5);
    assert_false(iswi_tls_has_input(pair.server)); /* it was all that the socket had */
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), -1);
    assert_int_equal(errno, EAGAIN);
    assert_false(iswi_tls_has_input(pair.server));
    assert_false(iswi_tls_wants_output(pair.server));
    tls_pair_end(&pair);
}

static void what_the_socket_may_still_have_is_told(void **state)
{
    enum { RECORDS = 8, RECORD = 16000 };
    static char text[RECORD];
    tls_pair pair;

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    for (int i = 0; i < RECORDS; i++)
        assert_int_equal(SSL_write(pair.client, text, RECORD), RECORD);
    for (int i = 0; i < RECORDS; i++) {
        assert_true(i == 0 || iswi_tls_has_input(pair.server));
        assert_int_equal(iswi_tls_read(pair.server, text, RECORD), RECORD);
    }
    assert_int_equal(iswi_tls_read(pair.server, text, RECORD), -1);
    assert_false(iswi_tls_has_input(pair.server));
    tls_pair_end(&pair);
}

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 31 + at / 251);
}

/* Everything that the client can have now, which is compared. */
static size_t drain(tls_pair *pair, size_t at)
{
    unsigned char text[5000];
    int got;

    while ((got = SSL_read(pair->client, text, sizeof text)) > 0)
        for (int i = 0; i < got; i++, at++)
            if (text[i] != pattern(at))
                fail_msg("byte %zu is another", at);
    return at;
}

static void a_full_socket_is_waited_for(void **state)
{
    static unsigned char body[3 << 20];
    tls_pair pair;
    size_t written = 0;
    size_t arrived = 0;
    size_t waits = 0;

    (void)state;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = pattern(i);
    tls_pair_begin(&pair, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    while (written < sizeof body) {
        /* As a connection would: what is left of a small piece, and of a large one. */
        size_t head = written < 100 ? 100 - written : 0;
        struct iovec pieces[] = { { body + written, head },
                                  { body + written + head, sizeof body - written - head } };
        ssize_t size = iswi_tls_write(pair.server, pieces, 2);

        if (size > 0)
            written += (size_t)size;
        if (written < sizeof body) {
            assert_true(iswi_tls_wants_output(pair.server));
            arrived = drain(&pair, arrived);
            waits++;
        }
    }
    assert_true(waits > 2);
    assert_int_equal(drain(&pair, arrived), sizeof body);
    tls_pair_end(&pair);
}

/* -- The end ----------------------------------------------------------------------------------- */

static void an_end_is_one_with_or_without_a_word(void **state)
{
    tls_pair pair;
    char text[16];

    (void)state;
    for (int word = 0; word < 2; word++) {
        tls_pair_begin(&pair, NULL);
        assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
        assert_int_equal(SSL_write(pair.client, "last", 4), 4);
        if (word)
            SSL_shutdown(pair.client);
        else
            shutdown(pair.client_fd, SHUT_WR);
        assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), 4);
        assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), 0);
        write_text(&pair, "answer"); /* which a client that has said all may wait for */
        assert_int_equal(SSL_read(pair.client, text, sizeof text), 6);
        tls_pair_end(&pair);
    }
}

static void a_client_is_told_that_nothing_more_comes(void **state)
{
    tls_pair pair;
    char text[16];

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_true(iswi_tls_finish(pair.server));
    assert_int_equal(SSL_read(pair.client, text, sizeof text), 0);
    assert_int_equal(SSL_get_error(pair.client, 0), SSL_ERROR_ZERO_RETURN);
    assert_int_equal(SSL_write(pair.client, "more", 4), 4);
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), 4);
    tls_pair_end(&pair);
}

static void a_client_that_is_gone_ends_the_session_and_not_the_program(void **state)
{
    tls_pair pair;
    char text[16];

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    shutdown(pair.client_fd, SHUT_RDWR);
    assert_int_equal(iswi_tls_write(pair.server, &(struct iovec){ "text", 4 }, 1), -1);
    assert_int_not_equal(errno, EAGAIN);
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), -1);
    tls_pair_end(&pair);
}

static void a_byte_that_was_changed_ends_the_session(void **state)
{
    tls_pair pair;
    char text[64];

    (void)state;
    tls_pair_begin(&pair, NULL);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_int_equal(write(pair.client_fd, "\x17\3\3\0\x20 not what was agreed on, surely..",
                           37), 37);
    assert_int_equal(iswi_tls_read(pair.server, text, sizeof text), -1);
    assert_int_equal(errno, EPROTO);
    assert_true(iswi_tls_session_fault(pair.server)[0] != '\0');
    assert_int_equal(iswi_tls_write(pair.server, &(struct iovec){ "text", 4 }, 1), -1);
    tls_pair_end(&pair);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_go_both_ways_in_either_version),
    cmocka_unit_test(an_older_version_than_the_least_is_refused),
    cmocka_unit_test(a_suite_without_forward_secrecy_is_refused),
    cmocka_unit_test(the_protocol_is_agreed_on),
    cmocka_unit_test(text_is_told_from_tls),
    cmocka_unit_test(what_is_neither_is_refused),
    cmocka_unit_test(a_client_that_leaves_in_the_middle_is_told),
    cmocka_unit_test(a_client_that_only_knocks_is_no_failure),
    cmocka_unit_test(hands_are_shaken_once),
    cmocka_unit_test(before_hands_are_shaken_nothing_is_read_or_written),
    cmocka_unit_test(small_pieces_are_one_record),
    cmocka_unit_test(what_was_read_ahead_is_told),
    cmocka_unit_test(what_the_socket_may_still_have_is_told),
    cmocka_unit_test(a_full_socket_is_waited_for),
    cmocka_unit_test(an_end_is_one_with_or_without_a_word),
    cmocka_unit_test(a_client_is_told_that_nothing_more_comes),
    cmocka_unit_test(a_client_that_is_gone_ends_the_session_and_not_the_program),
    cmocka_unit_test(a_byte_that_was_changed_ends_the_session),
};

ISW_TEST_MAIN(tests)
