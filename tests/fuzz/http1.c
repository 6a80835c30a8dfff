/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a client sends on a connection: the first two say how they are cut, and it must
 * not matter. What each request must be is in tests/http1/transcript.c. */
#include "http1/transcript.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    iswi_buffer whole = { 0 };
    iswi_buffer cut = { 0 };
    size_t piece;

    if (size < 2)
        return 0;
    piece = (size_t)data[0] + (data[1] < 32 ? 0 : 256) + 1;
    transcribe((const char *)data + 2, size - 2, SIZE_MAX, &whole);
    transcribe((const char *)data + 2, size - 2, piece, &cut);
    if (whole.size != cut.size || (whole.size && memcmp(whole.data, cut.data, whole.size) != 0))
        abort();
    iswi_buffer_fini(&whole);
    iswi_buffer_fini(&cut);
    return 0;
}
