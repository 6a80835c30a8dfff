/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_FILE_LOOK_H
#define ISWI_HOST_SYSTEM_FILE_LOOK_H

/* Whether a file has changed since somebody looked. Any thread. */
#include <stdbool.h>
#include <stdint.h>

/* What tells one state of a file from another. */
typedef struct iswi_file_look {
    uint64_t device, inode;
    int64_t size, changed_ns; /* 0: there is no file */
} iswi_file_look;

iswi_file_look iswi_file_look_at(const char *path); /* path may be NULL; that is none */
bool iswi_file_look_same(const iswi_file_look *a, const iswi_file_look *b);

#endif
