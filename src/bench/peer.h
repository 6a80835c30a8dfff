/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_PEER_H
#define ISWI_BENCH_PEER_H

/* `isoworker-bench peer`: what the other processes of a bench run. Returns an exit status. */
int iswi_bench_peer(int argc, char **argv);

#endif
