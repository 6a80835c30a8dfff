/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_TEN_H
#define ISWI_BENCH_TEN_H

/* The chain of ten, as an application might have it: what each costs alone, and all together. */
#include <stdbool.h>
#include <stdio.h>

enum { ISWI_BENCH_TEN = 10 };

/* Each entry of the YAML's list, outermost first; such that requests of the bench pass. */
typedef struct iswi_bench_entry {
    const char *name, *options;
} iswi_bench_entry;
extern const iswi_bench_entry iswi_bench_ten[ISWI_BENCH_TEN];

/* ten.c: `isoworker bench --instructions`: the instructions that each costs an invocation, counted
 * by callgrind. Returns an exit status of sysexits.h. */
int iswi_bench_instructions(bool json, FILE *out);

#endif
