/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_FUZZ_LIVE_H
#define ISW_TESTS_FUZZ_LIVE_H

/*
 * The live host of the fuzz target live_ring: made once, in this process, with an honest worker and
 * one that attacks, and the calls to both. All functions are for the fuzzer's thread. What must
 * hold and does not ends the process, with the host's console on standard error.
 */
#include <isoworker/value.h>

void live_start(void); /* once: returns at the second call; before the process has threads */

/* Abort unless `holds`; says `what`. Any thread. */
void live_must(bool holds, const char *what);

/* Abort if the host has ended, and forget what its console showed. */
void live_check(void);

/* The socket at which greeters call; see greeter.c. */
int live_lifeline(void);

/* -- Calls to the honest worker ---------------------------------------------------------------- */

/* Keep some calls in flight, each answer starting the next, until live_stop_echoes. `large` adds
 * such of 64 KiB. */
void live_start_echoes(bool large);

/* Wait until all are answered. Each had to succeed, with the right bytes, and in time. */
void live_stop_echoes(void);

/* -- Calls to the attacker --------------------------------------------------------------------- */

bool live_attacker_is_ready(void);

enum { LIVE_ATTACKED_MAX = 32 }; /* calls of one input */

/* Start one of its function `name` with `size` bytes; nothing when there were enough. "attacked"
 * has a deadline, "greeted" has none: its answer comes or is missed. */
void live_call_attacker(const char *name, size_t size);

/* How many of them are answered. */
unsigned live_attacker_answers(void);

/* Wait until each is answered, which must happen exactly once. Returns how many succeeded. */
unsigned live_await_attacker(void);

#endif
