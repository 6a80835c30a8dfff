/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as they come from the server. */
#include "broker/postgresql/internal.h"

/* The columns of CLAIM and LIST (statements.c). */
enum { NUMBER, STATE, PRIORITY, DUE, PUT, EXPIRES, ATTEMPT, DIED, QUEUE, ID, KEY, TYPE, TRACE,
       ERROR, BODY };

static bool copy(const iswi_pg *pg, const PGresult *result, int row, int column, iswi_arena *arena,
                 isw_str *out)
{
    const isw_str text = iswi_pg_text(pg, result, row, column);
    const char *made;

    if (text.size == 0)
        return true;
    made = iswi_arena_strndup(arena, text.data, text.size);
    *out = (isw_str){ made, text.size };
    return made != NULL;
}

static bool copy_body(const iswi_pg *pg, const PGresult *result, int row, iswi_arena *arena,
                      isw_bytes *out)
{
    const isw_str bytes = iswi_pg_text(pg, result, row, BODY);
    void *made = iswi_arena_alloc(arena, bytes.size ? bytes.size : 1);

    if (made && bytes.size)
        memcpy(made, bytes.data, bytes.size);
    *out = (isw_bytes){ made, bytes.size };
    return made != NULL;
}

static bool copy_all(const iswi_pg *pg, const PGresult *result, int row, iswi_delivery *to)
{
    iswi_arena *arena = &to->arena;

    return copy(pg, result, row, QUEUE, arena, &to->queue) &&
           copy(pg, result, row, ID, arena, &to->id) &&
           copy(pg, result, row, KEY, arena, &to->key) &&
           copy(pg, result, row, TYPE, arena, &to->content_type) &&
           copy(pg, result, row, TRACE, arena, &to->trace) &&
           copy(pg, result, row, ERROR, arena, &to->last_error) &&
           copy_body(pg, result, row, arena, &to->body);
}

iswi_delivery *iswi_pg_read_message(iswi_pg *pg, const PGresult *result, int row)
{
    iswi_delivery *delivery = iswi_delivery_create();

    if (!delivery || !copy_all(pg, result, row, delivery)) {
        iswi_delivery_free(delivery);
        return NULL;
    }
    delivery->number = (uint64_t)iswi_pg_int(pg, result, row, NUMBER);
    delivery->state = (iswi_message_state)iswi_pg_int(pg, result, row, STATE);
    delivery->priority = (int)iswi_pg_int(pg, result, row, PRIORITY);
    delivery->due_ms = iswi_pg_int(pg, result, row, DUE);
    delivery->put_ms = iswi_pg_int(pg, result, row, PUT);
    delivery->expires_ms = iswi_pg_int(pg, result, row, EXPIRES);
    delivery->attempt = (unsigned)iswi_pg_int(pg, result, row, ATTEMPT);
    delivery->died_ms = iswi_pg_int(pg, result, row, DIED);
    return delivery;
}
