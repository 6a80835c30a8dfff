/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_BROKER_SQLITE_DISK_H
#define ISW_TESTS_BROKER_SQLITE_DISK_H

/*
 * A disk under SQLite that tells what would be on it after a power cut: what was synced, and of what
 * was written since any part, in sectors, in any order. It may be full, too, or fail. One at a time,
 * for all files that are opened while it is there.
 */
#include <stdbool.h>
#include <stdint.h>

void disk_begin(uint64_t seed);
void disk_end(void);

/* The power is cut when so many writes and syncs were begun from now on; everything fails then. */
void disk_cut_after(int operations);
bool disk_is_cut(void);

/* What is there after the cut goes to another folder, under the same names. */
void disk_save(const char *folder);

/* So much fits in all files together from now on; -1: anything. */
void disk_limit(int64_t bytes);
int64_t disk_used(void);

/* From now on one write or sync of so many fails, by chance; 0: none. */
void disk_fail_one_of(int operations);

int disk_syncs(void); /* so far */

#endif
