/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_BENCH_PEER_H
#define ISWI_CLI_BENCH_PEER_H

/* The hidden command `isoworker bench-peer`: what the other processes of a bench run. */
int iswi_cli_bench_peer(int argc, char **argv);

#endif
