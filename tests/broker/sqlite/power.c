/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts, each at a moment and with a rest of unsynced writes that a seed chooses: what was
 * acknowledged is there, what was completed stays so, and what is put with a completion comes with
 * it or not at all. ISW_CUTS says how many (60), ISW_SEED which. */
#include "broker/sqlite/disk.h"
#include "broker/support.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 400, AT_ONCE = 5 };

/* What is known of a message, and of what is put with its completion. */
typedef enum fate {
    UNKNOWN,      /* not put, or nobody said that it was */
    PUT,          /* acknowledged */
    ENDING,       /* its completion began */
    COMPLETED,    /* and was acknowledged */
} fate;

typedef struct trial {
    fixture is;
    uint64_t seed;
    fate fates[MOST];
    int next;
    /* What is under way, which is there until the broker has ended. */
    iswi_broker_op op;
    iswi_settlement settlement;
    iswi_queue_put output;
    char output_id[16];
    sem_t done;
} trial;

static uint64_t chance(trial *on, uint64_t below)
{
    on->seed = on->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (on->seed >> 33) % below;
}

static void on_done(iswi_broker_op *op)
{
    sem_post(op->user);
}

/* Whether it is done, and well; what waits until the disk is well again is not waited for. */
static bool run(trial *on)
{
    on->op.done = on_done;
    on->op.user = &on->done;
    iswi_broker_submit(on->is.broker, &on->op);
    while (sem_trywait(&on->done) != 0) {
        if (disk_is_cut())
            return false;
        usleep(50);
    }
    return on->op.error.status == ISW_OK;
}

/* Several at once, so that they become durable together: "in-N". */
static void put_some(trial *on)
{
    static const char filling[6000];
    const int count = 1 + (int)chance(on, AT_ONCE);
    iswi_broker_op ops[AT_ONCE];
    iswi_queue_put items[AT_ONCE];
    char ids[AT_ONCE][16];
    sem_t done;

    sem_init(&done, 0, 0);
    for (int i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], "in-%d", on->next + i);
        items[i] = (iswi_queue_put){ .queue = on->is.queue, .id = text(ids[i]),
                                     .key = text(chance(on, 3) ? "" : "k"),
                                     .body = { filling, chance(on, 3) ? 40 : sizeof filling } };
        ops[i] = (iswi_broker_op){ .kind = ISWI_BROKER_PUT,
                                   .as.put = { .items = &items[i], .count = 1 },
                                   .done = on_done, .user = &done };
        iswi_broker_submit(on->is.broker, &ops[i]);
    }
    for (int i = 0; i < count; i++)
        sem_wait(&done);
    for (int i = 0; i < count; i++)
        if (ops[i].error.status == ISW_OK)
            on->fates[on->next + i] = PUT;
    on->next += count;
    sem_destroy(&done);
}

/* With an output, "out-N", in one transaction. It is delayed: never claimed here, only looked
 * for. */
static void complete_one(trial *on, iswi_delivery *got)
{
    const int number = atoi(&got->id.data[3]);
    const int size = snprintf(on->output_id, sizeof on->output_id, "out-%d", number);

    on->output = (iswi_queue_put){ .queue = on->is.queue, .id = { on->output_id, (size_t)size },
                                   .delay_ms = 3600000 };
    on->settlement = (iswi_settlement){ .delivery = got, .verdict = ISWI_VERDICT_COMPLETE };
    on->op = (iswi_broker_op){ .kind = ISWI_BROKER_SETTLE,
                               .as.settle = { .items = &on->settlement, .count = 1,
                                              .puts = &on->output, .put_count = 1 } };
    on->fates[number] = ENDING;
    if (run(on) && !on->settlement.lost)
        on->fates[number] = COMPLETED;
}

static void claim_some(trial *on)
{
    iswi_delivery *items[3];
    const size_t count = claim_now(&on->is, items, 1 + chance(on, 3));

    for (size_t i = 0; i < count; i++)
        if (!disk_is_cut())
            complete_one(on, items[i]);
    if (disk_is_cut())
        iswi_broker_destroy(on->is.broker);
    on->is.broker = disk_is_cut() ? NULL : on->is.broker;
    for (size_t i = 0; i < count; i++)
        iswi_delivery_free(items[i]);
}

/* -- Afterwards -------------------------------------------------------------------------------- */

typedef struct seen {
    int in[MOST], out[MOST];
} seen;

static void look_at_all(fixture *is, seen *found)
{
    iswi_message_filter filter = { 0 };
    iswi_delivery *items[64];
    size_t count;

    do {
        count = list(is, filter, items, 64);
        for (size_t i = 0; i < count; i++) {
            char id[16] = "";

            memcpy(id, items[i]->id.data, items[i]->id.size < 15 ? items[i]->id.size : 15);
            if (id[0] == 'i')
                found->in[atoi(&id[3])]++;
            else
                found->out[atoi(&id[4])]++;
            filter.after = items[i]->number;
            iswi_delivery_free(items[i]);
        }
    } while (count == 64);
}

static void judge(const trial *on, const seen *found, uint64_t seed)
{
    for (int i = 0; i < MOST; i++) {
        const fate was = on->fates[i];

        if (found->in[i] > 1 || found->out[i] > 1)
            fail_msg("seed %" PRIu64 ": %d is there twice", seed, i);
        if (was == PUT && !found->in[i])
            fail_msg("seed %" PRIu64 ": %d was put, and is gone", seed, i);
        if (was == COMPLETED && (found->in[i] || !found->out[i]))
            fail_msg("seed %" PRIu64 ": %d was completed, and is there", seed, i);
        if (was == ENDING && found->in[i] == found->out[i])
            fail_msg("seed %" PRIu64 ": of %d and its output not one is there", seed, i);
        if (was < ENDING && found->out[i])
            fail_msg("seed %" PRIu64 ": %d has an output, and was not completed", seed, i);
    }
}

/* -- A trial ----------------------------------------------------------------------------------- */

static void run_until_cut(trial *on)
{
    disk_cut_after(1 + (int)chance(on, 1200));
    on->is.broker = broker_open(&on->is);
    on->op = (iswi_broker_op){ .kind = ISWI_BROKER_DECLARE, .queue = on->is.queue };
    if (run(on))
        while (on->is.broker && on->next < MOST - AT_ONCE)
            (chance(on, 2) ? put_some : claim_some)(on);
    iswi_broker_destroy(on->is.broker);
    on->is.broker = NULL;
}

static void make_folder(fixture *is)
{
    snprintf(is->folder, sizeof is->folder, "/tmp/isw-power-XXXXXX");
    assert_non_null(mkdtemp(is->folder));
}

static void remove_folder(const char *folder)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* The power comes back: another host opens what is on the disk. */
static void look_afterwards(trial *on, uint64_t seed)
{
    seen *found = calloc(1, sizeof *found);

    assert_non_null(found);
    make_folder(&on->is);
    disk_save(on->is.folder);
    disk_end();
    on->is.broker = broker_open(&on->is);
    assert_int_equal(declare(&on->is, (iswi_queue_options){ 0 }), ISW_OK);
    look_at_all(&on->is, found);
    judge(on, found, seed);
    iswi_broker_destroy(on->is.broker);
    free(found);
}

static void one_trial(uint64_t seed)
{
    trial *on = calloc(1, sizeof *on);
    char before[64];

    assert_non_null(on);
    on->seed = seed;
    on->is.place = "sqlite:queues.db";
    on->is.queue = text("orders");
    sem_init(&on->done, 0, 0);
    make_folder(&on->is);
    memcpy(before, on->is.folder, sizeof before);
    disk_begin(seed);
    run_until_cut(on);
    look_afterwards(on, seed);
    remove_folder(before);
    remove_folder(on->is.folder);
    sem_destroy(&on->done);
    free(on);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *value = getenv(variable);

    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void nothing_acknowledged_is_lost_in_a_power_cut(void **state)
{
    const uint64_t first = number_of("ISW_SEED", (uint64_t)iswi_wall_us());
    const uint64_t cuts = number_of("ISW_CUTS", 60);

    (void)state;
    print_message("ISW_SEED=%" PRIu64 " ISW_CUTS=%" PRIu64 "\n", first, cuts);
    for (uint64_t i = 0; i < cuts; i++)
        one_trial(first + i);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_acknowledged_is_lost_in_a_power_cut),
};

ISW_TEST_MAIN(tests)
