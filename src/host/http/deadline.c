/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/deadline.h"

#include "base/clock.h"

#include <isoworker/outgoing.h>

enum { DIGITS_MAX = 12 }; /* more milliseconds than that are no limit */

static bool read_ms(isw_str text, int64_t *ms)
{
    *ms = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (i < DIGITS_MAX)
            *ms = *ms * 10 + (text.data[i] - '0');
    }
    if (text.size > DIGITS_MAX)
        *ms = 0;
    return text.size > 0;
}

const char *iswi_http_deadline_read(const isw_pairs *headers, int64_t *deadline_ns)
{
    const isw_pair *found;
    size_t at = 0;

    while ((found = isw_pairs_next(headers, ISW_HEADER_TIMEOUT, &at)) != NULL) {
        int64_t until_ns;
        int64_t ms;

        if (!read_ms(found->value, &ms))
            return "The header " ISW_HEADER_TIMEOUT " is no number of milliseconds.";
        until_ns = iswi_now_ns() + ms * 1000000;
        if (ms && (!*deadline_ns || until_ns < *deadline_ns))
            *deadline_ns = until_ns;
    }
    return NULL;
}
