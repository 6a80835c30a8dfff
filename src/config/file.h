/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_FILE_H
#define ISWI_CONFIG_FILE_H

/* Reading a small file whole. */
#include "base/buffer.h"
#include <isoworker/status.h>

/* Append the content of `path` to `out`. Only a regular file of at most `most` bytes is read.
 * Returns ISW_OK, or ISW_E_IO, ISW_E_TOO_LARGE or ISW_E_NO_MEMORY with a phrase in *why that tells
 * people the reason. *why is static or the C library's: use it at once. */
isw_status iswi_file_read(const char *path, size_t most, iswi_buffer *out, const char **why);

#endif
