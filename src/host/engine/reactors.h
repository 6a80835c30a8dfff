/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_REACTORS_H
#define ISWI_HOST_ENGINE_REACTORS_H

/*
 * The reactors of a host: threads that read what workers say, each process on one of them, and on
 * which a trigger may have its connections, so that the thread that holds a client's socket takes
 * the answer from the ring itself. There is always one; more are made for a trigger that asks.
 */
#include "reactor/reactor.h"

typedef struct iswi_host iswi_host;

enum { ISWI_REACTORS_MAX = 64 };

/* The one of that number, below ISWI_REACTORS_MAX; it and those before it are started if there are
 * fewer. It runs until the host is destroyed, after its triggers' stop. To be called in the start of
 * a trigger. Errors: ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_host_reactor(iswi_host *host, unsigned number, iswi_reactor **out,
                             isw_error *error);

/* How many run. Once triggers are started. */
unsigned iswi_host_reactor_count(const iswi_host *host);

#endif
