/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_ACCESS_LOG_H
#define ISWI_HOST_HTTP_ACCESS_LOG_H

/* `http.access_log` of host.yaml: one line for each request, whoever answered it. It is off unless
 * that names a place. Inside the room. */
#include "config/config.h"
#include "host/http/access_line.h"
#include "host/system/log_file.h"

#include <isoworker/log.h>

typedef struct iswi_access_log_settings {
    const char *to; /* "stderr", or a path; NULL: there is none */
    int64_t form;   /* iswi_access_form */
    bool query;
} iswi_access_log_settings;

extern const isw_option iswi_access_log_rows[];

/* Whether lines can be written there. Refuses at the place of what is wrong. Blocks on the file
 * system, and makes nothing there. */
isw_status iswi_access_log_check(iswi_config *config, const iswi_access_log_settings *settings,
                                 isw_error *error);

typedef struct iswi_access_log iswi_access_log;

/* Begin; relative paths begin in `folder`, that of host.yaml. What is to be said of it goes to the
 * hook, on a thread of its own. *out is NULL where there is no such log. Errors: ISW_E_IO with the
 * path, ISW_E_NO_MEMORY. */
isw_status iswi_access_log_open(const iswi_access_log_settings *settings, const char *folder,
                                void (*say)(void *user, isw_log_level level, const char *text),
                                void *user, iswi_access_log **out, isw_error *error);

/* One line, if there is a log. Any thread; does not wait for the file. */
void iswi_access_log_add(iswi_access_log *log, const iswi_access *access);

/* The file was moved away. NULL is passed over, here and below. */
void iswi_access_log_reopen(iswi_access_log *log);

/* How many lines could not be written. */
uint64_t iswi_access_log_lost(const iswi_access_log *log);

/* Write the rest, and end. */
void iswi_access_log_close(iswi_access_log *log);

#endif
