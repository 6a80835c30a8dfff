/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_NATS_INTERNAL_H
#define ISWI_BROKER_NATS_INTERNAL_H

/*
 * A place on a server of NATS; each part is written by the file of its name.
 *
 * A queue is two streams, PREFIX-queue-NAME and PREFIX-dead-NAME. The first has a subject of what
 * is ready and one for each time at which something is due, and is a work queue: what is
 * acknowledged is gone. A message never changes: one that is to be delivered again with another
 * cause or time, or that is dead, is published once more with what is new in its header, and the old
 * one is acknowledged when the server has that. So nothing is lost, and what a host that is killed
 * in between leaves twice bears one root, by which the second is known.
 *
 * The connection is libnats', with no thread of its own: it reads and writes when we say so.
 */
#include "base/buffer.h"
#include "broker/driver.h"
#include "broker/nats/address.h"
#include "broker/nats/calls.h"

#include <jansson.h>

typedef struct iswi_nats iswi_nats;
typedef struct iswi_nats_queue iswi_nats_queue;

/* -- The place --------------------------------------------------------------------------------- */

/* What the server is asked, until it has answered. */
typedef struct iswi_nats_ask {
    natsMsg *answer;
    iswi_broker_op *op;     /* for which; may be NULL */
    iswi_nats_queue *queue; /* to which something is published; NULL: nothing is */
    int64_t ends_ms;        /* what is published expires then; 0: never */
    bool is_put;            /* it is what an operation puts, not a copy */
    bool is_ready;          /* it may be delivered at once */
} iswi_nats_ask;

/* What has come of a queue and is with nobody yet. */
typedef struct iswi_nats_arrived {
    natsMsg *msg;
    uint64_t number;    /* of its stream */
    unsigned delivered; /* so many times, with this one */
} iswi_nats_arrived;

typedef struct iswi_nats_arrivals {
    iswi_nats_arrived *items;
    size_t first, count, capacity; /* from `first` up to `count` */
} iswi_nats_arrivals;

/* A pull: the server sends what is there, up to so many, once something is there. */
typedef struct iswi_nats_pull {
    size_t left;     /* 0: there is none */
    int64_t ends_ns; /* when the server says that it is over; 0: at once */
} iswi_nats_pull;

typedef struct iswi_nats_expiry {
    int64_t at_ms;
    uint64_t number;
} iswi_nats_expiry;

/* More or less is there than the server would deliver. */
typedef struct iswi_nats_odd {
    int64_t since_ns; /* monotonic; 0: it is not so */
    uint64_t given;   /* to somebody, the last one then */
} iswi_nats_odd;

enum { ISWI_NATS_CHECKS = 20 };

struct iswi_nats_queue {
    size_t index; /* among all */
    char *name;
    char *token; /* the name as streams and subjects have it: '=' for '.' */
    isw_str view; /* of the name */
    bool is_known; /* what follows is as the server had it */
    bool is_stale; /* another one has changed it since */
    bool paused, has_late;
    bool tells_late; /* the others are to be told that something is delayed */
    bool is_claimed; /* somebody here claims of it */
    iswi_queue_options keeps;
    iswi_nats_arrivals ready, late;
    uint64_t put_number, given_number; /* the last that was put to be ready, and that arrived */
    int64_t put_ns;                    /* when that was put */
    uint64_t asked_in; /* the run in which it was asked for what is there */
    bool due_was_silent; /* for a minute */
    iswi_nats_pull now, waited, due; /* of what is ready, at once and later; of what is delayed */
    iswi_broker_op **waiting; /* claims that found nothing */
    size_t waiting_count, waiting_capacity;
    iswi_nats_odd odd[2];     /* of what is ready, and late */
    int64_t check_ms; /* when to look whether it is so, */
    int checks;       /* and how often before that is left to those who look */
    iswi_nats_expiry *expiries;
    size_t expiry_count, expiry_capacity;
    int64_t live, live_bytes, seen_ns; /* how full it was then, with what was put since */
    int64_t added, added_bytes;        /* since then; and of an operation that is looked at: */
    int64_t wanted, wanted_bytes;
    uint64_t put, completed, abandoned, died, duplicates; /* since the broker began */
};

/* A claim: what a delivery's handle leads to, until it is settled. */
typedef struct iswi_nats_slot {
    uint64_t token; /* 0: free */
    iswi_nats_queue *queue;
    char *reply; /* where it is settled */
    uint64_t number;
    char root[32]; /* ISWI_NATS_ROOT_BYTES */
    unsigned copies;
    bool is_old; /* of an earlier connection, and not verified */
    int64_t renewed_ns;
    const iswi_settlement *by; /* which settles it, of several in one run */
} iswi_nats_slot;

typedef struct iswi_nats_handle { /* in the arena of its delivery */
    size_t slot;
    uint64_t token;
} iswi_nats_handle;

enum { ISWI_NATS_ANSWERS, ISWI_NATS_NOW, ISWI_NATS_WAITED, ISWI_NATS_TOLD, ISWI_NATS_SUBS };

struct iswi_nats {
    const iswi_broker_options *options;
    iswi_nats_calls lib;
    iswi_nats_address address;
    size_t server; /* the one that is tried next */
    natsConnection *conn;
    natsSubscription *subs[ISWI_NATS_SUBS];
    void (*take)(iswi_nats *nats, natsMsg *msg, int sub); /* what comes; owns it */
    int socket; /* of the connection; -1: none */
    char inbox[40];
    int64_t heard_ns; /* when something came */
    bool is_lost;
    isw_error fault; /* why; or what is wrong with an answer */
    iswi_nats_ask *asks;
    size_t ask_count, ask_capacity, answered;
    iswi_nats_queue **queues;
    size_t queue_count, queue_capacity;
    iswi_nats_slot *slots;
    size_t slot_count, slot_capacity, claims;
    uint64_t tokens;
    int64_t now_ms;
    uint64_t run; /* how many there were */
    bool has_news;   /* claims may find something */
    bool has_bucket; /* of records */
    iswi_buffer text; /* of a header, a subject or a request that is made */
    iswi_buffer subject;
};

/* -- connection.c ------------------------------------------------------------------------------ */

bool iswi_nats_connect(iswi_nats *nats, isw_error *error);
void iswi_nats_disconnect(iswi_nats *nats);
bool iswi_nats_lose(iswi_nats *nats, const char *why); /* false */
const char *iswi_nats_server(const iswi_nats *nats);   /* that it is connected to, "HOST:PORT" */

/* What the server has complained of, such as a subject that is not allowed. */
const char *iswi_nats_last_error(iswi_nats *nats, const char *otherwise);

/* Send it, which is then gone. False: is_lost. */
bool iswi_nats_send(iswi_nats *nats, natsMsg *msg);
bool iswi_nats_say(iswi_nats *nats, const char *subject, const char *reply, const char *text);

/* Write what is to be sent and read what is there, up to so many ms for something to come. */
bool iswi_nats_turn(iswi_nats *nats, int64_t wait_ms);

/* -- ask.c ------------------------------------------------------------------------------------- */

/* Ask; the answers of all are there once iswi_nats_answers is back, by the order in which they were
 * asked for, until iswi_nats_forget. False: is_lost. */
bool iswi_nats_ask_msg(iswi_nats *nats, natsMsg *msg, iswi_nats_ask of);
bool iswi_nats_ask_text(iswi_nats *nats, const char *subject, const char *text);
bool iswi_nats_answers(iswi_nats *nats);
void iswi_nats_forget(iswi_nats *nats);

/* Where an answer to what is asked next belongs. */
void iswi_nats_ask_reply(const iswi_nats *nats, char out[64]);

/* An answer as JSON, the caller's to json_decref; NULL: it is none, and says so, or is an error:
 * *code is the server's own (10059: there is no such stream), nats->fault says what. */
json_t *iswi_nats_answer(iswi_nats *nats, size_t i, int *code);

/* One question of JetStream's API, "STREAM.INFO.x", by itself. */
json_t *iswi_nats_api(iswi_nats *nats, int *code, const char *text, const char *subject, ...)
    ISW_PRINTF(4, 5);
bool iswi_nats_ask_api(iswi_nats *nats, const char *text, const char *subject, ...)
    ISW_PRINTF(3, 4);

/* What the server said (nats->fault) is the error of an operation; also one of its own. */
void iswi_nats_fail(iswi_nats *nats, iswi_broker_op *op);
void iswi_nats_refuse(iswi_broker_op *op, isw_status status, const char *format, ...)
    ISW_PRINTF(3, 4);
void iswi_nats_done(iswi_broker_op *op);
static inline bool iswi_nats_is_open(const iswi_broker_op *op)
{
    return (int)op->error.status == ISWI_BROKER_OPEN;
}

int64_t iswi_nats_int(const json_t *object, const char *name); /* 0: it has none */

/* -- queues.c, streams.c ----------------------------------------------------------------------- */

/* The one of a name, which need not be known; NULL: no memory. */
iswi_nats_queue *iswi_nats_queue_of(iswi_nats *nats, isw_str name);

/* The same, known; NULL: nats->fault, ISW_E_NOT_FOUND if it was not declared. */
iswi_nats_queue *iswi_nats_known(iswi_nats *nats, isw_str name);

iswi_nats_queue *iswi_nats_by_token(const iswi_nats *nats, isw_str token);
void iswi_nats_queues_free(iswi_nats *nats);
void iswi_nats_tell(iswi_nats *nats, const iswi_nats_queue *queue, const char *what);

/* What is to be dead then, if nobody has had it. */
void iswi_nats_expect_end(iswi_nats_queue *queue, int64_t at_ms, uint64_t number);

bool iswi_nats_next_arrived(iswi_nats_arrivals *all, iswi_nats_arrived *out);
size_t iswi_nats_waiting_arrivals(const iswi_nats_arrivals *all);

/* Ask the server what it is; have it as it is declared; False: nats->fault. */
bool iswi_nats_load_queue(iswi_nats *nats, iswi_nats_queue *queue);
bool iswi_nats_have_stream(iswi_nats *nats, const iswi_nats_queue *queue, bool is_new,
                           const iswi_queue_options *keeps, bool paused);
bool iswi_nats_have_all(iswi_nats *nats, const iswi_nats_queue *queue, bool is_new,
                        const iswi_queue_options *keeps);

/* declare.c */
void iswi_nats_declare(iswi_nats *nats, iswi_broker_op *op);
void iswi_nats_pause(iswi_nats *nats, iswi_broker_op *op);

/* -- message.c --------------------------------------------------------------------------------- */

typedef enum iswi_nats_where { ISWI_NATS_READY, ISWI_NATS_LATE, ISWI_NATS_DEAD } iswi_nats_where;

/* What a message is, beside its body. */
typedef struct iswi_nats_meta {
    isw_str id, content_type, trace, cause;
    int64_t put_ms, due_ms, expires_ms, died_ms;
    int64_t delay_ms;  /* for so long it was put off, up to due_ms by the clock of who did that */
    unsigned attempts; /* made before it was published here */
    isw_str root;      /* what all copies of a message have in common; empty: the id is */
    unsigned copies;   /* that were made of it, to this one */
} iswi_nats_meta;

enum { ISWI_NATS_ROOT_BYTES = 32 };
void iswi_nats_root_of(const iswi_nats_meta *meta, uint64_t number,
                       char out[ISWI_NATS_ROOT_BYTES]);

/* A message to send, with a name by which the server knows it if it comes again; `number`: of a dead
 * one, what it had when it lived. NULL: is_lost. */
natsMsg *iswi_nats_make(iswi_nats *nats, const iswi_nats_queue *queue, iswi_nats_where where,
                        const iswi_nats_meta *meta, isw_bytes body, const char *known_as,
                        uint64_t number, const char *reply);

/* A message of the server; false: no memory. Texts are in the arena. */
bool iswi_nats_read_meta(iswi_nats *nats, isw_str header, iswi_arena *arena, iswi_nats_meta *out);
iswi_delivery *iswi_nats_delivery(const iswi_nats_queue *queue, iswi_nats *nats, isw_str header,
                                  isw_bytes body, iswi_nats_meta *meta);
isw_str iswi_nats_header_of(iswi_nats *nats, natsMsg *msg); /* ours */
isw_bytes iswi_nats_body_of(iswi_nats *nats, natsMsg *msg);

/* -- copy.c: messages that are published once more ---------------------------------------------- */

/* Ask the server to take a copy of number `of`. */
bool iswi_nats_copy(iswi_nats *nats, iswi_nats_queue *queue, iswi_nats_where where,
                    const iswi_nats_meta *meta, isw_bytes body, uint64_t of, iswi_broker_op *op);

/* What has arrived, to be published once more and acknowledged. */
typedef struct iswi_nats_move {
    iswi_nats_queue *queue;
    iswi_nats_arrived of;
    iswi_nats_where where;
    unsigned attempts;
    char cause[48]; /* of a dead one */
} iswi_nats_move;

/* All of them, which are freed. What the server does not take comes again after its lease. False:
 * is_lost. */
bool iswi_nats_move_all(iswi_nats *nats, iswi_nats_move *moves, size_t count);

/* What was asked is durable; false: nats->fault. *number: in its stream. */
bool iswi_nats_was_taken(iswi_nats *nats, size_t ask, bool *is_duplicate, uint64_t *number);

/* -- slots.c ----------------------------------------------------------------------------------- */

bool iswi_nats_slot_take(iswi_nats *nats, iswi_nats_queue *queue, const iswi_nats_arrived *of,
                         const iswi_nats_meta *meta, iswi_delivery *delivery);
iswi_nats_slot *iswi_nats_slot_of(iswi_nats *nats, const iswi_delivery *delivery); /* NULL: lost */
void iswi_nats_slot_free(iswi_nats *nats, iswi_nats_slot *slot);

/* The first to settle it in a run does; to be forgotten with the run. */
bool iswi_nats_slot_settle(iswi_nats_slot *slot, const iswi_settlement *by);
void iswi_nats_slots_forget(iswi_nats *nats);

/* again.c: it was settled before, perhaps, and what is there now is another one, as a server that was
 * killed may give a number twice: let go of it then. False: is_lost. */
bool iswi_nats_slot_verify(iswi_nats *nats, iswi_nats_slot *slot);

/* There is another connection: keep of what has arrived what the server has still, and have what is
 * held here verified when it is settled. False: is_lost. */
bool iswi_nats_verify_held(iswi_nats *nats);

/* One that is held here with that root; NULL: none. */
iswi_nats_slot *iswi_nats_slot_with(iswi_nats *nats, const iswi_nats_queue *queue,
                                    const char *root);

/* Renew what is to be renewed; *due_ms: when the next is. */
bool iswi_nats_renew(iswi_nats *nats, int64_t *due_ms);
void iswi_nats_slots_end(iswi_nats *nats);

/* -- arrivals.c, pulls.c ----------------------------------------------------------------------- */

void iswi_nats_arrive(iswi_nats *nats, natsMsg *msg, int sub); /* takes it */
bool iswi_nats_pull_now(iswi_nats *nats, iswi_nats_queue *queue, size_t count);
bool iswi_nats_pull_later(iswi_nats *nats, iswi_nats_queue *queue);

/* Pulls that wait longer than they were to are made anew, or the connection is lost. */
bool iswi_nats_watch_pulls(iswi_nats *nats, int64_t *due_ms);

/* -- Operations -------------------------------------------------------------------------------- */

/* write.c: PUT and SETTLE, several at a time. False: is_lost. */
bool iswi_nats_write(iswi_nats *nats, iswi_broker_op **ops, size_t count);

/* room.c: whether there is room in all queues for what an operation puts; sets its error if not. */
bool iswi_nats_has_room(iswi_nats *nats, iswi_broker_op *op, const iswi_queue_put *puts,
                        size_t count);

/* claim.c: all of a run, and what is done when one waits no more. */
bool iswi_nats_claim(iswi_nats *nats, iswi_broker_op **ops, size_t count);
void iswi_nats_withdraw(iswi_nats *nats, iswi_broker_op *op);
bool iswi_nats_give_back(iswi_nats *nats);

/* late.c: what is delayed, and what expires. */
bool iswi_nats_ripen(iswi_nats *nats);
bool iswi_nats_expire(iswi_nats *nats, int64_t *due_ms);

/* stored.c: a message where it lies, in the streams of a queue. */
typedef struct iswi_nats_stored {
    uint64_t number; /* in its stream */
    isw_str subject, header;
    isw_bytes body;
    bool is_late;
} iswi_nats_stored;

/* The one of that number, or the first of the subject from there on; of a dead one by its subject
 * alone. False: none, or a fault (is_lost). In the arena. */
bool iswi_nats_get(iswi_nats *nats, const iswi_nats_queue *queue, uint64_t number,
                   const char *next_of, iswi_arena *arena, iswi_nats_stored *out);
bool iswi_nats_get_dead(iswi_nats *nats, const iswi_nats_queue *queue, uint64_t number,
                        iswi_arena *arena, iswi_nats_stored *out);
bool iswi_nats_delete(iswi_nats *nats, const iswi_nats_queue *queue, const char *kind,
                      uint64_t number);

/* How far those are who read what is "ready" or "late". */
typedef struct iswi_nats_standing {
    uint64_t given;    /* the last one that somebody was given */
    uint64_t settled;  /* up to this one all are settled */
    int64_t unsettled; /* how many of those that were given are not */
    int64_t waiting;   /* for somebody who reads */
    uint64_t last;     /* of the stream, where that was asked: those behind it are not there yet */
} iswi_nats_standing;

/* False: a fault; ISW_E_NOT_FOUND: nobody was ever to read there. */
bool iswi_nats_given(iswi_nats *nats, const iswi_nats_queue *queue, const char *consumer,
                     iswi_nats_standing *out);

/* mend.c: `there`: how many of those there are. False: is_lost. */
bool iswi_nats_mend(iswi_nats *nats, iswi_nats_queue *queue, bool is_late, int64_t there,
                    const iswi_nats_standing *at);

/* look.c, list.c, records.c */
void iswi_nats_look(iswi_nats *nats, iswi_broker_op *op);
bool iswi_nats_look_after(iswi_nats *nats, int64_t *due_ms);
void iswi_nats_doubt(iswi_nats_queue *queue); /* it is to be looked after for a while */
void iswi_nats_list(iswi_nats *nats, iswi_broker_op *op);
void iswi_nats_sweep(iswi_nats *nats, iswi_broker_op *op);
void iswi_nats_record(iswi_nats *nats, iswi_broker_op *op);

#endif
