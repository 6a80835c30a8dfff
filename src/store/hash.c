/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 (Aumasson and Bernstein, 2012), the one of 128 bits, of some texts, each filled up to
 * whole words behind its size. */
#include "store/hash.h"

#include <string.h>

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void take_rounds(uint64_t *v, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
        v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
    }
}

static void take_word(uint64_t *v, uint64_t word)
{
    v[3] ^= word;
    take_rounds(v, 1);
    v[0] ^= word;
}

void iswi_store_hash(const uint64_t secret[2], isw_store_key key, uint64_t out[2])
{
    uint64_t v[4] = { secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d ^ 0xee,
                      secret[0] ^ 0x6c7967656e657261, secret[1] ^ 0x7465646279746573 };

    for (size_t i = 0; i < key.count; i++) {
        const isw_str *text = &key.parts[i];

        take_word(v, text->size);
        for (size_t at = 0; at < text->size; at += 8) {
            uint64_t word = 0;

            memcpy(&word, text->data + at, text->size - at < 8 ? text->size - at : 8);
            take_word(v, word);
        }
    }
    v[2] ^= 0xee;
    take_rounds(v, 3);
    out[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    take_rounds(v, 3);
    out[1] = (v[0] ^ v[1] ^ v[2] ^ v[3]) | 1; /* the lowest bit says nothing */
}
