/* SPDX-License-Identifier: Apache-2.0 */
#include "http1/proxy.h"

enum {
    SIGNATURE = 12,
    HEAD = 16,       /* of version 2: signature, version and command, family, length */
    V4_BYTES = 12,   /* two addresses and two ports */
    V6_BYTES = 36,
    UNIX_BYTES = 216,
    TLV_HEAD = 3,
    TLV_TLS = 0x20,
    TLS_USED = 0x01
};

static const char start_1[] = "PROXY ";
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

static iswi_http1_result refuse(iswi_http1_refusal *refusal, const char *what)
{
    *refusal = (iswi_http1_refusal){ .status = 400, .what = what };
    return ISWI_HTTP1_REFUSED;
}

/* -- Version 1 --------------------------------------------------------------------------------- */

/* The next word of the line; empty where there is none, or two spaces. */
static isw_str cut_word(isw_str *line)
{
    const char *space = line->size ? memchr(line->data, ' ', line->size) : NULL;
    isw_str word = { line->data, space ? (size_t)(space - line->data) : line->size };

    line->data += word.size + (space != NULL);
    line->size -= word.size + (space != NULL);
    return word;
}

static bool is_port(isw_str text)
{
    unsigned port = 0;

    if (!text.size || text.size > 5 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
    }
    return port <= 65535;
}

/* Behind "PROXY ". */
static bool read_words(isw_str line, iswi_http1_proxied *out)
{
    isw_str family = cut_word(&line);
    bool v4 = isw_str_equal(family, isw_str_of("TCP4"));
    isw_str from, to, from_port, to_port;
    iswi_ip unused;

    if (isw_str_equal(family, isw_str_of("UNKNOWN")))
        return true; /* what follows is to be passed over */
    if (!v4 && !isw_str_equal(family, isw_str_of("TCP6")))
        return false;
    from = cut_word(&line);
    to = cut_word(&line);
    from_port = cut_word(&line);
    to_port = line;
    out->known = true;
    return iswi_ip_read(from, &out->client) && iswi_ip_read(to, &unused) &&
           !memchr(from.data, ':', from.size) == v4 && !memchr(to.data, ':', to.size) == v4 &&
           is_port(from_port) && is_port(to_port);
}

static iswi_http1_result read_line(const char *bytes, size_t size, iswi_http1_proxied *out,
                                   iswi_http1_refusal *refusal)
{
    size_t most = size < ISWI_HTTP1_PROXY_LINE ? size : ISWI_HTTP1_PROXY_LINE;
    const char *end = memchr(bytes, '\n', most);
    size_t start = sizeof start_1 - 1;

    if (!end && size < ISWI_HTTP1_PROXY_LINE)
        return ISWI_HTTP1_MORE;
    if (!end)
        return refuse(refusal, "The line of the PROXY protocol is longer than 107 bytes");
    if (end[-1] != '\r')
        return refuse(refusal, "The line of the PROXY protocol does not end with CR LF");
    if (!read_words((isw_str){ bytes + start, (size_t)(end - 1 - bytes) - start }, out))
        return refuse(refusal, "The line of the PROXY protocol is malformed");
    out->size = (size_t)(end + 1 - bytes);
    return ISWI_HTTP1_DONE;
}

/* -- Version 2 --------------------------------------------------------------------------------- */

static size_t number(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* What stands behind the addresses: type, length, value. */
static bool read_more(const uint8_t *at, size_t size, iswi_http1_proxied *out)
{
    while (size) {
        size_t length = size < TLV_HEAD ? size : number(at + 1);

        if (size < TLV_HEAD || size - TLV_HEAD < length)
            return false;
        if (at[0] == TLV_TLS && length)
            out->tls = at[TLV_HEAD] & TLS_USED;
        at += TLV_HEAD + length;
        size -= TLV_HEAD + length;
    }
    return true;
}

static bool read_body(uint8_t family, const uint8_t *body, size_t size, iswi_http1_proxied *out)
{
    size_t addresses;

    switch (family) {
    case 0x00: /* it does not say */
        return true;
    case 0x11:
        addresses = V4_BYTES;
        break;
    case 0x21:
        addresses = V6_BYTES;
        break;
    case 0x31:
        addresses = UNIX_BYTES;
        break;
    default: /* datagrams, and what there is not */
        return false;
    }
    if (size < addresses || !read_more(body + addresses, size - addresses, out))
        return false;
    out->known = true;
    out->local = addresses == UNIX_BYTES;
    if (!out->local)
        out->client = iswi_ip_of(body, addresses == V4_BYTES ? 4 : 16);
    return true;
}

static iswi_http1_result read_binary(const uint8_t *bytes, size_t size, iswi_http1_proxied *out,
                                     iswi_http1_refusal *refusal)
{
    static const char wrong[] = "The PROXY protocol's binary header is malformed";
    bool own;
    size_t length;

    if (size > SIGNATURE && bytes[SIGNATURE] != 0x20 && bytes[SIGNATURE] != 0x21)
        return refuse(refusal, wrong);
    if (size < HEAD)
        return ISWI_HTTP1_MORE;
    own = bytes[SIGNATURE] == 0x20; /* the proxy's own connection */
    length = number(bytes + HEAD - 2);
    if (length > ISWI_HTTP1_PROXY_BYTES - HEAD)
        return refuse(refusal, "The PROXY protocol's binary header is longer than 2048 bytes");
    if (size < HEAD + length)
        return ISWI_HTTP1_MORE;
    if (!own && !read_body(bytes[SIGNATURE + 1], bytes + HEAD, length, out))
        return refuse(refusal, wrong);
    out->size = HEAD + length;
    return ISWI_HTTP1_DONE;
}

/* -- Either ------------------------------------------------------------------------------------ */

static bool begins_with(const char *bytes, size_t size, const char *start, size_t start_size)
{
    return memcmp(bytes, start, size < start_size ? size : start_size) == 0;
}

iswi_http1_result iswi_http1_proxy_read(const char *bytes, size_t size, iswi_http1_proxied *out,
                                        iswi_http1_refusal *refusal)
{
    bool line = begins_with(bytes, size, start_1, sizeof start_1 - 1);
    bool binary = begins_with(bytes, size, signature, SIGNATURE);

    *out = (iswi_http1_proxied){ .size = 0 };
    if (!line && !binary)
        return refuse(refusal, "The connection comes from a trusted proxy and does not begin with "
                               "the PROXY protocol, as http.proxy_protocol asks");
    if (size < (line ? sizeof start_1 - 1 : SIGNATURE))
        return ISWI_HTTP1_MORE;
    return line ? read_line(bytes, size, out, refusal)
                : read_binary((const uint8_t *)bytes, size, out, refusal);
}
