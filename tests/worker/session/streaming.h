/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_WORKER_SESSION_STREAMING_H
#define ISW_TESTS_WORKER_SESSION_STREAMING_H

/* A session whose host takes and sends bodies in pieces, for tests of either direction. */
#include "worker/support.h"

#include "support/scripted_host.h"

typedef struct streaming {
    isw_worker *worker;
    scripted_host host;
} streaming;

/* Both lanes, the memory lane first; `ways` is for streaming_begin. */
#define FOR_EACH_LANE(ways)                                                      \
    for (unsigned ways = HOST_STREAMS; ways <= (HOST_STREAMS | HOST_RING);       \
         ways += HOST_RING)

/* A session in which `functions` (ended by a NULL name) are loaded, numbered from 0. */
static inline void streaming_begin(streaming *s, const isw_function *functions, unsigned ways,
                                   const char *yaml)
{
    isw_error error = { 0 };

    if (make_worker(functions, yaml, &s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    host_start_with(&s->host, s->worker, ways);
    host_greet(&s->host);
    for (uint64_t i = 0; functions[i].name; i++) {
        host_load(&s->host, i, functions[i].name);
        assert_int_equal(host_expect(&s->host, ISWI_LOADED)->as.loaded.status.code, ISW_OK);
    }
}

static inline void streaming_end(streaming *s)
{
    host_close(&s->host);
    assert_int_equal(host_join(&s->host), ISW_E_CLOSED);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

/* Invoke `function` by an HTTP request, whose body follows or is `body` (may be NULL). */
static inline void invoke_for(streaming *s, uint64_t id, uint64_t function, bool body_follows,
                              const char *body, uint64_t timeout_ms)
{
    const isw_http request = { .method = isw_str_of("POST"), .url = isw_str_of("/"),
                               .body = { body, body ? strlen(body) : 0 } };
    iswi_frame frame = { .kind = ISWI_INVOKE, .id = id };

    frame.as.invoke.function = function;
    frame.as.invoke.invocation_id = isw_str_of("an-invocation");
    frame.as.invoke.trigger = http_data(&request);
    frame.as.invoke.body_follows = body_follows;
    frame.as.invoke.timeout_ms = timeout_ms;
    host_send(&s->host, &frame);
}

static inline void streaming_invoke(streaming *s, uint64_t id, uint64_t function,
                                    bool body_follows, const char *body)
{
    invoke_for(s, id, function, body_follows, body, 0);
}

static inline void send_chunk(streaming *s, uint64_t id, const void *bytes, size_t size, bool end)
{
    iswi_frame frame = { .kind = ISWI_CHUNK, .id = id };

    frame.as.chunk.bytes = (isw_bytes){ bytes, size };
    frame.as.chunk.end = end;
    host_send(&s->host, &frame);
}

static inline void send_window(streaming *s, uint64_t id, uint64_t bytes)
{
    iswi_frame frame = { .kind = ISWI_WINDOW, .id = id };

    frame.as.window.bytes = bytes;
    host_send(&s->host, &frame);
}

static inline void send_cancel(streaming *s, uint64_t id, iswi_cancel_reason reason)
{
    iswi_frame frame = { .kind = ISWI_CANCEL, .id = id };

    frame.as.cancel.reason = reason;
    host_send(&s->host, &frame);
}

/* The next response, over windows and log lines. */
static inline const iswi_response *answer_to(streaming *s, uint64_t id)
{
    const iswi_frame *frame = host_next(&s->host);

    while (frame->kind == ISWI_WINDOW || frame->kind == ISWI_LOG)
        frame = host_next(&s->host);
    assert_string_equal(iswi_kind_name(frame->kind), iswi_kind_name(ISWI_RESPONSE));
    assert_int_equal(frame->id, id);
    return &frame->as.response;
}

/* The worker has handled all that was sent before. */
static inline void settle(streaming *s)
{
    host_send_kind(&s->host, ISWI_WARMUP, 77);
    host_expect(&s->host, ISWI_WARMED);
}

static inline void assert_text(isw_str text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static inline void assert_bytes(isw_bytes bytes, const char *expected)
{
    assert_text((isw_str){ bytes.data, bytes.size }, expected);
}

#endif
