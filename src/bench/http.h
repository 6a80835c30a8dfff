/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_H
#define ISWI_BENCH_HTTP_H

/* A handler in a bare libmicrohttpd server over loopback TCP, as a peer of a function in a worker,
 * and the client that measures it. */
#include "bench/plan.h"

/* POST of the payload to a server in another process, on connections that are kept: one with
 * blocking reads and writes, or one for each that is in flight, with epoll. */
bool iswi_bench_measure_http(const iswi_bench_plan *plan);

/* A listening socket on a free port of 127.0.0.1, or -1. */
int iswi_bench_listen(unsigned *port);

/* Serve on the listening socket `fd` with so many threads until a signal asks to end: POST gives
 * back what it got, GET says hello as the bench's worker does. */
bool iswi_bench_echo_http(int fd, unsigned threads);

#endif
