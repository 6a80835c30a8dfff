/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_PIPES_H
#define ISWI_HOST_SYSTEM_PIPES_H

/* The pipes of a process that is about to begin: its token, and what it prints. */
#include <stdbool.h>
#include <stddef.h>

typedef struct iswi_pipes {
    int token[2], output[2], errors[2]; /* reading, then writing; -1: closed */
} iswi_pipes;

/* All are ours alone until they are handed down. False with errno; close them in either case. */
bool iswi_pipes_open(iswi_pipes *pipes);
void iswi_pipes_close(iswi_pipes *pipes);

/* Write the token, which is less than a pipe holds, and close that end: who reads has all of it.
 * False with errno. */
bool iswi_pipes_give_token(iswi_pipes *pipes, const void *token, size_t bytes);

/* It runs: the reading ends of what it prints are the caller's, the others are closed. */
void iswi_pipes_keep(iswi_pipes *pipes, int *output, int *errors);

#endif
