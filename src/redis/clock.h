/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_CLOCK_H
#define ISWI_REDIS_CLOCK_H

/* The clock of the server, which all who share its stores have in common: how far it is from ours
 * is asked now and then. */
#include "redis/client.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct iswi_redis_clock {
    pthread_mutex_t lock;        /* of who asks */
    atomic_llong offset_us;      /* of the server's behind isw_now_us */
    atomic_llong next_us;        /* when it is asked again, by isw_now_us */
    atomic_bool known;
    int64_t doubt_us, asked_us;  /* with the lock: how wrong it may have been, and when that was */
} iswi_redis_clock;

void iswi_redis_clock_init(iswi_redis_clock *own);
void iswi_redis_clock_fini(iswi_redis_clock *own);

/* Microseconds. Blocks as iswi_redis_ask, some ten seconds apart. While the server was never
 * reached, it is this machine's. */
int64_t iswi_redis_clock_now_us(iswi_redis_clock *own, iswi_redis_client *client);

#endif
