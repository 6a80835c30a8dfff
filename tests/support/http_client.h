/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_HTTP_CLIENT_H
#define ISW_TESTS_SUPPORT_HTTP_CLIENT_H

/* A client that sends exactly the bytes it is given, well-formed or not. Every wait ends after ten
 * seconds, as a failure of the test. */
#include <stdbool.h>
#include <stddef.h>

enum { HTTP_BODY_MAX = 256 * 1024 };

typedef struct http_reply {
    int status; /* 0: the connection was closed without a reply */
    char head[8 * 1024];
    char body[HTTP_BODY_MAX]; /* NUL-terminated */
    size_t body_size;
} http_reply;

/* A connection to "http://127.0.0.1:PORT" or "http://[::1]:PORT"; -1 if it is refused. */
int http_connect(const char *url);

/* Send text, or bytes. False when the peer no longer takes them. */
bool http_send(int fd, const char *text);
bool http_send_bytes(int fd, const void *bytes, size_t size);

/* Read one reply whose end its Content-Length tells. A reply to HEAD has no body. */
void http_read(int fd, bool to_head, http_reply *out);

/* The value of a header of the reply, in `out`; "" if there is none. */
const char *http_header(const http_reply *reply, const char *name, char *out, size_t size);

/* Whether the peer closes, or already closed, the connection. What it still sends is dropped. */
bool http_closes(int fd);

/* Connect, send `text`, read the reply, and close. Returns its status. */
int http_roundtrip(const char *url, const char *text, http_reply *out);

#endif
