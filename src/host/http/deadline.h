/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_DEADLINE_H
#define ISWI_HOST_HTTP_DEADLINE_H

/*
 * When a caller needs its answer no more, as it says itself by ISW_HEADER_TIMEOUT of
 * <isoworker/outgoing.h>. Only for callers that are trusted with it (`http.deadlines_from`): whoever
 * sets a deadline makes functions fail, which opens circuits and fills logs. Pure; any thread.
 * Inside the room.
 */
#include <isoworker/value.h>

/* Set *deadline_ns, of the clock of iswi_now_ns, to the soonest that the headers have; left alone
 * where they have none, or one of no milliseconds, by which proxies say that there is no limit.
 * Returns why it cannot be read, as a sentence that is static, or NULL. */
const char *iswi_http_deadline_read(const isw_pairs *headers, int64_t *deadline_ns);

#endif
