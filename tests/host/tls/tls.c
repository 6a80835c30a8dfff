/* SPDX-License-Identifier: Apache-2.0 */
#include "host/tls/support.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* -- Files that cannot be used ----------------------------------------------------------------- */

/* The server's own certificate or key is another file. */
static void refuse_file(const char *chain, const char *key, const char *part)
{
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);

    if (chain)
        options.first.chain = tls_file(chain);
    if (key)
        options.first.key = tls_file(key);
    assert_refused(&options, part);
}

static void a_file_that_cannot_be_used_is_told_with_its_reason(void **state)
{
    (void)state;
    refuse_file("missing.pem", NULL, "/missing.pem cannot be read: No such file or directory");
    refuse_file(NULL, "missing.key", "/missing.key cannot be read: No such file or directory");
    refuse_file(".", NULL, "/. cannot be read: it is not a regular file");
    refuse_file("text.pem", NULL, "/text.pem has no certificate in PEM form");
    refuse_file("server.key", NULL, "/server.key has no certificate in PEM form");
    refuse_file(NULL, "text.pem", "/text.pem has no private key in PEM form");
    refuse_file(NULL, "server.pem", "/server.pem has no private key in PEM form");
    refuse_file(NULL, "other.key", "/other.key is not the key of the certificate in ");
    refuse_file(NULL, "weak.key", "/weak.key is not the key of the certificate in ");
    refuse_file(NULL, "locked.key", "/locked.key is protected by a password");
    refuse_file("weak.pem", "weak.key", "/weak.pem cannot be used: ee key too small");
}

static void an_authority_that_cannot_be_used_is_told_with_its_reason(void **state)
{
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);

    (void)state;
    options.client_ca = tls_file("missing.pem");
    assert_refused(&options, "/missing.pem cannot be read: No such file or directory");
    options.client_ca = tls_file("text.pem");
    assert_refused(&options, "/text.pem has no certificates in PEM form");
}

static void the_fault_says_which_file(void **state)
{
    iswi_tls_certificate other = tls_certificate("other");
    iswi_tls_options options = { .first = tls_certificate("server"), .others = &other,
                                 .other_count = 1 };
    iswi_tls_fault fault = { ISWI_TLS_FAULT_CHAIN, 0 };
    isw_error error = { ISW_OK, "" };
    iswi_tls *tls = NULL;

    (void)state;
    other.key = tls_file("server.key");
    assert_int_equal(iswi_tls_create(&options, &tls, &fault, &error), ISW_E_CONFIG);
    assert_null(tls);
    assert_int_equal(fault.file, ISWI_TLS_FAULT_KEY);
    assert_int_equal(fault.certificate, 1);
    other = tls_certificate("missing");
    assert_int_equal(iswi_tls_create(&options, &tls, &fault, &error), ISW_E_CONFIG);
    assert_int_equal(fault.file, ISWI_TLS_FAULT_CHAIN);
    assert_int_equal(fault.certificate, 1);
    other = tls_certificate("other");
    options.client_ca = tls_file("text.pem");
    assert_int_equal(iswi_tls_create(&options, &tls, &fault, &error), ISW_E_CONFIG);
    assert_int_equal(fault.file, ISWI_TLS_FAULT_CLIENT_CA);
}

/* -- Files of which there is something to say -------------------------------------------------- */

static void assert_said(const iswi_tls_options *options, isw_log_level level, const char *part)
{
    const tls_ear *ear = options->user;
    isw_error error = { ISW_OK, "" };
    iswi_tls *tls;

    if (iswi_tls_create(options, &tls, NULL, &error) != ISW_OK)
        fail_msg("%s", error.message);
    iswi_tls_destroy(tls);
    assert_int_equal(ear->level, level);
    if (!strstr(ear->text, part))
        fail_msg("\"%s\" says nothing of \"%s\"", ear->text, part);
}

static void a_certificate_that_is_over_is_warned_of(void **state)
{
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);

    (void)state;
    options.first = tls_certificate("expired");
    assert_said(&options, ISW_LOG_WARNING, "/expired.pem has expired on 2001-01-01: clients");
}

static void each_certificate_says_until_when_it_holds(void **state)
{
    iswi_tls_certificate other = tls_certificate("expired");
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);
    isw_error error = { ISW_OK, "" };
    int64_t expires_s = 0;
    iswi_tls *tls;

    (void)state;
    options.others = &other;
    options.other_count = 1;
    assert_int_equal(iswi_tls_create(&options, &tls, NULL, &error), ISW_OK);
    assert_string_equal(iswi_tls_expiry(tls, 0, &expires_s), options.first.chain);
    assert_true(expires_s > time(NULL));
    assert_string_equal(iswi_tls_expiry(tls, 1, &expires_s), other.chain);
    assert_true(expires_s > 0 && expires_s < time(NULL));
    assert_null(iswi_tls_expiry(tls, 2, &expires_s));
    assert_false(iswi_tls_refused(tls, &error));
    assert_int_equal(iswi_tls_refusals(tls), 0);
    iswi_tls_destroy(tls);
}

/* A folder of the test's own with a pair of files, which go with it. */
static void make_folder(char folder[64], iswi_tls_certificate *files, char paths[2][96])
{
    strcpy(folder, "/tmp/isw-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(paths[0], sizeof paths[0], "%s/own.pem", folder);
    snprintf(paths[1], sizeof paths[1], "%s/own.key", folder);
    *files = (iswi_tls_certificate){ paths[0], paths[1] };
}

static void remove_folder(const char *folder)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void put(const char *from, const char *to)
{
    char command[1024];

    snprintf(command, sizeof command, "cp %s %s", tls_file(from), to);
    assert_int_equal(system(command), 0);
}

static void a_certificate_that_will_soon_be_over_is_warned_of(void **state)
{
    char folder[64], command[1024], paths[2][96];
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);

    (void)state;
    make_folder(folder, &options.first, paths);
    put("ca.pem", folder);
    put("ca.key", folder);
    snprintf(command, sizeof command, "%s/support/certificates %s soon", ISW_TEST_SOURCE_DIR,
             folder);
    assert_int_equal(system(command), 0);
    snprintf(paths[0], sizeof paths[0], "%s/soon.pem", folder);
    snprintf(paths[1], sizeof paths[1], "%s/soon.key", folder);
    assert_said(&options, ISW_LOG_WARNING, ": it is time to renew it");
    remove_folder(folder);
}

static void a_key_that_everybody_can_read_is_warned_of(void **state)
{
    char folder[64], paths[2][96];
    tls_ear ear;
    iswi_tls_options options = tls_options(&ear);

    (void)state;
    make_folder(folder, &options.first, paths);
    put("server.pem", paths[0]);
    put("server.key", paths[1]);
    assert_int_equal(chmod(paths[1], 0644), 0);
    assert_said(&options, ISW_LOG_WARNING, "own.key can be read by every user");
    ear.text[0] = '\0';
    ear.level = ISW_LOG_DEBUG;
    assert_int_equal(chmod(paths[1], 0640), 0); /* Debian's group ssl-cert */
    assert_said(&options, ISW_LOG_DEBUG, "");
    assert_string_equal(ear.text, "");
    remove_folder(folder);
}

/* -- Names ------------------------------------------------------------------------------------- */

static void assert_subject(SSL *client, const char *expected)
{
    X509 *certificate = SSL_get1_peer_certificate(client);
    char text[128] = "";

    assert_non_null(certificate);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text,
                              sizeof text);
    X509_free(certificate);
    assert_string_equal(text, expected);
}

static void assert_shown(const iswi_tls_options *options, const char *asked, const char *shown)
{
    tls_pair pair;

    tls_pair_begin(&pair, options);
    if (asked)
        SSL_set_tlsext_host_name(pair.client, asked);
    assert_int_equal(tls_shake(&pair), ISWI_TLS_DONE);
    assert_subject(pair.client, shown);
    tls_pair_end(&pair);
}

static void a_client_gets_the_certificate_of_the_name_that_it_asks_for(void **state)
{
    iswi_tls_certificate other = tls_certificate("other");
    iswi_tls_options options = { .first = tls_certificate("server"), .others = &other,
                                 .other_count = 1 };

    (void)state;
    assert_shown(&options, "localhost", "localhost");
    assert_shown(&options, "other.example", "other.example");
    assert_shown(&options, "OTHER.example", "other.example");
    assert_shown(&options, "a.wild.example", "other.example");
    assert_shown(&options, "a.b.wild.example", "localhost");
    assert_shown(&options, "nobody.example", "localhost");
    assert_shown(&options, NULL, "localhost");
}

static void clients_must_show_theirs_whichever_name_they_ask_for(void **state)
{
    iswi_tls_certificate other = tls_certificate("other");
    iswi_tls_options options = { .first = tls_certificate("server"), .others = &other,
                                 .other_count = 1 };
    tls_pair pair;

    (void)state;
    options.client_ca = tls_file("ca.pem");
    tls_pair_begin(&pair, &options);
    SSL_set_tlsext_host_name(pair.client, "other.example");
    assert_int_equal(tls_shake(&pair), ISWI_TLS_FAILED);
    tls_pair_end(&pair);
}

/* -- New files --------------------------------------------------------------------------------- */

typedef struct renewal {
    char folder[64], paths[2][96];
    tls_ear ear;
    tls_pair pair;
} renewal;

static void renewal_begin(renewal *with)
{
    iswi_tls_options options = tls_options(&with->ear);

    make_folder(with->folder, &options.first, with->paths);
    put("server.pem", with->paths[0]);
    put("server.key", with->paths[1]);
    tls_pair_begin(&with->pair, &options);
    assert_int_equal(tls_shake(&with->pair), ISWI_TLS_DONE);
}

static void renewal_end(renewal *with)
{
    tls_pair_end(&with->pair);
    remove_folder(with->folder);
}

/* What a client that comes now is shown; those that are there stay. */
static void assert_shown_now(renewal *with, const char *subject)
{
    tls_pair later = with->pair;

    tls_pair_again(&later, NULL);
    assert_int_equal(tls_shake(&later), ISWI_TLS_DONE);
    assert_subject(later.client, subject);
    iswi_tls_session_end(later.server);
    SSL_free(later.client);
    close(later.server_fd);
    close(later.client_fd);
}

static void assert_heard(renewal *with, isw_log_level level, const char *part)
{
    assert_int_equal(with->ear.level, level);
    if (!strstr(with->ear.text, part))
        fail_msg("\"%s\" says nothing of \"%s\"", with->ear.text, part);
    with->ear.text[0] = '\0';
    with->ear.level = ISW_LOG_DEBUG;
}

static void new_files_are_for_new_connections(void **state)
{
    renewal with;
    char text[8];

    (void)state;
    renewal_begin(&with);
    iswi_tls_look(with.pair.tls, false);
    assert_string_equal(with.ear.text, "");
    put("renewed.pem", with.paths[0]);
    put("renewed.key", with.paths[1]);
    iswi_tls_look(with.pair.tls, false); /* they may still be being written */
    assert_string_equal(with.ear.text, "");
    assert_shown_now(&with, "localhost");
    iswi_tls_look(with.pair.tls, false);
    assert_heard(&with, ISW_LOG_INFO, "certificates were read again");
    assert_shown_now(&with, "renewed");
    iswi_tls_look(with.pair.tls, false);
    assert_string_equal(with.ear.text, "");
    /* One that was there goes on. */
    assert_int_equal(SSL_write(with.pair.client, "ping", 4), 4);
    assert_int_equal(iswi_tls_read(with.pair.server, text, sizeof text), 4);
    renewal_end(&with);
}

static void bad_new_files_change_nothing_and_are_told_once(void **state)
{
    renewal with;

    (void)state;
    renewal_begin(&with);
    put("renewed.pem", with.paths[0]);
    iswi_tls_look(with.pair.tls, false);
    iswi_tls_look(with.pair.tls, false);
    assert_heard(&with, ISW_LOG_ERROR, "own.key is not the key of the certificate in ");
    assert_shown_now(&with, "localhost");
    iswi_tls_look(with.pair.tls, false);
    assert_string_equal(with.ear.text, "");
    assert_int_equal(unlink(with.paths[1]), 0);
    iswi_tls_look(with.pair.tls, false);
    iswi_tls_look(with.pair.tls, false);
    assert_heard(&with, ISW_LOG_ERROR, "own.key cannot be read: No such file or directory; new "
                                       "connections get the certificates as they were before");
    assert_shown_now(&with, "localhost");
    put("renewed.key", with.paths[1]);
    iswi_tls_look(with.pair.tls, false);
    iswi_tls_look(with.pair.tls, false);
    assert_heard(&with, ISW_LOG_INFO, "certificates were read again");
    assert_shown_now(&with, "renewed");
    renewal_end(&with);
}

static void who_asks_has_them_read_at_once(void **state)
{
    renewal with;

    (void)state;
    renewal_begin(&with);
    iswi_tls_look(with.pair.tls, true);
    assert_heard(&with, ISW_LOG_INFO, "certificates were read again");
    put("renewed.pem", with.paths[0]);
    put("renewed.key", with.paths[1]);
    iswi_tls_look(with.pair.tls, true);
    assert_heard(&with, ISW_LOG_INFO, "certificates were read again");
    assert_shown_now(&with, "renewed");
    renewal_end(&with);
}

static void a_link_that_leads_elsewhere_is_a_change(void **state)
{
    renewal with;
    char linked[128];

    (void)state;
    renewal_begin(&with);
    for (int i = 0; i < 2; i++) {
        snprintf(linked, sizeof linked, "%s.link", with.paths[i]);
        assert_int_equal(symlink(tls_file(i ? "renewed.key" : "renewed.pem"), linked), 0);
        assert_int_equal(rename(linked, with.paths[i]), 0);
    }
    iswi_tls_look(with.pair.tls, false);
    iswi_tls_look(with.pair.tls, false);
    assert_shown_now(&with, "renewed");
    renewal_end(&with);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_file_that_cannot_be_used_is_told_with_its_reason),
    cmocka_unit_test(an_authority_that_cannot_be_used_is_told_with_its_reason),
    cmocka_unit_test(the_fault_says_which_file),
    cmocka_unit_test(a_certificate_that_is_over_is_warned_of),
    cmocka_unit_test(each_certificate_says_until_when_it_holds),
    cmocka_unit_test(a_certificate_that_will_soon_be_over_is_warned_of),
    cmocka_unit_test(a_key_that_everybody_can_read_is_warned_of),
    cmocka_unit_test(a_client_gets_the_certificate_of_the_name_that_it_asks_for),
    cmocka_unit_test(clients_must_show_theirs_whichever_name_they_ask_for),
    cmocka_unit_test(new_files_are_for_new_connections),
    cmocka_unit_test(bad_new_files_change_nothing_and_are_told_once),
    cmocka_unit_test(who_asks_has_them_read_at_once),
    cmocka_unit_test(a_link_that_leads_elsewhere_is_a_change),
};

ISW_TEST_MAIN(tests)
