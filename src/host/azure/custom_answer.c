/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to a call: {"Outputs": {NAME: value}, "Logs": [line], "ReturnValue": value}. Always with
 * a body, since the foreign host waits for ever behind a 200 without one.
 */
#include "base/text.h"
#include "host/azure/custom_call.h"
#include "host/azure/names.h"
#include "host/engine/call.h"
#include "value/value.h"

#include <stdio.h>

static void destroy(void *user)
{
    iswi_custom_call_destroy(user);
}

/* Nothing more is gathered for it. */
static void finish(iswi_custom_call *call)
{
    iswi_custom_call_leave(call);
    iswi_http_note_answered(call->request, call->invocation_id, (isw_str){ NULL, 0 });
}

void iswi_custom_refuse(iswi_custom_call *call, int status, const char *detail)
{
    finish(call);
    iswi_http_answer_problem(call->request, status, NULL, detail, call->invocation_id);
    iswi_custom_call_destroy(call);
}

/* -- Its parts --------------------------------------------------------------------------------- */

static void put_outputs(iswi_custom_call *call, iswi_buffer *out)
{
    char called[ISWI_AZURE_NAME_BYTES];

    for (const iswi_custom_output *at = call->outputs; at; at = at->next) {
        if (out->data[out->size - 1] != '{')
            iswi_buffer_append(out, ",", 1);
        iswi_azure_binding_name(isw_str_of(at->name), called);
        iswi_json_string(out, isw_str_of(called));
        iswi_buffer_append_text(out, at->count > 1 ? ":[" : ":");
        iswi_buffer_append(out, at->values.data, at->values.size);
        iswi_buffer_append_text(out, at->count > 1 ? "]" : "");
        out->failed = out->failed || at->values.failed;
    }
}

static void put_logs(iswi_custom_call *call, iswi_buffer *out)
{
    iswi_buffer_append_text(out, ",\"Logs\":[");
    iswi_buffer_append(out, call->logs.data, call->logs.size);
    if (call->lines_left_out)
        iswi_buffer_printf(out, "%s\"%zu more lines are in the output of the handler alone\"",
                           call->logs.size ? "," : "", call->lines_left_out);
    iswi_buffer_append_text(out, "],\"ReturnValue\":");
}

static void give(iswi_custom_call *call)
{
    static const isw_pair type = { { "content-type", 12 }, { "application/json", 16 } };
    const isw_http response = { .status = 200,
                                .headers = { &type, 1 },
                                .body = { call->answer.data, call->answer.size } };

    if (call->answer.failed) {
        iswi_http_answer_problem(call->request, 503, NULL, "no memory for the answer",
                                 call->invocation_id);
        iswi_custom_call_destroy(call);
        return;
    }
    iswi_http_answer(call->request, &response, destroy, call);
}

void iswi_custom_answer(iswi_custom_call *call, const isw_value *result)
{
    isw_error error = { ISW_OK, "" };
    isw_str text;

    if (iswi_json_write(&call->arena, result, &text, &error) != ISW_OK) {
        iswi_function_say(call->function, ISW_LOG_ERROR, call->invocation_id, (isw_str){ NULL, 0 },
                          "its result is nothing that a custom handler can give back: %s",
                          error.message);
        iswi_custom_refuse(call, 500, NULL);
        return;
    }
    finish(call);
    iswi_buffer_append_text(&call->answer, "{\"Outputs\":{");
    put_outputs(call, &call->answer);
    iswi_buffer_append_text(&call->answer, "}");
    put_logs(call, &call->answer);
    iswi_buffer_append(&call->answer, text.data, text.size);
    iswi_buffer_append_text(&call->answer, "}");
    give(call);
}

/* -- HTTP -------------------------------------------------------------------------------------- */

static bool is_cookie(const isw_pair *header)
{
    return isw_str_equal_nocase(header->name, isw_str_of("set-cookie"));
}

/* The first of its name. */
static bool is_first(const isw_pairs *headers, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (isw_str_equal_nocase(headers->items[i].name, headers->items[index].name))
            return false;
    return true;
}

static void warn_of_cookies(const iswi_custom_call *call)
{
    size_t cookies = 0;

    for (size_t i = 0; i < call->headers.count; i++)
        cookies += is_cookie(&call->headers.items[i]);
    if (cookies > 1)
        iswi_function_say(call->function, ISW_LOG_WARNING, call->invocation_id,
                          (isw_str){ NULL, 0 },
                          "%zu of %zu cookies of its answer are lost: a custom handler can set "
                          "one, unless requests are forwarded (--forwarding)", cookies - 1, cookies);
}

/* A name is there once: lines of a list are one (RFC 9110, section 5.3), but not cookies. */
static void put_header(iswi_custom_call *call, size_t index, iswi_buffer *value, iswi_buffer *out)
{
    const isw_pairs *headers = &call->headers;
    const isw_pair *header = &headers->items[index];

    iswi_buffer_reset(value);
    for (size_t i = index; i < headers->count; i++) {
        if (!isw_str_equal_nocase(headers->items[i].name, header->name))
            continue;
        if (i > index && is_cookie(header))
            continue; /* lost, which was said */
        if (i > index)
            iswi_buffer_append(value, ", ", 2);
        iswi_buffer_append(value, headers->items[i].value.data, headers->items[i].value.size);
    }
    if (out->data[out->size - 1] != '{')
        iswi_buffer_append(out, ",", 1);
    iswi_json_string(out, header->name);
    iswi_buffer_append(out, ":", 1);
    iswi_json_string(out, (isw_str){ (const char *)value->data, value->size });
}

static void put_response(iswi_custom_call *call, iswi_buffer *out)
{
    iswi_buffer value = { NULL, 0, 0, false };

    iswi_buffer_printf(out, "{\"statusCode\":%d,\"headers\":{", call->status);
    for (size_t i = 0; i < call->headers.count && !out->failed; i++)
        if (is_first(&call->headers, i))
            put_header(call, i, &value, out);
    iswi_buffer_append_text(out, "},\"body\":");
    iswi_json_string(out, (isw_str){ (const char *)call->body.data, call->body.size });
    iswi_buffer_append(out, "}", 1);
    out->failed = out->failed || value.failed;
    iswi_buffer_fini(&value);
}

/* Why there can be no answer by the contract, and what of; NULL: nothing. */
static const char *unfit(const iswi_custom_call *call)
{
    if (call->too_large)
        return "its answer is larger than one may be that is given whole";
    if (!iswi_utf8_valid(call->body.data, call->body.size))
        return "its answer is no text, and a custom handler gives back text alone, unless "
               "requests are forwarded (--forwarding)";
    return NULL;
}

/* By the name that function.json is written with, and as the value for "$return". */
static void answer_http(iswi_custom_call *call)
{
    iswi_buffer response = { NULL, 0, 0, false };
    iswi_buffer *out = &call->answer;

    put_response(call, &response);
    iswi_buffer_append_text(out, "{\"Outputs\":{");
    put_outputs(call, out);
    iswi_buffer_printf(out, "%s\"%s\":", call->outputs ? "," : "", ISWI_AZURE_HTTP_OUTPUT);
    iswi_buffer_append(out, response.data, response.size);
    iswi_buffer_append_text(out, "}");
    put_logs(call, out);
    iswi_buffer_append(out, response.data, response.size);
    iswi_buffer_append_text(out, "}");
    out->failed = out->failed || response.failed;
    iswi_buffer_fini(&response);
    give(call);
}

/* It failed: so it does there. The body is for whoever asks by hand. */
static void answer_failed(iswi_custom_call *call)
{
    const isw_http response = { .status = call->status,
                                .headers = call->headers,
                                .body = { call->body.data, call->body.size } };

    iswi_http_answer(call->request, &response, destroy, call);
}

void iswi_custom_answer_http(iswi_custom_call *call)
{
    const char *why = unfit(call);

    if (!call->status || call->body.failed) {
        iswi_custom_refuse(call, 503, "no memory for the answer");
        return;
    }
    if (why && !(call->failed && call->status >= 500)) {
        iswi_function_say(call->function, ISW_LOG_ERROR, call->invocation_id, (isw_str){ NULL, 0 },
                          "%s", why);
        iswi_custom_refuse(call, 500, NULL);
        return;
    }
    warn_of_cookies(call);
    finish(call); /* its last line is in */
    if (call->failed && call->status >= 500)
        answer_failed(call);
    else
        answer_http(call);
}
