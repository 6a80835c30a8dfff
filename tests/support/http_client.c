/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int connect_to(const struct sockaddr *address, socklen_t size)
{
    struct timeval limit = { .tv_sec = 10 };
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, address, size) == 0)
        return fd;
    close(fd);
    return -1;
}

int http_connect(const char *url)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    uint16_t port = htons((uint16_t)atoi(strrchr(url, ':') + 1));

    if (strstr(url, "//[::1]:")) {
        v6.sin6_addr = in6addr_loopback;
        v6.sin6_port = port;
        return connect_to((struct sockaddr *)&v6, sizeof v6);
    }
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4.sin_port = port;
    return connect_to((struct sockaddr *)&v4, sizeof v4);
}

bool http_send_bytes(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool http_send(int fd, const char *text)
{
    return http_send_bytes(fd, text, strlen(text));
}

const char *http_header(const http_reply *reply, const char *name, char *out, size_t size)
{
    size_t name_size = strlen(name);

    out[0] = '\0';
    for (const char *line = strstr(reply->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_size) == 0 && line[name_size] == ':') {
            const char *value = line + name_size + 1;

            value += strspn(value, " ");
            snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
            break;
        }
    }
    return out;
}

/* Byte by byte, so as not to take bytes of the next reply. */
static bool read_head(int fd, http_reply *out)
{
    size_t size = 0;

    while (size < sizeof out->head - 1) {
        if (recv(fd, out->head + size, 1, 0) != 1)
            return false;
        out->head[++size] = '\0';
        if (size >= 4 && memcmp(out->head + size - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

void http_read(int fd, bool to_head, http_reply *out)
{
    char length[32];
    size_t expected;

    memset(out, 0, sizeof *out);
    do {
        if (!read_head(fd, out))
            return;
        sscanf(out->head, "HTTP/1.1 %d", &out->status);
    } while (out->status == 100);
    expected = (size_t)atol(http_header(out, "Content-Length", length, sizeof length));
    while (!to_head && out->body_size < expected && out->body_size < HTTP_BODY_MAX - 1) {
        ssize_t got =
            recv(fd, out->body + out->body_size,
                 (expected < HTTP_BODY_MAX - 1 ? expected : HTTP_BODY_MAX - 1) - out->body_size, 0);

        if (got <= 0)
            break;
        out->body_size += (size_t)got;
    }
}

bool http_closes(int fd)
{
    char dropped[4096];
    ssize_t got;

    do
        got = recv(fd, dropped, sizeof dropped, 0);
    while (got > 0);
    return got == 0 || errno == ECONNRESET;
}

int http_roundtrip(const char *url, const char *text, http_reply *out)
{
    int fd = http_connect(url);

    memset(out, 0, sizeof *out);
    if (fd < 0)
        return 0;
    if (http_send(fd, text))
        http_read(fd, strncmp(text, "HEAD ", 5) == 0, out);
    close(fd);
    return out->status;
}
