/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_GUESTS_H
#define ISWI_HOST_ENGINE_GUESTS_H

/* Workers whose process a person starts (--wait-for). Inside the engine; the supervisor's thread. */
#include <stdbool.h>
#include <stddef.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

/* Where the guest of that pool finds the host, the same each time: room for a socket's address. */
void iswi_guest_url(const iswi_pool *pool, char *out, size_t size);

/* It is waited for, from now on: say how it is to be started. */
void iswi_guest_invite(const iswi_process *process);

/* Its session is over, or its link: it has ended for us. True: it was a guest. */
bool iswi_guest_leaves(iswi_process *process);

#endif
