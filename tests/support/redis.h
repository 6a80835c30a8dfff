/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_REDIS_H
#define ISW_TESTS_SUPPORT_REDIS_H

/* A real redis-server for one test, on a socket in a folder of its own. */
#include <sys/types.h>

typedef struct redis_server {
    char folder[40];
    char url[64]; /* unix://... */
    pid_t pid;    /* 0: it does not run */
} redis_server;

/* A folder and a URL; nothing runs. */
void redis_prepare(redis_server *server);

/* Have it run, and wait until it does. `password` may be NULL. It ends with the test at the latest. */
void redis_start(redis_server *server, const char *password);

/* End it at once, with all that it knows. */
void redis_kill(redis_server *server);

/* And its folder. */
void redis_end(redis_server *server);

/* What it answers to a command, as redis-cli prints it: its first line. Static text. */
const char *redis_says(const redis_server *server, const char *command);

#endif
