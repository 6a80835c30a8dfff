/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_FETCH_H
#define AUTH_FETCH_H

/*
 * Bytes of a key set from where it is published, bounded in size and, over the network, in time.
 * Stateless; any thread.
 */
#include <isoworker/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { AUTH_FETCH_MAX_BYTES = 256 * 1024, AUTH_FETCH_TIMEOUT_MS = 5000 };

/* `data` is malloc'ed and has a NUL behind its `size` bytes. */
typedef struct auth_text {
    char *data;
    size_t size;
} auth_text;

/* Read a file, and say in *identity (may be NULL) which version of it that was.
 * Errors: ISW_E_IO, ISW_E_TOO_LARGE, ISW_E_NO_MEMORY. Blocks. */
isw_status auth_read_file(const char *path, auth_text *out, struct stat *identity,
                          isw_error *error);

/* Whether keys may be fetched from `url`: https, or http to this machine's loopback; no user name
 * in it. What comes over plain http from elsewhere is whatever the network says it is. */
bool auth_url_allowed(const char *url);

/* GET `url`, which auth_url_allowed admitted. Only status 200 counts, redirects are not followed,
 * certificates are checked. Errors: ISW_E_UNAVAILABLE, ISW_E_NO_MEMORY. Blocks for up to
 * AUTH_FETCH_TIMEOUT_MS. */
isw_status auth_fetch_url(const char *url, auth_text *out, isw_error *error);

#endif
