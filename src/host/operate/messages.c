/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of the broker for operators. Invariant: one operation at a time, made by whoever tells
 * and read once it is done; so nothing is shared with the broker's thread but `done`, and the whole
 * goes when both have let go of it.
 */
#include "host/operate/messages.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/driver.h"
#include "host/engine/look.h"
#include "host/operate/control.h"
#include "host/operate/message_shown.h"
#include "value/value.h"

#include <stdatomic.h>

enum { STEP = 100 /* messages of one operation, so that others get their turn */ };

struct iswi_messages {
    iswi_host *host;
    iswi_messages_asked asked;
    iswi_arena kept;  /* has what that points to */
    iswi_arena arena; /* of one operation */
    iswi_broker_op op;
    iswi_queue_put put;
    char own_id[ISWI_ULID_BYTES]; /* of a put that brings none, so that it can be told */
    iswi_delivery *items[STEP];
    iswi_message_filter filter;
    iswi_report_message *rows; /* that the last line has, in the operation's arena */
    size_t row_count;
    int64_t total;
    bool over;
    atomic_bool done;
    atomic_uint holders; /* whoever asks, and the operation */
};

/* -- Life -------------------------------------------------------------------------------------- */

static void free_items(iswi_messages *messages)
{
    if (messages->op.kind == ISWI_BROKER_LIST)
        for (size_t i = 0; i < messages->op.as.list.count; i++)
            iswi_delivery_free(messages->items[i]);
    messages->op.as.list.count = 0;
}

static void let_go(iswi_messages *messages)
{
    if (atomic_fetch_sub(&messages->holders, 1) != 1)
        return;
    if (atomic_load(&messages->done))
        free_items(messages);
    iswi_arena_fini(&messages->arena);
    iswi_arena_fini(&messages->kept);
    iswi_free(messages);
}

static void on_done(iswi_broker_op *op)
{
    iswi_messages *messages = op->user;

    atomic_store(&messages->done, true);
    let_go(messages);
}

void iswi_messages_leave(iswi_messages *messages)
{
    if (messages)
        let_go(messages);
}

/* -- Asking ------------------------------------------------------------------------------------ */

static size_t step_of(const iswi_messages *messages)
{
    int64_t left = messages->asked.limit ? messages->asked.limit - messages->total : STEP;

    return left < STEP ? (size_t)left : STEP;
}

static void fill(iswi_messages *messages)
{
    iswi_broker_op *op = &messages->op;
    const iswi_messages_asked *asked = &messages->asked;

    op->queue = isw_str_of(asked->queue);
    switch ((iswi_messages_action)asked->action) {
    case ISWI_MESSAGES_LIST:
        op->kind = ISWI_BROKER_LOOK;
        op->as.look.arena = &messages->arena;
        break;
    case ISWI_MESSAGES_PEEK:
    case ISWI_MESSAGES_DEAD:
        op->kind = ISWI_BROKER_LIST;
        op->as.list.filter = messages->filter;
        op->as.list.max = step_of(messages);
        op->as.list.items = messages->items;
        break;
    case ISWI_MESSAGES_PUT:
        op->kind = ISWI_BROKER_PUT;
        op->as.put.items = &messages->put;
        op->as.put.count = 1;
        break;
    case ISWI_MESSAGES_REPLAY:
    case ISWI_MESSAGES_PURGE:
        op->kind = asked->action == ISWI_MESSAGES_PURGE ? ISWI_BROKER_PURGE : ISWI_BROKER_REPLAY;
        op->as.sweep.filter = messages->filter;
        op->as.sweep.max = step_of(messages);
        break;
    default:
        op->kind = ISWI_BROKER_PAUSE;
        op->as.pause = asked->action == ISWI_MESSAGES_PAUSE;
        break;
    }
}

static void submit(iswi_messages *messages)
{
    iswi_arena_reset(&messages->arena);
    messages->op = (iswi_broker_op){ .done = on_done, .user = messages };
    fill(messages);
    atomic_store(&messages->done, false);
    atomic_fetch_add(&messages->holders, 1);
    iswi_broker_submit(iswi_host_broker(messages->host), &messages->op);
}

/* Whoever asks may be gone before the operation is done. */
static bool keep(iswi_messages *messages, const iswi_messages_asked *asked)
{
    iswi_messages_asked *own = &messages->asked;
    const char **const texts[] = { &own->queue, &own->id, &own->key, &own->state,
                                   &own->content_type };
    bool kept = true;

    *own = *asked;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (*texts[i])
            kept = (*texts[i] = iswi_arena_strndup(&messages->kept, *texts[i],
                                                   strlen(*texts[i]))) && kept;
    if (asked->body.size)
        own->body.data = iswi_arena_strndup(&messages->kept, asked->body.data, asked->body.size);
    if (!own->content_type)
        own->content_type = iswi_body_value(asked->body, isw_str_of(NULL)).type == ISW_VALUE_STRING
                                ? "text/plain"
                                : "application/octet-stream";
    return kept && (own->body.data || !asked->body.size);
}

static isw_status fill_filter(iswi_messages *messages, isw_error *error)
{
    const iswi_messages_asked *asked = &messages->asked;
    iswi_message_filter *filter = &messages->filter;
    int state = 0;

    filter->id = isw_str_of(asked->id);
    filter->key = isw_str_of(asked->key);
    if (asked->older_ms)
        filter->before_ms = iswi_wall_us() / 1000 - asked->older_ms;
    if (asked->action == ISWI_MESSAGES_DEAD || asked->action == ISWI_MESSAGES_REPLAY)
        filter->states[ISWI_MESSAGE_DEAD] = true;
    else if (asked->action == ISWI_MESSAGES_PEEK && !asked->state)
        filter->states[ISWI_MESSAGE_READY] = filter->states[ISWI_MESSAGE_DELAYED] =
            filter->states[ISWI_MESSAGE_CLAIMED] = true;
    if (!asked->state)
        return ISW_OK;
    while (iswi_message_states[state] && strcmp(iswi_message_states[state], asked->state) != 0)
        state++;
    if (!iswi_message_states[state])
        return isw_error_set(error, ISW_E_INVALID,
                             "state is one of ready, delayed, claimed, dead");
    if (asked->action == ISWI_MESSAGES_PURGE && state == ISWI_MESSAGE_CLAIMED)
        return isw_error_set(error, ISW_E_INVALID,
                             "what a function has just now is not purged: state is one of ready, "
                             "delayed, dead");
    if (filter->states[ISWI_MESSAGE_DEAD] && state != ISWI_MESSAGE_DEAD)
        return isw_error_set(error, ISW_E_INVALID, "%s is of dead messages alone, not of %s ones",
                             iswi_messages_actions[asked->action], asked->state);
    filter->states[state] = true;
    return ISW_OK;
}

isw_status iswi_messages_begin(iswi_host *host, const iswi_messages_asked *asked,
                               iswi_messages **out, isw_error *error)
{
    iswi_messages *messages;

    if (!asked->queue && asked->action != ISWI_MESSAGES_LIST)
        return isw_error_set(error, ISW_E_INVALID, "%s takes the name of a queue",
                             iswi_messages_actions[asked->action]);
    messages = iswi_calloc(1, sizeof *messages);
    if (!messages)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for that");
    messages->host = host;
    iswi_arena_init(&messages->kept, 1024);
    iswi_arena_init(&messages->arena, 4096);
    atomic_init(&messages->holders, 1);
    if (!keep(messages, asked)) {
        let_go(messages);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for that");
    }
    if (asked->action == ISWI_MESSAGES_PUT && !asked->id) {
        iswi_ulid(iswi_wall_us() / 1000, messages->own_id);
        messages->asked.id = messages->own_id;
    }
    asked = &messages->asked;
    messages->put = (iswi_queue_put){ .queue = isw_str_of(asked->queue),
                                      .body = asked->body,
                                      .content_type = isw_str_of(asked->content_type),
                                      .id = isw_str_of(asked->id),
                                      .key = isw_str_of(asked->key),
                                      .delay_ms = asked->delay_ms,
                                      .expires_ms = asked->expires_ms,
                                      .priority = (int)asked->priority };
    if (fill_filter(messages, error) != ISW_OK) {
        let_go(messages);
        return error->status;
    }
    submit(messages);
    *out = messages;
    return ISW_OK;
}

/* -- Telling ----------------------------------------------------------------------------------- */

static void tell_queues(iswi_messages *messages, iswi_buffer *out)
{
    size_t count = messages->op.as.look.count;
    iswi_report_messages_queue *rows =
        iswi_arena_calloc(&messages->arena, count + 1, sizeof *rows);
    iswi_report_messages line = { .queues = rows, .queue_count = count };
    const unsigned abilities = iswi_broker_abilities(iswi_host_broker(messages->host));
    int64_t now_ms = iswi_wall_us() / 1000;

    for (size_t i = 0; rows && i < count; i++) {
        const iswi_broker_queue *queue = &messages->op.as.look.items[i];
        char *name = iswi_arena_strndup(&messages->arena, queue->name.data, queue->name.size);

        rows[i] = (iswi_report_messages_queue){
            .name = name ? name : "",
            .paused = queue->paused,
            .ready = queue->counts[ISWI_MESSAGE_READY],
            .delayed = queue->counts[ISWI_MESSAGE_DELAYED],
            .claimed = queue->counts[ISWI_MESSAGE_CLAIMED],
            .dead = queue->counts[ISWI_MESSAGE_DEAD],
            .bytes = queue->bytes,
            .oldest_age_ms = iswi_broker_age_ms(queue, now_ms),
            .next_due_in_ms = queue->next_due_ms ? queue->next_due_ms - now_ms : 0,
            .put = (int64_t)queue->put,
            .completed = (int64_t)queue->completed,
            .abandoned = (int64_t)queue->abandoned,
            .died = (int64_t)queue->died,
            .duplicates = (int64_t)queue->duplicates,
        };
    }
    line.bytes_of = abilities & ISWI_BROKER_BODIES ? NULL : "stored";
    out->failed = out->failed || !rows;
    iswi_report_struct(iswi_messages_fields, &line, &messages->arena, out);
}

static void tell_end(iswi_messages *messages, iswi_buffer *out)
{
    const iswi_report_messages line = {
        .messages = messages->rows,
        .message_count = messages->row_count,
        .done = messages->total,
        .over = messages->over,
        .duplicates = messages->asked.action == ISWI_MESSAGES_PUT
                          ? (int64_t)messages->op.as.put.duplicates
                          : 0,
        .id = messages->asked.action == ISWI_MESSAGES_PUT ? messages->asked.id : NULL,
    };

    iswi_report_struct(iswi_messages_fields, &line, &messages->arena, out);
}

/* Each in a line of its own, or all in that of the end. */
static void tell_messages(iswi_messages *messages, size_t count, iswi_buffer *out)
{
    iswi_report_message *rows = iswi_arena_calloc(&messages->arena, count + 1, sizeof *rows);

    out->failed = out->failed || !rows;
    for (size_t i = 0; rows && i < count; i++) {
        const iswi_report_messages line = { .messages = &rows[i], .message_count = 1 };

        rows[i] = iswi_message_shown(messages->items[i], &messages->arena);
        messages->filter.after = messages->items[i]->number;
        if (!messages->asked.together)
            iswi_report_struct(iswi_messages_fields, &line, &messages->arena, out);
    }
    messages->rows = messages->asked.together ? rows : NULL;
    messages->row_count = messages->rows ? count : 0;
}

/* Of those that are done step by step: whether there may be another. */
static bool tell_step(iswi_messages *messages, iswi_buffer *out)
{
    bool lists = messages->op.kind == ISWI_BROKER_LIST;
    size_t count = lists ? messages->op.as.list.count : messages->op.as.sweep.count;
    size_t max = lists ? messages->op.as.list.max : messages->op.as.sweep.max;

    if (lists)
        tell_messages(messages, count, out);
    messages->total += (int64_t)count;
    messages->over =
        count < max || (messages->asked.limit && messages->total >= messages->asked.limit);
    if (messages->over || !lists)
        tell_end(messages, out);
    free_items(messages); /* what is told has views into them */
    return !messages->over;
}

static void tell_error(const isw_error *own, isw_error *error)
{
    isw_error_set(error, own->status, "%s",
                  *own->message ? own->message : isw_status_text(own->status));
}

bool iswi_messages_tell(iswi_messages *messages, iswi_buffer *out, isw_error *error)
{
    iswi_broker_kind kind = messages->op.kind;

    if (messages->over || !atomic_load(&messages->done))
        return messages->over;
    if (messages->op.error.status != ISW_OK) {
        messages->over = true;
        tell_error(&messages->op.error, error);
    } else if (kind == ISWI_BROKER_LIST || kind == ISWI_BROKER_PURGE ||
               kind == ISWI_BROKER_REPLAY) {
        if (tell_step(messages, out))
            submit(messages);
    } else {
        messages->over = true;
        messages->total = 1;
        if (kind == ISWI_BROKER_LOOK)
            tell_queues(messages, out);
        else
            tell_end(messages, out);
    }
    return messages->over;
}
