/* SPDX-License-Identifier: Apache-2.0 */
/* A reference count in front of received bytes. */
#include "link/message.h"

#include "base/alloc.h"

#include <stdatomic.h>

struct iswi_message {
    atomic_uint holders;
    isw_bytes bytes;
    void *owned;
    void (*release)(void *owned);
};

iswi_message *iswi_message_create(const void *bytes, size_t size, void *owned,
                                  void (*release)(void *owned))
{
    iswi_message *message = iswi_alloc(sizeof *message);

    if (!message)
        return NULL;
    atomic_init(&message->holders, 1);
    message->bytes = (isw_bytes){ bytes, size };
    message->owned = owned;
    message->release = release;
    return message;
}

iswi_message *iswi_message_copy(const void *bytes, size_t size)
{
    void *copy = iswi_alloc(size);
    iswi_message *message;

    if (!copy)
        return NULL;
    memcpy(copy, bytes, size);
    message = iswi_message_create(copy, size, copy, iswi_free);
    if (!message)
        iswi_free(copy);
    return message;
}

isw_bytes iswi_message_bytes(const iswi_message *message)
{
    return message->bytes;
}

iswi_message *iswi_message_hold(iswi_message *message)
{
    atomic_fetch_add_explicit(&message->holders, 1, memory_order_relaxed);
    return message;
}

void iswi_message_release(iswi_message *message)
{
    if (!message || atomic_fetch_sub_explicit(&message->holders, 1, memory_order_acq_rel) != 1)
        return;
    message->release(message->owned);
    iswi_free(message);
}
