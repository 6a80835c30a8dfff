/* SPDX-License-Identifier: Apache-2.0 */
/* Address text to listening socket. Every refusal names the text and what to write instead. */
#include "host/system/listen.h"

#include "host/system/port_owner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} socket_address;

static socklen_t address_size(const socket_address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

static bool parse_port(const char *text, in_port_t *out)
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

static bool parse_address(const char *text, socket_address *out)
{
    static const socket_address empty;
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = strrchr(text, ':');
    bool v6 = text[0] == '[' && colon && colon > text && colon[-1] == ']';
    size_t size = colon ? (size_t)(colon - text) - (v6 ? 2 : 0) : 0;

    *out = empty;
    if (size == 0 || size >= sizeof host)
        return false;
    memcpy(host, text + (v6 ? 1 : 0), size);
    if (v6) {
        out->v6.sin6_family = AF_INET6;
        return parse_port(colon + 1, &out->v6.sin6_port) &&
               inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1;
    }
    out->v4.sin_family = AF_INET;
    return parse_port(colon + 1, &out->v4.sin_port) &&
           inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &out->v4.sin_addr) ==
               1;
}

static isw_status explain(const char *text, const char *setting, const socket_address *address,
                          int cause, isw_error *error)
{
    char owner[64] = "another program";
    unsigned port =
        ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);

    switch (cause) {
    case EADDRINUSE:
        iswi_port_owner(port, owner, sizeof owner);
        return isw_error_set(error, ISW_E_CONFLICT, "%s is in use by %s; choose another %s", text,
                             owner, setting);
    case EADDRNOTAVAIL:
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s: this machine does not have the address of \"%s\"; choose one "
                             "that it has, such as 127.0.0.1",
                             setting, text);
    case EACCES:
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s: not allowed to listen on \"%s\"; choose a port of 1024 or above",
                             setting, text);
    default:
        return isw_error_set(error, ISW_E_IO, "cannot listen on %s: %s", text, strerror(cause));
    }
}

/* An any-address cannot be opened everywhere; the loopback address reaches it from this machine. */
static void write_url(int fd, char url[ISWI_LISTEN_URL_BYTES])
{
    socket_address bound = { .any = { .sa_family = AF_INET } };
    socklen_t size = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "";

    getsockname(fd, &bound.any, &size);
    if (bound.any.sa_family == AF_INET6) {
        if (memcmp(&bound.v6.sin6_addr, &in6addr_any, sizeof in6addr_any) == 0)
            bound.v6.sin6_addr = in6addr_loopback;
        inet_ntop(AF_INET6, &bound.v6.sin6_addr, host, sizeof host);
        snprintf(url, ISWI_LISTEN_URL_BYTES, "http://[%s]:%u", host, ntohs(bound.v6.sin6_port));
    } else {
        if (bound.v4.sin_addr.s_addr == htonl(INADDR_ANY))
            bound.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        inet_ntop(AF_INET, &bound.v4.sin_addr, host, sizeof host);
        snprintf(url, ISWI_LISTEN_URL_BYTES, "http://%s:%u", host, ntohs(bound.v4.sin_port));
    }
}

iswi_reach iswi_listen_reach(const char *text)
{
    socket_address address;
    bool here;

    if (!parse_address(text, &address))
        return ISWI_REACH_NONE;
    if (address.any.sa_family == AF_INET6)
        here = memcmp(&address.v6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
    else
        here = ntohl(address.v4.sin_addr.s_addr) >> 24 == 127;
    return here ? ISWI_REACH_HERE : ISWI_REACH_OTHERS;
}

isw_status iswi_listen_check(const char *text, const char *setting, isw_error *error)
{
    socket_address address;

    if (parse_address(text, &address))
        return ISW_OK;
    return isw_error_set(error, ISW_E_CONFIG,
                         "%s: \"%s\" is not an address; write an IP address and a port, such "
                         "as 127.0.0.1:7071 or [::1]:7071",
                         setting, text);
}

isw_status iswi_listen_at(const char *text, const char *setting, int *out,
                            char url[ISWI_LISTEN_URL_BYTES], isw_error *error)
{
    socket_address address;
    int on = 1;
    int fd;

    if (!parse_address(text, &address))
        return iswi_listen_check(text, setting, error);
    fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return explain(text, setting, &address, errno, error);
    /* A restart must not wait for the connections of the last run to be forgotten. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &address.any, address_size(&address)) || listen(fd, SOMAXCONN)) {
        int cause = errno;

        close(fd);
        return explain(text, setting, &address, cause, error);
    }
    write_url(fd, url);
    *out = fd;
    return ISW_OK;
}
