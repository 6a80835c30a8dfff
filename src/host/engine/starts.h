/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_STARTS_H
#define ISWI_HOST_ENGINE_STARTS_H

/* When a process that is to start does so, where several are to. Inside the engine; the supervisor's
 * thread. */
#include <stdbool.h>
#include <stdint.h>

typedef struct iswi_host iswi_host;

/* Part of a host. */
typedef struct iswi_starts {
    unsigned processors;     /* that there are for them; 0: not known so far */
    unsigned long long turn; /* of the supervisor, in which the last one was begun */
} iswi_starts;

/* Whether another one may begin now, and then it does. Else *next_ns says when to ask again. */
bool iswi_starts_one(iswi_host *host, int64_t now_ns, int64_t *next_ns);

#endif
