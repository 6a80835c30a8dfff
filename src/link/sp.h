/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_SP_H
#define ISWI_LINK_SP_H

/*
 * The SP framing of PROTOCOL.md, section 1, as nng and nanomsg speak it on ipc: a greeting of 8
 * bytes, then messages of 01, a length of 8 bytes, and the bytes. On a ring there are also messages
 * of 02 that lie in an arena, and of 03 of which a part does (section 11). Pure: no sockets, no threads.
 */
#include "link/loans.h"

#include <isoworker/status.h>

enum {
    ISWI_SP_GREETING_BYTES = 8,
    ISWI_SP_HEAD_BYTES = 9,
    ISWI_SP_LOAN_BYTES = 21,
    ISWI_SP_APART_BYTES = 29,
    ISWI_SP_APART_REST_MOST = 32 * 1024, /* of a message of which a part lies apart */
    ISWI_SP_CHUNK_BYTES = 64 * 1024, /* read at once, unless its owner says otherwise */
    ISWI_SP_SOCKET_CHUNK_BYTES = 256 * 1024 /* about what a Unix socket holds: each read costs */
};

/* The greeting of the pair protocol, version 0. */
extern const unsigned char iswi_sp_greeting[ISWI_SP_GREETING_BYTES];

/* What precedes a message of `size` bytes. */
void iswi_sp_head(size_t size, unsigned char head[ISWI_SP_HEAD_BYTES]);

/* What stands for a message in the arena: 02, its size and offset of 8 bytes each, and the number
 * of its word of 4. */
void iswi_sp_loan_record(const iswi_loan *loan, unsigned char record[ISWI_SP_LOAN_BYTES]);

/* What precedes the rest of a message of which a part lies in the arena: 03, as above for the part,
 * and the size of the rest of 8. */
void iswi_sp_apart_record(const iswi_loan *loan, size_t rest,
                          unsigned char record[ISWI_SP_APART_BYTES]);

/* Turns bytes as they arrive into messages. */
typedef struct iswi_sp_reader {
    size_t chunk_bytes;   /* 0: ISWI_SP_CHUNK_BYTES */
    unsigned char *chunk; /* bytes from `begin` to `end` are not used yet */
    size_t begin, end;
    bool greeted;
    iswi_message view;    /* the last one that lay whole in the chunk */
    iswi_borrower *borrower; /* of messages in an arena; NULL: there is none */
    atomic_bool takes_apart; /* it was agreed that parts of messages may lie there */
    iswi_message *large; /* one that the chunk does not hold, with its first bytes */
    unsigned char *large_bytes;
    size_t large_have, large_size;
} iswi_sp_reader;

void iswi_sp_reader_fini(iswi_sp_reader *reader); /* a zeroed reader is a valid one */

/* Where the next bytes go; *size is at least 1. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_sp_reader_space(iswi_sp_reader *reader, void **at, size_t *size);

/* `size` bytes were put there: hand each message that is whole by now to `take`, which borrows it.
 * Errors: ISW_E_PROTOCOL for what is no greeting, no message, or too long; ISW_E_NO_MEMORY. */
isw_status iswi_sp_reader_deliver(iswi_sp_reader *reader, size_t size,
                                  void (*take)(void *user, iswi_message *message), void *user);

#endif
