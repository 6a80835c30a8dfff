/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_CONNECT_H
#define ISWI_REDIS_CONNECT_H

/* One connection, ready for commands. */
#include "redis/address.h"
#include "redis/tls.h"

#include <stdint.h>

/* How to begin one. Texts may be NULL. */
typedef struct iswi_redis_way {
    iswi_redis_address address;
    char *user, *password;
    int64_t timeout_ms; /* of each wait: for the connection, and for an answer */
    void *tls;          /* tls.c's */
} iswi_redis_way;

/* Blocks, no longer than a few times timeout_ms. NULL: `why` says why. */
redisContext *iswi_redis_connect(const iswi_redis_way *way, char why[ISWI_REDIS_WHY_BYTES]);

/* Send one command of `count` words and wait for its answer, which is the caller's to free. NULL:
 * the connection is of no use any more, and `why` says why. */
redisReply *iswi_redis_send(redisContext *redis, const iswi_redis_way *way, int count,
                            const char *const *words, const size_t *sizes,
                            char why[ISWI_REDIS_WHY_BYTES]);

/* Whether nothing has come, nor the end, while nobody used it. */
bool iswi_redis_is_quiet(const redisContext *redis);

#endif
