/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_CLIENT_H
#define ISWI_BENCH_HTTP_CLIENT_H

/*
 * The load of all measurements of HTTP: so many connections to one server on this machine, each
 * with one request at a time, so that what is in flight is as many connections. It reads the least
 * of HTTP that tells where an answer ends and whether its connection is kept. One thread.
 */
#include "bench/samples.h"

typedef struct iswi_bench_load {
    unsigned port; /* of 127.0.0.1 */
    unsigned connections;
    uint32_t payload; /* POST of so many bytes, which are to come back; 0: GET */
    const char *request; /* another one, whole; NULL: there is none */
    int64_t gap_ns;   /* of nothing after each answer; of one connection only */
    void (*each_second)(void *user); /* called while it runs, between requests; or NULL */
    void *user;
} iswi_bench_load;

/* Where the requests went: sent is the sum of the others. */
typedef struct iswi_bench_tally {
    uint64_t sent, answered;
    uint64_t refused; /* with a status that is no 2xx */
    uint64_t lost;    /* the connection ended, or nothing came for long */
} iswi_bench_tally;

typedef struct iswi_bench_client iswi_bench_client;

/* Connect. NULL when that fails. */
iswi_bench_client *iswi_bench_client_open(const iswi_bench_load *load);

/* Send requests for `ns`, or samples->most of them, one at the least, and await their answers,
 * which are noted. What is lost goes on with a new connection. False when that cannot be had, or
 * when an answer is wrong; then the client can only be closed. Returns when the last answer has
 * come, or when none has for 5 seconds. */
bool iswi_bench_client_run(iswi_bench_client *client, iswi_bench_samples *samples, int64_t ns,
                           iswi_bench_tally *tally);

void iswi_bench_client_close(iswi_bench_client *client); /* NULL is allowed */

#endif
