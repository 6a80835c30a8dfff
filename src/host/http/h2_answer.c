/* SPDX-License-Identifier: Apache-2.0 */
/* Answers on a stream. Invariant: what nghttp2 reads of a reply is there until the stream is
 * closed, and its reading calls nobody. */
#include "host/http/h2.h"

#include "url/fields.h"

#include <stddef.h>

enum {
    OWN_FIELDS = 3,            /* status, length, date */
    PROGRESS_BYTES = 4 * 1024 /* that a client takes of a body at least, in the time it has */
};

/* It has its time anew once it took something worth it: with windows of a byte each it could
 * otherwise keep an answer for ever. */
static void wait_for_client(iswi_h2_stream *stream)
{
    if (stream->due_ns != INT64_MAX && !stream->whole && stream->body_sent < stream->due_sent)
        return;
    stream->due_sent = stream->body_sent + PROGRESS_BYTES;
    stream->due_ns =
        iswi_reactor_now_ns(stream->h2->loop->reactor) +
        stream->h2->connection->http->terms->body_ns;
    iswi_h2_remind(stream->h2, stream->due_ns);
}

/* -- Bodies ------------------------------------------------------------------------------------ */

static ssize_t read_whole(nghttp2_session *session, int32_t id, uint8_t *out, size_t room,
                          uint32_t *flags, nghttp2_data_source *source, void *user)
{
    iswi_h2_stream *stream = source->ptr;
    const isw_bytes body = stream->request->reply.body;
    const size_t left = body.size - stream->sent;
    const size_t size = left < room ? left : room;

    (void)session, (void)id, (void)user;
    memcpy(out, (const char *)body.data + stream->sent, size);
    stream->sent += size;
    stream->body_sent += size;
    if (stream->sent == body.size) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        stream->whole = true;
    }
    wait_for_client(stream);
    return (ssize_t)size;
}

/* At most `room` bytes of what lies in two parts, behind `skip` of them. */
static size_t copy_parts(const struct iovec parts[2], size_t skip, uint8_t *out, size_t room)
{
    size_t size = 0;

    for (size_t i = 0; i < 2; i++) {
        const size_t passed = skip < parts[i].iov_len ? skip : parts[i].iov_len;
        size_t more = parts[i].iov_len - passed;

        skip -= passed;
        more = more < room - size ? more : room - size;
        if (more)
            memcpy(out + size, (const char *)parts[i].iov_base + passed, more);
        size += more;
    }
    return size;
}

static ssize_t read_stream(nghttp2_session *session, int32_t id, uint8_t *out, size_t room,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    iswi_h2_stream *stream = source->ptr;
    struct iovec parts[2];
    bool complete;
    bool ended;
    const size_t there =
        iswi_http_stream_look(stream->request->stream, parts, &ended, &complete) - stream->looked;
    const size_t size = copy_parts(parts, stream->looked, out, room);

    (void)session, (void)id, (void)user;
    if (stream->due != ISWI_HTTP_NO_LENGTH && (uint64_t)stream->due < size)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* more than was announced */
    if (!size && !ended) {
        stream->deferred = true;
        stream->due_ns = INT64_MAX;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (stream->due != ISWI_HTTP_NO_LENGTH)
        stream->due -= (int64_t)size;
    if (ended && size == there && (!complete || stream->due > 0) && !size)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the client sees it cut */
    if (ended && size == there && complete && stream->due <= 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        stream->whole = true;
    }
    stream->looked += size;
    stream->body_sent += size;
    wait_for_client(stream);
    iswi_h2_stream_note(stream);
    return (ssize_t)size;
}

void iswi_h2_take_sent(iswi_h2_stream *stream)
{
    const size_t size = stream->looked;

    stream->looked = 0;
    if (size)
        iswi_http_stream_take(stream->request, size);
}

/* -- Heads ------------------------------------------------------------------------------------- */

/* What differs with every answer has no place in the table that both ends keep of fields: it would
 * drive out those that come again, and all of its kind would be looked at each time. */
static nghttp2_nv field_of(isw_str name, isw_str value)
{
    const isw_str id = isw_str_of("x-request-id");
    const bool differs = isw_str_equal_nocase(name, id);

    return (nghttp2_nv){ (uint8_t *)name.data, (uint8_t *)value.data, name.size, value.size,
                         differs ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE };
}

/* The fields of the reply, in `out`, which has room for them all; how many there are. */
static size_t list_fields(const iswi_http_reply *reply, const char *status, const char *length,
                          const char *date, nghttp2_nv *out)
{
    bool dated = !*date;
    size_t count = 0;

    out[count++] = field_of(isw_str_of(":status"), isw_str_of(status));
    for (size_t i = 0; i < reply->own_count; i++)
        out[count++] = field_of(reply->own[i].name, reply->own[i].value);
    for (size_t i = 0; i < reply->given.count; i++) {
        const isw_pair *header = &reply->given.items[i];

        if (!iswi_http_head_takes(reply, header))
            continue;
        /* White space around a value is none of it, and clients refuse it. */
        out[count++] = field_of(header->name, iswi_field_trim(header->value));
        dated = dated || iswi_field_equal(header->name, "date");
    }
    if (*length)
        out[count++] = field_of(isw_str_of("content-length"), isw_str_of(length));
    if (!dated)
        out[count++] = field_of(isw_str_of("date"), isw_str_of(date));
    return count;
}

static bool submit(iswi_h2_stream *stream, bool has_body)
{
    iswi_http_request *request = stream->request;
    iswi_http_reply *reply = &request->reply;
    nghttp2_data_provider body = { { .ptr = stream }, reply->streams ? read_stream : read_whole };
    nghttp2_nv *fields = iswi_arena_alloc(
        &request->arena, (reply->own_count + reply->given.count + OWN_FIELDS) * sizeof *fields);
    char status[ISWI_HTTP_NUMBER_BYTES + 1];
    char length[ISWI_HTTP_NUMBER_BYTES + 1] = "";
    size_t count;

    if (!fields)
        return false;
    *iswi_http_put_number(status, reply->status) = '\0';
    if (reply->length != ISWI_HTTP_NO_LENGTH)
        *iswi_http_put_number(length, (uint64_t)reply->length) = '\0';
    count = list_fields(reply, status, length, iswi_http_loop_date(stream->h2->loop), fields);
    for (size_t i = 0; i < count; i++)
        stream->head_sent += fields[i].namelen + fields[i].valuelen + 4; /* as HTTP/1 has it */
    return nghttp2_submit_response(stream->h2->session, stream->id, fields, count,
                                   has_body ? &body : NULL) == 0;
}

/* A body that is there while it is handed over, and no longer. */
static bool keep_body(iswi_h2_stream *stream)
{
    iswi_http_reply *reply = &stream->request->reply;

    if (reply->release || !reply->body.size)
        return true;
    stream->kept = iswi_http_loop_take(stream->h2->loop, reply->body.size);
    if (!stream->kept)
        return false;
    reply->body.data = memcpy(stream->kept->bytes, reply->body.data, reply->body.size);
    return true;
}

static void cut(iswi_http_waiting *waiting)
{
    iswi_h2_stream *stream =
        (iswi_h2_stream *)((char *)waiting - offsetof(iswi_h2_stream, waiting));
    iswi_h2 *h2 = stream->h2;

    if (h2->blocked) { /* it would not hear of it */
        iswi_http_connection_close(h2->connection);
        return;
    }
    nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                              NGHTTP2_ENHANCE_YOUR_CALM);
    iswi_h2_wake(h2);
}

/* Until it is closed: what is sent of it shows in nghttp2 alone. */
static void count_waiting(iswi_h2_stream *stream)
{
    const iswi_http_reply *reply = &stream->request->reply;

    stream->waiting.cut = cut;
    iswi_http_wait_for_client(stream->h2->loop, &stream->waiting,
                              reply->streams ? ISWI_WINDOW_BYTES : reply->body.size);
}

static void answer(iswi_http_request *request)
{
    iswi_h2_stream *stream = request->carried_by;
    iswi_http_reply *reply = &request->reply;
    const bool head_alone = iswi_http_wants_head(request);
    const bool has_body = !head_alone && (reply->streams || reply->body.size);

    if (stream->closed || stream->h2->connection->closed)
        return; /* it is let go soon */
    if (stream->body == ISWI_H2_UPLOADS && !reply->streams)
        iswi_h2_stream_drop(stream);
    stream->due = reply->streams ? reply->length : ISWI_HTTP_NO_LENGTH;
    iswi_http_request_name_reply(request);
    if (!reply->status || !keep_body(stream) || !submit(stream, has_body)) {
        nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                  NGHTTP2_INTERNAL_ERROR);
        iswi_h2_wake(stream->h2);
        return;
    }
    iswi_http_count_answer(request->http, reply->status);
    stream->answered = true;
    if (has_body)
        count_waiting(stream);
    wait_for_client(stream);
    iswi_h2_wake(stream->h2);
}

static void go_on(iswi_http_request *request)
{
    iswi_h2_stream *stream = request->carried_by;

    if (!stream->deferred || stream->closed || stream->h2->connection->closed)
        return;
    stream->deferred = false;
    nghttp2_session_resume_data(stream->h2->session, stream->id);
    iswi_h2_wake(stream->h2);
}

static void widen(iswi_http_request *request)
{
    iswi_h2_stream *stream = request->carried_by;

    iswi_h2_stream_note(stream);
    iswi_h2_wake(stream->h2);
}

const iswi_http_carrier iswi_h2_carrier = { answer, go_on, widen, false };

void iswi_h2_answer_here(iswi_h2_stream *stream)
{
    answer(stream->request);
}
