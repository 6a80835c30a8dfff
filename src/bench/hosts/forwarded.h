/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_FORWARDED_H
#define ISWI_BENCH_HOSTS_FORWARDED_H

/* A request that goes to the worker's own server, beside its invocation. One thread. */
#include <stdbool.h>
#include <stddef.h>

typedef struct iswi_bench_forwarded {
    int fd;
    size_t have;
    char in[16 * 1024 + 1];
} iswi_bench_forwarded;

/* Send it, with the invocation that it belongs to. */
bool iswi_bench_forwarded_send(iswi_bench_forwarded *forwarded, const char *id);

/* Take in what is there; *over: the answer is whole. False: it is none, or no 200. */
bool iswi_bench_forwarded_take(iswi_bench_forwarded *forwarded, bool *over);

#endif
