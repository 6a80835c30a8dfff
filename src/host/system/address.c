/* SPDX-License-Identifier: Apache-2.0 */
/* Text to address. Every refusal names the text and what to write instead. */
#include "host/system/address.h"

#include "host/system/unix_socket.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool read_port(const char *text, in_port_t *out)
{
    unsigned port = 0;
    size_t size = strlen(text);

    if (size == 0 || size > 5)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *out = htons((uint16_t)port);
    return port <= 65535;
}

static bool read_ip(const char *text, iswi_address *out)
{
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = strrchr(text, ':');
    bool v6 = text[0] == '[' && colon && colon > text && colon[-1] == ']';
    size_t size = colon ? (size_t)(colon - text) - (v6 ? 2 : 0) : 0;

    if (size == 0 || size >= sizeof host)
        return false;
    memcpy(host, text + (v6 ? 1 : 0), size);
    if (v6) {
        out->ip.v6.sin6_family = AF_INET6;
        return read_port(colon + 1, &out->ip.v6.sin6_port) &&
               inet_pton(AF_INET6, host, &out->ip.v6.sin6_addr) == 1;
    }
    out->ip.v4.sin_family = AF_INET;
    return read_port(colon + 1, &out->ip.v4.sin_port) &&
           inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1",
                     &out->ip.v4.sin_addr) == 1;
}

static isw_status read_path(const char *setting, iswi_address *out, isw_error *error)
{
    size_t size = strlen(out->name);

    if (!size || out->name[0] == '@' || out->name[size - 1] == '/')
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s: \"%s\" names no socket; write the path of one, such as "
                             "unix:/run/app.sock", setting, out->text);
    if (size >= ISWI_UNIX_PATH_BYTES)
        return isw_error_set(error, ISW_E_CONFIG, "%s: \"%s\" is too long; a socket's path has at "
                             "most %d bytes", setting, out->text, ISWI_UNIX_PATH_BYTES - 1);
    return ISW_OK;
}

static const char *skip_scheme(const char *text, iswi_address *out)
{
    out->secure = strncmp(text, "https://", 8) == 0;
    return text + (out->secure ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0);
}

isw_status iswi_address_read(const char *text, const char *setting, iswi_address *out,
                             isw_error *error)
{
    const char *place;

    *out = (iswi_address){ .text = text };
    place = skip_scheme(text, out);
    if (strncmp(place, "unix:", 5) == 0) {
        out->kind = ISWI_ADDRESS_UNIX;
        out->name = place + 5;
        return read_path(setting, out, error);
    }
    if (strcmp(place, "systemd") == 0 || (strncmp(place, "fd:", 3) == 0 && place[3])) {
        out->kind = ISWI_ADDRESS_PASSED;
        out->name = place[0] == 's' ? NULL : place + 3;
        return ISW_OK;
    }
    if (read_ip(place, out))
        return ISW_OK;
    return isw_error_set(error, ISW_E_CONFIG,
                         "%s: \"%s\" is not an address; write an IP address and a port, such "
                         "as 127.0.0.1:7071 or [::1]:7071, unix:PATH, or systemd or fd:NAME for "
                         "sockets from systemd; https:// before it for TLS", setting, text);
}

unsigned iswi_address_port(const iswi_address *address)
{
    return ntohs(address->ip.any.sa_family == AF_INET6 ? address->ip.v6.sin6_port
                                                       : address->ip.v4.sin_port);
}

void iswi_address_set_port(iswi_address *address, unsigned port)
{
    if (address->ip.any.sa_family == AF_INET6)
        address->ip.v6.sin6_port = htons((uint16_t)port);
    else
        address->ip.v4.sin_port = htons((uint16_t)port);
}

void iswi_address_write(const iswi_address *address, char out[ISWI_ADDRESS_BYTES])
{
    bool v6 = address->ip.any.sa_family == AF_INET6;
    char host[INET6_ADDRSTRLEN] = "";

    inet_ntop(address->ip.any.sa_family,
              v6 ? (const void *)&address->ip.v6.sin6_addr : &address->ip.v4.sin_addr, host,
              sizeof host);
    snprintf(out, ISWI_ADDRESS_BYTES, v6 ? "[%s]:%u" : "%s:%u", host, iswi_address_port(address));
}

iswi_reach iswi_address_reach(const iswi_address *address)
{
    bool here;

    if (address->kind != ISWI_ADDRESS_IP)
        here = address->kind == ISWI_ADDRESS_UNIX; /* what is passed is known when it is there */
    else if (address->ip.any.sa_family == AF_INET6)
        here = memcmp(&address->ip.v6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
    else
        here = ntohl(address->ip.v4.sin_addr.s_addr) >> 24 == 127;
    return here ? ISWI_REACH_HERE : ISWI_REACH_OTHERS;
}

bool iswi_address_same(const iswi_address *a, const iswi_address *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == ISWI_ADDRESS_PASSED)
        return !a->name || !b->name || strcmp(a->name, b->name) == 0;
    if (a->kind == ISWI_ADDRESS_UNIX)
        return strcmp(a->name, b->name) == 0;
    if (a->ip.any.sa_family != b->ip.any.sa_family || !iswi_address_port(a) ||
        iswi_address_port(a) != iswi_address_port(b))
        return false;
    return a->ip.any.sa_family == AF_INET6
               ? memcmp(&a->ip.v6.sin6_addr, &b->ip.v6.sin6_addr, sizeof(struct in6_addr)) == 0
               : a->ip.v4.sin_addr.s_addr == b->ip.v4.sin_addr.s_addr;
}
