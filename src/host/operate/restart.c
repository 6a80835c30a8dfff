/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts that somebody outside waits for: each worker's roll is looked at until it is over.
 * Nothing is kept from roll to roll; a later one of the same worker counts for an earlier. */
#include "base/alloc.h"
#include "config/properties.h"
#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/operate/control.h"

#include <string.h>

typedef struct one {
    size_t worker;
    unsigned id;   /* of its roll */
    unsigned seen; /* the id that `told` is about */
    unsigned told; /* processes */
} one;

struct iswi_restart {
    iswi_host *host;
    size_t count;
    one workers[];
};

enum { NAMES_MAX = 64 };

/* -- Beginning --------------------------------------------------------------------------------- */

static isw_status refuse_name(const iswi_host *host, const char *name, isw_error *error)
{
    const char *known[NAMES_MAX + 1] = { NULL };
    isw_error own = { ISW_OK, "" };

    size_t count = 0;

    for (size_t i = 0; i < iswi_host_worker_count(host) && count < NAMES_MAX; i++)
        if (iswi_host_has_worker(host, i))
            known[count++] = iswi_host_worker_name(host, i);
    iswi_properties_unknown("worker", name, "it has ", known, &own);
    return isw_error_set(error, ISW_E_NOT_FOUND, "this host has %s", own.message);
}

/* Where all are meant, those that cannot be are left out, unless nothing is left then. */
isw_status iswi_restart_begin(iswi_host *host, const char *worker, iswi_restart **out,
                              isw_error *error)
{
    size_t count = iswi_host_worker_count(host);
    iswi_restart *restart = iswi_calloc(1, sizeof *restart + count * sizeof restart->workers[0]);
    isw_error own = { ISW_OK, "" };

    if (!restart)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a restart");
    restart->host = host;
    for (size_t i = 0; i < count; i++) {
        one *next = &restart->workers[restart->count];

        if (!iswi_host_has_worker(host, i) ||
            (worker && strcmp(worker, iswi_host_worker_name(host, i)) != 0))
            continue;
        *next = (one){ .worker = i };
        if (iswi_host_restart(host, i, &next->id, &own) == ISW_OK)
            restart->count++;
    }
    if (restart->count) {
        *out = restart;
        return ISW_OK;
    }
    iswi_free(restart);
    return own.status != ISW_OK ? isw_error_set(error, own.status, "%s", own.message)
                                : refuse_name(host, worker, error);
}

/* -- Telling ----------------------------------------------------------------------------------- */

static void tell_one(iswi_host *host, one *of, iswi_arena *arena, iswi_buffer *out)
{
    iswi_roll_look look;
    iswi_roll_step step;

    iswi_worker_roll_look_at(host, of->worker, &look);
    if (look.id < of->id)
        return;
    if (look.id != of->seen)
        of->told = 0;
    of->seen = look.id;
    for (; iswi_worker_roll_step(host, of->worker, of->told, &step); of->told++) {
        const iswi_restart_line line = { .process = step.label,
                                         .before = step.before,
                                         .pid = step.now,
                                         .took_ms = step.took_ms };

        iswi_report_struct(iswi_restart_fields, &line, arena, out);
    }
}

void iswi_restart_tell(iswi_restart *restart, iswi_buffer *out)
{
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    for (size_t i = 0; i < restart->count; i++)
        tell_one(restart->host, &restart->workers[i], &arena, out);
    iswi_arena_fini(&arena);
}

/* -- Ending ------------------------------------------------------------------------------------ */

static iswi_restart_state state_of(const one *of, const iswi_roll_look *look)
{
    if (look->id < of->id || look->state == ISWI_ROLL_GOES_ON)
        return ISWI_RESTART_GOES_ON;
    return look->state == ISWI_ROLL_FAILED ? ISWI_RESTART_FAILED : ISWI_RESTART_DONE;
}

iswi_restart_state iswi_restart_state_of(const iswi_restart *restart)
{
    iswi_restart_state all = ISWI_RESTART_DONE;

    for (size_t i = 0; i < restart->count; i++) {
        iswi_roll_look look;
        iswi_restart_state own;

        iswi_worker_roll_look_at(restart->host, restart->workers[i].worker, &look);
        own = state_of(&restart->workers[i], &look);
        if (own == ISWI_RESTART_GOES_ON)
            return own;
        if (own == ISWI_RESTART_FAILED)
            all = own;
    }
    return all;
}

static const char *name_of(iswi_restart_state state)
{
    return state == ISWI_RESTART_GOES_ON ? "restarting"
           : state == ISWI_RESTART_DONE  ? "done"
                                         : "failed";
}

void iswi_restart_conclude(const iswi_restart *restart, iswi_buffer *out)
{
    iswi_restart_line line = { .state = name_of(iswi_restart_state_of(restart)) };
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    line.workers = iswi_arena_calloc(&arena, restart->count + 1, sizeof *line.workers);
    out->failed = out->failed || !line.workers;
    for (size_t i = 0; line.workers && i < restart->count; i++) {
        const one *of = &restart->workers[i];
        iswi_roll_look look;

        iswi_worker_roll_look_at(restart->host, of->worker, &look);
        line.workers[line.worker_count++] =
            (iswi_restarted){ .worker = iswi_host_worker_name(restart->host, of->worker),
                              .state = name_of(state_of(of, &look)),
                              .replaced = look.done,
                              .total = look.total,
                              .took_ms = look.took_ms,
                              .why = *look.why ? iswi_arena_printf(&arena, "%s", look.why) : NULL };
    }
    if (!out->failed)
        iswi_report_struct(iswi_restart_fields, &line, &arena, out);
    iswi_arena_fini(&arena);
}
