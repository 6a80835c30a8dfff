/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_GRPC_H
#define ISWI_HOST_AZURE_GRPC_H

/*
 * A call of gRPC that streams both ways, to a server without TLS: one connection, HTTP/2 by
 * nghttp2, one stream, and messages in it. Its maker turns it by hand at first; then it lives on a
 * reactor.
 */
#include "base/buffer.h"
#include "reactor/reactor.h"

#include <isoworker/status.h>

typedef struct iswi_grpc iswi_grpc;

enum { ISWI_GRPC_HEAD_BYTES = 5, ISWI_GRPC_BEGIN_BYTES = 4096 };

/* On whichever thread turns it. Nothing of the call is to be closed from within. */
typedef struct iswi_grpc_events {
    /* A message came. It may be taken: what is left of it is freed. */
    void (*message)(void *user, iswi_buffer *message);
    /* One came that is larger than they may be, and was read over: its size and its beginning, of
     * ISWI_GRPC_BEGIN_BYTES at most. */
    void (*too_large)(void *user, uint64_t size, isw_bytes begin);
    /* The server has ended the call, or is not there any more. Once, the last thing. */
    void (*ended)(void *user, const isw_error *why);
} iswi_grpc_events;

typedef struct iswi_grpc_options {
    const char *server;  /* "127.0.0.1:41234", also with http:// before it and / behind */
    const char *setting; /* what that is called in messages */
    const char *path;    /* "/package.Service/Method" */
    uint64_t message_max; /* bytes of one that comes */
    const iswi_grpc_events *events;
    void *user;
} iswi_grpc_options;

/* Connect, for which it waits up to ten seconds, and begin the call. Errors: ISW_E_CONFIG for the
 * address, ISW_E_UNAVAILABLE where nobody answers there, ISW_E_NO_MEMORY. */
isw_status iswi_grpc_open(const iswi_grpc_options *options, iswi_grpc **out, isw_error *error);

/* Send a message: `bytes` begin with ISWI_GRPC_HEAD_BYTES of any content, which are the call's own.
 * It has the memory from here on, and what cannot be sent any more goes nowhere. Any thread. */
void iswi_grpc_send(iswi_grpc *grpc, iswi_buffer *bytes);

/* Bytes that wait to be sent. Any thread. */
size_t iswi_grpc_unsent(iswi_grpc *grpc);

/* Wait for something to come, up to so long (-1: for ever), and take it. False once it has
 * ended. */
bool iswi_grpc_turn(iswi_grpc *grpc, int timeout_ms);

/* From now on that happens by itself, there. False with errno. Not on its thread. */
bool iswi_grpc_live_on(iswi_grpc *grpc, iswi_reactor *reactor);

/* Send what waits, and say that nothing follows; wait until the server has ended the call, too, half a
 * second or, while there is more to send, up to `patience_ms`. Nothing more is heard, and what is sent
 * from now on goes nowhere. The reactor still runs. Not on its thread. */
void iswi_grpc_leave(iswi_grpc *grpc, int patience_ms);

/* Free it. It lives on no reactor, and nobody sends any more. NULL is allowed. */
void iswi_grpc_close(iswi_grpc *grpc);

#endif
