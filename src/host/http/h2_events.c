/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 says, written down. Invariant: nothing here calls whoever answers, or nghttp2 to
 * read or write. */
#include "host/http/h2.h"

static iswi_h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *user)
{
    (void)session;
    iswi_h2_note_frame(user, frame);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    iswi_h2 *h2 = user;
    iswi_h2_stream *stream;

    h2->in_head = true;
    h2->head_ns = iswi_reactor_now_ns(h2->loop->reactor) + h2->connection->http->terms->header_ns;
    iswi_h2_remind(h2, h2->head_ns);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    stream = iswi_h2_stream_create(h2, frame->hd.stream_id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(session, stream->id, stream);
    return 0;
}

/* The fields of a trailer section are checked by nghttp2, and dropped. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user)
{
    iswi_h2_stream *stream = stream_of(session, frame->hd.stream_id);

    (void)flags;
    (void)user;
    if (stream && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        iswi_h2_head_add(stream, (isw_str){ (const char *)name, name_size },
                         (isw_str){ (const char *)value, value_size });
    return 0;
}

/* nghttp2 would pass by a field that it finds at fault. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_size, const uint8_t *value,
                             size_t value_size, uint8_t flags, void *user)
{
    iswi_h2_stream *stream = stream_of(session, frame->hd.stream_id);

    (void)name, (void)name_size, (void)value, (void)value_size, (void)flags, (void)user;
    if (stream)
        stream->head.invalid = true;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    iswi_h2_stream *stream = stream_of(session, frame->hd.stream_id);
    iswi_h2 *h2 = user;

    if (frame->hd.type == NGHTTP2_HEADERS)
        h2->in_head = false;
    if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK && h2->leaves)
        iswi_h2_go_away(h2);
    if (!stream || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    stream->has_head = true;
    stream->ended = stream->ended || frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    iswi_h2_stream_note(stream);
    return 0;
}

/* nghttp2 ends the stream, which is told when it closes, or refuses to open it, or ends the
 * connection. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int fault,
                            void *user)
{
    iswi_h2 *h2 = user;

    (void)fault;
    if (frame->hd.type == NGHTTP2_HEADERS)
        h2->in_head = false;
    if (!stream_of(session, frame->hd.stream_id))
        iswi_h2_note_break(h2);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t size, void *user)
{
    iswi_h2_stream *stream = stream_of(session, id);

    (void)flags, (void)user;
    nghttp2_session_consume_connection(session, size);
    if (stream)
        stream->received += size;
    if (!stream || stream->body == ISWI_H2_TAKEN || stream->body == ISWI_H2_DROPS ||
        stream->starved) {
        nghttp2_session_consume_stream(session, id, size);
        return 0;
    }
    stream->starved = !iswi_h2_stream_append(stream, bytes, size);
    iswi_h2_stream_note(stream);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    iswi_h2_stream *stream = stream_of(session, id);

    if (error != NGHTTP2_NO_ERROR)
        iswi_h2_note_break(user);
    if (!stream)
        return 0;
    nghttp2_session_set_stream_user_data(session, id, NULL);
    stream->closed = true;
    stream->error = error;
    iswi_h2_stream_note(stream);
    return 0;
}

/* A client that goes on sending after the answer is told that nobody listens (RFC 9113, 8.1). */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    iswi_h2_stream *stream = stream_of(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_DATA)
        iswi_h2_note_data(user);
    if (stream && !stream->ended && frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
        (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS))
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    return 0;
}

/* -- The session ------------------------------------------------------------------------------- */

static void *take(size_t size, void *small)
{
    return iswi_http_small_take(small, size);
}

static void *take_zeroed(size_t count, size_t size, void *small)
{
    void *memory =
        size && count > SIZE_MAX / size ? NULL : iswi_http_small_take(small, count * size);

    return memory ? memset(memory, 0, count * size) : NULL;
}

static void *take_again(void *memory, size_t size, void *small)
{
    return iswi_http_small_take_again(small, memory, size);
}

static void give(void *memory, void *small)
{
    iswi_http_small_give(small, memory);
}

static nghttp2_session_callbacks *make_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    return callbacks;
}

static nghttp2_option *make_options(void)
{
    nghttp2_option *option;

    if (nghttp2_option_new(&option) != 0)
        return NULL;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_outbound_ack(option, ISWI_H2_IDLE_FRAMES);
    nghttp2_option_set_max_continuations(option, ISWI_H2_CONTINUATIONS);
    nghttp2_option_set_stream_reset_rate_limit(option, ISWI_H2_BREAKS, ISWI_H2_BREAKS_PER_S);
    return option;
}

static bool introduce(nghttp2_session *session)
{
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, ISWI_H2_STREAMS },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, ISWI_H2_WINDOW_BYTES },
        /* Not NO_RFC7540_PRIORITIES: nghttp2 remembers closed streams in its tree of priorities, and
         * without it passes by what comes on them, which is an error (RFC 9113, section 5.1). */
        /* It counts 32 bytes for each field besides (RFC 9113, section 6.5.2). */
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
          ISWI_HTTP1_HEAD_BYTES + 32 * ISWI_HTTP1_FIELDS_MAX },
    };

    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                 ISWI_H2_SHARED_BYTES) == 0;
}

nghttp2_session *iswi_h2_session_new(iswi_h2 *h2)
{
    nghttp2_mem memory = { &h2->loop->small, take, give, take_zeroed, take_again };
    nghttp2_session_callbacks *callbacks = make_callbacks();
    nghttp2_option *option = make_options();
    nghttp2_session *session = NULL;

    if (callbacks && option &&
        nghttp2_session_server_new3(&session, callbacks, h2, option, &memory) == 0 &&
        !introduce(session)) {
        nghttp2_session_del(session);
        session = NULL;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}
