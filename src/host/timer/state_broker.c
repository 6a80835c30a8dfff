/* SPDX-License-Identifier: Apache-2.0 */
/* Records where messages lie: they outlive the host, and are shared by the hosts that share those. */
#include "base/alloc.h"
#include "broker/driver.h"
#include "host/timer/state.h"

#include <stdio.h>

typedef struct broker_store {
    iswi_timer_store store;
    iswi_broker *broker;
} broker_store;

/* One operation, with all that it is about. */
typedef struct asked {
    iswi_broker_op op;
    iswi_arena arena;
    iswi_timer_state_fn done;
    void *user;
    char name[ISWI_TIMER_NAME_BYTES];
} asked;

enum { RECORD_BYTES = 1024 };

static void on_done(iswi_broker_op *op)
{
    asked *of = op->user;
    const iswi_record *record = &op->as.record.record;
    isw_error none = { ISW_OK, "" };
    bool is_read = op->kind == ISWI_BROKER_RECORD_READ;
    isw_str text = { NULL, 0 };

    if (is_read && op->error.status == ISW_OK)
        text = (isw_str){ record->value.data, record->value.size };
    if (is_read && op->error.status == ISW_E_NOT_FOUND)
        of->done(of->user, &none, text, 0);
    else
        of->done(of->user, &op->error, text, record->version);
    iswi_arena_fini(&of->arena);
    iswi_free(of);
}

/* NULL: no memory, which was told. */
static asked *prepare(const char *name, iswi_broker_kind kind, iswi_timer_state_fn done, void *user)
{
    asked *of = iswi_calloc(1, sizeof *of);
    isw_error no_memory = { ISW_OK, "" };

    if (!of) {
        isw_error_set(&no_memory, ISW_E_NO_MEMORY, "no memory for a record");
        done(user, &no_memory, isw_str_of(NULL), 0);
        return NULL;
    }
    iswi_arena_init(&of->arena, RECORD_BYTES);
    snprintf(of->name, sizeof of->name, "%s", name);
    of->done = done;
    of->user = user;
    of->op.kind = kind;
    of->op.done = on_done;
    of->op.user = of;
    of->op.as.record.arena = &of->arena;
    of->op.as.record.record.name = isw_str_of(of->name);
    return of;
}

static void read_one(iswi_timer_store *store, const char *name, iswi_timer_state_fn done,
                     void *user)
{
    asked *of = prepare(name, ISWI_BROKER_RECORD_READ, done, user);

    if (of)
        iswi_broker_submit(((broker_store *)store)->broker, &of->op);
}

static void write_one(iswi_timer_store *store, const char *name, isw_str text, uint64_t version,
                      iswi_timer_state_fn done, void *user)
{
    asked *of = prepare(name, ISWI_BROKER_RECORD_WRITE, done, user);
    iswi_record *record;

    if (!of)
        return;
    record = &of->op.as.record.record;
    record->version = version;
    record->value = (isw_bytes){ iswi_arena_strndup(&of->arena, text.data, text.size), text.size };
    if (record->value.data) {
        iswi_broker_submit(((broker_store *)store)->broker, &of->op);
    } else {
        isw_error_set(&of->op.error, ISW_E_NO_MEMORY, "no memory for a record");
        on_done(&of->op);
    }
}

static void close_it(iswi_timer_store *store)
{
    iswi_free(store);
}

iswi_timer_store *iswi_timer_broker_store(iswi_broker *broker)
{
    broker_store *made = iswi_calloc(1, sizeof *made);

    if (!made)
        return NULL;
    made->store = (iswi_timer_store){ .shared = iswi_broker_abilities(broker) & ISWI_BROKER_SHARED,
                                      .read = read_one,
                                      .write = write_one,
                                      .close = close_it };
    made->broker = broker;
    return &made->store;
}
