/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_BENCH_HOST_H
#define ISWI_CLI_BENCH_HOST_H

/* Our own lanes in the bench: the host engine in this process, a real worker in another, and calls
 * from answer callbacks as a trigger makes them. */
#include "cli/bench_samples.h"

/* `name` is a lane (message, ring), and +chain or +chain+auth if there is to be middleware. False
 * when there is no such case or it failed; standard error then says why. */
bool iswi_bench_measure_host(const char *name, const iswi_bench_plan *plan);

/* Write the worker's YAML with the middleware that `name` asks for to `path`. */
bool iswi_bench_write_chain(const char *path, const char *name);

#endif
