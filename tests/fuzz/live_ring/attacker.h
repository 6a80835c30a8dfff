/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_FUZZ_ATTACKER_H
#define ISW_TESTS_FUZZ_ATTACKER_H

/*
 * One life of the attacking worker: the greeter's process (greeter.c) keeps the session open, and
 * the fuzzer's thread plays its part in the shared memory, honestly or not. Created for each input,
 * ended with it. The memory's size is what the file says: what lies behind the two rings, if
 * anything does, is open to the attack too.
 */
#include "link/ring.h"
#include "wire/frame.h"

enum {
    ATTACKER_SEEN_MAX = 64,
    ATTACKER_INBOX_BYTES = 256 * 1024,
    ATTACKER_LOAN_BYTES = 21,                               /* of the record of a loan */
    ATTACKER_ARENAS = ISWI_RING_PAGE + 2 * ISWI_RING_BYTES /* where they begin */
};

typedef struct attacker {
    int lifeline; /* closing it ends the greeter */
    unsigned char *memory;
    size_t size;   /* of the rings' file and, if there is one, of the wide arenas' behind it */
    iswi_ring down, up;
    iswi_arena_memory down_arena, up_arena;
    bool hoards; /* gives nothing back */

    unsigned char *inbox; /* bytes of the down ring that are no whole record yet */
    size_t inbox_size;
    bool deaf; /* the down ring cannot be understood any more */

    unsigned waits_left; /* for room, of about a millisecond; then bytes are dropped */
    uint64_t function;
    uint64_t seen[ATTACKER_SEEN_MAX]; /* ids of invocations, a ring of the last ones */
    unsigned seen_count;
    unsigned answered; /* of seen_count, honestly */
    uint64_t offset;   /* of the last record that named a place in the host's arena */
} attacker;

/* Wait for the greeter of the process that the host started last, and map what it hands over.
 * False when there is none in time. */
bool attacker_meet(attacker *a, int lifeline, int64_t patience_ns);

/* End the process and forget the memory. */
void attacker_release(attacker *a);   /* the process only: it can still be attacked */
void attacker_forget(attacker *a);

/* Read the down ring: answer what is asked before work begins, and note what is invoked. */
void attacker_listen(attacker *a);

/* Answer what was noted and is not answered yet, with success. */
void attacker_answer(attacker *a);

/* Sleep until the host writes, at most a millisecond. */
void attacker_wait(attacker *a);

/* Write bytes to the up ring, and publish them. */
void attacker_put(attacker *a, const void *bytes, size_t size);

/* Write a frame as a message of its own. One that cannot be encoded is not written. */
void attacker_send(attacker *a, const iswi_frame *frame);

#endif
