/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/hosts/forwarded.h"

#include "bench/http/answer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum { REQUEST_BYTES = 512 };

bool iswi_bench_forwarded_send(iswi_bench_forwarded *forwarded, const char *id)
{
    char out[REQUEST_BYTES];
    const int size = snprintf(out, sizeof out,
                              "GET /api/http HTTP/1.1\r\nHost: 127.0.0.1:7071\r\nAccept: */*\r\n"
                              "x-ms-invocation-id: %s\r\n\r\n", id);

    forwarded->have = 0;
    return send(forwarded->fd, out, (size_t)size, MSG_NOSIGNAL) == size;
}

bool iswi_bench_forwarded_take(iswi_bench_forwarded *forwarded, bool *over)
{
    iswi_bench_answer answer = { 0 };
    const ssize_t got = recv(forwarded->fd, forwarded->in + forwarded->have,
                             sizeof forwarded->in - 1 - forwarded->have, MSG_DONTWAIT);

    *over = false;
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    forwarded->have += (size_t)got;
    forwarded->in[forwarded->have] = '\0';
    if (!iswi_bench_answer_read(&answer, forwarded->in, forwarded->have))
        return false;
    *over = answer.head && forwarded->have == answer.head + answer.body;
    return !answer.head || answer.status == 200;
}
