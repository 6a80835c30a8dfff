/* SPDX-License-Identifier: Apache-2.0 */
/* Views, and a count of holders in front of received bytes. */
#include "link/message.h"

#include "base/alloc.h"

typedef struct own_message {
    iswi_message message;
    unsigned char bytes[];
} own_message;

static void end_own(iswi_message *message)
{
    iswi_message_release(message->apart);
    iswi_free(message); /* the first member */
}

iswi_message *iswi_message_create(size_t size, void **bytes)
{
    own_message *own = size < SIZE_MAX / 2 ? iswi_alloc(sizeof *own + size) : NULL;

    if (!own)
        return NULL;
    own->message = (iswi_message){ .bytes = { own->bytes, size }, .end = end_own };
    atomic_init(&own->message.holders, 1);
    *bytes = own->bytes;
    return &own->message;
}

iswi_message *iswi_message_copy(const void *bytes, size_t size)
{
    void *room;
    iswi_message *message = iswi_message_create(size, &room);

    if (message && size)
        memcpy(room, bytes, size);
    return message;
}

iswi_message iswi_message_view(const void *bytes, size_t size)
{
    return (iswi_message){ .bytes = { bytes, size } };
}

iswi_message *iswi_message_keep(iswi_message *message, isw_bytes *part)
{
    iswi_message *copy;

    if (message->end) {
        atomic_fetch_add_explicit(&message->holders, 1, memory_order_relaxed);
        return message;
    }
    copy = iswi_message_copy(part->data, part->size);
    if (!copy)
        return NULL;
    *part = copy->bytes;
    if (message->apart)
        copy->apart = iswi_message_keep(message->apart, &message->apart->bytes);
    return copy;
}

isw_status iswi_message_own_apart(iswi_message *message)
{
    iswi_message *own = iswi_message_copy(message->apart->bytes.data, message->apart->bytes.size);

    if (!own)
        return ISW_E_NO_MEMORY;
    iswi_message_release(message->apart);
    message->apart = own;
    return ISW_OK;
}

void iswi_message_release(iswi_message *message)
{
    if (message && message->end &&
        atomic_fetch_sub_explicit(&message->holders, 1, memory_order_acq_rel) == 1)
        message->end(message);
}
