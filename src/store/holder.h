/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_STORE_HOLDER_H
#define ISWI_STORE_HOLDER_H

/* Which process holds an entry, as a number that no other process of this system gets: its id, and
 * when it began. */
#include <stdbool.h>
#include <stdint.h>

/* This process; never 0. `known` is what was told before, or 0: where that still holds, which a fork
 * ends, nothing is read. */
uint64_t iswi_holder_self(uint64_t known);

/* Whether it still runs. In doubt it does. Reads /proc. */
bool iswi_holder_lives(uint64_t holder);

#endif
