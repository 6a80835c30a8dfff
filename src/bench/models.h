/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_MODELS_H
#define ISWI_BENCH_MODELS_H

/* `isoworker bench models`: what isolation gives and costs. Returns an exit status of
 * sysexits.h. */
int iswi_bench_models_main(int argc, char **argv);

#endif
