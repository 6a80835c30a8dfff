/* SPDX-License-Identifier: Apache-2.0 */
/* The suite of brokers (support.h): thousands of steps that a seed chooses, each held against a
 * plain list of messages that does what broker.h says. Time stands still between them. ISW_SEED
 * says which steps, ISW_STEPS how many (3000). */
#include "broker/support.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000, LIVE_MOST = 40, ATTEMPTS = 3, WINDOW_MS = 500, IDS = 6, KEYS = 4 };

/* Beside those of broker.h. */
enum { BEHIND = ISWI_MESSAGE_STATES, GONE };

typedef struct message {
    char id[16];
    int key, priority, state;
    unsigned attempt;
    int64_t due_ms, expires_ms;
    iswi_delivery *delivery; /* while it is claimed */
} message;

typedef struct model {
    fixture *is;
    uint64_t seed, first_seed;
    int64_t now_ms;
    message all[MOST]; /* in the order in which they were put */
    int count;
    int64_t known_ms[IDS]; /* since when; 0: it is not */
    int step;
} model;

static int chance(model *of, int below)
{
    of->seed = of->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((of->seed >> 33) % (uint64_t)below);
}

#define HOLDS(of, what)                                                                    \
    do {                                                                                   \
        if (!(what))                                                                       \
            fail_msg("ISW_SEED=%" PRIu64 ", step %d: not %s", (of)->first_seed,            \
                     (of)->step, #what);                                                   \
    } while (0)

/* -- What the list does ------------------------------------------------------------------------ */

static bool lives(const message *one)
{
    return one->state != ISWI_MESSAGE_DEAD && one->state != GONE;
}

static bool key_is_busy(const model *of, int key)
{
    for (int i = 0; key && i < of->count; i++)
        if (lives(&of->all[i]) && of->all[i].key == key)
            return true;
    return false;
}

static void leave(model *of, message *one, int state)
{
    const bool waited = one->state == BEHIND;

    one->state = state;
    for (int i = 0; one->key && !waited && i < of->count; i++)
        if (of->all[i].state == BEHIND && of->all[i].key == one->key) {
            of->all[i].state =
                of->all[i].due_ms > of->now_ms ? ISWI_MESSAGE_DELAYED : ISWI_MESSAGE_READY;
            return;
        }
}

static void become_due(model *of)
{
    for (int i = 0; i < of->count; i++) {
        message *one = &of->all[i];

        if (lives(one) && one->state != ISWI_MESSAGE_CLAIMED && one->expires_ms &&
            one->expires_ms <= of->now_ms)
            leave(of, one, ISWI_MESSAGE_DEAD);
    }
    for (int i = 0; i < of->count; i++)
        if (of->all[i].state == ISWI_MESSAGE_DELAYED && of->all[i].due_ms <= of->now_ms)
            of->all[i].state = ISWI_MESSAGE_READY;
}

static int counted(const model *of, int state)
{
    int count = 0;

    for (int i = 0; i < of->count; i++)
        count += of->all[i].state == state;
    return count;
}

static int living(const model *of)
{
    int count = 0;

    for (int i = 0; i < of->count; i++)
        count += lives(&of->all[i]);
    return count;
}

/* The one to be delivered next; NULL: none. */
static message *next_ready(model *of)
{
    message *best = NULL;

    for (int i = 0; i < of->count; i++) {
        message *one = &of->all[i];

        if (one->state == ISWI_MESSAGE_READY &&
            (!best || one->priority > best->priority ||
             (one->priority == best->priority && one->due_ms < best->due_ms)))
            best = one;
    }
    return best;
}

static message *any_of(model *of, int state)
{
    const int count = counted(of, state);
    int at = count ? chance(of, count) : 0;

    for (int i = 0; i < of->count && count; i++)
        if (of->all[i].state == state && at-- == 0)
            return &of->all[i];
    return NULL;
}

/* -- Steps ------------------------------------------------------------------------------------- */

static void set_clock(model *of, int64_t more_ms)
{
    of->now_ms += more_ms;
    iswi_clock_fake(1 + of->now_ms * 1000000 - INT64_C(4102444800000) * 1000000,
                    of->now_ms * 1000);
    become_due(of);
}

static void do_put(model *of)
{
    message one = { .key = chance(of, 3) ? 0 : 1 + chance(of, KEYS),
                    .priority = chance(of, 4) ? 0 : chance(of, 5) - 2 };
    const int known = chance(of, 4) ? -1 : chance(of, IDS);
    const int64_t delay_ms = chance(of, 5) ? 0 : 1 + chance(of, 300);
    const int64_t expires_ms = chance(of, 6) ? 0 : 1 + chance(of, 400);
    char key[8] = "";
    size_t duplicates;
    isw_status status;
    iswi_queue_put item;
    const bool is_known = known >= 0 && of->known_ms[known] &&
                          of->now_ms < of->known_ms[known] + WINDOW_MS;

    if (of->count == MOST)
        return;
    snprintf(one.id, sizeof one.id, known >= 0 ? "id-%d" : "m-%d", known >= 0 ? known : of->count);
    if (one.key)
        snprintf(key, sizeof key, "k%d", one.key);
    item = (iswi_queue_put){ .id = text(one.id), .key = text(key), .priority = one.priority,
                             .delay_ms = delay_ms, .expires_ms = expires_ms, .body = { "x", 1 } };
    status = put_many(of->is, &item, 1, &duplicates);
    if (!is_known && living(of) >= LIVE_MOST) {
        HOLDS(of, status == ISW_E_BUSY);
        return;
    }
    HOLDS(of, status == ISW_OK && duplicates == (size_t)is_known);
    if (is_known)
        return;
    if (known >= 0)
        of->known_ms[known] = of->now_ms;
    one.due_ms = of->now_ms + delay_ms;
    one.expires_ms = expires_ms ? of->now_ms + expires_ms : 0;
    one.state = key_is_busy(of, one.key) ? BEHIND
                : delay_ms               ? ISWI_MESSAGE_DELAYED
                                         : ISWI_MESSAGE_READY;
    of->all[of->count++] = one;
}

static void do_claim(model *of)
{
    iswi_delivery *items[8];
    const size_t max = 1 + (size_t)chance(of, 8);
    const size_t count = claim_now(of->is, items, max);

    for (size_t i = 0; i < count; i++) {
        message *one = next_ready(of);

        HOLDS(of, one && isw_str_equal(items[i]->id, text(one->id)));
        HOLDS(of, items[i]->attempt == ++one->attempt);
        HOLDS(of, items[i]->due_ms == one->due_ms);
        one->state = ISWI_MESSAGE_CLAIMED;
        one->delivery = items[i];
    }
    HOLDS(of, count == max || !next_ready(of));
}

static void give_back(model *of, message *one, int64_t delay_ms)
{
    one->due_ms = of->now_ms + delay_ms;
    one->state = delay_ms ? ISWI_MESSAGE_DELAYED : ISWI_MESSAGE_READY;
    become_due(of);
}

static void do_settle(model *of)
{
    static const iswi_verdict verdicts[] = { ISWI_VERDICT_COMPLETE, ISWI_VERDICT_COMPLETE,
                                             ISWI_VERDICT_ABANDON,  ISWI_VERDICT_DEFER,
                                             ISWI_VERDICT_DEAD };
    message *one = any_of(of, ISWI_MESSAGE_CLAIMED);
    const iswi_verdict verdict = verdicts[chance(of, 5)];
    const int64_t delay_ms = chance(of, 2) ? 0 : 1 + chance(of, 200);
    const bool dies = one && (verdict == ISWI_VERDICT_DEAD ||
                              (verdict == ISWI_VERDICT_ABANDON &&
                               (one->attempt >= ATTEMPTS ||
                                (one->expires_ms && one->expires_ms <= of->now_ms))));
    iswi_settlement done;

    if (!one)
        return;
    done = settle(of->is, one->delivery, verdict, delay_ms, "so it is");
    one->delivery = NULL;
    HOLDS(of, !done.lost && done.died == dies);
    if (dies || verdict == ISWI_VERDICT_COMPLETE) {
        leave(of, one, dies ? ISWI_MESSAGE_DEAD : GONE);
        return;
    }
    one->attempt -= verdict == ISWI_VERDICT_DEFER;
    give_back(of, one, delay_ms);
}

/* Ids may be there twice, once their window is over: all of them. */
static void do_purge(model *of)
{
    const int at = of->count ? chance(of, of->count) : 0;
    char id[16];
    size_t expected = 0;
    size_t count;

    if (!of->count)
        return;
    memcpy(id, of->all[at].id, sizeof id);
    HOLDS(of, sweep(of->is, ISWI_BROKER_PURGE, (iswi_message_filter){ .id = text(id) }, 100,
                    &count) == ISW_OK);
    for (int i = 0; i < of->count; i++)
        if (strcmp(of->all[i].id, id) == 0 && of->all[i].state != GONE &&
            of->all[i].state != ISWI_MESSAGE_CLAIMED) {
            if (lives(&of->all[i]))
                leave(of, &of->all[i], GONE);
            of->all[i].state = GONE;
            expected++;
        }
    HOLDS(of, count == expected);
}

static void do_replay(model *of)
{
    const size_t max = 1 + (size_t)chance(of, 3);
    size_t left = max;
    size_t count;

    HOLDS(of, sweep(of->is, ISWI_BROKER_REPLAY, (iswi_message_filter){ 0 }, max, &count) ==
                  ISW_OK);
    for (int i = 0; i < of->count && left; i++) {
        message *one = &of->all[i];

        if (one->state != ISWI_MESSAGE_DEAD)
            continue;
        left--;
        one->state = key_is_busy(of, one->key) ? BEHIND : ISWI_MESSAGE_READY;
        one->attempt = 0;
        one->expires_ms = 0;
        one->due_ms = of->now_ms;
    }
    HOLDS(of, count == max - left);
}

static void do_reopen(model *of)
{
    broker_reopen(of->is);
    look(of->is); /* opens it */
    for (int i = 0; i < of->count; i++) {
        message *one = &of->all[i];

        if (one->state != ISWI_MESSAGE_CLAIMED)
            continue;
        iswi_delivery_free(one->delivery);
        one->delivery = NULL;
        if (one->attempt >= ATTEMPTS)
            leave(of, one, ISWI_MESSAGE_DEAD);
        else
            give_back(of, one, 0);
    }
    become_due(of);
}

/* -- Held against each other ------------------------------------------------------------------- */

static void compare_counts(model *of)
{
    const iswi_broker_queue seen = look(of->is);

    HOLDS(of, seen.counts[ISWI_MESSAGE_READY] ==
                  counted(of, ISWI_MESSAGE_READY) + counted(of, BEHIND));
    HOLDS(of, seen.counts[ISWI_MESSAGE_DELAYED] == counted(of, ISWI_MESSAGE_DELAYED));
    HOLDS(of, seen.counts[ISWI_MESSAGE_CLAIMED] == counted(of, ISWI_MESSAGE_CLAIMED));
    HOLDS(of, seen.counts[ISWI_MESSAGE_DEAD] == counted(of, ISWI_MESSAGE_DEAD));
    HOLDS(of, seen.bytes == living(of));
}

static void compare_lists(model *of)
{
    iswi_message_filter filter = { 0 };
    iswi_delivery *items[64];
    size_t count = 0;
    size_t at = 0;

    for (int i = 0; i < of->count; i++) {
        const message *one = &of->all[i];

        if (one->state == GONE)
            continue;
        if (at == count) {
            at = 0;
            count = list(of->is, filter, items, 64);
            HOLDS(of, count > 0);
        }
        HOLDS(of, isw_str_equal(items[at]->id, text(one->id)));
        HOLDS(of, items[at]->state ==
                      (one->state == BEHIND ? ISWI_MESSAGE_READY : (iswi_message_state)one->state));
        HOLDS(of, items[at]->attempt == one->attempt);
        filter.after = items[at]->number;
        iswi_delivery_free(items[at++]);
    }
    HOLDS(of, at == count && list(of->is, filter, items, 64) == 0);
}

static void take_step(model *of)
{
    const int what = chance(of, 100);

    set_clock(of, chance(of, 3) ? 0 : chance(of, 60));
    if (what < 40)
        do_put(of);
    else if (what < 60)
        do_claim(of);
    else if (what < 88)
        do_settle(of);
    else if (what < 91)
        do_purge(of);
    else if (what < 94)
        do_replay(of);
    else if (what < 95)
        do_reopen(of);
    else if (what < 99)
        compare_counts(of);
    else
        compare_lists(of);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *value = getenv(variable);

    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void a_broker_does_what_a_plain_list_does(void **state)
{
    const int steps = (int)number_of("ISW_STEPS", 3000);
    fixture *is = *state;
    model *of = calloc(1, sizeof *of);

    needs(is, ISWI_BROKER_ATOMIC | ISWI_BROKER_SEES_ENDS | ISWI_BROKER_KEYS |
                  ISWI_BROKER_PRIORITY);
    assert_non_null(of);
    of->is = is;
    of->first_seed = of->seed = number_of("ISW_SEED", (uint64_t)iswi_wall_us());
    print_message("ISW_SEED=%" PRIu64 " ISW_STEPS=%d\n", of->seed, steps);
    of->now_ms = INT64_C(4102444800000); /* 2100: no timer of the real clock comes in between */
    set_clock(of, 0);
    assert_int_equal(declare(is, (iswi_queue_options){ .max_messages = LIVE_MOST,
                                                       .max_attempts = ATTEMPTS,
                                                       .window_ms = WINDOW_MS }),
                     ISW_OK);
    for (of->step = 0; of->step < steps; of->step++)
        take_step(of);
    compare_counts(of);
    compare_lists(of);
    for (int i = 0; i < of->count; i++)
        iswi_delivery_free(of->all[i].delivery);
    iswi_clock_real();
    free(of);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_broker_does_what_a_plain_list_does, fixture_begin,
                                    fixture_end),
};

ISW_TEST_MAIN(tests)
