/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_SERVER_H
#define ISWI_BENCH_HTTP_SERVER_H

/*
 * The least that a server can do: one thread, one epoll, and a protocol that knows where a request
 * ends. As a floor it speaks HTTP, and behind nginx it is a FastCGI worker. It answers what the
 * bench's worker does, GET with a greeting and POST with what it got, and trusts the bench.
 */
#include <stdbool.h>
#include <stddef.h>

/* What answers one request: its first part lies here, the second in the request. */
typedef struct iswi_bench_reply {
    char *first;
    size_t first_size, first_room;
    const char *second;
    size_t second_size;
} iswi_bench_reply;

/* Look at the first `have` bytes of what came, behind which is a NUL, and answer the request that
 * they begin with. Returns how many bytes it has, 0 when more are needed, or ISWI_BENCH_WRONG. */
typedef size_t (*iswi_bench_protocol)(const char *in, size_t have, iswi_bench_reply *reply);
#define ISWI_BENCH_WRONG ((size_t)-1)

size_t iswi_bench_speak_http(const char *in, size_t have, iswi_bench_reply *reply);
size_t iswi_bench_speak_fastcgi(const char *in, size_t have, iswi_bench_reply *reply);

/* Make room for `more` bytes behind those of reply->first. Returns where; NULL without memory. */
char *iswi_bench_reply_room(iswi_bench_reply *reply, size_t more);

/* Serve on the listening socket until a signal asks to end. False when it cannot. */
bool iswi_bench_serve(int listener, iswi_bench_protocol protocol);

extern const char iswi_bench_greeting[]; /* what GET gets, a text/plain */

#endif
