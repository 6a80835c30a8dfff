/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_REPLY_H
#define ISWI_WORKER_HTTP_REPLY_H

/* How the library itself fills in a reply. */
#include "worker/context/context.h"

/* Add a header that is known to be right, or let it take the place of those of its name. */
isw_status iswi_reply_header(isw_context *ctx, const char *name, const char *value, bool replace);

/* What a host makes of a result that is no HTTP reply, with the headers that are set, and the
 * content type that it adds (NULL: none); false for a result that is no answer. */
bool iswi_reply_of_result(const isw_context *ctx, isw_http *out, const char **type);

/* The chain succeeded: have its result bear the headers that were set. Errors, recorded: those of
 * isw_http_set_header and isw_http_reply, for a reply that was made by hand. */
isw_status iswi_reply_settle(isw_context *ctx);

/* The chain returned `status`. What was gathered becomes the reply, and what was emitted an output,
 * unless the host has them. Returns the status that the answer is to have. */
isw_status iswi_http_settle(isw_context *ctx, isw_status status);

/* Whether the answer that the host will make has headers from here; *out then holds them. */
bool iswi_reply_headers_alone(const isw_context *ctx, bool success, isw_http *out);

#endif
