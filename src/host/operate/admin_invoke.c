/* SPDX-License-Identifier: Apache-2.0 */
/* Functions over HTTP, by hand: the body is the data of the event, and the query has what the words
 * of `isoworker invoke` have. Whether the function was a success says the status, how it went the
 * body. */
#include "base/alloc.h"
#include "base/given.h"
#include "config/properties.h"
#include "host/operate/admin.h"
#include "host/operate/invoke.h"
#include "value/value.h"

#include <stdio.h>

enum { WAIT_S = 60, GRACE_MS = 60000 /* in which what was cancelled is answered */ };

typedef struct invoking {
    iswi_http_request *request;
    iswi_invoking *call;
    iswi_buffer body;
    isw_status status;
    isw_error error;
} invoking;

static bool is_over(iswi_wait *wait)
{
    invoking *of = wait->user;

    of->status = iswi_invoking_tell(of->call, &of->body, &of->error);
    return of->status != ISW_E_BUSY;
}

static int http_status(isw_status status)
{
    return status == ISW_E_UNSUPPORTED ? 409 : isw_status_http(status);
}

static void tell(iswi_wait *wait, bool over)
{
    invoking *of = wait->user;

    if (over && (of->status == ISW_OK || of->status == ISW_E_FAILED) && of->body.size) {
        iswi_admin_answer_json(of->request, of->status == ISW_OK ? 200 : 500, &of->body);
    } else {
        iswi_buffer_fini(&of->body);
        iswi_http_answer_problem(of->request, over ? http_status(of->status) : 504, NULL,
                                 over ? of->error.message : "it did not end", NULL);
    }
    iswi_invoking_leave(of->call);
    iswi_free(of);
    iswi_free(wait);
}

/* -- The event --------------------------------------------------------------------------------- */

enum { PARAMS, QUERY, HEADERS, KINDS };

static const char *const kind_words[] = { "param", "query", "header" };

typedef struct event {
    iswi_arena *arena;
    isw_pair *pairs[KINDS];
    size_t counts[KINDS];
    iswi_made_up *out;
} event;

static isw_status take_word(event *e, const isw_pair *word, isw_error *error)
{
    static const char *const known[] = { "method", "param", "query", "header", "wait", NULL };
    isw_str name = word->name;

    if (isw_str_equal(name, isw_str_of("wait")))
        return ISW_OK;
    if (isw_str_equal(name, isw_str_of("method"))) {
        e->out->method = word->value;
        return ISW_OK;
    }
    for (size_t kind = 0; kind < KINDS; kind++) {
        const char *text;

        if (!isw_str_equal(name, isw_str_of(kind_words[kind])))
            continue;
        text = iswi_arena_strndup(e->arena, word->value.data, word->value.size);
        if (!text)
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a call");
        if (iswi_given_pair(text, &e->pairs[kind][e->counts[kind]++]))
            return ISW_OK;
        return isw_error_set(error, ISW_E_INVALID, "%s takes NAME=VALUE, not \"%s\"",
                             kind_words[kind], text);
    }
    iswi_properties_unknown("word", iswi_arena_printf(e->arena, "%.*s", (int)name.size, name.data),
                            "the query takes ", known, error);
    return error->status = ISW_E_INVALID;
}

static isw_status read_event(const isw_http *data, iswi_arena *arena, iswi_made_up *out,
                             isw_error *error)
{
    const isw_str *type = isw_pairs_find(&data->headers, "content-type");
    event e = { .arena = arena, .out = out };
    isw_status status = ISW_OK;

    *out = (iswi_made_up){ .content_type = type ? *type : (isw_str){ NULL, 0 } };
    if (data->body.size)
        out->data = iswi_body_value(data->body, out->content_type);
    for (size_t kind = 0; kind < KINDS; kind++)
        if (!(e.pairs[kind] = iswi_arena_calloc(arena, data->query.count + 1, sizeof(isw_pair))))
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a call");
    for (size_t i = 0; status == ISW_OK && i < data->query.count; i++)
        status = take_word(&e, &data->query.items[i], error);
    out->params = (isw_pairs){ e.pairs[PARAMS], e.counts[PARAMS] };
    out->query = (isw_pairs){ e.pairs[QUERY], e.counts[QUERY] };
    out->headers = (isw_pairs){ e.pairs[HEADERS], e.counts[HEADERS] };
    return status;
}

static isw_status begin(iswi_host *host, const isw_http *data, int64_t wait_ms, iswi_invoking **out,
                        isw_error *error)
{
    const isw_str *name = isw_pairs_find(&data->params, "function");
    const isw_str *worker = isw_pairs_find(&data->params, "worker");
    iswi_made_up made_up;
    iswi_arena arena;
    const char *function;
    isw_status status;

    iswi_arena_init(&arena, 1024);
    function = iswi_arena_printf(&arena, "%.*s%s%.*s", worker ? (int)worker->size : 0,
                                 worker ? worker->data : "", worker ? "/" : "", (int)name->size,
                                 name->data);
    status = function ? read_event(data, &arena, &made_up, error)
                      : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a call");
    if (status == ISW_OK)
        status = iswi_invoking_begin(host, function, &made_up, wait_ms, out, error);
    iswi_arena_fini(&arena);
    return status;
}

void iswi_admin_invoke(iswi_operate *operate, iswi_http_request *request)
{
    int64_t wait_ms = iswi_admin_wait_ms(request, WAIT_S);
    invoking *of = iswi_calloc(1, sizeof *of);
    isw_error error = { ISW_OK, "" };

    if (!of)
        isw_error_set(&error, ISW_E_NO_MEMORY, "no memory for a call");
    else if (wait_ms < 0)
        isw_error_set(&error, ISW_E_INVALID, "wait takes seconds, from 0 to 3600");
    else
        begin(operate->host, iswi_http_request_data(request), wait_ms, &of->call, &error);
    if (error.status != ISW_OK) {
        iswi_free(of);
        iswi_http_answer_problem(request, http_status(error.status), NULL, error.message, NULL);
        return;
    }
    of->request = request;
    of->status = ISW_E_BUSY;
    iswi_admin_wait_for(operate, request, is_over, tell, of, wait_ms + GRACE_MS);
}
