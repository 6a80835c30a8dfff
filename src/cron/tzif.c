/* SPDX-License-Identifier: Apache-2.0 */
/* A file has a block of 32-bit times, and since version 2 one of 64-bit times and a footer behind
 * it: the first is for readers older than us. Invariant: nothing is read that `left` does not
 * cover. */
#include "cron/tzif.h"

#include "base/alloc.h"

enum {
    HEAD_BYTES = 44,
    COUNTS_AT = 20,
    COUNT_MOST = 1 << 16,
    TYPE_BYTES = 6,
    OFFSET_MOST = 26 * 3600
};

static const char cut[] = "it ends too early";
static const char damaged[] = "it is damaged";

typedef struct reader {
    const unsigned char *at;
    size_t left;
} reader;

/* In the order of the file. */
typedef struct counts {
    uint32_t universal, standard, leaps, times, types, chars;
} counts;

static uint32_t u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t i64(const unsigned char *at)
{
    return (int64_t)((uint64_t)u32(at) << 32 | u32(at + 4));
}

static const unsigned char *take(reader *r, size_t size)
{
    const unsigned char *taken = r->at;

    if (r->left < size)
        return NULL;
    r->at += size;
    r->left -= size;
    return taken;
}

/* -- Its parts --------------------------------------------------------------------------------- */

static const char *take_head(reader *r, counts *out, unsigned char *version)
{
    const unsigned char *head = take(r, HEAD_BYTES);
    uint32_t *const all[] = { &out->universal, &out->standard, &out->leaps,
                              &out->times,     &out->types,    &out->chars };

    if (!head)
        return cut;
    if (memcmp(head, "TZif", 4) != 0)
        return "it is no file of tzdata";
    *version = head[4];
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *all[i] = u32(head + COUNTS_AT + 4 * i);
        if (*all[i] > COUNT_MOST)
            return damaged;
    }
    return NULL;
}

static size_t block_bytes(const counts *n, size_t time_bytes)
{
    return n->times * (time_bytes + 1) + (size_t)n->types * TYPE_BYTES + n->chars +
           n->leaps * (time_bytes + 4) + n->standard + n->universal;
}

static bool offset_of(const unsigned char *types, const counts *n, unsigned index, int32_t *out)
{
    if (index >= n->types)
        return false;
    *out = (int32_t)u32(types + (size_t)index * TYPE_BYTES);
    return *out > -OFFSET_MOST && *out < OFFSET_MOST;
}

static const char *take_times(const unsigned char *block, const counts *n, size_t time_bytes,
                              iswi_tzif *out)
{
    const unsigned char *indexes = block + n->times * time_bytes;
    const unsigned char *types = indexes + n->times;

    out->at_s = iswi_calloc(n->times + 1, sizeof *out->at_s);
    out->offsets_s = iswi_calloc(n->times + 1, sizeof *out->offsets_s);
    if (!out->at_s || !out->offsets_s)
        return "there is no memory for it";
    if (!offset_of(types, n, 0, &out->offsets_s[0]))
        return damaged;
    for (size_t i = 0; i < n->times; i++) {
        const unsigned char *time = block + i * time_bytes;

        out->at_s[i] = time_bytes == 8 ? i64(time) : (int32_t)u32(time);
        if (!offset_of(types, n, indexes[i], &out->offsets_s[i + 1]) ||
            (i && out->at_s[i] <= out->at_s[i - 1]))
            return damaged;
    }
    out->count = n->times;
    return NULL;
}

/* A line between two line feeds; an empty one: there is no rule. */
static const char *take_footer(reader *r, iswi_tzif *out)
{
    const unsigned char *first = take(r, 1);
    const unsigned char *end = r->left ? memchr(r->at, '\n', r->left) : NULL;
    isw_str text = { (const char *)r->at, end ? (size_t)(end - r->at) : 0 };

    if (!first || *first != '\n' || !end)
        return cut;
    out->has_footer = text.size > 0;
    return out->has_footer && !iswi_footer_read(text, &out->footer) ? damaged : NULL;
}

static const char *take_block(reader *r, const counts *n, size_t time_bytes, iswi_tzif *out)
{
    const unsigned char *block = take(r, block_bytes(n, time_bytes));

    if (!block)
        return cut;
    if (n->leaps)
        return "it counts leap seconds, which no clock here does: leave \"right/\" out";
    return n->types ? take_times(block, n, time_bytes, out) : damaged;
}

static const char *read_all(reader *r, iswi_tzif *out)
{
    unsigned char version;
    counts n;
    const char *why = take_head(r, &n, &version);

    if (why)
        return why;
    if (version < '2')
        return take_block(r, &n, 4, out);
    if (!take(r, block_bytes(&n, 4)))
        return cut;
    if ((why = take_head(r, &n, &version)) || (why = take_block(r, &n, 8, out)))
        return why;
    return take_footer(r, out);
}

const char *iswi_tzif_read(const unsigned char *bytes, size_t size, iswi_tzif *out)
{
    reader r = { bytes, size };
    const char *why;

    *out = (iswi_tzif){ .count = 0 };
    why = read_all(&r, out);
    if (why)
        iswi_tzif_fini(out);
    return why;
}

void iswi_tzif_fini(iswi_tzif *file)
{
    iswi_free(file->at_s);
    iswi_free(file->offsets_s);
    *file = (iswi_tzif){ .count = 0 };
}
