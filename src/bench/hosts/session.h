/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_SESSION_H
#define ISWI_BENCH_HOSTS_SESSION_H

/* The server's end of one call of gRPC that streams both ways: HTTP/2 by nghttp2, and messages of
 * FunctionRpc in it. Its socket does not block. One thread. */
#include "base/buffer.h"
#include "host/azure/messages.h"

#include <nghttp2/nghttp2.h>

typedef struct iswi_bench_session {
    int fd;
    nghttp2_session *http2;
    int32_t stream;
    iswi_buffer in;        /* bytes of messages that came */
    iswi_buffer out;       /* of messages that go, from `at` on */
    size_t at;
    iswi_buffer frames; /* for the socket */
} iswi_bench_session;

/* Begin with a connection, which it has from then on. False: no memory. */
bool iswi_bench_session_begin(iswi_bench_session *session, int fd);
void iswi_bench_session_end(iswi_bench_session *session);

/* Take in what is there. False: it has ended, or is wrong. */
bool iswi_bench_session_take(iswi_bench_session *session);

/* The first message that came and is whole; false: there is none. It lies in `in` until it is
 * dropped. */
bool iswi_bench_session_first(const iswi_bench_session *session, isw_bytes *message);
void iswi_bench_session_drop(iswi_bench_session *session, isw_bytes message);

/* Put one behind those that go, and send all. */
void iswi_bench_session_say(iswi_bench_session *session, const iswi_rpc_message *message);
bool iswi_bench_session_flush(iswi_bench_session *session);

#endif
