/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by what they are: to show them, to take them out, and to bring dead ones back. Live ones
 * are gone through by number, dead ones by the number that they had when they lived. */
#include "broker/nats/internal.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

/* What goes through: gets a message, says whether that one counts. */
typedef struct walk {
    iswi_nats *nats;
    iswi_nats_queue *queue;
    const iswi_message_filter *filter;
    size_t max, count;
    uint64_t up_to; /* that somebody was given */
    bool (*visit)(struct walk *walk, const iswi_nats_stored *of, iswi_message_state state,
                  uint64_t number);
    iswi_delivery **items; /* of a list */
} walk;

/* -- The filter -------------------------------------------------------------------------------- */

static bool wants_state(const iswi_message_filter *filter, iswi_message_state state)
{
    bool any = false;

    for (int i = 0; i < ISWI_MESSAGE_STATES; i++)
        any = any || filter->states[i];
    return !any || filter->states[state];
}

static bool matches(walk *of, const iswi_nats_stored *stored, iswi_message_state state)
{
    const iswi_message_filter *filter = of->filter;
    iswi_nats_meta meta;
    iswi_arena arena;
    bool well;

    if (!wants_state(filter, state) || filter->key.size)
        return false;
    iswi_arena_init(&arena, 512);
    well = iswi_nats_read_meta(of->nats, stored->header, &arena, &meta) &&
           (!filter->id.size || isw_str_equal(filter->id, meta.id)) &&
           (!filter->before_ms || meta.put_ms < filter->before_ms);
    iswi_arena_fini(&arena);
    return well;
}

static iswi_message_state state_of(const walk *of, const iswi_nats_stored *stored)
{
    const char *late = strstr(stored->subject.data, ".late.");

    if (late)
        return strtoll(late + 6, NULL, 10) > of->nats->now_ms ? ISWI_MESSAGE_DELAYED
                                                              : ISWI_MESSAGE_READY;
    return stored->number <= of->up_to ? ISWI_MESSAGE_CLAIMED : ISWI_MESSAGE_READY;
}

/* -- Going through ----------------------------------------------------------------------------- */

static bool walk_live(walk *of)
{
    uint64_t next = of->filter->after + 1;
    bool more = wants_state(of->filter, ISWI_MESSAGE_READY) ||
                wants_state(of->filter, ISWI_MESSAGE_DELAYED) ||
                wants_state(of->filter, ISWI_MESSAGE_CLAIMED);
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    while (more && of->count < of->max) {
        iswi_nats_stored stored;

        iswi_arena_reset(&arena);
        more = iswi_nats_get(of->nats, of->queue, next, ">", &arena, &stored);
        if (more && matches(of, &stored, state_of(of, &stored)))
            of->count += of->visit(of, &stored, state_of(of, &stored), stored.number);
        next = more ? stored.number + 1 : next;
    }
    iswi_arena_fini(&arena);
    return !of->nats->is_lost;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* What is behind the last '.' of each subject; to be freed. */
static uint64_t *read_numbers(const json_t *subjects, size_t *count)
{
    uint64_t *numbers = iswi_calloc(json_object_size(subjects) + 1, sizeof *numbers);
    const char *subject;
    json_t *value;

    *count = 0;
    json_object_foreach((json_t *)subjects, subject, value)
        if (numbers && strrchr(subject, '.'))
            numbers[(*count)++] = strtoull(strrchr(subject, '.') + 1, NULL, 10);
    if (numbers)
        qsort(numbers, *count, sizeof *numbers, by_number);
    return numbers;
}

static uint64_t *numbers_of_dead(walk *of, size_t *count)
{
    iswi_nats *nats = of->nats;
    uint64_t *numbers = NULL;
    char text[256];
    json_t *json;
    int code;

    snprintf(text, sizeof text, "{\"subjects_filter\":\"%s.dead.%s.*\"}", nats->address.prefix,
             of->queue->token);
    json = iswi_nats_api(nats, &code, text, "STREAM.INFO.%s-dead-%s", nats->address.prefix,
                         of->queue->token);
    if (json) {
        numbers = read_numbers(json_object_get(json_object_get(json, "state"), "subjects"), count);
        if (!numbers)
            iswi_nats_lose(nats, "there is no memory for a list");
    }
    json_decref(json);
    return numbers;
}

static bool walk_dead(walk *of)
{
    size_t count = 0;
    uint64_t *numbers;
    iswi_arena arena;

    if (!wants_state(of->filter, ISWI_MESSAGE_DEAD))
        return true;
    numbers = numbers_of_dead(of, &count);
    if (!numbers)
        return false;
    iswi_arena_init(&arena, 4096);
    for (size_t i = 0; i < count && of->count < of->max && !of->nats->is_lost; i++) {
        iswi_nats_stored stored;

        iswi_arena_reset(&arena);
        if (numbers[i] > of->filter->after &&
            iswi_nats_get_dead(of->nats, of->queue, numbers[i], &arena, &stored) &&
            matches(of, &stored, ISWI_MESSAGE_DEAD))
            of->count += of->visit(of, &stored, ISWI_MESSAGE_DEAD, numbers[i]);
    }
    iswi_arena_fini(&arena);
    iswi_free(numbers);
    return !of->nats->is_lost;
}

static bool begin(iswi_nats *nats, iswi_broker_op *op, walk *of)
{
    iswi_nats_standing at = { 0 };
    bool well;

    of->nats = nats;
    of->queue = iswi_nats_known(nats, op->queue);
    well = of->queue && iswi_nats_given(nats, of->queue, "ready", &at);
    of->up_to = at.given;
    return well;
}

/* -- Lists ------------------------------------------------------------------------------------- */

static bool show(walk *of, const iswi_nats_stored *stored, iswi_message_state state,
                 uint64_t number)
{
    iswi_nats_meta meta;
    iswi_delivery *one =
        iswi_nats_delivery(of->queue, of->nats, stored->header, stored->body, &meta);

    if (!one)
        return iswi_nats_lose(of->nats, "there is no memory for a list");
    one->state = state;
    one->number = number;
    one->attempt += state == ISWI_MESSAGE_CLAIMED;
    of->items[of->count] = one;
    return true;
}

static int by_number_of(const void *a, const void *b)
{
    const uint64_t x = (*(iswi_delivery *const *)a)->number;
    const uint64_t y = (*(iswi_delivery *const *)b)->number;

    return (x > y) - (x < y);
}

void iswi_nats_list(iswi_nats *nats, iswi_broker_op *op)
{
    const size_t max = op->as.list.max;
    walk of = { .filter = &op->as.list.filter, .max = max, .visit = show };
    iswi_delivery **items = iswi_calloc(2 * max, sizeof(iswi_delivery *));
    size_t count;
    bool well;

    of.items = items;
    op->as.list.count = 0;
    well = items && begin(nats, op, &of) && walk_live(&of);
    count = of.count;
    of.items = items ? items + count : NULL;
    of.count = 0;
    well = well && walk_dead(&of);
    count += of.count;
    if (well)
        qsort(items, count, sizeof *items, by_number_of);
    for (size_t i = well && count > max ? max : well ? count : 0; i < count; i++)
        iswi_delivery_free(items[i]);
    if (well) {
        op->as.list.count = count < max ? count : max;
        memcpy(op->as.list.items, items, op->as.list.count * sizeof *items);
        iswi_nats_done(op);
    } else if (!items) {
        iswi_nats_refuse(op, ISW_E_NO_MEMORY, "no memory for a list of messages");
    } else {
        iswi_nats_fail(nats, op);
    }
    iswi_free(items);
}

/* -- Purge and replay -------------------------------------------------------------------------- */

static bool purge(walk *of, const iswi_nats_stored *stored, iswi_message_state state,
                  uint64_t number)
{
    (void)number;
    return state != ISWI_MESSAGE_CLAIMED &&
           iswi_nats_delete(of->nats, of->queue, state == ISWI_MESSAGE_DEAD ? "dead" : "queue",
                            stored->number);
}

/* As if it were put now, but for when that was. The server knows it if that is done twice. */
static bool replay(walk *of, const iswi_nats_stored *stored, iswi_message_state state,
                   uint64_t number)
{
    iswi_nats *nats = of->nats;
    bool is_duplicate;
    bool well;
    char root[ISWI_NATS_ROOT_BYTES];
    char name[ISWI_ULID_BYTES];
    char known_as[64];
    char reply[64];
    iswi_arena arena;
    iswi_nats_meta meta;

    (void)state;
    iswi_arena_init(&arena, 512);
    well = iswi_nats_read_meta(nats, stored->header, &arena, &meta);
    iswi_nats_root_of(&meta, number, root);
    snprintf(known_as, sizeof known_as, "=%s.again", root);
    iswi_ulid(nats->now_ms, name);
    meta.root = isw_str_of(name);
    meta.attempts = meta.copies = 0;
    meta.expires_ms = meta.died_ms = 0;
    meta.due_ms = nats->now_ms;
    iswi_nats_forget(nats);
    iswi_nats_ask_reply(nats, reply);
    well = well &&
           iswi_nats_ask_msg(nats,
                             iswi_nats_make(nats, of->queue, ISWI_NATS_READY, &meta, stored->body,
                                            known_as, 0, reply),
                             (iswi_nats_ask){ .queue = of->queue }) &&
           iswi_nats_answers(nats) && iswi_nats_was_taken(nats, 0, &is_duplicate, &number);
    iswi_nats_forget(nats);
    iswi_arena_fini(&arena);
    return well && iswi_nats_delete(nats, of->queue, "dead", stored->number);
}

void iswi_nats_sweep(iswi_nats *nats, iswi_broker_op *op)
{
    const bool is_purge = op->kind == ISWI_BROKER_PURGE;
    walk of = { .filter = &op->as.sweep.filter, .max = op->as.sweep.max,
                .visit = is_purge ? purge : replay };
    const bool well = begin(nats, op, &of) && (!is_purge || walk_live(&of)) && walk_dead(&of);

    op->as.sweep.count = of.count;
    if (well)
        iswi_nats_done(op);
    else
        iswi_nats_fail(nats, op);
}
