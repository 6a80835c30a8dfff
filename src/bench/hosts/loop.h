/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_LOOP_H
#define ISWI_BENCH_HOSTS_LOOP_H

/* Bare means of what runs under other hosts, each in a process of its own. */
#include "bench/http/server.h"

/* A loop of the Runtime API at the port, on so many threads, each with a connection that it keeps:
 * the next event, and an answer to it, which is the event itself or a greeting. Until one of its
 * connections ends. False when there is no such API. */
bool iswi_bench_runtime_loop(unsigned port, unsigned threads, bool json);

/* A custom handler that gives one answer to all. */
size_t iswi_bench_speak_custom(const char *in, size_t have, iswi_bench_reply *reply);

#endif
