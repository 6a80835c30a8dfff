/* SPDX-License-Identifier: Apache-2.0 */
/* The protocols of the bare server. Invariant: the answer to HTTP is the same for the client as
 * that of the bench's worker; a body is read as a function would (iswi_bench_sum). */
#include "bench/http/answer.h"
#include "bench/http/server.h"
#include "bench/samples.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { GREETING_BYTES = 14, HEAD_BYTES = 256 };

/* -- HTTP -------------------------------------------------------------------------------------- */

size_t iswi_bench_speak_http(const char *in, size_t have, iswi_bench_reply *reply)
{
    const char *end = strstr(in, "\r\n\r\n");
    char *at = iswi_bench_reply_room(reply, HEAD_BYTES);
    size_t head, body;

    if (!end || !at)
        return at ? 0 : ISWI_BENCH_WRONG;
    head = (size_t)(end + 4 - in);
    body = *in == 'P' ? iswi_bench_head_number(in, "content-length: ", 0) : 0;
    if (have - head < body)
        return 0;
    if (body && iswi_bench_sum(in + head, body) != 0)
        return ISWI_BENCH_WRONG;
    reply->first_size = (size_t)snprintf(at, HEAD_BYTES,
        "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
        body ? "application/octet-stream" : "text/plain", body ? body : GREETING_BYTES);
    reply->second = body ? in + head : iswi_bench_greeting;
    reply->second_size = body ? body : GREETING_BYTES;
    return head + body;
}

/* -- FastCGI ----------------------------------------------------------------------------------- */

/* Records: the FastCGI Specification 1.0, section 3.3. */
enum {
    BEGIN_REQUEST = 1,
    END_REQUEST = 3,
    STDIN = 5,
    STDOUT = 6,
    RECORD_BYTES = 8,
    KEEP_CONN = 1
};

typedef struct record {
    unsigned char type, id[2];
    const char *content;
    size_t size, whole; /* of its content; with head and padding */
} record;

static bool read_record(const char *in, size_t have, record *r)
{
    const unsigned char *head = (const unsigned char *)in;

    if (have < RECORD_BYTES)
        return false;
    r->type = head[1];
    memcpy(r->id, head + 2, 2);
    r->size = (size_t)head[4] << 8 | head[5];
    r->whole = RECORD_BYTES + r->size + head[6];
    r->content = in + RECORD_BYTES;
    return have >= r->whole;
}

static bool put_record(iswi_bench_reply *reply, unsigned char type, const unsigned char id[2],
                       const char *content, size_t size)
{
    char *at = iswi_bench_reply_room(reply, RECORD_BYTES + size);

    if (!at)
        return false;
    memcpy(at, (unsigned char[]){ 1, type, id[0], id[1], (unsigned char)(size >> 8),
                                  (unsigned char)size, 0, 0 }, RECORD_BYTES);
    memcpy(at + RECORD_BYTES, content, size);
    reply->first_size += RECORD_BYTES + size;
    return true;
}

/* The whole answer to the request of the first `size` bytes, whose body has `body`. */
static bool put_answer(iswi_bench_reply *reply, const char *in, size_t size, size_t body)
{
    static const char completed[8];
    char head[HEAD_BYTES];
    int head_size = snprintf(head, sizeof head,
                             "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                             body ? "application/octet-stream" : "text/plain",
                             body ? body : GREETING_BYTES, body ? "" : iswi_bench_greeting);
    record r;
    bool ok = read_record(in, size, &r) &&
              put_record(reply, STDOUT, r.id, head, (size_t)head_size);

    for (size_t at = 0; ok && read_record(in + at, size - at, &r); at += r.whole)
        if (r.type == STDIN) /* the last one is empty, and so says that this ends, too */
            ok = put_record(reply, STDOUT, r.id, r.content, r.size);
    return ok && put_record(reply, END_REQUEST, r.id, completed, sizeof completed);
}

/* One request at a time, from its first record to the empty one that ends its body: nginx sends no
 * other. Its parameters say nothing that the answer depends on. */
size_t iswi_bench_speak_fastcgi(const char *in, size_t have, iswi_bench_reply *reply)
{
    uint64_t sum = 0;
    size_t body = 0, at = 0;
    record r;

    while (read_record(in + at, have - at, &r)) {
        at += r.whole;
        if (r.type == BEGIN_REQUEST && (r.size < 3 || !(r.content[2] & KEEP_CONN)))
            return ISWI_BENCH_WRONG;
        if (r.type != STDIN)
            continue;
        if (!r.size)
            return sum == 0 && put_answer(reply, in, at, body) ? at : ISWI_BENCH_WRONG;
        sum += iswi_bench_sum(r.content, r.size);
        body += r.size;
    }
    return 0;
}
