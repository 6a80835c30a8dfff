/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces in which an encoded frame is sent: its own bytes, and payloads where they lie. */
#include "wire/frame.h"

static unsigned add_piece(isw_bytes *pieces, unsigned count, const void *bytes, size_t size)
{
    if (size)
        pieces[count++] = (isw_bytes){ bytes, size };
    return count;
}

unsigned iswi_encoded_pieces(const iswi_encoded *encoded, isw_bytes pieces[ISWI_PIECES_MAX])
{
    size_t done = 0;
    unsigned count = 0;

    for (unsigned i = 0; i < encoded->splice_count; i++) {
        const iswi_splice *splice = &encoded->splices[i];

        count = add_piece(pieces, count, encoded->bytes.data + done, splice->at - done);
        pieces[count++] = splice->payload;
        done = splice->at;
    }
    return add_piece(pieces, count, encoded->bytes.data + done, encoded->bytes.size - done);
}

/* Only these can be taken in with bytes that lie apart. */
static bool kind_may(uint64_t kind)
{
    return kind == ISWI_RESPONSE || kind == ISWI_CHUNK;
}

unsigned iswi_encoded_apart(const iswi_encoded *encoded, uint64_t kind, const isw_bytes *pieces,
                            unsigned count)
{
    const iswi_splice *longest = NULL;
    size_t others = encoded->bytes.size;
    unsigned piece = 0;

    if (!kind_may(kind))
        return count;
    for (unsigned i = 0; i < encoded->splice_count; i++) {
        const iswi_splice *splice = &encoded->splices[i];

        others += splice->payload.size;
        if (splice->may_lie_apart &&
            (!longest || splice->payload.size > longest->payload.size))
            longest = splice;
    }
    if (!longest || longest->payload.size <= others - longest->payload.size)
        return count;
    while (pieces[piece].data != longest->payload.data ||
           pieces[piece].size != longest->payload.size)
        piece++;
    return piece;
}
