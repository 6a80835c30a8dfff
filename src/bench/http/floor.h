/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_FLOOR_H
#define ISWI_BENCH_HTTP_FLOOR_H

/* A handler in a bare libmicrohttpd server, as a peer of a function in a worker. */
#include "bench/plan.h"

/* The program that is the server; not built where there is no libmicrohttpd. */
extern const char iswi_bench_microhttpd[];

/* Start it on the listening socket `fd` for bodies of so many bytes, which says how much memory
 * serves it best. 0 when it cannot be started. */
pid_t iswi_bench_start_microhttpd(int fd, uint32_t payload);

/* The case `microhttpd`: POST of the payload on connections that are kept. */
bool iswi_bench_measure_microhttpd(const iswi_bench_plan *plan);

#endif
