/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_CONFIG_H
#define ISWI_BENCH_HTTP_CONFIG_H

/* The configuration of fronts. They keep connections without end on both sides, log nothing, and
 * ask another time when a worker is gone. */
#include <stdbool.h>
#include <stdio.h>

typedef struct iswi_bench_front_config {
    const char *folder; /* for what the front writes */
    const char *socket; /* where the worker listens, in the folder */
    unsigned port;
} iswi_bench_front_config;

void iswi_bench_write_nginx(const iswi_bench_front_config *config, bool fastcgi, FILE *out);
void iswi_bench_write_haproxy(const iswi_bench_front_config *config, FILE *out);

#endif
