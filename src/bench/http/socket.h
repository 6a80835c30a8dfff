/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_SOCKET_H
#define ISWI_BENCH_HTTP_SOCKET_H

/* Sockets of the HTTP measurements, on this machine alone. */

/* A listening socket on a free port of 127.0.0.1, or -1. */
int iswi_bench_listen(unsigned *port);

/* A listening Unix socket at a path that does not exist yet, or -1. */
int iswi_bench_listen_at(const char *path);

/* A port of 127.0.0.1 that was free a moment ago, for a program that takes no listening socket; 0
 * when there is none. */
unsigned iswi_bench_free_port(void);

/* A connected socket that blocks, for so long at most, or -1. */
int iswi_bench_connect(unsigned port, int timeout_ms);

#endif
