/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_CLIENT_H
#define ISWI_REDIS_CLIENT_H

/* A server, asked by any threads at a time: each has a connection for as long as its answer takes.
 * One that cannot be reached is left alone, for longer each time up to some seconds, and meanwhile
 * all that ask hear so at once; then one may try. That it is gone, and back, is said on stderr. */
#include "store/driver.h"

#include <hiredis/hiredis.h>

typedef struct iswi_redis_client iswi_redis_client;

enum { ISWI_REDIS_WORDS = 12 };

typedef struct iswi_redis_command {
    int count;
    const char *words[ISWI_REDIS_WORDS];
    size_t sizes[ISWI_REDIS_WORDS];
} iswi_redis_command;

static inline void iswi_redis_add(iswi_redis_command *command, const void *word, size_t size)
{
    command->words[command->count] = word;
    command->sizes[command->count++] = size;
}

/* Connects to nothing yet. Errors: ISW_E_CONFIG, ISW_E_UNSUPPORTED, ISW_E_NO_MEMORY. */
isw_status iswi_redis_client_create(const iswi_store_settings *settings, iswi_redis_client **out,
                                    isw_error *error);
void iswi_redis_client_destroy(iswi_redis_client *client); /* nobody asks; NULL is allowed */

/* *out is the caller's to free. It says an error only where a script is not known. Errors:
 * ISW_E_UNAVAILABLE: the server cannot be reached, or refuses. Blocks, no longer than a few times
 * timeout_ms. */
isw_status iswi_redis_ask(iswi_redis_client *client, const iswi_redis_command *command,
                          redisReply **out, isw_error *error);

#endif
