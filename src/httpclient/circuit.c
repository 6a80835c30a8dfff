/* SPDX-License-Identifier: Apache-2.0 */
/* A host's circuit: closed, open until a time, and then half open: one may try. */
#include "httpclient/internal.h"

enum { PROBED_MS = 1000 }; /* until those that come while one tries may ask again */

void iswi_circuit_come(iswi_circuit *at, iswi_visit *visit, int64_t now_us)
{
    const isw_http_client_options *options = visit->options;

    visit->wait_ms = 0;
    if (!at->until_us)
        return;
    if (at->until_us > now_us) {
        visit->wait_ms = (at->until_us - now_us + 999) / 1000;
    } else if (at->probing && now_us < at->probe_until_us) {
        visit->wait_ms = options->circuit_open_ms < PROBED_MS ? options->circuit_open_ms : PROBED_MS;
    } else {
        at->probing = 1;
        at->probe_until_us = now_us + ((int64_t)options->timeout_ms + PROBED_MS) * 1000;
    }
}

void iswi_circuit_go(iswi_circuit *at, iswi_visit *visit, int64_t now_us)
{
    if (visit->verdict == ISWI_WENT_WELL)
        *at = (iswi_circuit){ .failures = 0 };
    else if (visit->verdict == ISWI_WENT_WRONG &&
             ++at->failures >= visit->options->circuit_failures)
        at->until_us = now_us + (int64_t)visit->options->circuit_open_ms * 1000;
    at->probing = 0;
    at->probe_until_us = 0;
}
