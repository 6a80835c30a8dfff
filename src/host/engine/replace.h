/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_REPLACE_H
#define ISWI_HOST_ENGINE_REPLACE_H

/* A host whose place another one takes, and that one until it has. Inside the engine. */
#include "host/engine/steer.h"

#include <stdatomic.h>

/* Part of a host. */
typedef struct iswi_replacing {
    atomic_int successor; /* 0: nobody has taken its place */
    int64_t until_ns;     /* when it ends at the latest; 0: it does not leave */
    int64_t idle_until_ns; /* when connections that are idle are closed, and remote processes go */
    bool remote_left;      /* they do */
    isw_error refused;    /* it has not become what it was made for */
} iswi_replacing;

/* Go on with leaving; true: nothing is left to wait for. Sets *next_ns to when it wants to be called
 * again, if that is sooner. The supervisor's thread. */
bool iswi_replace_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns);

/* What is left of shutdown_grace. */
int64_t iswi_replace_grace_ms(const iswi_host *host);

#endif
