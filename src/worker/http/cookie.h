/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_COOKIE_H
#define ISWI_WORKER_HTTP_COOKIE_H

/* Cookies as clients send them. Pure; any thread. */
#include <isoworker/value.h>

/* Find the first cookie of that name in the value of a Cookie header. A view of `header`. */
bool iswi_cookie_find(isw_str header, isw_str name, isw_str *out);

#endif
