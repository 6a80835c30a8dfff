/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_SCRIPTS_H
#define ISWI_REDIS_SCRIPTS_H

/* What is done with one entry on the server, whole or not at all. Redis 6 and later. */
#include "redis/client.h"

/* Their arguments behind the two that iswi_redis_run has. */
typedef enum iswi_redis_script {
    ISWI_REDIS_GET, /* the value, or nil */
    /* "always", "none" or "was"; what it was; what it is to be, as it is kept, or "": it goes;
     * milliseconds; where it is held: for how long its process is said to live. 1, or 0: it says
     * something else */
    ISWI_REDIS_REPLACE,
    /* by, floor and ceiling, each as an entry has a number; milliseconds; "renew" or "". 1 and the
     * number, or 0 and the number where it was not moved, or nil: it is none */
    ISWI_REDIS_ADD,
    ISWI_REDIS_SCRIPTS
} iswi_redis_script;

typedef struct iswi_redis_scripts {
    char hashes[ISWI_REDIS_SCRIPTS][41]; /* by which the server knows them */
} iswi_redis_scripts;

/* False: no memory. */
bool iswi_redis_scripts_init(iswi_redis_scripts *scripts);

/* Who asks, and about what. */
typedef struct iswi_redis_question {
    const char *key;
    size_t key_size;
    const char *self;    /* this process's name as a holder, or "" */
    const char *holders; /* before the names of all of them, their keys */
} iswi_redis_question;

/* Run one; `arguments` are its words. Errors as iswi_redis_ask. */
isw_status iswi_redis_run(iswi_redis_client *client, const iswi_redis_scripts *scripts,
                          iswi_redis_script script, const iswi_redis_question *question,
                          const iswi_redis_command *arguments, redisReply **out, isw_error *error);

/* -- How a value is kept ----------------------------------------------------------------------- */

enum { ISWI_REDIS_NAME_BYTES = 32 }; /* of a holder's name */

/* Before the value: that nobody holds it; or that a process does, whose name follows. */
enum { ISWI_REDIS_FREE = '=', ISWI_REDIS_HELD = '@' };

#endif
