/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two windows of a stream. Received bytes lie in a ring of the window's size, so that what a
 * host may send always finds room. Invariant: room + held + owed is the window; the writing
 * position belongs to the link's thread and the reading one to the function's, who copy without
 * the lock; everything else is under it.
 */
#include "worker/http/windows.h"

#include "base/alloc.h"
#include "worker/context/failure.h"

#include <stdio.h>

struct iswi_stream {
    atomic_uint holders;
    unsigned char *bytes; /* the ring; NULL until bytes come */
    size_t write_at;      /* only the link's thread */
    size_t read_at;       /* only the function's thread */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    size_t room; /* bytes that the host may still send */
    size_t held; /* that lie in the ring */
    size_t owed; /* that were read, and are not yet granted anew */
    bool ended;
    isw_status broken; /* why the body ended before its end */
    char why[ISW_ERROR_MESSAGE_BYTES];
    uint64_t window; /* bytes that may leave */
    bool lost;
};

/* -- Life -------------------------------------------------------------------------------------- */

iswi_stream *iswi_stream_create(void)
{
    iswi_stream *stream = iswi_calloc(1, sizeof *stream);
    pthread_condattr_t attributes;

    if (!stream)
        return NULL;
    atomic_init(&stream->holders, 1);
    pthread_mutex_init(&stream->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&stream->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    stream->room = stream->window = ISWI_WINDOW_BYTES;
    return stream;
}

iswi_stream *iswi_stream_hold(iswi_stream *stream)
{
    atomic_fetch_add_explicit(&stream->holders, 1, memory_order_relaxed);
    return stream;
}

void iswi_stream_release(iswi_stream *stream)
{
    if (!stream ||
        atomic_fetch_sub_explicit(&stream->holders, 1, memory_order_acq_rel) != 1)
        return;
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->lock);
    iswi_free(stream->bytes);
    iswi_free(stream);
}

/* -- The link's thread ------------------------------------------------------------------------- */

/* Only this thread changes `ended` and `broken`, and so reads them without the lock. */
static isw_status may_come(iswi_stream *stream, const iswi_chunk *chunk, isw_error *error)
{
    size_t room;

    if (stream->ended || stream->broken)
        return isw_error_set(error, ISW_E_PROTOCOL, "a chunk after the end of its body");
    pthread_mutex_lock(&stream->lock);
    room = stream->room;
    pthread_mutex_unlock(&stream->lock);
    if (chunk->bytes.size > room)
        return isw_error_set(error, ISW_E_PROTOCOL, "a chunk of %zu bytes where the window has %zu",
                             chunk->bytes.size, room);
    return ISW_OK;
}

static bool put(iswi_stream *stream, isw_bytes bytes)
{
    size_t first = ISWI_WINDOW_BYTES - stream->write_at;

    if (bytes.size && !stream->bytes && !(stream->bytes = iswi_alloc(ISWI_WINDOW_BYTES)))
        return false;
    if (first > bytes.size)
        first = bytes.size;
    if (first)
        memcpy(stream->bytes + stream->write_at, bytes.data, first);
    if (bytes.size > first)
        memcpy(stream->bytes, (const char *)bytes.data + first, bytes.size - first);
    stream->write_at = (stream->write_at + bytes.size) % ISWI_WINDOW_BYTES;
    return true;
}

/* With the lock. */
static void break_off(iswi_stream *stream, const iswi_wire_status *status)
{
    isw_status code = iswi_status_of_wire(status);

    stream->broken = code == ISW_E_TOO_LARGE ? code : ISW_E_IO;
    snprintf(stream->why, sizeof stream->why, "%.*s", (int)status->message.size,
             status->message.size ? status->message.data : "");
}

isw_status iswi_stream_chunk(iswi_stream *stream, const iswi_chunk *chunk, isw_error *error)
{
    isw_status status = ISW_OK;
    bool fits;

    if (stream->broken == ISW_E_NO_MEMORY)
        return ISW_OK; /* the host does not know */
    status = may_come(stream, chunk, error);
    if (status != ISW_OK)
        return status;
    fits = put(stream, chunk->bytes);
    pthread_mutex_lock(&stream->lock);
    stream->room -= chunk->bytes.size;
    stream->held += fits ? chunk->bytes.size : 0;
    if (!fits)
        stream->broken = ISW_E_NO_MEMORY;
    else if (chunk->status.code)
        break_off(stream, &chunk->status);
    else
        stream->ended = chunk->end;
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    return ISW_OK;
}

void iswi_stream_grant(iswi_stream *stream, uint64_t bytes)
{
    pthread_mutex_lock(&stream->lock);
    stream->window = bytes < UINT64_MAX - stream->window ? stream->window + bytes : UINT64_MAX;
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

void iswi_stream_wake(iswi_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

void iswi_stream_lose(iswi_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->lost = true;
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

/* -- The function's thread --------------------------------------------------------------------- */

isw_status iswi_context_go_on(isw_context *ctx)
{
    isw_cancel_reason reason = isw_context_cancel_reason(ctx);

    if (reason == ISW_CANCEL_NONE)
        return ISW_OK;
    if (reason == ISW_CANCEL_DEADLINE)
        return iswi_fail(ctx, ISW_E_TIMEOUT, "the deadline passed while the body was under way");
    return iswi_fail(ctx, ISW_E_CANCELLED,
                     reason == ISW_CANCEL_CALLER ? "the caller left while the body was under way"
                                                 : "cancelled while the body was under way");
}

/* With the lock. */
static bool has_reason_to_stop(const iswi_stream *stream, const isw_context *ctx)
{
    return stream->lost || isw_context_cancelled(ctx);
}

/* With the lock. Until something changes, or the deadline. */
static void wait_for_change(iswi_stream *stream, const isw_context *ctx)
{
    int64_t deadline = atomic_load(&ctx->deadline_ns);
    struct timespec at = { deadline / 1000000000, deadline % 1000000000 };

    if (deadline)
        pthread_cond_timedwait(&stream->changed, &stream->lock, &at);
    else
        pthread_cond_wait(&stream->changed, &stream->lock);
}

static isw_status say_lost(isw_context *ctx)
{
    return iswi_fail(ctx, ISW_E_IO, "the host is gone, and the rest of the body with it");
}

/* Copy from the ring; only then is there room for the host's next bytes. */
static void get(iswi_stream *stream, void *buffer, size_t size, size_t *grant)
{
    size_t first = ISWI_WINDOW_BYTES - stream->read_at;

    if (first > size)
        first = size;
    memcpy(buffer, stream->bytes + stream->read_at, first);
    if (size > first)
        memcpy((char *)buffer + first, stream->bytes, size - first);
    stream->read_at = (stream->read_at + size) % ISWI_WINDOW_BYTES;
    pthread_mutex_lock(&stream->lock);
    stream->held -= size;
    stream->owed += size;
    if (stream->owed >= ISWI_WINDOW_BYTES / 2 && !stream->ended) {
        *grant = stream->owed;
        stream->room += stream->owed;
        stream->owed = 0;
    }
    pthread_mutex_unlock(&stream->lock);
}

isw_status iswi_stream_take(iswi_stream *stream, isw_context *ctx, void *buffer, size_t size,
                            size_t *got, size_t *grant)
{
    isw_status broken = ISW_OK;
    bool lost = false;
    isw_status status;

    pthread_mutex_lock(&stream->lock);
    while (!stream->held && !stream->ended && !stream->broken && !has_reason_to_stop(stream, ctx))
        wait_for_change(stream, ctx);
    if (size > stream->held)
        size = stream->held;
    if (!size) {
        broken = stream->broken;
        lost = stream->lost && !stream->ended;
    }
    pthread_mutex_unlock(&stream->lock);
    *grant = 0;
    if (broken) /* before a cancel, which mostly follows: this says more */
        return iswi_fail(ctx, broken, "the request's body broke off%s%s", *stream->why ? ": " : "",
                         stream->why);
    if (lost)
        return say_lost(ctx);
    status = iswi_context_go_on(ctx);
    if (status != ISW_OK)
        return status;
    if (size)
        get(stream, buffer, size, grant);
    *got = size;
    return ISW_OK;
}

isw_status iswi_stream_reserve(iswi_stream *stream, isw_context *ctx, size_t wanted, size_t *size)
{
    isw_status status;
    bool lost;

    pthread_mutex_lock(&stream->lock);
    while (!stream->window && !has_reason_to_stop(stream, ctx))
        wait_for_change(stream, ctx);
    lost = stream->lost;
    pthread_mutex_unlock(&stream->lock);
    if (lost)
        return say_lost(ctx);
    status = iswi_context_go_on(ctx);
    if (status != ISW_OK)
        return status;
    pthread_mutex_lock(&stream->lock); /* nobody else takes from it */
    *size = wanted < stream->window ? wanted : (size_t)stream->window;
    stream->window -= *size;
    pthread_mutex_unlock(&stream->lock);
    return ISW_OK;
}
