/* SPDX-License-Identifier: Apache-2.0 */
/* The PROXY protocol, whole and in pieces. */
#include "support/main.h"

#include "http1/proxy.h"

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

typedef struct message {
    char bytes[70000];
    size_t size;
} message;

static void put(message *m, const void *bytes, size_t size)
{
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

/* Version 2: what it is, how long it says it is, and that many bytes. */
static message *binary(uint8_t command, uint8_t family, const void *body, size_t size)
{
    static message m;
    uint8_t head[4] = { command, family, (uint8_t)(size >> 8), (uint8_t)size };

    m.size = 0;
    put(&m, signature, 12);
    put(&m, head, 4);
    put(&m, body, size);
    return &m;
}

/* It ends at `size`, with nothing said of it before, however it is cut. */
static iswi_http1_proxied reads(const char *bytes, size_t size)
{
    iswi_http1_refusal refusal = { .what = NULL };
    iswi_http1_proxied out;
    char whole[4096];

    for (size_t i = 0; i < size; i++)
        assert_int_equal(iswi_http1_proxy_read(bytes, i, &out, &refusal), ISWI_HTTP1_MORE);
    memcpy(whole, bytes, size);
    memcpy(whole + size, "GET / HTTP/1.1\r\n", 16);
    if (iswi_http1_proxy_read(whole, size + 16, &out, &refusal) != ISWI_HTTP1_DONE)
        fail_msg("%s", refusal.what ? refusal.what : "more is wanted");
    assert_int_equal(out.size, size);
    return out;
}

static void is_client(const iswi_http1_proxied *out, const char *text)
{
    char own[ISWI_IP_BYTES];

    assert_true(out->known && !out->local);
    iswi_ip_write(&out->client, own);
    assert_string_equal(own, text);
}

static void refuses(const char *bytes, size_t size, const char *why)
{
    iswi_http1_refusal refusal = { .what = NULL };
    iswi_http1_proxied out;

    assert_int_equal(iswi_http1_proxy_read(bytes, size, &out, &refusal), ISWI_HTTP1_REFUSED);
    assert_int_equal(refusal.status, 400);
    if (!strstr(refusal.what, why))
        fail_msg("%.*s: %s", (int)size, bytes, refusal.what);
}

static void a_line_names_the_client(void **state)
{
    static const char v4[] = "PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n";
    static const char v6[] = "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n";
    static const char longest[] = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n";
    iswi_http1_proxied out = reads(v4, sizeof v4 - 1);

    (void)state;
    is_client(&out, "192.0.2.1");
    assert_false(out.tls);
    out = reads(v6, sizeof v6 - 1);
    is_client(&out, "2001:db8::1");
    out = reads(longest, sizeof longest - 1);
    assert_false(out.known);
    out = reads("PROXY UNKNOWN\r\n", 15);
    assert_false(out.known);
}

static void a_line_that_is_malformed_is_refused(void **state)
{
    static const char *const wrong[] = {
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n",   "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n",  "PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
        "PROXY TCP4 ::1 ::1 1 1\r\n",           "PROXY TCP6 1.2.3.4 ::1 1 1\r\n",
        "PROXY TCP6 ::1 1.2.3.4 1 1\r\n",       "PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n",
        "PROXY \r\n",                           "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
        "PROXY tcp4 1.2.3.4 1.2.3.4 1 1\r\n",   "PROXY UNKNOWNX\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",    "PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n",
    };
    char line[ISWI_HTTP1_PROXY_LINE + 16] = "PROXY UNKNOWN ";

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuses(wrong[i], strlen(wrong[i]), "is malformed");
    refuses("PROXY UNKNOWN\n", 14, "does not end with CR LF");
    memset(line + 14, 'x', ISWI_HTTP1_PROXY_LINE);
    refuses(line, ISWI_HTTP1_PROXY_LINE, "longer than 107 bytes");
    memcpy(line + ISWI_HTTP1_PROXY_LINE - 2, "\r\n", 2);
    assert_int_equal(reads(line, ISWI_HTTP1_PROXY_LINE).known, false);
}

static void without_it_a_connection_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    refuses("G", 1, "does not begin with the PROXY protocol");
    refuses("PROXI", 5, "does not begin with the PROXY protocol");
    refuses("\r\n\r\nG", 5, "does not begin with the PROXY protocol");
}

static void addresses_come_in_binary(void **state)
{
    uint8_t body[216] = { 192, 0, 2, 1, 10, 0, 0, 1, 1, 2, 3, 4 };
    message *m = binary(0x21, 0x11, body, 12);
    iswi_http1_proxied out = reads(m->bytes, m->size);

    (void)state;
    is_client(&out, "192.0.2.1");
    memcpy(body, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    m = binary(0x21, 0x21, body, 36);
    out = reads(m->bytes, m->size);
    is_client(&out, "2001:db8::1");
    m = binary(0x21, 0x31, body, 216);
    out = reads(m->bytes, m->size);
    assert_true(out.known && out.local);
}

static void what_is_the_proxys_own_names_nobody(void **state)
{
    uint8_t body[12] = { 192, 0, 2, 1 };
    message *m = binary(0x20, 0x11, body, 12);

    (void)state;
    assert_false(reads(m->bytes, m->size).known);
    m = binary(0x20, 0x00, body, 0);
    assert_false(reads(m->bytes, m->size).known);
    m = binary(0x21, 0x00, body, 3);
    assert_false(reads(m->bytes, m->size).known);
    m = binary(0x20, 0xff, "\xff\xff", 2); /* all of it is to be passed over */
    assert_false(reads(m->bytes, m->size).known);
}

static void what_it_says_of_tls_is_found_among_more(void **state)
{
    uint8_t body[12 + 4 + 8] = { 192, 0, 2, 1, 10, 0, 0, 1, 1, 2, 3, 4,
                                 0x01, 0, 1, 'h', 0x20, 0, 5, 0x01, 0, 0, 0, 0 };
    message *m = binary(0x21, 0x11, body, sizeof body);

    (void)state;
    assert_true(reads(m->bytes, m->size).tls);
    body[19] = 0;
    m = binary(0x21, 0x11, body, sizeof body);
    assert_false(reads(m->bytes, m->size).tls);
}

static void binary_that_is_malformed_is_refused(void **state)
{
    static char body[70000];
    message *m;

    (void)state;
    m = binary(0x11, 0x11, body, 12);
    refuses(m->bytes, 13, "malformed");
    m = binary(0x22, 0x11, body, 12);
    refuses(m->bytes, 13, "malformed");
    m = binary(0x21, 0x12, body, 12); /* a datagram */
    refuses(m->bytes, m->size, "malformed");
    m = binary(0x21, 0x41, body, 12);
    refuses(m->bytes, m->size, "malformed");
    m = binary(0x21, 0x11, body, 11);
    refuses(m->bytes, m->size, "malformed");
    m = binary(0x21, 0x21, body, 35);
    refuses(m->bytes, m->size, "malformed");
    m = binary(0x21, 0x31, body, 215);
    refuses(m->bytes, m->size, "malformed");
    m = binary(0x21, 0x11, body, 14); /* two bytes that are no type with a length */
    refuses(m->bytes, m->size, "malformed");
    body[14] = 9;
    m = binary(0x21, 0x11, body, 16); /* more than there is */
    refuses(m->bytes, m->size, "malformed");
    m = binary(0x21, 0x00, body, ISWI_HTTP1_PROXY_BYTES - 16);
    assert_int_equal(reads(m->bytes, m->size).size, ISWI_HTTP1_PROXY_BYTES);
    m = binary(0x21, 0x00, body, ISWI_HTTP1_PROXY_BYTES - 15);
    refuses(m->bytes, 16, "longer than 2048 bytes");
    m = binary(0x20, 0x00, body, 65535);
    refuses(m->bytes, 16, "longer than 2048 bytes");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_line_names_the_client),
    cmocka_unit_test(a_line_that_is_malformed_is_refused),
    cmocka_unit_test(without_it_a_connection_is_refused_at_its_first_byte),
    cmocka_unit_test(addresses_come_in_binary),
    cmocka_unit_test(what_is_the_proxys_own_names_nobody),
    cmocka_unit_test(what_it_says_of_tls_is_found_among_more),
    cmocka_unit_test(binary_that_is_malformed_is_refused),
};

ISW_TEST_MAIN(tests)
