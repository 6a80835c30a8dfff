/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_HOSTS_H
#define ISWI_BENCH_HOSTS_HOSTS_H

/* `isoworker bench hosts`: what a call costs under hosts that are not ours, beside the least that a
 * worker of theirs can cost. Returns an exit status of sysexits.h. */
int iswi_bench_hosts_main(int argc, char **argv);

#endif
