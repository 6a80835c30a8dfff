/* SPDX-License-Identifier: Apache-2.0 */
/* Queues over HTTP: each is one question to messages.h, and one object of JSON. What is shown at a
 * time is bounded, so that a large queue costs nobody the memory of it. */
#include "base/alloc.h"
#include "config/properties.h"
#include "config/scalar.h"
#include "host/operate/admin.h"
#include "host/operate/messages.h"

#include <stddef.h>
#include <stdio.h>

enum { WAIT_S = 60, SHOWN_MOST = 100 };

/* -- What is asked ----------------------------------------------------------------------------- */

typedef struct words {
    const char *state, *id, *key, *older, *delay, *expires;
    int64_t limit, priority, wait_s;
} words;

#define ROW(member, kind, word, standard, low, high, text)                                  \
    { .name = (word), .type = ISW_OPTION_##kind, .default_value = (standard), .min = (low), \
      .max = (high), .offset = offsetof(words, member), .help = (text) }
#define TEXT(member, text)                                                                  \
    { .name = #member, .type = ISW_OPTION_STRING, .optional = true,                         \
      .offset = offsetof(words, member), .help = (text) }

static const isw_option word_rows[] = {
    TEXT(state, "ready, delayed, claimed or dead"),
    TEXT(id, "of one message"),
    TEXT(key, "of messages"),
    TEXT(older, "put so long ago"),
    TEXT(delay, "of what is put"),
    TEXT(expires, "likewise"),
    ROW(priority, INT, "priority", "0", -100, 100, "likewise"),
    ROW(limit, INT, "limit", "0", 0, INT64_MAX, "messages at most; 0: all, or 20 that are shown"),
    ROW(wait_s, INT, "wait", "60", 0, 3600, "seconds"),
    { 0 },
};

typedef struct asking {
    iswi_http_request *request;
    iswi_messages *messages;
    iswi_buffer body;
    isw_error error;
    bool created; /* a success has put something */
} asking;

/* -- Answers ----------------------------------------------------------------------------------- */

static bool is_told(iswi_wait *wait)
{
    asking *of = wait->user;

    iswi_buffer_reset(&of->body); /* how far it was counts no more */
    return iswi_messages_tell(of->messages, &of->body, &of->error);
}

/* A full queue is the host's own bound, and no caller's. */
static int status_of(const isw_error *error)
{
    return error->status == ISW_OK || error->status == ISW_E_BUSY ? 503
                                                                  : isw_status_http(error->status);
}

static void tell(iswi_wait *wait, bool over)
{
    asking *of = wait->user;

    if (of->error.status != ISW_OK || !of->body.size) {
        iswi_http_answer_problem(of->request, status_of(&of->error),
                                 NULL, of->error.status != ISW_OK ? of->error.message
                                                                  : "the store does not answer", NULL);
        iswi_buffer_fini(&of->body);
    } else {
        iswi_admin_answer_json(of->request, !over ? 202 : of->created ? 201 : 200, &of->body);
    }
    iswi_messages_leave(of->messages);
    iswi_free(of);
    iswi_free(wait);
}

/* -- Questions --------------------------------------------------------------------------------- */

static isw_status read_span(const char *name, const char *text, int64_t *out, isw_error *error)
{
    const char *wrong = text ? iswi_scalar_seconds(text, out) : NULL;

    return wrong ? isw_error_set(error, ISW_E_INVALID, "the query: %s takes " ISWI_SCALAR_SECONDS
                                 "; of \"%s\": %s", name, text, wrong)
                 : ISW_OK;
}

static isw_status read_spans(const words *said, iswi_messages_asked *out, isw_error *error)
{
    isw_status status = read_span("older", said->older, &out->older_ms, error);

    if (status == ISW_OK)
        status = read_span("delay", said->delay, &out->delay_ms, error);
    return status == ISW_OK ? read_span("expires", said->expires, &out->expires_ms, error) : status;
}

static isw_status read_words(const isw_http *data, iswi_messages_action action, iswi_arena *arena,
                             iswi_messages_asked *out, int64_t *wait_ms, isw_error *error)
{
    const isw_str *name = isw_pairs_find(&data->params, "name");
    const isw_str *type = isw_pairs_find(&data->headers, "content-type");
    isw_error own = { ISW_OK, "" };
    const void *read = NULL;
    const words *said;

    if (iswi_properties_read(word_rows, sizeof(words), &data->query, arena, &read, &own) != ISW_OK)
        return isw_error_set(error, ISW_E_INVALID, "the query: %s", own.message);
    said = read;
    *wait_ms = said->wait_s * 1000;
    *out = (iswi_messages_asked){ .action = action,
                                  .state = said->state, .id = said->id, .key = said->key,
                                  .limit = said->limit, .priority = said->priority,
                                  .body = data->body, .together = true };
    if (read_spans(said, out, error) != ISW_OK)
        return error->status;
    out->queue = name ? iswi_arena_strndup(arena, name->data, name->size) : NULL;
    out->content_type = type ? iswi_arena_strndup(arena, type->data, type->size) : NULL;
    if ((name && !out->queue) || (type && !out->content_type))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for that");
    if (action != ISWI_MESSAGES_PEEK)
        return ISW_OK;
    out->limit = out->limit ? out->limit : ISWI_MESSAGES_SHOWN;
    return out->limit <= SHOWN_MOST
               ? ISW_OK
               : isw_error_set(error, ISW_E_INVALID, "limit is %d at most: that many are shown at a "
                               "time", SHOWN_MOST);
}

static isw_status begin(iswi_host *host, asking *of, iswi_messages_action action, int64_t *wait_ms,
                        isw_error *error)
{
    iswi_messages_asked asked;
    iswi_arena arena;
    isw_status status;

    iswi_arena_init(&arena, 1024);
    status = read_words(iswi_http_request_data(of->request), action, &arena, &asked, wait_ms, error);
    if (status == ISW_OK)
        status = iswi_messages_begin(host, &asked, &of->messages, error);
    iswi_arena_fini(&arena);
    return status;
}

static void ask(iswi_operate *operate, iswi_http_request *request, iswi_messages_action action)
{
    asking *of = iswi_calloc(1, sizeof *of);
    isw_error error = { ISW_OK, "" };
    int64_t wait_ms = 0;

    if (!of) {
        iswi_http_answer_problem(request, 503, NULL, "no memory for that", NULL);
        return;
    }
    of->request = request;
    of->created = action == ISWI_MESSAGES_PUT;
    if (begin(operate->host, of, action, &wait_ms, &error) == ISW_OK) {
        iswi_admin_wait_for(operate, request, is_told, tell, of, wait_ms);
        return;
    }
    iswi_free(of);
    iswi_http_answer_problem(request, isw_status_http(error.status), NULL, error.message, NULL);
}

void iswi_admin_queues(iswi_operate *operate, iswi_http_request *request)
{
    ask(operate, request, ISWI_MESSAGES_LIST);
}

void iswi_admin_messages(iswi_operate *operate, iswi_http_request *request)
{
    ask(operate, request, ISWI_MESSAGES_PEEK);
}

void iswi_admin_messages_put(iswi_operate *operate, iswi_http_request *request)
{
    ask(operate, request, ISWI_MESSAGES_PUT);
}

void iswi_admin_messages_replay(iswi_operate *operate, iswi_http_request *request)
{
    ask(operate, request, ISWI_MESSAGES_REPLAY);
}

void iswi_admin_messages_purge(iswi_operate *operate, iswi_http_request *request)
{
    ask(operate, request, ISWI_MESSAGES_PURGE);
}

void iswi_admin_queue_pause(iswi_operate *operate, iswi_http_request *request)
{
    ask(operate, request, ISWI_MESSAGES_PAUSE);
}

void iswi_admin_queue_resume(iswi_operate *operate, iswi_http_request *request)
{
    ask(operate, request, ISWI_MESSAGES_RESUME);
}
