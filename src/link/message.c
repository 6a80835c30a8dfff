/* SPDX-License-Identifier: Apache-2.0 */
/* A reference count in front of received bytes. */
#include "link/message.h"

#include "base/alloc.h"

#include <stdatomic.h>

struct iswi_message {
    atomic_uint holders;
    size_t size;
    unsigned char bytes[];
};

iswi_message *iswi_message_create(size_t size, void **bytes)
{
    iswi_message *message = size < SIZE_MAX / 2 ? iswi_alloc(sizeof *message + size) : NULL;

    if (!message)
        return NULL;
    atomic_init(&message->holders, 1);
    message->size = size;
    *bytes = message->bytes;
    return message;
}

iswi_message *iswi_message_copy(const void *bytes, size_t size)
{
    void *room;
    iswi_message *message = iswi_message_create(size, &room);

    if (message && size)
        memcpy(room, bytes, size);
    return message;
}

isw_bytes iswi_message_bytes(const iswi_message *message)
{
    return (isw_bytes){ message->bytes, message->size };
}

iswi_message *iswi_message_hold(iswi_message *message)
{
    atomic_fetch_add_explicit(&message->holders, 1, memory_order_relaxed);
    return message;
}

void iswi_message_release(iswi_message *message)
{
    if (message && atomic_fetch_sub_explicit(&message->holders, 1, memory_order_acq_rel) == 1)
        iswi_free(message);
}
