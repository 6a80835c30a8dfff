/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_CLOCK_H
#define ISWI_BASE_CLOCK_H

/* The clock and randomness of the operating system. Any thread. */
#include <isoworker/value.h>

/* For tests: from now on time stands still at this place of both clocks, for the whole process,
 * until it is moved by another call; iswi_clock_real lets it run again. now_ns is not 0. */
void iswi_clock_fake(int64_t now_ns, int64_t wall_us);
void iswi_clock_real(void);
bool iswi_clock_is_fake(void);

int64_t iswi_now_ns(void);      /* monotonic */
int64_t iswi_lately_ns(void);   /* the same as of up to 10 ms ago, for a fifth of the price */
int64_t iswi_wall_us(void);     /* since 1970-01-01 UTC */
bool iswi_random(void *bytes, size_t size); /* from the kernel; false if it gives none */

/* Write 2 * size lower-case hexadecimal digits and a NUL to `out`. */
void iswi_hex(const void *bytes, size_t size, char *out);

#endif
