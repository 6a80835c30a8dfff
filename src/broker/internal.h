/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_INTERNAL_H
#define ISWI_BROKER_INTERNAL_H

/* What a broker is made of; each part is written by the file of its name. */
#include "broker/driver.h"
#include "reactor/spin.h"

#include <pthread.h>
#include <stdatomic.h>

/* Operations in a row. */
typedef struct iswi_op_list {
    iswi_broker_op *first, **end;
} iswi_op_list;

static inline void iswi_op_list_init(iswi_op_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static inline void iswi_op_list_add(iswi_op_list *list, iswi_broker_op *op)
{
    op->next = NULL;
    *list->end = op;
    list->end = &op->next;
}

static inline iswi_broker_op *iswi_op_list_take(iswi_op_list *list)
{
    iswi_broker_op *op = list->first;

    if (op && !(list->first = op->next))
        list->end = &list->first;
    return op;
}

/* Take all of `from` behind what is there. */
static inline void iswi_op_list_join(iswi_op_list *list, iswi_op_list *from)
{
    if (!from->first)
        return;
    *list->end = from->first;
    list->end = from->end;
    iswi_op_list_init(from);
}

/* place.c: the driver's end of it, which may be lost, and comes back. */
typedef struct iswi_place {
    void *self; /* the driver's; NULL: it is not open */
    void *lost; /* the driver's, to be opened again */
    bool barred;      /* for good */
    isw_error trouble; /* why operations do not get through; ISW_OK: they do */
    int64_t since_ms;  /* of the trouble (monotonic) */
    int64_t retry_ns;  /* not before that (monotonic); 0: there is nothing to try again */
    int64_t pause_ms;  /* until then, the last time */
} iswi_place;

struct iswi_broker {
    const iswi_broker_driver *driver;
    iswi_broker_options options; /* with texts of its own */

    pthread_mutex_t lock;
    /* Under the lock: */
    pthread_t thread;
    bool started, ending, ended, joined;
    bool asleep;       /* the bell is to be rung */
    bool recalls;      /* one that waits may have been recalled */
    iswi_op_list inbox;
    isw_error trouble; /* a copy of the place's, for whoever asks */
    int64_t trouble_since_ms;

    atomic_size_t came; /* how many are in the inbox; changed under the lock */

    int bell;  /* eventfd */
    int clock; /* timerfd of the wall clock, which tells when that is set */

    /* The thread's own: */
    iswi_place place;
    iswi_op_list todo;    /* of this turn */
    iswi_op_list waiting; /* claims */
    iswi_op_list again;   /* what could not be done, and must be */
    int64_t apart_us;     /* the wall clock from the monotonic one, at most so far */
    int64_t due_ms;       /* of the driver; INT64_MAX: nothing */
    int64_t armed_ms;     /* what the clock is set to */
    bool all_claims;      /* whichever queue they are for, something may be there */
    bool rested;          /* it had time to tidy up, and nothing was done since */
    size_t expected;      /* how many may come at once, as so many were in flight; 0: who knows */
    iswi_spin moment;     /* how long they are waited for */
    iswi_broker_op **batch;
    size_t batch_capacity;
};

/* -- now.c ------------------------------------------------------------------------------------- */

/* Since 1970. */
int64_t iswi_broker_now_us(iswi_broker *broker);

/* -- place.c ----------------------------------------------------------------------------------- */

/* Whether it is open, or can be opened now. */
bool iswi_place_ready(iswi_broker *broker);

/* It is lost, or does not take what it is given: try again after a while. */
void iswi_place_lost(iswi_broker *broker, const isw_error *why);
void iswi_place_refused(iswi_broker *broker, const isw_error *why);

/* Something came through. */
void iswi_place_served(iswi_broker *broker);

void iswi_place_close(iswi_broker *broker);

/* -- turn.c ------------------------------------------------------------------------------------ */

/* Do all that is there, and answer. */
void iswi_broker_turn(iswi_broker *broker);

/* The last one: what waits is ended, and what came is done. */
void iswi_broker_last_turn(iswi_broker *broker);

/* -- thread.c ---------------------------------------------------------------------------------- */

void *iswi_broker_thread(void *broker);

#endif
