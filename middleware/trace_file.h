/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

/*
 * The file of the middleware `trace`: lines are added to it, by all processes of a worker. Before
 * it would grow beyond its bound it becomes FILE.1, what was that FILE.2 and so on, and the last of
 * `keep` goes. Whoever moves or deletes the file meanwhile (logrotate) needs to tell nobody: the
 * next line begins a new one. All but open and close: any thread.
 */
#include <isoworker/status.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct iswi_trace_file {
    char *path; /* links in it followed, as far as they are there at the start */
    int64_t most_bytes;
    int64_t keep;
    pthread_mutex_t mutex; /* guards what follows */
    int fd;
    bool failing; /* the last line could not be written */
} iswi_trace_file;

/* Open or make the file. On failure there is nothing to close. Errors: ISW_E_CONFIG,
 * ISW_E_NO_MEMORY. Blocks on the file system. */
isw_status iswi_trace_file_open(iswi_trace_file *file, const char *path, int64_t most_bytes,
                                int64_t keep, isw_error *error);
void iswi_trace_file_close(iswi_trace_file *file);

/* Add a line, which is whole in one file. Returns 0, or the errno of a failure that was none the
 * last time: one that lasts is told once. Blocks on the file system. */
int iswi_trace_file_write(iswi_trace_file *file, const char *line, size_t size);

#endif
