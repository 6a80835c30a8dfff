/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_MESSAGE_H
#define ISWI_LINK_MESSAGE_H

/*
 * A received message. Constant once it was delivered. Most are views: they lie in the memory into
 * which a lane reads, and are over with the event that brings them. Larger ones have memory of
 * their own, or lie in memory that the other side lent; those are shared by all who hold them.
 *
 * A message may have bytes apart (PROTOCOL.md, section 11): one long bin of its only frame, as a
 * message of its own, whose bytes the other side may still write. They are to be passed on as they
 * are, or copied before anybody looks at them.
 */
#include <isoworker/status.h>
#include <isoworker/value.h>
#include <stdatomic.h>

typedef struct iswi_message iswi_message;

struct iswi_message {
    isw_bytes bytes;
    iswi_message *apart; /* held by this one; NULL: it has none */
    atomic_uint holders;
    void (*end)(iswi_message *self); /* the last holder is gone; NULL: a view, which has none */
};

/* Room for a message of `size` bytes at *bytes. Held once. NULL when memory is out. */
iswi_message *iswi_message_create(size_t size, void **bytes);

/* The same with a copy of the bytes. */
iswi_message *iswi_message_copy(const void *bytes, size_t size);

/* A view of bytes that stay for the time of an event. */
iswi_message iswi_message_view(const void *bytes, size_t size);

/* Keep *part, which lies in `message`, beyond the event: by holding the message or, for a view, by
 * a copy of the part, to which *part then points. What lies apart is held along. Returns what is to
 * be released; NULL when memory is out. */
iswi_message *iswi_message_keep(iswi_message *message, isw_bytes *part);

/* Have what lies apart of a kept message in memory of its own, which nobody writes. Errors:
 * ISW_E_NO_MEMORY; all is as before then. */
isw_status iswi_message_own_apart(iswi_message *message);

/* The bytes that lie apart; their data is NULL: there are none. */
static inline isw_bytes iswi_message_apart(const iswi_message *message)
{
    return message->apart ? message->apart->bytes : (isw_bytes){ NULL, 0 };
}

void iswi_message_release(iswi_message *message); /* NULL and views are allowed. Any thread. */

#endif
