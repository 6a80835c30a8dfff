/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_RUN_H
#define ISWI_BENCH_HTTP_RUN_H

/* `isoworker bench http`: a whole host beside what people would take instead. Returns an exit
 * status of sysexits.h. */
int iswi_bench_http_main(int argc, char **argv);

#endif
