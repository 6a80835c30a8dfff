/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_GIVEN_H
#define ISWI_BASE_GIVEN_H

/* What words of a command line say: data that may lie elsewhere, and pairs. One thread at a time. */
#include "base/buffer.h"

#include <isoworker/status.h>

/* Append what `word` means: all of standard input for "-", that of a file for "@FILE", else itself.
 * Blocks. Errors: ISW_E_IO, which names the file; ISW_E_NO_MEMORY. */
isw_status iswi_given_data(const char *word, iswi_buffer *out, isw_error *error);

/* NAME=VALUE, of which *out are views. False: it is none. */
bool iswi_given_pair(const char *word, isw_pair *out);

#endif
