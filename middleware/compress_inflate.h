/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMPRESS_INFLATE_H
#define COMPRESS_INFLATE_H

/* Bodies of requests, for the middleware `compress`. */
#include <isoworker/status.h>
#include <isoworker/value.h>
#include <stdbool.h>

/* zlib's memory from the library's. */
void *compress_allocate(void *user, unsigned count, unsigned size);
void compress_release(void *user, void *block);

/* What a body of gzip (RFC 1952, any number of members) or deflate (RFC 1950; with `raw` also
 * without its head, as some clients send that) is when it is plain: at most `limit` bytes. *out is
 * the caller's to give to isw_free, whatever the status. Errors: ISW_E_INVALID for what is
 * malformed, cut off, or has more behind it, ISW_E_TOO_LARGE, ISW_E_NO_MEMORY. */
isw_status compress_inflate(isw_bytes body, bool raw, size_t limit, char **out, size_t *size);

#endif
