/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_MESSAGE_H
#define ISWI_LINK_MESSAGE_H

/* A received message, shared by all who still read from it. Constant once it was delivered. Any
 * thread. */
#include <isoworker/data.h>

typedef struct iswi_message iswi_message;

/* Room for a message of `size` bytes at *bytes. Held once. NULL when memory is out. */
iswi_message *iswi_message_create(size_t size, void **bytes);

/* The same with a copy of the bytes. */
iswi_message *iswi_message_copy(const void *bytes, size_t size);

isw_bytes iswi_message_bytes(const iswi_message *message);
iswi_message *iswi_message_hold(iswi_message *message); /* returns its argument */
void iswi_message_release(iswi_message *message);       /* NULL is allowed */

#endif
