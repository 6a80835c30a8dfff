/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker asks for before it goes to another machine. Handshakes are in
 * tests/integration/remote.py. */
#include "support/main.h"

#include "link/far.h"

#include <string.h>

static const iswi_link_far nothing = { .insecure = false };

static void refuses(const char *url, const iswi_link_far *far, isw_status status, const char *why)
{
    isw_error error = { ISW_OK, "" };
    iswi_link *link = NULL;

    assert_int_equal(
        iswi_message_lane_dial_far(url, far, &(iswi_link_events){ 0 }, &link, &error), status);
    if (!strstr(error.message, why))
        fail_msg("\"%s\" is not in \"%s\"", why, error.message);
    assert_null(link);
}

static void another_machine_is_told_by_the_scheme(void **state)
{
    (void)state;
    assert_true(iswi_far_is("tls+tcp://host.example:7443"));
    assert_true(iswi_far_is("tcp://127.0.0.1:1"));
    assert_false(iswi_far_is("ipc:///tcp://a"));
}

static void nothing_goes_in_plain_unless_that_is_meant(void **state)
{
    const iswi_link_far meant = { .insecure = true };

    (void)state;
    refuses("tcp://127.0.0.1:1", &nothing, ISW_E_CONFIG, "set ISOWORKER_INSECURE=true");
    refuses("tcp://127.0.0.1:1", &meant, ISW_E_UNAVAILABLE, "tcp://127.0.0.1:1: ");
    refuses("tls+tcp://localhost:1", &meant, ISW_E_CONFIG, "ISOWORKER_TLS_CA is not set");
}

static void each_file_is_called_by_its_variable(void **state)
{
    iswi_link_far far = { .ca = "/nowhere/ca.pem" };

    (void)state;
    refuses("tls+tcp://localhost:1", &far, ISW_E_CONFIG,
            "ISOWORKER_TLS_CA=/nowhere/ca.pem: No such file");
    far.ca = "/dev/null";
    refuses("tls+tcp://localhost:1", &far, ISW_E_CONFIG, "ISOWORKER_TLS_CERTIFICATE is not set");
    far.certificate = "/dev/null";
    refuses("tls+tcp://localhost:1", &far, ISW_E_CONFIG, "ISOWORKER_TLS_KEY is not set");
    far.key = "/";
    refuses("tls+tcp://localhost:1", &far, ISW_E_CONFIG, "ISOWORKER_TLS_KEY=/: Is a directory");
    far.key = "/dev/null";
    refuses("tls+tcp://localhost:1", &far, ISW_E_CONFIG,
            "ISOWORKER_TLS_CA=/dev/null has no certificates that can be used");
    far.ca = "/dev/zero";
    refuses("tls+tcp://localhost:1", &far, ISW_E_CONFIG, "it is too long for PEM");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(another_machine_is_told_by_the_scheme),
    cmocka_unit_test(nothing_goes_in_plain_unless_that_is_meant),
    cmocka_unit_test(each_file_is_called_by_its_variable),
};

ISW_TEST_MAIN(tests)
