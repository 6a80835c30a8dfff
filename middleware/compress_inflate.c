/* SPDX-License-Identifier: Apache-2.0 */
/* Bombs are stopped by the room that they get: it doubles up to the limit, and one byte more shows
 * that it was too much. */
#include "compress_inflate.h"

#include <string.h>
#include <zlib.h>

enum { EITHER = 15 + 32, RAW = -15, FIRST_BYTES = 4096 };

typedef struct plain {
    char *data;
    size_t size, room, limit;
} plain;

void *compress_allocate(void *user, unsigned count, unsigned size)
{
    (void)user;
    return isw_calloc(count, size);
}

void compress_release(void *user, void *block)
{
    (void)user;
    isw_free(block);
}

static bool grow(plain *out)
{
    size_t room = out->room ? 2 * out->room : FIRST_BYTES;
    char *grown;

    room = room > out->limit ? out->limit + 1 : room;
    grown = isw_realloc(out->data, room);
    if (!grown)
        return false;
    out->data = grown;
    out->room = room;
    return true;
}

/* One member or stream, from where z stands. */
static isw_status inflate_one(z_stream *z, plain *out)
{
    int code = Z_OK;

    while (code == Z_OK) {
        size_t before;

        if (out->size == out->room && out->room > out->limit)
            return ISW_E_TOO_LARGE;
        if (out->size == out->room && !grow(out))
            return ISW_E_NO_MEMORY;
        before = out->room - out->size;
        z->next_out = (unsigned char *)out->data + out->size;
        z->avail_out = (unsigned)before;
        code = inflate(z, Z_NO_FLUSH);
        out->size += before - z->avail_out;
        if (code == Z_OK && z->avail_out)
            return ISW_E_INVALID; /* it is cut off */
    }
    if (code == Z_MEM_ERROR)
        return ISW_E_NO_MEMORY;
    if (out->size > out->limit)
        return ISW_E_TOO_LARGE;
    return code == Z_STREAM_END ? ISW_OK : ISW_E_INVALID;
}

static bool is_member(const z_stream *z)
{
    return z->avail_in >= 2 && z->next_in[0] == 0x1f && z->next_in[1] == 0x8b;
}

static isw_status inflate_all(isw_bytes body, int window, plain *out)
{
    z_stream z = { .zalloc = compress_allocate, .zfree = compress_release,
                   .avail_in = (unsigned)body.size, .next_in = (unsigned char *)body.data };
    bool gzip = is_member(&z);
    isw_status status;

    if (inflateInit2(&z, window) != Z_OK)
        return ISW_E_NO_MEMORY;
    status = inflate_one(&z, out);
    while (status == ISW_OK && gzip && is_member(&z))
        status = inflateReset(&z) == Z_OK ? inflate_one(&z, out) : ISW_E_INVALID;
    if (status == ISW_OK && z.avail_in)
        status = ISW_E_INVALID;
    inflateEnd(&z);
    return status;
}

isw_status compress_inflate(isw_bytes body, bool raw, size_t limit, char **data, size_t *size)
{
    plain out = { .limit = limit };
    isw_status status = inflate_all(body, EITHER, &out);

    if (raw && status == ISW_E_INVALID && !out.size) /* it had no head */
        status = inflate_all(body, RAW, &out);
    *data = out.data;
    *size = out.size;
    return status;
}
