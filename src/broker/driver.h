/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_DRIVER_H
#define ISWI_BROKER_DRIVER_H

/*
 * The table of a driver: one kind of place where messages lie. All of it is called on the thread of
 * its broker, which gathers operations, gives them to it in one go, keeps the claims that wait, and
 * opens it again when it was lost. One folder or file, one const table, one line in a list
 * (drivers.c).
 */
#include "broker/broker.h"

enum {
    ISWI_BROKER_ATOMIC = 1, /* what is put with a settlement becomes durable with it, or neither */
    ISWI_BROKER_SEES_ENDS = 2, /* claims of a host that ended are free at once */
    ISWI_BROKER_SHARED = 4, /* several hosts may have it at the same time */
    ISWI_BROKER_KEYS = 8,   /* keys, */
    ISWI_BROKER_PRIORITY = 16, /* priorities, */
    ISWI_BROKER_RECORDS = 32,  /* and records. What it cannot is ISW_E_UNSUPPORTED, with a sentence */
    ISWI_BROKER_BODIES = 64 /* bytes are those of bodies; else with what the place has beside them */
};

typedef struct iswi_broker_driver {
    const char *scheme; /* what its places begin with, before ':' */
    const char *form;   /* "sqlite:PATH", for people */
    unsigned abilities;

    /* Whether `place` says all that is needed; without going there. */
    isw_status (*check)(const char *place, isw_error *error);

    /* Whether it can be opened or made on this machine, as open would; ISW_E_CONFIG, in words that say what to
     * do. NULL: it lies elsewhere. */
    isw_status (*look)(const char *place, const char *folder, isw_error *error);

    /* Errors: ISW_E_UNAVAILABLE, and it is tried again later; others are for good. May block for a
     * few seconds. The options are there until it is closed. now_ms, here and elsewhere: since 1970,
     * by the broker's clock, which never goes back. */
    isw_status (*open)(const iswi_broker_options *options, int64_t now_ms, void **self,
                       isw_error *error);
    void (*close)(void *self);

    /* Open one that was lost again, which knows its claims still; as open. NULL: one that is lost is
     * closed. */
    isw_status (*reopen)(void *self, int64_t now_ms, isw_error *error);

    /* Do these, in their order, and set the status of each. One that is `tried`, and no claim, was
     * given before and may have been done. What is ISW_OK is durable on return. Claims come last;
     * one that finds nothing is ISW_E_BUSY, and comes again when something may have changed; of one
     * that is recalled the broker makes an end. *due_ms is made sooner where something becomes due
     * by itself; when that has come, this is called, if with no operation. Errors:
     * ISW_E_UNAVAILABLE when it is lost: those that have no status yet (op->error.status is ISWI_BROKER_OPEN) are as
     * if it had not been there. */
    isw_status (*run)(void *self, iswi_broker_op **ops, size_t count, int64_t now_ms,
                      int64_t *due_ms, isw_error *error);

    /* What to wait on beside the operations; -1 or NULL: nothing. When it is readable, `heard` is
     * called, and says whether claims may find something now; *due_ms is when something becomes due
     * by itself, as `run` has said, and may be made another. */
    int (*fd)(void *self);
    isw_status (*heard)(void *self, int64_t now_ms, bool *claims, int64_t *due_ms,
                        isw_error *error);

    /* A claim that found nothing waits no more. May be NULL. */
    void (*withdrawn)(void *self, iswi_broker_op *claim);

    /* There is nothing to do: what tidies up has its time now, a few milliseconds. May be NULL. */
    void (*rest)(void *self);
} iswi_broker_driver;

/* No status yet. */
enum { ISWI_BROKER_OPEN = -1 };

/* It ends with NULL. */
extern const iswi_broker_driver *const iswi_broker_drivers[];

/* -- For all of them --------------------------------------------------------------------------- */

/* Create a broker on a driver, whatever its place says. As iswi_broker_create. */
isw_status iswi_broker_create_on(const iswi_broker_driver *driver,
                                 const iswi_broker_options *options, iswi_broker **out,
                                 isw_error *error);

/* What the operation asks is well formed (names, sizes, counts) and something that this
 * driver can. Sets its error if not. The broker has done that before `run`. */
bool iswi_broker_op_check(iswi_broker_op *op, const iswi_broker_driver *driver);

/* An empty delivery to fill, from its arena; NULL: no memory. */
iswi_delivery *iswi_delivery_create(void);

/* A name that no other message has: 26 characters that sort by time (ULID). */
enum { ISWI_ULID_BYTES = 27 };
void iswi_ulid(int64_t now_ms, char out[ISWI_ULID_BYTES]);

/* The same from numbers that no other one of that millisecond has, 40 bits of each. */
void iswi_ulid_of(int64_t now_ms, uint64_t high, uint64_t low, char out[ISWI_ULID_BYTES]);

#endif
