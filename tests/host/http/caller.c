/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls, by the connection and by what proxies say; 10.0.0.0/8 is trusted. */
#include "support/main.h"

#include "host/http/caller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

typedef struct calling {
    iswi_http_trust trust;
    iswi_arena arena;
    isw_http data;
    isw_pair items[8];
    const char *scheme, *why;
} calling;

static int set_up(void **state)
{
    static const char *const texts[] = { "10.0.0.0/8" };
    static calling c;
    size_t bad;

    c = (calling){ .why = NULL };
    iswi_arena_init(&c.arena, 1024);
    assert_int_equal(iswi_networks_read(texts, 1, &c.trust.proxies, &bad, NULL), ISW_OK);
    *state = &c;
    return 0;
}

static int tear_down(void **state)
{
    calling *c = *state;

    iswi_networks_fini(&c->trust.proxies);
    iswi_arena_fini(&c->arena);
    return 0;
}

static iswi_http_peer v4(const calling *c, const char *address)
{
    struct sockaddr_in from = { .sin_family = AF_INET };

    assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
    return iswi_http_peer_of((struct sockaddr *)&from, &c->trust);
}

static iswi_http_peer v6(const calling *c, const char *address)
{
    struct sockaddr_in6 from = { .sin6_family = AF_INET6 };

    assert_int_equal(inet_pton(AF_INET6, address, &from.sin6_addr), 1);
    return iswi_http_peer_of((struct sockaddr *)&from, &c->trust);
}

static void give(calling *c, const char *name, const char *value)
{
    c->items[c->data.headers.count] = (isw_pair){ isw_str_of(name), isw_str_of(value) };
    c->data.headers = (isw_pairs){ c->items, c->data.headers.count + 1 };
}

/* All that proxies write, by somebody who came that way. */
static void give_all(calling *c)
{
    give(c, "host", "inner:8080");
    give(c, "x-forwarded-for", "192.0.2.1");
    give(c, "x-forwarded-proto", "HTTPS");
    give(c, "x-forwarded-host", "example.org");
    give(c, "accept", "*/*");
}

static iswi_http_caller_result find(calling *c, const iswi_http_peer *peer)
{
    return iswi_http_caller_find(peer, &c->trust, &c->data, &c->arena, &c->scheme, &c->why);
}

static void has(const calling *c, const char *name, const char *value)
{
    const isw_str *found = isw_pairs_find(&c->data.headers, name);

    if (!value) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_true(isw_str_equal(*found, isw_str_of(value)));
}

static void is_client(const calling *c, const char *client)
{
    if (!isw_str_equal(c->data.client, isw_str_of(client)))
        fail_msg("%.*s", (int)c->data.client.size, c->data.client.data);
}

static void a_peer_is_known_by_its_address(void **state)
{
    calling *c = *state;
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    iswi_http_peer peer = v4(c, "192.0.2.1");

    assert_string_equal(peer.name, "192.0.2.1");
    assert_false(peer.trusted);
    assert_true(v4(c, "10.9.9.9").trusted);
    peer = v6(c, "::ffff:10.9.9.9");
    assert_string_equal(peer.name, "10.9.9.9");
    assert_true(peer.trusted);
    assert_string_equal(v6(c, "2001:db8::1").name, "2001:db8::1");
    peer = iswi_http_peer_of((struct sockaddr *)&local, &c->trust);
    assert_string_equal(peer.name, "unix");
    assert_false(peer.trusted);
    c->trust.proxies.local = true;
    assert_true(iswi_http_peer_of((struct sockaddr *)&local, &c->trust).trusted);
}

static void a_trusted_proxy_says_who_calls_and_how(void **state)
{
    calling *c = *state;
    iswi_http_peer peer = v4(c, "10.0.0.1");

    give_all(c);
    assert_int_equal(find(c, &peer), ISWI_HTTP_CALLER_KNOWN);
    is_client(c, "192.0.2.1");
    has(c, "host", "example.org");
    has(c, "x-forwarded-proto", "https");
    assert_string_equal(c->scheme, "https");
    has(c, "x-forwarded-for", "192.0.2.1");
    has(c, "accept", "*/*");
    assert_int_equal(c->data.headers.count, 5);
}

static void what_a_stranger_says_is_taken_away(void **state)
{
    calling *c = *state;
    iswi_http_peer peer = v4(c, "198.51.100.1");

    give_all(c);
    give(c, "forwarded", "for=192.0.2.1");
    assert_int_equal(find(c, &peer), ISWI_HTTP_CALLER_KNOWN);
    is_client(c, "198.51.100.1");
    has(c, "host", "inner:8080");
    has(c, "x-forwarded-proto", "http");
    has(c, "x-forwarded-for", NULL);
    has(c, "x-forwarded-host", NULL);
    has(c, "forwarded", NULL);
    has(c, "accept", "*/*");
}

static void what_a_trusted_proxy_garbles_is_taken_away_too(void **state)
{
    calling *c = *state;
    iswi_http_peer peer = v4(c, "10.0.0.1");

    give_all(c);
    give(c, "x-forwarded-for", "garbage");
    assert_int_equal(find(c, &peer), ISWI_HTTP_CALLER_UNSURE);
    assert_string_equal(c->why, "it is malformed");
    is_client(c, "10.0.0.1");
    has(c, "host", "inner:8080");
    has(c, "x-forwarded-proto", "http");
    has(c, "x-forwarded-for", NULL);
}

static void where_no_proxy_is_trusted_headers_stay_as_they_came(void **state)
{
    static const iswi_http_trust nobody;
    calling *c = *state;
    struct sockaddr_in from = { .sin_family = AF_INET };
    iswi_http_peer peer = iswi_http_peer_of((struct sockaddr *)&from, &nobody);
    const isw_pair *before = c->items;

    give_all(c);
    assert_int_equal(iswi_http_caller_find(&peer, &nobody, &c->data, &c->arena, &c->scheme,
                                           &c->why),
                     ISWI_HTTP_CALLER_KNOWN);
    is_client(c, "0.0.0.0");
    assert_ptr_equal(c->data.headers.items, before);
    assert_int_equal(c->data.headers.count, 5);
}

static void a_connection_that_is_handed_on_is_the_clients(void **state)
{
    calling *c = *state;
    iswi_http_peer peer = v4(c, "10.0.0.1");
    iswi_http1_proxied said = { .known = true, .tls = true };

    assert_true(iswi_ip_read(isw_str_of("192.0.2.1"), &said.client));
    iswi_http_peer_hand_on(&peer, &said, &c->trust);
    assert_string_equal(peer.name, "192.0.2.1");
    assert_false(peer.trusted);
    give_all(c); /* by the client itself, and not to be believed */
    assert_int_equal(find(c, &peer), ISWI_HTTP_CALLER_KNOWN);
    is_client(c, "192.0.2.1");
    has(c, "x-forwarded-proto", "https");
    has(c, "x-forwarded-for", NULL);
}

static void a_proxy_behind_a_proxy_is_believed_if_it_is_trusted(void **state)
{
    calling *c = *state;
    iswi_http_peer peer = v4(c, "10.0.0.1");
    iswi_http1_proxied said = { .known = true };

    assert_true(iswi_ip_read(isw_str_of("10.0.0.2"), &said.client));
    iswi_http_peer_hand_on(&peer, &said, &c->trust);
    give_all(c);
    assert_int_equal(find(c, &peer), ISWI_HTTP_CALLER_KNOWN);
    is_client(c, "192.0.2.1");
    said = (iswi_http1_proxied){ .known = false };
    peer = v4(c, "10.0.0.1");
    iswi_http_peer_hand_on(&peer, &said, &c->trust); /* its own */
    assert_string_equal(peer.name, "10.0.0.1");
    assert_true(peer.trusted);
    said = (iswi_http1_proxied){ .known = true, .local = true };
    iswi_http_peer_hand_on(&peer, &said, &c->trust);
    assert_string_equal(peer.name, "unix");
    assert_false(peer.trusted);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_peer_is_known_by_its_address, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_trusted_proxy_says_who_calls_and_how, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_a_stranger_says_is_taken_away, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_a_trusted_proxy_garbles_is_taken_away_too, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(where_no_proxy_is_trusted_headers_stay_as_they_came, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_connection_that_is_handed_on_is_the_clients, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_proxy_behind_a_proxy_is_believed_if_it_is_trusted, set_up,
                                    tear_down),
};

ISW_TEST_MAIN(tests)
