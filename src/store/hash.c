/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 (Aumasson and Bernstein, 2012), the one of 128 bits, of some texts, each filled up to
 * whole words, behind one word that says how long they are. No other texts give the same words. */
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

enum { LANES = 4, LANE_BITS = 16, LANE_MAX = 0xffff };

/* The sizes of few short texts, each one more than it is; else 0 in the lowest lane. */
static uint64_t sizes_of(isw_store_key key)
{
    uint64_t word = 0;

    for (size_t i = 0; i < key.count; i++) {
        if (i >= LANES || key.parts[i].size >= LANE_MAX)
            return (uint64_t)key.count << LANE_BITS;
        word |= (uint64_t)(key.parts[i].size + 1) << (i * LANE_BITS);
    }
    return word;
}

/* The last 1 to 7 bytes. Two reads of the same bytes are cheaper than a loop, or a call. */
static uint64_t tail_of(const char *text, size_t size)
{
    uint32_t low, high;

    if (size >= 4) {
        memcpy(&low, text, 4);
        memcpy(&high, text + size - 4, 4);
        return low | (uint64_t)high << (size - 4) * 8;
    }
    return (uint64_t)(unsigned char)text[0] |
           (uint64_t)(unsigned char)text[size / 2] << size / 2 * 8 |
           (uint64_t)(unsigned char)text[size - 1] << (size - 1) * 8;
}

static void take_text(uint64_t *v, isw_str text)
{
    size_t at = 0;

    for (; at + 8 <= text.size; at += 8) {
        uint64_t word;

        memcpy(&word, text.data + at, 8);
        take_word(v, word);
    }
    if (at < text.size)
        take_word(v, tail_of(text.data + at, text.size - at));
}

void iswi_store_hash(const uint64_t secret[2], isw_store_key key, uint64_t out[2])
{
    uint64_t sizes = sizes_of(key);
    uint64_t v[4] = { secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d ^ 0xee,
                      secret[0] ^ 0x6c7967656e657261, secret[1] ^ 0x7465646279746573 };

    take_word(v, sizes);
    for (size_t i = 0; i < key.count; i++) {
        if (!(sizes & LANE_MAX))
            take_word(v, key.parts[i].size);
        take_text(v, key.parts[i]);
    }
    v[2] ^= 0xee;
    take_rounds(v, 3);
    out[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    take_rounds(v, 3);
    out[1] = (v[0] ^ v[1] ^ v[2] ^ v[3]) | 1; /* the lowest bit says nothing */
}
