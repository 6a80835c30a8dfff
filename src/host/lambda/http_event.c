/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP as API Gateway, function URLs and load balancers tell of it: a request for the front, whose
 * guest it is, and what becomes of its answer. How they differ:
 *
 *                  path                 query              headers          cookies
 *   apigateway-v1  path                 decoded, many      many values      among headers
 *   apigateway-v2  rawPath, with stage  as it came         joined by ","    apart
 *   function-url   rawPath              as it came         joined by ","    apart
 *   alb            path                 as it came, many   one, or many     among headers
 */
#include "host/lambda/internal.h"

#include "base/base64.h"
#include "base/text.h"

enum { OWN_HEADERS = 3, GATHERED_MOST = ISWI_LAMBDA_PAYLOAD_BYTES, PENDING_MOST = 256 * 1024 };

/* -- Headers ----------------------------------------------------------------------------------- */

static size_t count_values(const isw_value *map)
{
    size_t count = 0;

    for (size_t i = 0; map && map->type == ISW_VALUE_MAP && i < map->as.map.count; i++)
        count += map->as.map.items[i].value.type == ISW_VALUE_ARRAY
                     ? map->as.map.items[i].value.as.array.count
                     : 1;
    return count;
}

static bool add_header(iswi_lambda_slot *slot, isw_pair *pairs, size_t *count, isw_str name,
                       const isw_value *value)
{
    char *copy;

    if (value->type != ISW_VALUE_STRING)
        return true;
    copy = iswi_lower_case(iswi_arena_strndup(&slot->arena, name.data, name.size));
    if (!copy)
        return false;
    pairs[(*count)++] = (isw_pair){ { copy, name.size }, value->as.string };
    return true;
}

static bool add_headers(iswi_lambda_slot *slot, const isw_value *map, isw_pair *pairs,
                        size_t *count)
{
    bool fine = true;

    for (size_t i = 0; fine && map && map->type == ISW_VALUE_MAP && i < map->as.map.count; i++) {
        const isw_named_value *item = &map->as.map.items[i];
        const isw_value *value = &item->value;

        if (value->type != ISW_VALUE_ARRAY)
            fine = add_header(slot, pairs, count, item->name, value);
        for (size_t j = 0; fine && value->type == ISW_VALUE_ARRAY && j < value->as.array.count; j++)
            fine = add_header(slot, pairs, count, item->name, &value->as.array.items[j]);
    }
    return fine;
}

/* Cookies that came apart are one header. False: no memory. */
static bool add_cookies(iswi_lambda_slot *slot, isw_pair *pairs, size_t *count)
{
    const isw_value *list = iswi_lambda_member(&slot->event.value, "cookies");
    iswi_buffer text = { 0 };
    isw_str cookie;

    for (size_t i = 0; list && list->type == ISW_VALUE_ARRAY && i < list->as.array.count; i++) {
        const isw_value *one = &list->as.array.items[i];

        if (one->type != ISW_VALUE_STRING)
            continue;
        iswi_buffer_append_text(&text, text.size ? "; " : "");
        iswi_buffer_append(&text, one->as.string.data, one->as.string.size);
    }
    cookie = iswi_lambda_copy(slot, &text);
    if (text.size)
        pairs[(*count)++] = (isw_pair){ isw_str_of("cookie"), cookie };
    iswi_buffer_fini(&text);
    return cookie.size || !text.size;
}

/* What the invocation has for a request that brought none of its own. */
static void add_own(const iswi_lambda_slot *slot, isw_pair *pairs, size_t *count)
{
    const isw_pairs there = { pairs, *count };

    if (!isw_pairs_find(&there, "x-request-id"))
        pairs[(*count)++] = (isw_pair){ isw_str_of("x-request-id"), slot->invocation.id };
    if (slot->invocation.parent.size && !isw_pairs_find(&there, "traceparent"))
        pairs[(*count)++] = (isw_pair){ isw_str_of("traceparent"), slot->invocation.parent };
}

static bool read_headers(iswi_lambda_slot *slot, isw_pairs *out)
{
    const isw_value *event = &slot->event.value;
    const isw_value *many = iswi_lambda_member(event, "multiValueHeaders");
    const isw_value *map = many && many->type == ISW_VALUE_MAP ? many
                                                               : iswi_lambda_member(event, "headers");
    isw_pair *pairs =
        iswi_arena_alloc(&slot->arena, (count_values(map) + OWN_HEADERS) * sizeof *pairs);
    size_t count = 0;

    if (!pairs || !add_headers(slot, map, pairs, &count) || !add_cookies(slot, pairs, &count))
        return false;
    add_own(slot, pairs, &count);
    *out = (isw_pairs){ pairs, count };
    return true;
}

/* -- The rest ---------------------------------------------------------------------------------- */

static bool read_body(iswi_lambda_slot *slot, isw_bytes *out)
{
    const isw_value *encoded = iswi_lambda_member(&slot->event.value, "isBase64Encoded");
    const isw_str body = iswi_lambda_text(&slot->event.value, "body");

    *out = (isw_bytes){ body.data, body.size };
    return !encoded || encoded->type != ISW_VALUE_BOOL || !encoded->as.boolean ||
           iswi_base64_read(&slot->arena, body, out) == ISW_OK;
}

/* A load balancer puts whom it serves behind those that it was told of. */
static isw_str client_of(const iswi_lambda_slot *slot, const isw_value *context,
                         const isw_pairs *headers)
{
    const isw_str *forwarded = isw_pairs_find(headers, "x-forwarded-for");
    isw_str last = { "", 0 };
    const char *comma;

    if (slot->event.kind == ISWI_LAMBDA_REST)
        return iswi_lambda_text(iswi_lambda_member(context, "identity"), "sourceIp");
    if (slot->event.kind != ISWI_LAMBDA_ALB)
        return iswi_lambda_text(iswi_lambda_member(context, "http"), "sourceIp");
    if (!forwarded)
        return last;
    last = *forwarded;
    while ((comma = memchr(last.data, ',', last.size)) != NULL) {
        last.size -= (size_t)(comma + 1 - last.data);
        last.data = comma + 1;
    }
    while (last.size && *last.data == ' ') {
        last.data++;
        last.size--;
    }
    return last;
}

static isw_str method_of(const iswi_lambda_slot *slot, const isw_value *context)
{
    if (slot->event.kind == ISWI_LAMBDA_HTTP || slot->event.kind == ISWI_LAMBDA_URL)
        return iswi_lambda_text(iswi_lambda_member(context, "http"), "method");
    return iswi_lambda_text(&slot->event.value, "httpMethod");
}

/* -- The answer -------------------------------------------------------------------------------- */

static bool goes_as_a_stream(const iswi_lambda_slot *slot)
{
    return slot->lambda->settings->stream &&
           (slot->event.kind == ISWI_LAMBDA_URL || slot->event.kind == ISWI_LAMBDA_REST);
}

static void stream(iswi_lambda_slot *slot, const iswi_http_guest_reply *reply)
{
    iswi_lambda_prelude_write(slot, reply);
    iswi_buffer_append(&slot->out, reply->body.data, reply->body.size);
    iswi_lambda_slot_stream(slot, "application/vnd.awslambda.http-integration-response");
    if (!reply->streams)
        iswi_lambda_slot_stream_end(slot, NULL, NULL);
}

static void on_answer(void *user, const iswi_http_guest_reply *reply)
{
    iswi_lambda_slot *slot = user;

    if (!reply->streams)
        slot->guest = NULL;
    if (!reply->status) {
        iswi_lambda_slot_fail(slot, "Runtime.OutOfMemory",
                              isw_str_of("there is no memory for the request"));
        return;
    }
    if (goes_as_a_stream(slot)) {
        stream(slot, reply);
    } else if (reply->streams) {
        slot->gathers = true;
        slot->gathered = *reply;
        if (!iswi_lambda_reply_keep(slot, &slot->gathered))
            slot->out.failed = true;
    } else {
        iswi_lambda_reply_write(slot, reply, reply->body);
        iswi_lambda_slot_settle(slot);
    }
}

static size_t on_piece(void *user, isw_bytes piece)
{
    iswi_lambda_slot *slot = user;

    if (!slot->gathers && !slot->cut && iswi_lambda_api_pending(&slot->api) > PENDING_MOST)
        return 0;
    if (!slot->cut && (!slot->gathers || slot->out.size <= GATHERED_MOST))
        iswi_buffer_append(&slot->out, piece.data, piece.size);
    if (!slot->gathers)
        iswi_lambda_slot_stream_on(slot);
    return piece.size;
}

/* All of it as one. */
static void tell_gathered(iswi_lambda_slot *slot, bool complete)
{
    iswi_buffer body = slot->out;

    slot->out = (iswi_buffer){ .failed = body.failed };
    if (complete) {
        iswi_lambda_reply_write(slot, &slot->gathered, (isw_bytes){ body.data, body.size });
        iswi_lambda_slot_settle(slot);
    } else {
        iswi_lambda_slot_fail(slot, "Function.Cut",
                              isw_str_of("the function ended its answer before it was whole"));
    }
    iswi_buffer_fini(&body);
}

static void on_end(void *user, bool complete)
{
    iswi_lambda_slot *slot = user;

    slot->guest = NULL;
    if (slot->gathers)
        tell_gathered(slot, complete);
    else
        iswi_lambda_slot_stream_end(slot, complete ? NULL : "Function.Cut",
                                    "the function ended its answer before it was whole");
}

static void refuse(iswi_lambda_slot *slot)
{
    iswi_lambda_slot_fail(slot, "Runtime.InvalidEvent",
                          isw_str_of("the body of the request is no base64, or there is no memory "
                                     "for it"));
}

void iswi_lambda_http_begin(iswi_lambda_slot *slot, iswi_http *front)
{
    static const iswi_http_guest_events events = { on_answer, on_piece, on_end };
    const isw_value *context = iswi_lambda_member(&slot->event.value, "requestContext");
    const isw_named_value told = isw_named("request_context", *context);
    iswi_http_guest_request request = { .deadline_ns = slot->invocation.deadline_ns };
    const isw_str *scheme;
    iswi_http_guest *guest;

    if (!read_headers(slot, &request.data.headers) || !read_body(slot, &request.data.body)) {
        refuse(slot);
        return;
    }
    request.data.method = method_of(slot, context);
    request.data.url = iswi_lambda_url(slot, context);
    request.client = client_of(slot, context, &request.data.headers);
    scheme = isw_pairs_find(&request.data.headers, "x-forwarded-proto");
    request.tls = !scheme || isw_str_equal_nocase(*scheme, isw_str_of("https"));
    request.metadata = iswi_lambda_metadata(slot, &told);
    guest = iswi_http_guest_begin(front, &request, &events, slot);
    if (guest)
        slot->guest = guest;
}
