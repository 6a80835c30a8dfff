/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a runtime of Lambda and a custom handler can do. They trust the bench. */
#include "bench/hosts/loop.h"

#include "bench/hosts/foreign.h"
#include "bench/http/answer.h"
#include "bench/http/socket.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { ROOM_BYTES = 64 * 1024, HEAD_BYTES = 512, HOUR_MS = 3600000 };

#define PATH "/2018-06-01/runtime/invocation/"
#define ID_FIELD "Lambda-Runtime-Aws-Request-Id: "

static const char next[] = "GET " PATH "next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static const char reply_of_url[] =
    "{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain\"},"
    "\"body\":\"" ISWI_BENCH_HELLO "\\n\",\"isBase64Encoded\":false}";

typedef struct loop {
    int fd;
    bool json;
    iswi_bench_answer answer;
    char in[ROOM_BYTES + 1];
} loop;

/* All of one answer. */
static bool receive(loop *l)
{
    size_t have = 0;

    l->answer = (iswi_bench_answer){ 0 };
    while (!l->answer.head || have < l->answer.head + l->answer.body) {
        const ssize_t got = recv(l->fd, l->in + have, ROOM_BYTES - have, 0);

        if (got <= 0)
            return false;
        have += (size_t)got;
        l->in[have] = '\0';
        if (!l->answer.head && !iswi_bench_answer_read(&l->answer, l->in, have))
            return false;
    }
    return true;
}

static bool answer(loop *l)
{
    const char *id = strcasestr(l->in, ID_FIELD);
    const char *body = l->json ? l->in + l->answer.head : reply_of_url;
    const size_t size = l->json ? l->answer.body : sizeof reply_of_url - 1;
    char head[HEAD_BYTES];
    struct iovec parts[] = { { head, 0 }, { (char *)body, size } };

    if (!id)
        return false;
    id += sizeof ID_FIELD - 1;
    parts[0].iov_len = (size_t)snprintf(head, sizeof head,
        "POST " PATH "%.*s/response HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        (int)strcspn(id, "\r"), id, size);
    return writev(l->fd, parts, 2) == (ssize_t)(parts[0].iov_len + size);
}

static void *serve(void *user)
{
    loop *l = user;

    while (send(l->fd, next, sizeof next - 1, MSG_NOSIGNAL) == sizeof next - 1 && receive(l) &&
           answer(l) && receive(l))
        continue;
    return NULL;
}

bool iswi_bench_runtime_loop(unsigned port, unsigned threads, bool json)
{
    static loop loops[ISWI_BENCH_FOREIGN_MOST];
    pthread_t thread;

    for (unsigned i = 0; i < threads && i < ISWI_BENCH_FOREIGN_MOST; i++) {
        loops[i].fd = iswi_bench_connect(port, HOUR_MS);
        loops[i].json = json;
        if (loops[i].fd < 0 ||
            (i + 1 < threads && pthread_create(&thread, NULL, serve, &loops[i]) != 0))
            return false;
    }
    serve(&loops[threads - 1]);
    return true;
}

size_t iswi_bench_speak_custom(const char *in, size_t have, iswi_bench_reply *reply)
{
    static const char body[] =
        "{\"Outputs\":{\"res\":{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain\"},"
        "\"body\":\"" ISWI_BENCH_HELLO "\\n\"}},\"Logs\":[],\"ReturnValue\":null}";
    const char *end = strstr(in, "\r\n\r\n");
    char *at = iswi_bench_reply_room(reply, HEAD_BYTES);
    size_t whole;

    if (!end || !at)
        return at ? 0 : ISWI_BENCH_WRONG;
    whole = (size_t)(end + 4 - in) + iswi_bench_head_number(in, "content-length: ", 0);
    if (have < whole)
        return 0;
    reply->first_size = (size_t)snprintf(at, HEAD_BYTES,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        sizeof body - 1);
    reply->second = body;
    reply->second_size = sizeof body - 1;
    return whole;
}
