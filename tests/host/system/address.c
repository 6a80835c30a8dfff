/* SPDX-License-Identifier: Apache-2.0 */
/* What is an address to listen at, and what is none. */
#include "support/main.h"

#include "host/system/address.h"

#include <string.h>

static iswi_address address(const char *text)
{
    iswi_address out;
    isw_error error = { ISW_OK, "" };

    if (iswi_address_read(text, "http.listen", &out, &error) != ISW_OK)
        fail_msg("%s: %s", text, error.message);
    return out;
}

static void addresses_of_ip_have_a_port(void **state)
{
    static const char *const same[] = { "127.0.0.1:7071", "[::1]:0", "0.0.0.0:65535",
                                        "[2001:db8::1]:80" };
    char text[ISWI_ADDRESS_BYTES];
    iswi_address one;

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        one = address(same[i]);
        assert_int_equal(one.kind, ISWI_ADDRESS_IP);
        iswi_address_write(&one, text);
        assert_string_equal(text, same[i]);
        iswi_address_set_port(&one, 4711);
        assert_int_equal(iswi_address_port(&one), 4711);
    }
    one = address("localhost:80");
    iswi_address_write(&one, text);
    assert_string_equal(text, "127.0.0.1:80");
}

static void sockets_have_a_path_or_come_from_outside(void **state)
{
    iswi_address one = address("unix:/run/app.sock");

    (void)state;
    assert_int_equal(one.kind, ISWI_ADDRESS_UNIX);
    assert_string_equal(one.name, "/run/app.sock");
    assert_string_equal(address("unix:app.sock").name, "app.sock");
    one = address("systemd");
    assert_int_equal(one.kind, ISWI_ADDRESS_PASSED);
    assert_null(one.name);
    one = address("fd:http");
    assert_int_equal(one.kind, ISWI_ADDRESS_PASSED);
    assert_string_equal(one.name, "http");
}

static void any_of_them_may_be_over_tls(void **state)
{
    iswi_address one = address("https://[::1]:8443");
    char text[ISWI_ADDRESS_BYTES];

    (void)state;
    assert_true(one.secure);
    iswi_address_write(&one, text);
    assert_string_equal(text, "[::1]:8443");
    assert_true(address("https://systemd").secure);
    assert_string_equal(address("https://fd:web").name, "web");
    assert_string_equal(address("https://unix:/run/a").name, "/run/a");
    assert_false(address("http://127.0.0.1:80").secure);
    assert_false(address("127.0.0.1:80").secure);
    one = address("https://127.0.0.1:8443");
    assert_true(iswi_address_same(&one, &(iswi_address){ .ip = one.ip }));
}

static void what_is_none_is_refused_with_what_is_one(void **state)
{
    static const char *const wrong[] = { "",          "7071",         ":7071",
                                         "localhost", "host:80",      "127.0.0.1:65536",
                                         "1.2.3:80",  "[::1:80",      "::1:80",
                                         "[]:80",     "127.0.0.1:-1", "127.0.0.1: 80",
                                         "[::1]80",   "127.0.0.1:",   "fd:",
                                         "fd",        "systemd:a",    "Unix:/a",
                                         "https://",  "https:1.2.3.4:5", "https://127.0.0.1:80/",
                                         "ftp://127.0.0.1:80" };
    static const char *const no_path[] = { "unix:", "unix:@a", "unix:/run/" };
    char long_one[128] = "unix:/";
    isw_error error = { ISW_OK, "" };
    iswi_address out;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        error.status = ISW_OK;
        assert_int_equal(iswi_address_read(wrong[i], "x.listen", &out, &error), ISW_E_CONFIG);
        assert_non_null(strstr(error.message, "x.listen: \""));
        assert_non_null(strstr(error.message, "unix:PATH"));
    }
    for (size_t i = 0; i < sizeof no_path / sizeof no_path[0]; i++) {
        error.status = ISW_OK;
        assert_int_equal(iswi_address_read(no_path[i], "x.listen", &out, &error), ISW_E_CONFIG);
        assert_non_null(strstr(error.message, "names no socket; write the path of one"));
    }
    memset(long_one + 6, 'a', 107);
    error.status = ISW_OK;
    assert_int_equal(iswi_address_read(long_one, "x.listen", &out, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "a socket's path has at most 107 bytes"));
    long_one[5 + 107] = '\0';
    address(long_one);
}

static void it_is_known_who_may_reach_it(void **state)
{
    static const char *const here[] = { "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:a" };
    static const char *const others[] = { "0.0.0.0:1", "[::]:1", "192.0.2.1:1", "systemd" };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        iswi_address one = address(here[i]);

        assert_int_equal(iswi_address_reach(&one), ISWI_REACH_HERE);
        one = address(others[i]);
        assert_int_equal(iswi_address_reach(&one), ISWI_REACH_OTHERS);
    }
}

static bool same(const char *a, const char *b)
{
    iswi_address one = address(a);
    iswi_address other = address(b);

    return iswi_address_same(&one, &other) && iswi_address_same(&other, &one);
}

static void the_same_place_is_told_in_other_words(void **state)
{
    (void)state;
    assert_true(same("localhost:80", "127.0.0.1:80"));
    assert_true(same("[::1]:80", "[0:0::1]:80"));
    assert_true(same("unix:/a", "unix:/a"));
    assert_true(same("systemd", "fd:a"));
    assert_true(same("fd:a", "fd:a"));
    assert_false(same("127.0.0.1:0", "127.0.0.1:0"));
    assert_false(same("127.0.0.1:80", "127.0.0.1:81"));
    assert_false(same("127.0.0.1:80", "[::1]:80"));
    assert_false(same("unix:/a", "unix:/b"));
    assert_false(same("fd:a", "fd:b"));
    assert_false(same("unix:/a", "fd:a"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(addresses_of_ip_have_a_port),
    cmocka_unit_test(sockets_have_a_path_or_come_from_outside),
    cmocka_unit_test(any_of_them_may_be_over_tls),
    cmocka_unit_test(what_is_none_is_refused_with_what_is_one),
    cmocka_unit_test(it_is_known_who_may_reach_it),
    cmocka_unit_test(the_same_place_is_told_in_other_words),
};

ISW_TEST_MAIN(tests)
