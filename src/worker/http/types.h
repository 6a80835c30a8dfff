/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_TYPES_H
#define ISWI_WORKER_HTTP_TYPES_H

/* What a file's name says in HTTP. Pure; any thread. */
#include "base/buffer.h"

/* The content type by the end of the name, letter case ignored; "application/octet-stream" for one
 * that is not known. Static text. */
const char *iswi_content_type_of(const char *path);

/* Append "attachment; filename=..." for a name in UTF-8 without control characters: as it is where
 * all recipients read it so, else with filename* (RFC 6266, section 4.3; RFC 8187). */
void iswi_disposition_write(iswi_buffer *out, const char *name);

#endif
