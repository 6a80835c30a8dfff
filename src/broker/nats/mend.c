/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a server was killed: it may have forgotten the last that it was told. Then messages are
 * there that it takes for settled, and delivers to nobody, whether they were or not; or it waits for ones
 * that are not there any more. Where that lasts while nothing else happens the former are published
 * once more, as they may not have been done, and the latter let go.
 */
#include "base/clock.h"
#include "broker/nats/internal.h"

#include <stdio.h>

enum { LASTS_MS = 2000, AT_ONCE = 1000 };

/* -- What is not there any more ---------------------------------------------------------------- */

/* Numbered 0 as a delivery, by which the server does not take what is before it for settled. */
static bool let_go(iswi_nats *nats, const iswi_nats_queue *queue, const char *consumer,
                   uint64_t first, uint64_t end)
{
    char subject[384];
    bool well = true;

    for (uint64_t number = first; number < end && well; number++) {
        snprintf(subject, sizeof subject, "$JS.ACK.%s-queue-%s.%s.1.%llu.0.0.0",
                 nats->address.prefix, queue->token, consumer, (unsigned long long)number);
        well = iswi_nats_say(nats, subject, NULL, "+TERM");
    }
    return well;
}

/* Of what was given to somebody and is not settled. No number of a message that is there, ready or
 * late: the server would take that for settled, whichever consumer says so. */
static void let_go_all(iswi_nats *nats, const iswi_nats_queue *queue, const char *consumer,
                       const iswi_nats_standing *at)
{
    const uint64_t last = at->given < at->last ? at->given : at->last;
    const uint64_t end = last > at->settled + AT_ONCE ? at->settled + AT_ONCE : last + 1;
    uint64_t next = at->settled + 1;
    iswi_nats_stored of;
    iswi_arena arena;
    bool well = true;

    iswi_arena_init(&arena, 1024);
    while (next < end && well) {
        uint64_t there = end;

        iswi_arena_reset(&arena);
        if (iswi_nats_get(nats, queue, next, ">", &arena, &of) && of.number < end)
            there = of.number;
        well = !nats->is_lost && let_go(nats, queue, consumer, next, there);
        next = there + 1;
    }
    iswi_arena_fini(&arena);
}

/* -- What nobody is given ---------------------------------------------------------------------- */

/* If it was published once more before, the server knows that, and nothing comes of it. */
static bool bring_back(iswi_nats *nats, iswi_nats_queue *queue, const iswi_nats_stored *of,
                       iswi_arena *arena)
{
    iswi_nats_meta meta;
    bool is_duplicate;
    bool well;
    uint64_t number;

    if (!iswi_nats_read_meta(nats, of->header, arena, &meta))
        return false;
    iswi_nats_forget(nats);
    well = iswi_nats_copy(nats, queue,
                          meta.due_ms > nats->now_ms ? ISWI_NATS_LATE : ISWI_NATS_READY, &meta,
                          of->body, of->number, NULL) &&
           iswi_nats_answers(nats) && iswi_nats_was_taken(nats, 0, &is_duplicate, &number);
    iswi_nats_forget(nats);
    return well && iswi_nats_delete(nats, queue, "queue", of->number);
}

static void bring_back_all(iswi_nats *nats, iswi_nats_queue *queue, const char *filter,
                           uint64_t up_to)
{
    iswi_nats_stored of = { .number = 0 };
    iswi_arena arena;
    bool more = true;

    iswi_arena_init(&arena, 1024);
    for (int i = 0; i < AT_ONCE && more; i++) {
        iswi_arena_reset(&arena);
        more = iswi_nats_get(nats, queue, of.number + 1, filter, &arena, &of) &&
               of.number <= up_to && bring_back(nats, queue, &of, &arena);
    }
    iswi_arena_fini(&arena);
}

/* -- Whether there is something ---------------------------------------------------------------- */

bool iswi_nats_mend(iswi_nats *nats, iswi_nats_queue *queue, bool is_late, int64_t there,
                    const iswi_nats_standing *at)
{
    static const char *const names[] = { "ready", "late" };
    static const char *const filters[] = { "ready", "late.*" };
    iswi_nats_odd *odd = &queue->odd[is_late];
    const bool is_odd = there != at->waiting + at->unsettled;

    if (!is_odd || odd->given != at->given || !odd->since_ns) {
        odd->since_ns = is_odd ? iswi_now_ns() : 0;
        odd->given = at->given;
        return !nats->is_lost;
    }
    if (iswi_now_ns() - odd->since_ns < LASTS_MS * INT64_C(1000000))
        return true;
    odd->since_ns = 0;
    if (at->unsettled)
        let_go_all(nats, queue, names[is_late], at);
    else
        bring_back_all(nats, queue, filters[is_late], at->given);
    return !nats->is_lost;
}
