/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_TLS_TOLD_H
#define ISWI_HOST_HTTP_TLS_TOLD_H

/* What the status, /ready and the metrics say of certificates. Any thread. Inside the room. */
#include "host/engine/trigger.h"
#include "host/tls/tls.h"

/* How often they could not be read again, and how long those in force hold. */
void iswi_http_tls_rows_told(iswi_tls *tls, iswi_trigger_row_fn row, void *user);

/* Files that could not be used, and certificates that are over or soon will be. */
void iswi_http_tls_attend(iswi_tls *tls, iswi_trigger_attend_fn add, void *user);

#endif
