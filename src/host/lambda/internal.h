/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LAMBDA_INTERNAL_H
#define ISWI_HOST_LAMBDA_INTERNAL_H

/*
 * What the files of this room share. A slot is one outstanding question for the next event: it has
 * a connection to the API, and takes an event from there to its end. All of it lives on one reactor;
 * only answers of calls come on other threads, and are handed to it (slot.c).
 */
#include "host/engine/look.h"
#include "host/http/guest.h"
#include "host/lambda/api.h"
#include "host/lambda/event.h"
#include "host/lambda/lambda.h"
#include "host/lambda/settings.h"

#include <semaphore.h>
#include <stdatomic.h>

/* Of an event and of what comes of it, as Lambda has it. */
enum { ISWI_LAMBDA_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100 };

typedef struct iswi_lambda iswi_lambda;

typedef enum iswi_lambda_phase {
    ISWI_LAMBDA_RESTS,   /* it asks for nothing */
    ISWI_LAMBDA_ASKS,    /* for the next event */
    ISWI_LAMBDA_WORKS,   /* its function, or several calls of it, have the event */
    ISWI_LAMBDA_STREAMS, /* and its answer goes on */
    ISWI_LAMBDA_TELLS,   /* what came of it is on its way */
    ISWI_LAMBDA_SENDS    /* it is told, and what functions have put out is not sent yet */
} iswi_lambda_phase;

typedef struct iswi_lambda_slot {
    iswi_lambda *lambda;
    iswi_lambda_phase phase;
    iswi_lambda_api api;
    unsigned failures; /* of questions, in a row */
    iswi_timer again;
    /* The event, until it is told what came of it: */
    iswi_arena arena;
    iswi_buffer text;
    iswi_lambda_invocation invocation;
    iswi_lambda_event event;
    const iswi_entry *entry; /* whose it is; NULL: HTTP's, whose routes know */
    iswi_http_guest *guest;
    bool gathers;            /* an answer that comes in pieces is sent as one, with this head: */
    iswi_http_guest_reply gathered;
    bool cut;                /* a stream of which nothing more is wanted */
    /* What came of it, for iswi_lambda_slot_settle: */
    iswi_buffer out;
    const char *content_type;
    char failure[64]; /* its type; "": none */
    unsigned tells;   /* how often that was tried */
    uint64_t sends;   /* what is waited for (outgoing.c), 0: nothing, */
    iswi_timer patience; /* until then */
    iswi_task task;
} iswi_lambda_slot;

/* outgoing.c: what is sent for functions, behind their events. */
typedef struct iswi_lambda_outgoing {
    void *sender; /* NULL: nothing is */
    iswi_task task;
    atomic_bool posted;
    atomic_ullong heard;
} iswi_lambda_outgoing;

struct iswi_lambda {
    iswi_host *host;
    iswi_reactor *reactor;
    const iswi_lambda_settings *settings;
    void (*lead)(struct iswi_lambda_slot *slot);  /* iswi_lambda_lead, for slots, and */
    bool (*sends)(struct iswi_lambda_slot *slot); /* iswi_lambda_outgoing_look, and */
    bool (*waits)(struct iswi_lambda_slot *slot); /* iswi_lambda_outgoing_wait */
    iswi_lambda_place place;
    iswi_lambda_slot *slots;
    size_t count;
    iswi_lambda_outgoing outgoing;
    bool begun;         /* the supervisor's */
    bool held, stops;   /* the reactor's */
    atomic_bool lost;   /* there are no events any more, */
    isw_error loss;     /* and why; written before */
    bool given_up;      /* the supervisor's */
    atomic_size_t busy; /* slots with an event */
    sem_t idle;         /* posted when one has none any more, and it stops */
};

/* ---- slot.c; on the reactor, but for settle ---- */

void iswi_lambda_slot_init(iswi_lambda_slot *slot, iswi_lambda *lambda);
void iswi_lambda_slot_fini(iswi_lambda_slot *slot);

/* Ask for an event, or for none any more, as the instance is now. */
void iswi_lambda_slot_look(iswi_lambda_slot *slot);

/* What is in `out` and `failure` is what came of its event: tell it. Any thread. */
void iswi_lambda_slot_settle(iswi_lambda_slot *slot);

/* The same with a failure of this type, "Function.Timeout". */
void iswi_lambda_slot_fail(iswi_lambda_slot *slot, const char *type, isw_str message);

/* Send `out` as it grows: a head with this type of content, then what is there each time, then the
 * end, or a failure that cuts it off. */
void iswi_lambda_slot_stream(iswi_lambda_slot *slot, const char *content_type);
void iswi_lambda_slot_stream_on(iswi_lambda_slot *slot);
void iswi_lambda_slot_stream_end(iswi_lambda_slot *slot, const char *failure, const char *message);

/* Its event is behind it: ask for the next. */
void iswi_lambda_slot_over(iswi_lambda_slot *slot);

/* ---- outgoing.c; on the reactor ---- */

void iswi_lambda_outgoing_begin(iswi_lambda *lambda); /* in the start of the trigger */
void iswi_lambda_outgoing_end(iswi_lambda *lambda);   /* in its stop */

/* Whether some function has outputs that are sent. Any thread. */
bool iswi_lambda_outgoing_is_used(const iswi_lambda *lambda);

/* What came of its event is about to be told. False: nothing that functions have put out is to be
 * waited for behind it. */
bool iswi_lambda_outgoing_look(iswi_lambda_slot *slot);

/* The slot has told what came of its event. True: it is to wait for what is on its way, and
 * iswi_lambda_slot_over comes by itself. */
bool iswi_lambda_outgoing_wait(iswi_lambda_slot *slot);

/* ---- failure.c ---- */

/* "Function.Timeout" for ISW_E_TIMEOUT. */
void iswi_lambda_failure_type(isw_status status, char out[64]);

/* The body that Lambda wants of a failure. */
void iswi_lambda_failure_write(iswi_buffer *out, const char *type, isw_str message);

/* ---- lead.c: where an event goes ---- */

/* Have it worked on. Leads to one iswi_lambda_slot_settle, perhaps from within. */
void iswi_lambda_lead(iswi_lambda_slot *slot);

/* ---- http_url.c, http_event.c, http_reply.c ---- */

/* What a buffer has, in the slot's arena; empty if there is no memory, or nothing. */
isw_str iswi_lambda_copy(iswi_lambda_slot *slot, const iswi_buffer *buffer);

/* Path and query; `context` is the event's requestContext. */
isw_str iswi_lambda_url(iswi_lambda_slot *slot, const isw_value *context);

void iswi_lambda_http_begin(iswi_lambda_slot *slot, iswi_http *front);

/* What Lambda makes an HTTP answer of: all of it as JSON, or the beginning of one that streams. */
void iswi_lambda_reply_write(iswi_lambda_slot *slot, const iswi_http_guest_reply *reply,
                             isw_bytes body);
void iswi_lambda_prelude_write(iswi_lambda_slot *slot, const iswi_http_guest_reply *reply);

/* Its headers in the slot's arena, to be there later. False: no memory. */
bool iswi_lambda_reply_keep(iswi_lambda_slot *slot, iswi_http_guest_reply *reply);

/* ---- batch.c, plain.c, schedule.c; slot->entry is the function ---- */

void iswi_lambda_batch_begin(iswi_lambda_slot *slot);
void iswi_lambda_plain_begin(iswi_lambda_slot *slot);

/* iswi_answer_fn of one call that has the whole event: its result, as JSON, or its failure is what
 * came of it. `user` is the slot. */
void iswi_lambda_answered(void *user, const char *invocation_id, const iswi_answer *answer);

void iswi_lambda_schedule_begin(iswi_lambda_slot *slot);

/* ---- record.c: one record of a batch ---- */

/* As a message, in an arena of its own; and what else is known of it, in the slot's arena. NULL: it
 * is no record of its kind, or there is no memory; *wrong says so, behind "record N". */
iswi_delivery *iswi_lambda_record_read(iswi_lambda_slot *slot, const isw_value *record,
                                       isw_map *more, const char **wrong);

/* ---- invocation.c ---- */

/* What a function is told besides, under the name "aws": which invocation it is, and what Lambda
 * says of it; and `more` of the event itself (NULL: nothing). No items: no memory. */
isw_map iswi_lambda_metadata(iswi_lambda_slot *slot, const isw_named_value *more);

#endif
