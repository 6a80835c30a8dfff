/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_LOG_FILE_H
#define ISWI_HOST_SYSTEM_LOG_FILE_H

/*
 * A file that lines are appended to, by a thread of its own: whoever adds one copies it and goes
 * on, however slow the disk is. Lines are written at most 200 ms after they came, and at the end.
 * What cannot be written is counted and said once, and again when it goes on. Any thread.
 */
#include <isoworker/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct iswi_log_file iswi_log_file;

enum { ISWI_LOG_FILE_ROOM = 1 << 20 }; /* bytes that wait; what comes beyond is lost */

typedef struct iswi_log_file_options {
    const char *path; /* NULL: standard error */
    /* A sentence about lines that are lost, or are no longer; on the file's thread. */
    void (*say)(void *user, bool wrong, const char *sentence);
    void *user;
} iswi_log_file_options;

/* Open it at the end, and make it where it is not there, for its user and group. The path is
 * copied. Errors: ISW_E_IO with the path, ISW_E_NO_MEMORY. */
isw_status iswi_log_file_open(const iswi_log_file_options *options, iswi_log_file **out,
                              isw_error *error);

/* One or more whole lines. */
void iswi_log_file_add(iswi_log_file *file, const void *lines, size_t size);

/* Write what came so far, and go on with what lies at the path then: the old one was moved away.
 * Does not wait for it. */
void iswi_log_file_reopen(iswi_log_file *file);

/* How many lines could not be written. */
uint64_t iswi_log_file_lost(const iswi_log_file *file);

/* Write the rest, and end. May block on the disk. NULL is passed over. */
void iswi_log_file_close(iswi_log_file *file);

#endif
