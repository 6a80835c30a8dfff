/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts and ports, by the grammar of RFC 3986, section 3.2. */
#include "url/authority.h"

#include "url/percent.h"

#include <arpa/inet.h>

/* The port is the last of all: digits, or nothing behind the colon. */
static bool port_valid(isw_str text)
{
    unsigned port = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
        if (port > 65535)
            return false;
    }
    return true;
}

/* An address in brackets. */
static bool address_valid(isw_str text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;

    if (text.size >= sizeof address)
        return false;
    memcpy(address, text.data, text.size);
    address[text.size] = '\0';
    return memchr(address, '\0', text.size) == NULL && inet_pton(AF_INET6, address, &parsed) == 1;
}

static bool name_valid(isw_str text)
{
    static const char marks[] = "-._~!$&'()*+;=%";

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!plain && !memchr(marks, c, sizeof marks - 1))
            return false;
    }
    return text.size > 0 && iswi_percent_valid(text);
}

bool iswi_authority_valid(isw_str text)
{
    bool is_address = text.size && text.data[0] == '[';
    const char *end = text.size ? memchr(text.data, is_address ? ']' : ':', text.size) : NULL;
    isw_str host = { text.data, end ? (size_t)(end - text.data) : text.size };
    isw_str port = { text.data + host.size, text.size - host.size };

    if (is_address) {
        if (!end)
            return false;
        host = (isw_str){ text.data + 1, host.size - 1 };
        port = (isw_str){ port.data + 1, port.size - 1 };
    }
    if (port.size && port.data[0] != ':')
        return false;
    if (port.size)
        port = (isw_str){ port.data + 1, port.size - 1 };
    return (is_address ? address_valid(host) : name_valid(host)) && port_valid(port);
}
