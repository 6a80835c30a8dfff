/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, and the networks that they lie in. */
#include "support/main.h"

#include "url/networks.h"

static iswi_ip ip(const char *text)
{
    iswi_ip out;

    if (!iswi_ip_read(isw_str_of(text), &out))
        fail_msg("%s", text);
    return out;
}

static iswi_networks networks(const char *const *texts, size_t count)
{
    iswi_networks out;
    isw_error error = { ISW_OK, "" };
    size_t bad;

    if (iswi_networks_read(texts, count, &out, &bad, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return out;
}

static bool lies_in(const char *address, const char *network)
{
    iswi_networks all = networks(&network, 1);
    iswi_ip one = ip(address);
    bool has = iswi_networks_have(&all, &one);

    iswi_networks_fini(&all);
    return has;
}

static void an_address_is_written_as_it_is_known(void **state)
{
    static const char *const pairs[][2] = {
        { "192.0.2.1", "192.0.2.1" },   { "::ffff:192.0.2.1", "192.0.2.1" },
        { "::1", "::1" },               { "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
        { "::192.0.2.1", "::192.0.2.1" }, { "255.255.255.255", "255.255.255.255" },
    };
    char text[ISWI_IP_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        iswi_ip one = ip(pairs[i][0]);

        assert_int_equal(iswi_ip_write(&one, text), strlen(pairs[i][1]));
        assert_string_equal(text, pairs[i][1]);
    }
}

static void what_is_no_address_is_none(void **state)
{
    static const char *const wrong[] = {
        "",       "1.2.3",  "1.2.3.4.5", "1.2.3.256", "01.2.3.4",  "1.2.3.4:80", "[::1]",
        "::1%lo", "fe80::1%1", ":",      "::1::",     "localhost", " 1.2.3.4",   "1.2.3.4 ",
        "0x1.2.3.4", "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "1111:2222:3333:4444:5555:6666:255.255.255.2555"
    };
    iswi_ip out;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (iswi_ip_read(isw_str_of(wrong[i]), &out))
            fail_msg("%s", wrong[i]);
    assert_false(iswi_ip_read((isw_str){ "1.2.3.4\0", 8 }, &out));
}

static void a_network_has_its_addresses_and_no_others(void **state)
{
    (void)state;
    assert_true(lies_in("10.0.0.0", "10.0.0.0/8"));
    assert_true(lies_in("10.255.255.255", "10.0.0.0/8"));
    assert_false(lies_in("11.0.0.0", "10.0.0.0/8"));
    assert_false(lies_in("9.255.255.255", "10.0.0.0/8"));
    assert_true(lies_in("192.168.0.129", "192.168.0.128/25"));
    assert_false(lies_in("192.168.0.127", "192.168.0.128/25"));
    assert_true(lies_in("1.2.3.4", "1.2.3.4"));
    assert_true(lies_in("1.2.3.4", "1.2.3.4/32"));
    assert_false(lies_in("1.2.3.5", "1.2.3.4"));
    assert_true(lies_in("1.2.3.4", "0.0.0.0/0"));
    assert_false(lies_in("::1", "0.0.0.0/0"));
    assert_true(lies_in("::ffff:10.1.2.3", "10.0.0.0/8"));
    assert_true(lies_in("2001:db8:ffff::1", "2001:db8::/32"));
    assert_false(lies_in("2001:db9::1", "2001:db8::/32"));
    assert_true(lies_in("fe80::1", "fe80::/10"));
    assert_true(lies_in("febf::1", "fe80::/10"));
    assert_false(lies_in("fec0::1", "fe80::/10"));
    assert_true(lies_in("1.2.3.4", "::/0"));
}

static void unix_stands_for_those_without_an_address(void **state)
{
    static const char *const texts[] = { "10.0.0.0/8", "unix", "::1" };
    iswi_networks all = networks(texts, 3);
    iswi_ip last = ip("::1");

    (void)state;
    assert_true(all.local);
    assert_int_equal(all.count, 2);
    assert_true(iswi_networks_have(&all, &last));
    iswi_networks_fini(&all);
    all = networks(texts, 1);
    assert_false(all.local);
    iswi_networks_fini(&all);
    assert_false(iswi_networks_have(&all, &last));
}

static void a_text_that_is_no_network_is_refused_with_its_number(void **state)
{
    static const char *const wrong[] = { "",           "a",          "10.0.0.0/33", "::/129",
                                         "10.0.0.0/",  "10.0.0.0/x", "10.0.0.0/08", "10.0.0.0/-1",
                                         "10.0.0/8",   "/8",         "UNIX",        "10.0.0.0/8/8",
                                         "[::1]/128",  "1.2.3.4:80", "::/1000" };
    isw_error error = { ISW_OK, "" };
    iswi_networks out = { NULL, 7, false };
    size_t bad;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *const texts[] = { "::1", wrong[i], "::2" };

        error.status = ISW_OK;
        assert_int_equal(iswi_networks_read(texts, 3, &out, &bad, &error), ISW_E_CONFIG);
        assert_int_equal(bad, 1);
        assert_non_null(strstr(error.message, "is no network; write an address"));
    }
    assert_int_equal(out.count, 7);
}

static void what_is_within_a_network_is_told_the_network(void **state)
{
    static const char *const text = "10.1.2.3/8";
    static const char *const other = "2001:db8::5/33";
    isw_error error = { ISW_OK, "" };
    iswi_networks out;
    size_t bad;

    (void)state;
    assert_int_equal(iswi_networks_read(&text, 1, &out, &bad, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "write that as 10.0.0.0/8"));
    error.status = ISW_OK;
    assert_int_equal(iswi_networks_read(&other, 1, &out, &bad, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "write that as 2001:db8::/33"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_address_is_written_as_it_is_known),
    cmocka_unit_test(what_is_no_address_is_none),
    cmocka_unit_test(a_network_has_its_addresses_and_no_others),
    cmocka_unit_test(unix_stands_for_those_without_an_address),
    cmocka_unit_test(a_text_that_is_no_network_is_refused_with_its_number),
    cmocka_unit_test(what_is_within_a_network_is_told_the_network),
};

ISW_TEST_MAIN(tests)
