/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be written, in its parts. */
#include "host/http/connection.h"

void iswi_http_out_add(iswi_http_out *out, const void *bytes, size_t size, bool passing)
{
    if (!size)
        return;
    if (passing)
        out->passing |= 1u << out->count;
    out->parts[out->count++] = (struct iovec){ (void *)bytes, size };
}

void iswi_http_out_drop(iswi_http_connection *connection)
{
    iswi_http_out *out = &connection->out;
    void (*release)(void *) = out->release;

    if (out->waiting.bytes)
        iswi_http_wait_no_more(connection->loop, &out->waiting);
    iswi_http_loop_give(connection->loop, out->kept);
    out->kept = NULL;
    out->first = out->count = out->passing = 0;
    out->release = NULL;
    if (release)
        release(out->release_user);
}

bool iswi_http_out_keep(iswi_http_connection *connection)
{
    iswi_http_out *out = &connection->out;
    size_t size = 0;
    char *at;

    for (unsigned i = out->first; i < out->count; i++)
        size += out->passing & 1u << i ? out->parts[i].iov_len : 0;
    if (!size)
        return true;
    out->kept = iswi_http_loop_take(connection->loop, size);
    if (!out->kept)
        return false;
    at = out->kept->bytes;
    for (unsigned i = out->first; i < out->count; i++) {
        if (!(out->passing & 1u << i))
            continue;
        memcpy(at, out->parts[i].iov_base, out->parts[i].iov_len);
        out->parts[i].iov_base = at;
        at += out->parts[i].iov_len;
    }
    out->passing = 0;
    return true;
}

void iswi_http_out_advance(iswi_http_out *out, size_t size)
{
    while (out->first < out->count && size >= out->parts[out->first].iov_len)
        size -= out->parts[out->first++].iov_len;
    if (!size)
        return;
    out->parts[out->first].iov_base = (char *)out->parts[out->first].iov_base + size;
    out->parts[out->first].iov_len -= size;
}
