/* SPDX-License-Identifier: Apache-2.0 */
/* The one stream of HTTP/2 that a call of gRPC is. */
#include "host/azure/grpc_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_BYTES = 16 * 1024 * 1024, HTTP_OK = 200, GRPC_UNIMPLEMENTED = 12 };

void iswi_grpc_end(iswi_grpc *grpc, isw_status status, const char *format, ...)
{
    char text[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    if (grpc->ended)
        return;
    grpc->ended = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    isw_error_set(&grpc->why, status, "%s", text);
}

static isw_str text_of(const uint8_t *bytes, size_t size)
{
    return (isw_str){ (const char *)bytes, size };
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user)
{
    iswi_grpc *grpc = user;
    const isw_str key = text_of(name, name_size);
    char text[sizeof grpc->message];

    (void)session;
    (void)frame;
    (void)flags;
    snprintf(text, sizeof text, "%.*s", (int)value_size, (const char *)value);
    if (isw_str_equal(key, isw_str_of(":status")))
        grpc->http_status = atoi(text);
    else if (isw_str_equal(key, isw_str_of("grpc-status")))
        grpc->status = atoi(text);
    else if (isw_str_equal(key, isw_str_of("grpc-message")))
        snprintf(grpc->message, sizeof grpc->message, "%s", text);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    iswi_grpc *grpc = user;

    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS && grpc->http_status != HTTP_OK)
        iswi_grpc_end(grpc, ISW_E_PROTOCOL, "it answers with the HTTP status %d: no gRPC server",
                      grpc->http_status);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t size, void *user)
{
    iswi_grpc *grpc = user;
    isw_error error = { ISW_OK, "" };

    (void)session;
    (void)flags;
    if (stream == grpc->stream && !grpc->ended && !iswi_grpc_take(grpc, bytes, size, &error))
        iswi_grpc_end(grpc, error.status, "it sent %s", error.message);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    iswi_grpc *grpc = user;

    (void)session;
    if (stream != grpc->stream)
        return 0;
    if (grpc->status == GRPC_UNIMPLEMENTED)
        iswi_grpc_end(grpc, ISW_E_PROTOCOL, "it has no %s", grpc->options.path);
    else if (grpc->status > 0)
        iswi_grpc_end(grpc, ISW_E_UNAVAILABLE, "it has ended the call with the status %d %s",
                      grpc->status, grpc->message);
    else
        iswi_grpc_end(grpc, ISW_E_UNAVAILABLE, "it has ended the call%s%s", code ? ": " : "",
                      code ? nghttp2_http2_strerror(code) : "");
    return 0;
}

static ssize_t on_room(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    bool over;
    size_t size = iswi_grpc_fetch(user, out, room, &over);

    (void)session;
    (void)stream;
    (void)source;
    if (over)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return size || over ? (ssize_t)size : NGHTTP2_ERR_DEFERRED;
}

#define FIELD(key, text)                                                                  \
    { (uint8_t *)(uintptr_t)(key), (uint8_t *)(uintptr_t)(text), strlen(key), strlen(text), \
      NGHTTP2_NV_FLAG_NONE }

static int32_t submit(iswi_grpc *grpc, nghttp2_session *session)
{
    const nghttp2_nv fields[] = {
        FIELD(":method", "POST"),
        FIELD(":scheme", "http"),
        FIELD(":path", grpc->options.path),
        FIELD(":authority", grpc->authority),
        FIELD("te", "trailers"),
        FIELD("content-type", "application/grpc"),
        FIELD("user-agent", "isoworker"),
    };
    const nghttp2_data_provider provider = { .read_callback = on_room };

    return nghttp2_submit_request(session, NULL, fields, sizeof fields / sizeof fields[0],
                                  &provider, NULL);
}

static bool greet(nghttp2_session *session)
{
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES },
    };

    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES) == 0;
}

nghttp2_session *iswi_grpc_session(iswi_grpc *grpc)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session = NULL;

    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&session, callbacks, grpc);
    nghttp2_session_callbacks_del(callbacks);
    if (!session)
        return NULL;
    grpc->stream = greet(session) ? submit(grpc, session) : -1;
    if (grpc->stream >= 0)
        return session;
    nghttp2_session_del(session);
    return NULL;
}
