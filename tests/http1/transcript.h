/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_TESTS_HTTP1_TRANSCRIPT_H
#define ISWI_TESTS_HTTP1_TRANSCRIPT_H

/* What the readers of src/http1 make of the bytes of a connection, as text. */
#include "base/buffer.h"

/* Read one request after the other, as the host does, where `piece` bytes come at a time; each time
 * all that is kept lies at another place, with nothing behind it. Appends a paragraph for each
 * request, which ends with the line "done", "more" or "refused", to `out`. Aborts where a reader
 * breaks its promises. */
void transcribe(const char *bytes, size_t size, size_t piece, iswi_buffer *out);

#endif
