/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_FUZZ_SCRIPT_H
#define ISW_TESTS_FUZZ_SCRIPT_H

/*
 * The script that an input is: what the attacker does, step by step. Two bytes say how, then come
 * steps of one byte and what they take; corpus.py writes such scripts and names all numbers. Any
 * bytes are a script; what is missing at its end is 0.
 */
#include "fuzz/live_ring/attacker.h"

typedef struct script {
    const uint8_t *at, *end;
    bool large; /* calls of 64 KiB to the honest worker, too */
    bool early; /* attack before the worker is ready */
    unsigned haunt; /* what goes on after the process has ended */
} script;

script script_begin(const uint8_t *data, size_t size);

/* Carry out all steps. Bounded in count and time. */
void script_run(script *s, attacker *a);

/* Go on for some microseconds with what the script says, after the process has ended. */
void script_haunt(const script *s, attacker *a);

#endif
