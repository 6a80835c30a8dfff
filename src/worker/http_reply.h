/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_REPLY_H
#define ISWI_WORKER_HTTP_REPLY_H

/* How the library itself fills in a reply. */
#include "worker/context.h"

/* Add a header that is known to be right, or let it take the place of those of its name. */
isw_status iswi_reply_header(isw_context *ctx, const char *name, const char *value, bool replace);

/* isw_http_remove_header, of a context that may answer. */
void iswi_reply_forget_header(isw_context *ctx, const char *name);

#endif
