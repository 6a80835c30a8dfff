/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as the contract has it: {"Url", "Method", "Headers": {NAME: [values]}, "Body"}. It is a
 * guest of the front, so that it finds its function by the same routes, chains and policies as one
 * that came by a socket; its answer is gathered, since the contract has it whole.
 */
#include "base/base64.h"
#include "host/azure/custom_call.h"
#include "url/fields.h"
#include "value/value.h"

#include <isoworker/context.h>

#include <stddef.h>

/* -- The request ------------------------------------------------------------------------------- */

static isw_str text_member(const isw_value *map, const char *name)
{
    const isw_value *value = iswi_custom_member(map, name);

    return value && value->type == ISW_VALUE_STRING ? value->as.string : (isw_str){ "", 0 };
}

/* "/api/hello?x=1" of "http://localhost:7071/api/hello?x=1". */
static isw_str target_of(isw_str url, bool *tls)
{
    const char *end = url.data + url.size;
    const char *at = url.data;

    *tls = url.size > 8 && memcmp(url.data, "https://", 8) == 0;
    while (at + 3 <= end && memcmp(at, "://", 3) != 0)
        at++;
    if (at + 3 > end)
        return url;
    at += 3;
    while (at < end && *at != '/' && *at != '?')
        at++;
    return at < end ? (isw_str){ at, (size_t)(end - at) } : isw_str_of("/");
}

static bool add_header(iswi_custom_call *call, isw_pairs *out, isw_str name, const isw_value *value)
{
    isw_pair *pair = (isw_pair *)&out->items[out->count];
    char *lower = iswi_arena_strndup(&call->arena, name.data, name.size);

    if (value->type != ISW_VALUE_STRING)
        return true;
    if (!lower)
        return false;
    iswi_field_lower_token(lower, name.size);
    *pair = (isw_pair){ { lower, name.size }, value->as.string };
    out->count++;
    return true;
}

static size_t value_count(const isw_value *value)
{
    return value->type == ISW_VALUE_ARRAY ? value->as.array.count : 1;
}

static bool take_headers(iswi_custom_call *call, const isw_value *headers, isw_pairs *out)
{
    const bool is_map = headers && headers->type == ISW_VALUE_MAP;
    size_t count = 0;

    for (size_t i = 0; is_map && i < headers->as.map.count; i++)
        count += value_count(&headers->as.map.items[i].value);
    *out = (isw_pairs){ iswi_arena_calloc(&call->arena, count + 1, sizeof *out->items), 0 };
    if (!out->items)
        return false;
    for (size_t i = 0; is_map && i < headers->as.map.count; i++) {
        const isw_named_value *header = &headers->as.map.items[i];
        const isw_value *values = header->value.type == ISW_VALUE_ARRAY
                                      ? header->value.as.array.items
                                      : &header->value;

        for (size_t j = 0; j < value_count(&header->value); j++)
            if (!add_header(call, out, header->name, &values[j]))
                return false;
    }
    return true;
}

/* The foreign host reads such a body as bytes, which are base64 then. */
static bool is_binary(const isw_pairs *headers)
{
    const isw_str *type = isw_pairs_find(headers, "content-type");
    const isw_str octets = isw_str_of("application/octet-stream");
    const isw_str parts = isw_str_of("multipart/");

    if (!type)
        return false;
    return (type->size >= octets.size &&
            isw_str_equal_nocase((isw_str){ type->data, octets.size }, octets)) ||
           (type->size >= parts.size &&
            isw_str_equal_nocase((isw_str){ type->data, parts.size }, parts));
}

static isw_status take_body(iswi_custom_call *call, const isw_value *body, const isw_pairs *headers,
                            isw_bytes *out, isw_error *error)
{
    isw_str text = { NULL, 0 };

    if (!body || body->type == ISW_VALUE_NONE)
        return ISW_OK;
    if (body->type == ISW_VALUE_STRING)
        text = body->as.string;
    else if (iswi_json_write(&call->arena, body, &text, error) != ISW_OK)
        return error->status;
    *out = (isw_bytes){ text.data, text.size };
    if (body->type == ISW_VALUE_STRING && is_binary(headers) &&
        iswi_base64_read(&call->arena, text, out) == ISW_E_NO_MEMORY)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a body");
    return ISW_OK;
}

static isw_status take_request(iswi_custom_call *call, isw_error *error)
{
    const isw_value *from = &call->trigger;
    isw_http *data = &call->guest.data;
    isw_str url = text_member(from, "Url");

    data->method = text_member(from, "Method");
    if (!url.size || !data->method.size)
        return isw_error_set(error, ISW_E_INVALID,
                             "the value of its trigger is no request with Url and Method");
    data->url = target_of(url, &call->guest.tls);
    if (!take_headers(call, iswi_custom_member(from, "Headers"), &data->headers))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for headers");
    call->guest.metadata = call->metadata;
    call->guest.invocation_id = call->invocation_id;
    return take_body(call, iswi_custom_member(from, "Body"), &data->headers, &data->body, error);
}

/* -- Its answer, on the guests' loop ----------------------------------------------------------- */

static bool keep_headers(iswi_custom_call *call, const isw_pairs *from)
{
    isw_pair *pairs = iswi_arena_calloc(&call->arena, from->count + 1, sizeof *pairs);

    for (size_t i = 0; pairs && i < from->count; i++) {
        const isw_pair *pair = &from->items[i];

        pairs[i].name = (isw_str){
            iswi_arena_strndup(&call->arena, pair->name.data, pair->name.size), pair->name.size
        };
        pairs[i].value = (isw_str){
            iswi_arena_strndup(&call->arena, pair->value.data, pair->value.size), pair->value.size
        };
        if (!pairs[i].name.data || !pairs[i].value.data)
            return false;
    }
    call->headers = (isw_pairs){ pairs, pairs ? from->count : 0 };
    return pairs != NULL;
}

static size_t on_piece(void *user, isw_bytes piece)
{
    iswi_custom_call *call = user;

    call->too_large = call->too_large || piece.size > ISW_ANSWER_MAX_BYTES - call->body.size;
    if (!call->too_large)
        iswi_buffer_append(&call->body, piece.data, piece.size);
    return piece.size;
}

static void on_end(void *user, bool complete)
{
    iswi_custom_call *call = user;

    if (complete)
        iswi_custom_answer_http(call);
    else
        iswi_custom_refuse(call, 500, "The function failed after its answer had begun.");
}

static void on_answer(void *user, const iswi_http_guest_reply *reply)
{
    iswi_custom_call *call = user;

    call->status = (int)reply->status;
    call->failed = reply->failed;
    if (!reply->status || !keep_headers(call, &reply->headers)) {
        call->status = 0;
        call->headers.count = 0;
    }
    if (reply->streams)
        return;
    on_piece(call, reply->body);
    iswi_custom_answer_http(call);
}

static const iswi_http_guest_events events = { on_answer, on_piece, on_end };

static void begin(iswi_task *task)
{
    iswi_custom_call *call =
        (iswi_custom_call *)((char *)task - offsetof(iswi_custom_call, task));

    iswi_http_guest_begin(call->custom->front, &call->guest, &events, call);
}

void iswi_custom_run_http(iswi_custom_call *call)
{
    isw_error error = { ISW_OK, "" };

    if (take_request(call, &error) != ISW_OK) {
        iswi_custom_refuse(call, error.status == ISW_E_NO_MEMORY ? 503 : 400, error.message);
        return;
    }
    call->task.run = begin;
    iswi_reactor_post(call->custom->reactor, &call->task);
}
