/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_QUEUE_QUEUE_H
#define ISWI_BENCH_QUEUE_QUEUE_H

/* `isoworker bench queue`: what a queue costs on this machine's disk, beside a bare loop with the
 * same durability. Returns an exit status of sysexits.h. */
int iswi_bench_queue_main(int argc, char **argv);

#endif
