/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/hosts/session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, WINDOW_BYTES = 16 * 1024 * 1024, HEAD_BYTES = 5 };

/* -- HTTP/2 ------------------------------------------------------------------------------------ */

static ssize_t on_room(nghttp2_session *http2, int32_t stream, uint8_t *out, size_t room,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    iswi_bench_session *s = user;
    size_t size = s->out.size - s->at;

    (void)http2;
    (void)stream;
    (void)flags;
    (void)source;
    if (!size)
        return NGHTTP2_ERR_DEFERRED;
    if (size > room)
        size = room;
    memcpy(out, s->out.data + s->at, size);
    s->at += size;
    if (s->at == s->out.size) {
        iswi_buffer_reset(&s->out);
        s->at = 0;
    }
    return (ssize_t)size;
}

static int on_frame(nghttp2_session *http2, const nghttp2_frame *frame, void *user)
{
    static const nghttp2_nv fields[] = {
        { (uint8_t *)":status", (uint8_t *)"200", 7, 3, NGHTTP2_NV_FLAG_NONE },
        { (uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, NGHTTP2_NV_FLAG_NONE },
    };
    const nghttp2_data_provider provider = { .read_callback = on_room };
    iswi_bench_session *s = user;

    if (frame->hd.type != NGHTTP2_HEADERS || s->stream)
        return 0;
    s->stream = frame->hd.stream_id;
    return nghttp2_submit_response(http2, s->stream, fields, 2, &provider);
}

static int on_data(nghttp2_session *http2, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t size, void *user)
{
    iswi_bench_session *s = user;

    (void)http2;
    (void)flags;
    (void)stream;
    return iswi_buffer_append(&s->in, bytes, size) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

bool iswi_bench_session_begin(iswi_bench_session *session, int fd)
{
    const nghttp2_settings_entry settings = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES };
    nghttp2_session_callbacks *callbacks;

    *session = (iswi_bench_session){ .fd = fd };
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return false;
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_server_new(&session->http2, callbacks, session);
    nghttp2_session_callbacks_del(callbacks);
    return session->http2 &&
           nghttp2_submit_settings(session->http2, NGHTTP2_FLAG_NONE, &settings, 1) == 0 &&
           nghttp2_session_set_local_window_size(session->http2, NGHTTP2_FLAG_NONE, 0,
                                                 WINDOW_BYTES) == 0;
}

void iswi_bench_session_end(iswi_bench_session *session)
{
    nghttp2_session_del(session->http2);
    if (session->fd >= 0)
        close(session->fd);
    iswi_buffer_fini(&session->in);
    iswi_buffer_fini(&session->out);
    iswi_buffer_fini(&session->frames);
}

bool iswi_bench_session_take(iswi_bench_session *session)
{
    uint8_t bytes[READ_BYTES];
    const ssize_t size = recv(session->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (size < 0)
        return errno == EAGAIN;
    return size > 0 && nghttp2_session_mem_recv(session->http2, bytes, (size_t)size) == size;
}

/* -- Messages ---------------------------------------------------------------------------------- */

bool iswi_bench_session_first(const iswi_bench_session *session, isw_bytes *message)
{
    const unsigned char *at = session->in.data;
    size_t size;

    if (session->in.size < HEAD_BYTES)
        return false;
    size = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
    *message = (isw_bytes){ at + HEAD_BYTES, size };
    return session->in.size >= HEAD_BYTES + size;
}

void iswi_bench_session_drop(iswi_bench_session *session, isw_bytes message)
{
    const size_t whole = HEAD_BYTES + message.size;

    session->in.size -= whole;
    memmove(session->in.data, session->in.data + whole, session->in.size);
}

void iswi_bench_session_say(iswi_bench_session *session, const iswi_rpc_message *message)
{
    const size_t size = iswi_proto_size(&iswi_rpc_message_table, message);
    const unsigned char head[HEAD_BYTES] = { 0, (unsigned char)(size >> 24),
                                             (unsigned char)(size >> 16),
                                             (unsigned char)(size >> 8), (unsigned char)size };

    iswi_buffer_append(&session->out, head, sizeof head);
    iswi_proto_write(&iswi_rpc_message_table, message, &session->out);
}

bool iswi_bench_session_flush(iswi_bench_session *session)
{
    const uint8_t *bytes;
    ssize_t size;

    iswi_buffer_reset(&session->frames);
    if (session->stream)
        nghttp2_session_resume_data(session->http2, session->stream);
    while ((size = nghttp2_session_mem_send(session->http2, &bytes)) > 0)
        iswi_buffer_append(&session->frames, bytes, (size_t)size);
    return size == 0 && !session->out.failed && !session->frames.failed &&
           (!session->frames.size || send(session->fd, session->frames.data, session->frames.size,
                                          MSG_NOSIGNAL) == (ssize_t)session->frames.size);
}
