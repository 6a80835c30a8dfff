/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of gRPC: a byte that says whether it is compressed, four with its length, and that. */
#include "host/azure/grpc_internal.h"

#include "base/alloc.h"

/* -- Those that come --------------------------------------------------------------------------- */

static size_t least(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

static bool is_too_large(const iswi_grpc *grpc)
{
    return grpc->coming.size > grpc->options.message_max;
}

static bool begin(iswi_grpc *grpc, isw_error *error)
{
    iswi_grpc_coming *coming = &grpc->coming;

    if (coming->head[0]) {
        isw_error_set(error, ISW_E_PROTOCOL, "a message that is compressed, as was not agreed");
        return false;
    }
    coming->size = 0;
    for (size_t i = 1; i < ISWI_GRPC_HEAD_BYTES; i++)
        coming->size = coming->size << 8 | coming->head[i];
    coming->passed = 0;
    if (iswi_buffer_reserve(&coming->body, is_too_large(grpc) ? ISWI_GRPC_BEGIN_BYTES
                                                               : (size_t)coming->size))
        return true;
    isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a message of %llu bytes",
                  (unsigned long long)coming->size);
    return false;
}

static void finish(iswi_grpc *grpc)
{
    iswi_grpc_coming *coming = &grpc->coming;
    iswi_buffer body = coming->body;

    coming->body = (iswi_buffer){ 0 };
    coming->head_size = 0;
    if (!grpc->told && is_too_large(grpc))
        grpc->options.events->too_large(grpc->options.user, coming->size,
                                        (isw_bytes){ body.data, body.size });
    else if (!grpc->told) /* else the call is left */
        grpc->options.events->message(grpc->options.user, &body);
    iswi_buffer_fini(&body);
}

/* Bytes of a message, of which there are as many at most as it has; returns how many. */
static size_t take_body(iswi_grpc *grpc, const unsigned char *bytes, size_t size)
{
    iswi_grpc_coming *coming = &grpc->coming;
    size_t count = least(size, coming->size - coming->passed);
    size_t kept = count;

    if (is_too_large(grpc))
        kept = least(count, ISWI_GRPC_BEGIN_BYTES - coming->body.size);
    if (kept)
        iswi_buffer_append(&coming->body, bytes, kept);
    coming->passed += count;
    return count;
}

bool iswi_grpc_take(iswi_grpc *grpc, const unsigned char *bytes, size_t size, isw_error *error)
{
    iswi_grpc_coming *coming = &grpc->coming;

    while (size || (coming->head_size == ISWI_GRPC_HEAD_BYTES && coming->passed == coming->size)) {
        size_t count;

        if (coming->head_size < ISWI_GRPC_HEAD_BYTES) {
            count = least(size, ISWI_GRPC_HEAD_BYTES - coming->head_size);
            memcpy(coming->head + coming->head_size, bytes, count);
            coming->head_size += count;
            if (coming->head_size == ISWI_GRPC_HEAD_BYTES && !begin(grpc, error))
                return false;
        } else {
            count = take_body(grpc, bytes, size);
            if (coming->passed == coming->size)
                finish(grpc);
        }
        bytes += count;
        size -= count;
    }
    return true;
}

/* -- Those that go ----------------------------------------------------------------------------- */

void iswi_grpc_send(iswi_grpc *grpc, iswi_buffer *bytes)
{
    iswi_grpc_going *going = bytes->failed ? NULL : iswi_alloc(sizeof *going);
    size_t size = bytes->size - ISWI_GRPC_HEAD_BYTES;
    bool post;

    if (!going) {
        iswi_buffer_fini(bytes);
        return;
    }
    bytes->data[0] = 0;
    for (size_t i = ISWI_GRPC_HEAD_BYTES - 1; i > 0; i--, size >>= 8)
        bytes->data[i] = (unsigned char)size;
    *going = (iswi_grpc_going){ .bytes = *bytes };
    *bytes = (iswi_buffer){ 0 };
    pthread_mutex_lock(&grpc->lock);
    *grpc->end = going;
    grpc->end = &going->next;
    grpc->unsent += going->bytes.size;
    post = grpc->reactor && !grpc->posted;
    grpc->posted = grpc->posted || post;
    pthread_mutex_unlock(&grpc->lock);
    if (post && iswi_reactor_is_own(grpc->reactor))
        iswi_reactor_defer(grpc->reactor, &grpc->task);
    else if (post)
        iswi_reactor_post(grpc->reactor, &grpc->task);
}

size_t iswi_grpc_unsent(iswi_grpc *grpc)
{
    size_t unsent;

    pthread_mutex_lock(&grpc->lock);
    unsent = grpc->unsent;
    pthread_mutex_unlock(&grpc->lock);
    return unsent;
}

/* With the lock. */
static void drop_first(iswi_grpc *grpc)
{
    iswi_grpc_going *going = grpc->first;

    grpc->first = going->next;
    grpc->first_at = 0;
    if (!grpc->first)
        grpc->end = &grpc->first;
    iswi_buffer_fini(&going->bytes);
    iswi_free(going);
}

size_t iswi_grpc_fetch(iswi_grpc *grpc, uint8_t *out, size_t room, bool *over)
{
    size_t size = 0;

    pthread_mutex_lock(&grpc->lock);
    while (grpc->first && size < room) {
        const iswi_buffer *bytes = &grpc->first->bytes;
        size_t count = least(bytes->size - grpc->first_at, room - size);

        memcpy(out + size, bytes->data + grpc->first_at, count);
        size += count;
        grpc->first_at += count;
        if (grpc->first_at == bytes->size)
            drop_first(grpc);
    }
    grpc->unsent -= size;
    *over = grpc->closing && !grpc->first;
    pthread_mutex_unlock(&grpc->lock);
    return size;
}

void iswi_grpc_drop_all(iswi_grpc *grpc)
{
    pthread_mutex_lock(&grpc->lock);
    while (grpc->first)
        drop_first(grpc);
    grpc->unsent = 0;
    pthread_mutex_unlock(&grpc->lock);
}
