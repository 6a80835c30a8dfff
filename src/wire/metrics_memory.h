/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WIRE_METRICS_MEMORY_H
#define ISWI_WIRE_METRICS_MEMORY_H

/*
 * Memory in which a worker counts, and which outlives it: PROTOCOL.md, section 15. A head, then
 * records one behind the other, of which each is a series: its numbers, and what they are. The host
 * makes it and reads it, the worker writes it, so that the host believes nothing that it has not
 * checked in a copy. All in the byte order of the machine.
 */
#include <stdatomic.h>
#include <stdint.h>

enum {
    ISWI_METRICS_MEMORY_MAGIC = 0x4d575349,
    ISWI_METRICS_MEMORY_VERSION = 1,
    ISWI_METRICS_MEMORY_BYTES = 16 * 1024 * 1024, /* of which only those exist that are used */
    ISWI_METRICS_MEMORY_RECORDS = 65536           /* that a host reads */
};

typedef struct iswi_counted_head {
    uint32_t magic, version;    /* the host's, before the worker begins */
    _Atomic uint32_t taken;     /* 1: the worker counts here */
    _Atomic uint32_t elsewhere; /* 1: not all of it, so that it is to be asked, too */
    _Atomic uint64_t next;      /* where the next record begins, for the worker alone */
    uint64_t reserved[5];
} iswi_counted_head;

typedef struct iswi_counted_record {
    _Atomic uint32_t size; /* with all that follows, a multiple of 8; set last; 0: no more */
    uint32_t numbers;      /* how many follow */
    uint32_t described;    /* the size of the frame behind them */
    uint32_t reserved;
    /* The value, as the bits of a double; of a histogram the sum, and then a count for each bucket.
     * Behind them a frame `metrics` of one family of one series, whose values are 0. */
    _Atomic uint64_t number[];
} iswi_counted_record;

_Static_assert(sizeof(iswi_counted_head) == 64 && sizeof(iswi_counted_record) == 16,
               "as PROTOCOL.md has them");

#endif
