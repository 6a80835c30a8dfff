/* SPDX-License-Identifier: Apache-2.0 */
/* Whom proxies name. Trusted are 10.0.0.0/8, fd00::/8 and Unix sockets. */
#include "support/main.h"

#include "url/forwarded.h"

enum { MOST = 8 };

typedef struct reading {
    iswi_networks trusted;
    iswi_forwarded out;
    const char *why;
} reading;

static int set_up(void **state)
{
    static const char *const texts[] = { "10.0.0.0/8", "fd00::/8", "unix" };
    static reading r;
    size_t bad;

    assert_int_equal(iswi_networks_read(texts, 3, &r.trusted, &bad, NULL), ISW_OK);
    *state = &r;
    return 0;
}

static int tear_down(void **state)
{
    iswi_networks_fini(&((reading *)*state)->trusted);
    return 0;
}

/* Lines "name: value", each ended by a line feed. */
static iswi_forwarded_result read_lines(reading *r, iswi_forwarded_by by, const char *lines)
{
    isw_pair items[MOST];
    isw_pairs headers = { items, 0 };

    while (*lines) {
        const char *colon = strchr(lines, ':');
        const char *end = strchr(lines, '\n');
        const char *value = colon + 1 + (colon[1] == ' ');

        items[headers.count++] = (isw_pair){ { lines, (size_t)(colon - lines) },
                                             { value, (size_t)(end - value) } };
        lines = end + 1;
    }
    return iswi_forwarded_read(&headers, by, &r->trusted, &r->out, &r->why);
}

static void reads(reading *r, const char *lines, const char *client, const char *scheme,
                  const char *host)
{
    iswi_forwarded_result result = read_lines(r, ISWI_FORWARDED_AUTO, lines);

    if (result != ISWI_FORWARDED_READ)
        fail_msg("%s: %s", lines, result == ISWI_FORWARDED_BAD ? r->why : "nothing");
    if (strcmp(r->out.client, client) != 0)
        fail_msg("%s: %s", lines, r->out.client);
    assert_string_equal(r->out.scheme ? r->out.scheme : "", scheme);
    assert_string_equal(r->out.host, host);
}

static void refuses(reading *r, const char *lines, const char *why)
{
    assert_int_equal(read_lines(r, ISWI_FORWARDED_AUTO, lines), ISWI_FORWARDED_BAD);
    if (!strstr(r->why, why))
        fail_msg("%s: %s", lines, r->why);
    assert_string_equal(r->out.client, "");
    assert_string_equal(r->out.host, "");
    assert_null(r->out.scheme);
}

static void the_last_address_that_is_not_trusted_is_the_client(void **state)
{
    reading *r = *state;

    reads(r, "x-forwarded-for: 192.0.2.1\n", "192.0.2.1", "", "");
    reads(r, "x-forwarded-for: 198.51.100.9, 192.0.2.1\n", "192.0.2.1", "", "");
    reads(r, "x-forwarded-for: 198.51.100.9, 192.0.2.1, 10.0.0.1, 10.0.0.2\n", "192.0.2.1", "",
          "");
    reads(r, "x-forwarded-for: 10.0.0.3, 10.0.0.1\n", "10.0.0.3", "", ""); /* all are */
    reads(r, "forwarded: for=198.51.100.9, for=192.0.2.1, for=10.0.0.1\n", "192.0.2.1", "", "");
    reads(r, "x-forwarded-for: 192.0.2.1, fd00::1\n", "192.0.2.1", "", "");
}

static void lines_of_a_name_are_one_list(void **state)
{
    reading *r = *state;

    reads(r, "x-forwarded-for: 192.0.2.1\na: b\nx-forwarded-for: 10.0.0.1\n", "192.0.2.1", "", "");
    reads(r, "forwarded: for=192.0.2.1\nforwarded: for=10.0.0.2,for=10.0.0.1\n", "192.0.2.1", "",
          "");
    reads(r, "x-forwarded-for: 192.0.2.1,\nx-forwarded-for: \nx-forwarded-for: , ,\n", "192.0.2.1",
          "", "");
}

static void what_stands_before_the_client_is_not_looked_at(void **state)
{
    reading *r = *state;

    reads(r, "x-forwarded-for: <script>, \"a, 192.0.2.1\n", "192.0.2.1", "", "");
    reads(r, "forwarded: for=\"a, for=192.0.2.1\n", "192.0.2.1", "", "");
    reads(r, "forwarded: for=\"a\\\", for=192.0.2.1;proto=https\n", "192.0.2.1", "https", "");
    reads(r, "forwarded: ;;=,for=\"[2001:db8::1]:443\"\n", "2001:db8::1", "", "");
    reads(r, "forwarded: for=\"x,y\\\", for=\"192.0.2.1:5\";by=\"a,b\\\"c\"\n", "192.0.2.1", "",
          "");
}

static void ports_and_brackets_are_no_part_of_the_address(void **state)
{
    reading *r = *state;

    reads(r, "x-forwarded-for: 192.0.2.1:4711\n", "192.0.2.1", "", "");
    reads(r, "x-forwarded-for: [2001:db8::1]:4711\n", "2001:db8::1", "", "");
    reads(r, "x-forwarded-for: 2001:DB8::0:1\n", "2001:db8::1", "", "");
    reads(r, "x-forwarded-for: ::ffff:192.0.2.1\n", "192.0.2.1", "", "");
    reads(r, "forwarded: for=\"192.0.2.1:4711\"\n", "192.0.2.1", "", "");
    reads(r, "forwarded: For=\"[2001:db8:cafe::17]:_port\"\n", "2001:db8:cafe::17", "", "");
    reads(r, "forwarded: for=\"[2001:db8:cafe::17]\"\n", "2001:db8:cafe::17", "", "");
    reads(r, "x-forwarded-for: unix:\n", "unix", "", "");
    reads(r, "x-forwarded-for: 192.0.2.1, unix:\n", "192.0.2.1", "", "");
}

static void who_is_hidden_has_the_name_that_the_proxy_made_up(void **state)
{
    reading *r = *state;

    reads(r, "forwarded: for=192.0.2.1, for=_hidden.a-1, for=10.0.0.1\n", "_hidden.a-1", "", "");
    reads(r, "forwarded: for=\"_SEVKISEK:_p\"\n", "_SEVKISEK", "", "");
}

static void who_is_unknown_is_the_proxy_that_does_not_know(void **state)
{
    reading *r = *state;

    reads(r, "forwarded: for=192.0.2.1, for=unknown;proto=https\n", "", "https", "");
    reads(r, "forwarded: for=Unknown, for=10.0.0.1\n", "10.0.0.1", "", "");
    reads(r, "forwarded: for=192.0.2.1, proto=https;host=a\n", "", "https", "a");
    reads(r, "x-forwarded-for: unknown\n", "", "", "");
}

static void scheme_and_host_are_those_of_the_clients_own_request(void **state)
{
    reading *r = *state;

    reads(r, "forwarded: for=192.0.2.1;proto=HTTPS;host=example.org, "
             "for=10.0.0.1;proto=http;host=inner\n", "192.0.2.1", "https", "example.org");
    reads(r, "forwarded: for=9.9.9.9;proto=http;host=evil, for=192.0.2.1;proto=https\n",
          "192.0.2.1", "https", "");
    reads(r, "forwarded: host=\"[::1]:80\" ; for=192.0.2.1 ;secret=\"x\\\"y\"\n", "192.0.2.1", "",
          "[::1]:80");
    reads(r, "x-forwarded-for: 192.0.2.1, 10.0.0.1\nx-forwarded-proto: https, http\n"
             "x-forwarded-host: example.org:80, inner\n", "192.0.2.1", "https", "example.org:80");
    reads(r, "x-forwarded-for: 9.9.9.9, 192.0.2.1\nx-forwarded-proto: http, https\n", "192.0.2.1",
          "https", "");
    reads(r, "x-forwarded-for: 192.0.2.1, 10.0.0.1\nx-forwarded-proto: https\n", "192.0.2.1",
          "https", ""); /* the first one set it, and the second handed it on */
    reads(r, "x-forwarded-proto: https\n", "", "https", "");
}

static void what_is_malformed_is_not_believed(void **state)
{
    static const char *const wrong[] = {
        "x-forwarded-for: a\n", "x-forwarded-for: 1.2.3\n", "x-forwarded-for: 192.0.2.1:port\n",
        "x-forwarded-for: [::1\n", "x-forwarded-for: [::1]80\n",
        "x-forwarded-for: 1.2.3.4:123456\n",
        "x-forwarded-for: _\n", "x-forwarded-for: \"1.2.3.4\"\n", "forwarded: for\n",
        "forwarded: for=\n", "forwarded: for=[::1]\n", "forwarded: for=\"::1\n",
        "forwarded: for=1.2.3.4;for=1.2.3.4\n", "forwarded: for =1.2.3.4\n", "forwarded: =a\n",
        "forwarded: for=1.2.3.4 proto=http\n", "forwarded: for=\"1.2.3.4\\\n",
        "forwarded: for=\"_a b\"\n", "forwarded: for=x\n", "forwarded: for=192.0.2.1:80\n",
        "forwarded: for=10.0.0.1;x=\"\n", "x-forwarded-for: 192.0.2.1, x, 10.0.0.1\n",
    };
    reading *r = *state;
    char long_name[ISWI_CLIENT_BYTES + 32] = "x-forwarded-for: ";

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuses(r, wrong[i], "malformed");
    memset(long_name + 17, '_', ISWI_CLIENT_BYTES);
    strcpy(long_name + 17 + ISWI_CLIENT_BYTES, "\n");
    refuses(r, long_name, "malformed");
    strcpy(long_name + 17 + ISWI_CLIENT_BYTES - 1, "\n");
    assert_int_equal(read_lines(r, ISWI_FORWARDED_AUTO, long_name), ISWI_FORWARDED_READ);
    refuses(r, "forwarded: for=192.0.2.1;proto=ftp\n", "neither http nor https");
    refuses(r, "x-forwarded-for: 192.0.2.1\nx-forwarded-proto: on\n", "neither http nor https");
    refuses(r, "forwarded: for=192.0.2.1;host=\"a b\"\n", "its host is none");
    refuses(r, "x-forwarded-host: a/b\n", "its host is none");
}

static void more_hops_than_there_can_be_are_refused(void **state)
{
    reading *r = *state;
    char line[1024] = "x-forwarded-for: 192.0.2.1";
    char standard[2048] = "forwarded: for=192.0.2.1";

    for (int i = 1; i < ISWI_FORWARDED_HOPS_MAX; i++) {
        strcat(line, ",10.0.0.1");
        strcat(standard, ",for=10.0.0.1");
    }
    strcat(line, "\n");
    strcat(standard, "\n");
    reads(r, line, "192.0.2.1", "", "");
    reads(r, standard, "192.0.2.1", "", "");
    strcpy(strchr(line, '\n'), ",10.0.0.1\n");
    strcpy(strchr(standard, '\n'), ",for=10.0.0.1\n");
    refuses(r, line, "more proxies than there can be");
    refuses(r, standard, "more proxies than there can be");
}

static void of_two_kinds_both_say_the_same_or_neither_counts(void **state)
{
    reading *r = *state;
    const char *spoofed = "forwarded: for=9.9.9.9\nx-forwarded-for: 192.0.2.1\n";

    refuses(r, spoofed, "both there and differ; say which one");
    refuses(r, "forwarded: for=192.0.2.1;proto=https\nx-forwarded-for: 192.0.2.1\n", "differ");
    reads(r, "forwarded: for=192.0.2.1\nx-forwarded-for: 192.0.2.1\n", "192.0.2.1", "", "");
    assert_int_equal(read_lines(r, ISWI_FORWARDED_X, spoofed), ISWI_FORWARDED_READ);
    assert_string_equal(r->out.client, "192.0.2.1");
    assert_int_equal(read_lines(r, ISWI_FORWARDED_STANDARD, spoofed), ISWI_FORWARDED_READ);
    assert_string_equal(r->out.client, "9.9.9.9");
    assert_int_equal(read_lines(r, ISWI_FORWARDED_X, "forwarded: for=1.2.3.4\n"),
                     ISWI_FORWARDED_NONE);
    assert_int_equal(read_lines(r, ISWI_FORWARDED_AUTO, "a: b\nforwarded:  , \n"),
                     ISWI_FORWARDED_NONE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_last_address_that_is_not_trusted_is_the_client),
    cmocka_unit_test(lines_of_a_name_are_one_list),
    cmocka_unit_test(what_stands_before_the_client_is_not_looked_at),
    cmocka_unit_test(ports_and_brackets_are_no_part_of_the_address),
    cmocka_unit_test(who_is_hidden_has_the_name_that_the_proxy_made_up),
    cmocka_unit_test(who_is_unknown_is_the_proxy_that_does_not_know),
    cmocka_unit_test(scheme_and_host_are_those_of_the_clients_own_request),
    cmocka_unit_test(what_is_malformed_is_not_believed),
    cmocka_unit_test(more_hops_than_there_can_be_are_refused),
    cmocka_unit_test(of_two_kinds_both_say_the_same_or_neither_counts),
};

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
