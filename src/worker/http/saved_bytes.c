/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved replies as bytes: numbers of four bytes, the lowest first, for the layout's version, status,
 * names to forget and headers; each header's two sizes and texts, with a NUL behind each; the
 * body's size, and the body.
 */
#include "base/alloc.h"
#include "worker/context/context.h"
#include "worker/http/saved.h"

enum { VERSION = 1, NUMBER = 4 };

/* -- Packing ----------------------------------------------------------------------------------- */

static size_t size_of(const isw_saved_reply *saved)
{
    size_t size = 5 * NUMBER + saved->body.size;

    for (size_t i = 0; i < saved->count; i++)
        size += 2 * NUMBER + saved->headers[i].name.size + saved->headers[i].value.size + 2;
    return size;
}

static void put_number(unsigned char **at, size_t number)
{
    for (int i = 0; i < NUMBER; i++)
        *(*at)++ = (unsigned char)(number >> 8 * i);
}

static void put(unsigned char **at, const void *data, size_t size)
{
    if (size)
        memcpy(*at, data, size);
    *at += size;
}

size_t isw_http_pack_saved(const isw_saved_reply *saved, void *out, size_t room)
{
    size_t size = size_of(saved);
    unsigned char *at = out;

    if (size > room || size > UINT32_MAX)
        return size;
    put_number(&at, VERSION);
    put_number(&at, (size_t)saved->status);
    put_number(&at, saved->forgotten);
    put_number(&at, saved->count);
    for (size_t i = 0; i < saved->count; i++) {
        const isw_pair *header = &saved->headers[i];

        put_number(&at, header->name.size);
        put_number(&at, header->value.size);
        put(&at, header->name.data, header->name.size);
        put(&at, "", 1);
        put(&at, header->value.data, header->value.size);
        put(&at, "", 1);
    }
    put_number(&at, saved->body.size);
    put(&at, saved->body.data, saved->body.size);
    return size;
}

/* -- Unpacking --------------------------------------------------------------------------------- */

static bool take_number(isw_bytes *left, size_t *out)
{
    const unsigned char *at = left->data;

    if (left->size < NUMBER)
        return false;
    *out = at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
    *left = (isw_bytes){ at + NUMBER, left->size - NUMBER };
    return true;
}

static bool take_text(isw_bytes *left, size_t size, isw_str *out)
{
    const char *at = left->data;

    if (left->size <= size || at[size] != '\0')
        return false;
    *out = (isw_str){ at, size };
    *left = (isw_bytes){ at + size + 1, left->size - size - 1 };
    return true;
}

static bool take_headers(isw_bytes *left, isw_saved_reply *out)
{
    for (size_t i = 0; i < out->count; i++) {
        size_t name;
        size_t value;

        if (!take_number(left, &name) || !take_number(left, &value) ||
            !take_text(left, name, &out->headers[i].name) ||
            !take_text(left, value, &out->headers[i].value))
            return false;
    }
    return true;
}

/* The reply in the context's memory, its texts in `packed`. NULL: it is none, or no memory. */
static isw_saved_reply *unpack(isw_context *ctx, isw_bytes packed)
{
    isw_saved_reply *out;
    size_t version, status, forgotten, count;

    if (!take_number(&packed, &version) || version != VERSION || !take_number(&packed, &status) ||
        !take_number(&packed, &forgotten) || !take_number(&packed, &count) || forgotten > count ||
        count > packed.size / (2 * NUMBER))
        return NULL;
    out = isw_context_alloc(ctx, sizeof *out + count * sizeof out->headers[0]);
    if (!out)
        return NULL;
    out->status = (int)status;
    out->forgotten = forgotten;
    out->count = count;
    if (!take_headers(&packed, out) || !take_number(&packed, &out->body.size) ||
        out->body.size != packed.size)
        return NULL;
    out->body.data = packed.data;
    return out;
}

isw_status isw_http_reply_packed(isw_context *ctx, isw_bytes packed)
{
    isw_saved_reply *saved = unpack(ctx, packed);

    return saved ? isw_http_reply_saved(ctx, saved)
                 : isw_fail(ctx, ISW_E_INVALID, "these bytes are no reply that was saved");
}
