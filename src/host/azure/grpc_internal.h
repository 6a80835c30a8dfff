/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_GRPC_INTERNAL_H
#define ISWI_HOST_AZURE_GRPC_INTERNAL_H

#include "host/azure/grpc.h"

#include <nghttp2/nghttp2.h>
#include <pthread.h>

/* -- grpc_frames.c: messages in the bytes of a stream ------------------------------------------ */

typedef struct iswi_grpc_coming {
    unsigned char head[ISWI_GRPC_HEAD_BYTES];
    size_t head_size;
    iswi_buffer body;
    uint64_t size, passed; /* of the message; what was read over of one that is too large */
} iswi_grpc_coming;

/* False: what came is no message, or memory is out, as `error` says. */
bool iswi_grpc_take(iswi_grpc *grpc, const unsigned char *bytes, size_t size, isw_error *error);

typedef struct iswi_grpc_going {
    struct iswi_grpc_going *next;
    iswi_buffer bytes;
} iswi_grpc_going;

/* The next bytes to send, up to `room`; *over: nothing follows, ever. */
size_t iswi_grpc_fetch(iswi_grpc *grpc, uint8_t *out, size_t room, bool *over);

void iswi_grpc_drop_all(iswi_grpc *grpc);

/* -- The call ---------------------------------------------------------------------------------- */

struct iswi_grpc {
    iswi_grpc_options options;
    char authority[64];
    nghttp2_session *session;
    int32_t stream;
    int fd;
    bool writes; /* the watch waits for room to write */
    bool ended, told;
    isw_error why;
    int http_status, status; /* the second gRPC's; -1: not said */
    char message[256];

    iswi_grpc_coming coming;
    iswi_buffer out; /* of HTTP/2, that the socket did not take */
    size_t out_at;

    pthread_mutex_t lock; /* of what follows */
    iswi_grpc_going *first, **end;
    size_t first_at, unsent;
    bool posted, closing;
    iswi_task task;
    iswi_reactor *reactor; /* NULL: it is turned by hand */
    iswi_watch watch;
};

/* grpc_session.c: the session of nghttp2, with the call begun. NULL: no memory. */
nghttp2_session *iswi_grpc_session(iswi_grpc *grpc);

/* It is over, unless it was before. */
void iswi_grpc_end(iswi_grpc *grpc, isw_status status, const char *format, ...) ISW_PRINTF(3, 4);

#endif
