/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_LOANS_H
#define ISWI_LINK_LOANS_H

/*
 * Large messages in shared memory (PROTOCOL.md, section 11): each side lends the other parts of an
 * arena of its own and takes them back when the other has set their word to 0. What is lent is kept
 * in private memory, so that the other side can at most keep it, or give it back too early and read
 * something else. Linux.
 */
#include "link/message.h"

#include <isoworker/status.h>

enum {
    ISWI_LOAN_LEAST = 16 * 1024, /* from here on a loan is cheaper than the ring, as measured */
    ISWI_ARENA_BYTES = 16 * 1024 * 1024, /* beside each ring */
    ISWI_LOANS = 128,                    /* of it */
    ISWI_WIDE_ARENA_BYTES = 128 * 1024 * 1024, /* where both sides have mapped it */
    ISWI_WIDE_LOANS = 1024
};

/* Shared: one word for each loan of an arena, 1 while it is lent. */
typedef struct iswi_loan_words {
    _Atomic uint32_t lent[ISWI_WIDE_LOANS]; /* or fewer */
} iswi_loan_words;

/* An arena and its words, which are shared. */
typedef struct iswi_arena_memory {
    iswi_loan_words *words;
    unsigned char *bytes;
    uint64_t size;
    unsigned loans;
} iswi_arena_memory;

/* Where a message lies. */
typedef struct iswi_loan {
    uint64_t size, offset;
    uint32_t number; /* of its word */
} iswi_loan;

/* -- The side that lends; the owner's lock guards it ------------------------------------------- */

typedef struct iswi_lender {
    iswi_arena_memory arena;
    uint64_t offsets[ISWI_WIDE_LOANS], sizes[ISWI_WIDE_LOANS]; /* of what is lent; size 0: free */
    int64_t since_ns[ISWI_WIDE_LOANS];
    uint16_t order[ISWI_WIDE_LOANS]; /* of what is lent, by offset */
    unsigned count;
    uint64_t touched;   /* no byte from here on has memory */
    uint64_t needed;    /* nor was any lent since then */
    int64_t needed_ns;
} iswi_lender;

/* Take `size` bytes, at the lowest place; returns where to write them, or NULL when there is no
 * room. */
void *iswi_lender_take(iswi_lender *lender, size_t size, int64_t now_ns, iswi_loan *loan);

/* Since when the oldest loan is out; 0: none is. */
int64_t iswi_lender_oldest_ns(iswi_lender *lender);

/* Give memory back to the operating system that nothing was lent of for some seconds, a part of it
 * at a time. True: more is left to be given back now. */
bool iswi_lender_trim(iswi_lender *lender, int64_t now_ns);

/* -- The side that borrows --------------------------------------------------------------------- */

typedef struct iswi_borrower iswi_borrower;

typedef struct iswi_borrowed {
    iswi_message message;
    iswi_borrower *borrower;
    atomic_bool held;
} iswi_borrowed;

/* Whoever makes one holds it, and so does each message of it; the memory stays until `end`. */
struct iswi_borrower {
    iswi_arena_memory arena, wide;
    atomic_bool is_wide; /* the latter counts; before anything of the former was borrowed */
    bool copies; /* the other side is not trusted: it could change what we read */
    iswi_borrowed borrowed[ISWI_WIDE_LOANS];
    atomic_size_t bytes; /* of what is borrowed */
    atomic_uint holders;
    void (*end)(iswi_borrower *self); /* the last holder is gone */
};

/* The message of a loan, to be released: a view that gives the loan back with its last holder, or a
 * copy. Errors: ISW_E_PROTOCOL for a loan that is not in the arena or is still held,
 * ISW_E_NO_MEMORY. */
isw_status iswi_borrower_message(iswi_borrower *borrower, const iswi_loan *loan,
                                 iswi_message **out);

/* The same for bytes that nobody is to look at where they lie (iswi_message.apart): a view also of
 * what is not trusted; a copy once much is borrowed, so that the other side has room while we are
 * slow. Errors as above. */
isw_status iswi_borrower_apart(iswi_borrower *borrower, const iswi_loan *loan, iswi_message **out);

void iswi_borrower_release(iswi_borrower *borrower);

#endif
