/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the begin of a connection that a proxy hands on: byte for byte they come to the same
 * as at once, and never past what there is. */
#include "http1/proxy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* A copy of exactly that size, so that a look behind it is seen. */
static iswi_http1_result read_part(const uint8_t *data, size_t size, iswi_http1_proxied *out)
{
    char *part = malloc(size ? size : 1);
    iswi_http1_refusal refusal = { .what = NULL };
    iswi_http1_result result = ISWI_HTTP1_MORE;

    if (part) {
        memcpy(part, data, size);
        result = iswi_http1_proxy_read(part, size, out, &refusal);
        must((result == ISWI_HTTP1_REFUSED) == (refusal.what != NULL));
        must(result != ISWI_HTTP1_MORE || size < ISWI_HTTP1_PROXY_BYTES);
    }
    free(part);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    iswi_http1_proxied whole = { .size = 0 };
    iswi_http1_proxied part = { .size = 0 };
    iswi_http1_result result = read_part(data, size, &whole);
    iswi_http1_result first = ISWI_HTTP1_MORE;

    for (size_t i = 0; first == ISWI_HTTP1_MORE && i <= size; i++)
        first = read_part(data, i, &part);
    must(first == result || result == ISWI_HTTP1_REFUSED);
    if (result != ISWI_HTTP1_DONE)
        return 0;
    must(whole.size && whole.size <= size && whole.size <= ISWI_HTTP1_PROXY_BYTES);
    must(part.size == whole.size && part.known == whole.known && part.tls == whole.tls &&
         memcmp(&part.client, &whole.client, sizeof part.client) == 0);
    return 0;
}
