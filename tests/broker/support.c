/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/support.h"

#include "base/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- Begin and end ----------------------------------------------------------------------------- */

static void on_say(void *user, isw_log_level level, const char *sentence)
{
    fixture *is = user;

    (void)level;
    snprintf(is->said, sizeof is->said, "%s", sentence);
}

iswi_broker *broker_open(fixture *is)
{
    const iswi_broker_options options = {
        .place = is->place, .folder = is->folder, .say = on_say, .user = is
    };
    iswi_broker *broker = NULL;
    isw_error error = { 0 };

    if (iswi_broker_create(&options, &broker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return broker;
}

void broker_reopen(fixture *is)
{
    iswi_broker_destroy(is->broker);
    is->broker = broker_open(is);
}

int fixture_begin(void **state)
{
    fixture *is = calloc(1, sizeof *is);
    unsigned char random[8];
    char digits[17];

    assert_non_null(is);
    is->place = getenv("ISW_BROKER_PLACE");
    if (!is->place)
        is->place = "sqlite:queues.db";
    snprintf(is->folder, sizeof is->folder, "/tmp/isw-broker-XXXXXX");
    assert_non_null(mkdtemp(is->folder));
    assert_true(iswi_random(random, sizeof random));
    iswi_hex(random, sizeof random, digits);
    snprintf(is->name, sizeof is->name, "test-%s", digits);
    is->queue = isw_str_of(is->name);
    is->broker = broker_open(is);
    assert_int_equal(declare(is, (iswi_queue_options){ 0 }), ISW_OK);
    *state = is;
    return 0;
}

int fixture_end(void **state)
{
    fixture *is = *state;
    char command[128];

    iswi_broker_destroy(is->broker);
    snprintf(command, sizeof command, "rm -rf '%s'", is->folder);
    assert_int_equal(system(command), 0);
    free(is);
    return 0;
}

void needs(const fixture *is, unsigned abilities)
{
    if ((iswi_broker_abilities(is->broker) & abilities) != abilities)
        skip();
}

/* -- Operations -------------------------------------------------------------------------------- */

static isw_status run(fixture *is, iswi_broker_op *op)
{
    const isw_status status = iswi_broker_run(is->broker, op);

    if (status != ISW_OK)
        assert_true(op->error.message[0] != '\0');
    return status;
}

isw_status declare(fixture *is, iswi_queue_options options)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_DECLARE, .queue = is->queue, .as.declare = options };

    return run(is, &op);
}

isw_status put_many(fixture *is, iswi_queue_put *items, size_t count, size_t *duplicates)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_PUT, .as.put = { .items = items, .count = count } };
    isw_status status;

    for (size_t i = 0; i < count; i++)
        if (items[i].queue.size == 0)
            items[i].queue = is->queue;
    status = run(is, &op);
    if (duplicates)
        *duplicates = op.as.put.duplicates;
    return status;
}

isw_status put(fixture *is, iswi_queue_put item)
{
    return put_many(is, &item, 1, NULL);
}

isw_status put_text(fixture *is, const char *of)
{
    return put(is, (iswi_queue_put){ .body = { of, strlen(of) } });
}

size_t claim_many(fixture *is, iswi_delivery **items, size_t max)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_CLAIM, .queue = is->queue,
                          .as.claim = { .items = items, .max = max } };

    assert_int_equal(run(is, &op), ISW_OK);
    assert_true(op.as.claim.count > 0);
    return op.as.claim.count;
}

iswi_delivery *claim(fixture *is)
{
    iswi_delivery *delivery = NULL;

    claim_many(is, &delivery, 1);
    return delivery;
}

static void on_done(iswi_broker_op *op)
{
    sem_post(&((handed *)op->user)->done);
}

static void hand(fixture *is, handed *one)
{
    sem_init(&one->done, 0, 0);
    one->op.done = on_done;
    one->op.user = one;
    iswi_broker_submit(is->broker, &one->op);
}

void hand_claim(fixture *is, handed *one, size_t max)
{
    one->op = (iswi_broker_op){ .kind = ISWI_BROKER_CLAIM, .queue = is->queue,
                                .as.claim = { .items = one->items, .max = max } };
    hand(is, one);
}

void hand_put(fixture *is, handed *one, const iswi_queue_put *item)
{
    one->op = (iswi_broker_op){ .kind = ISWI_BROKER_PUT, .as.put = { .items = item, .count = 1 } };
    hand(is, one);
}

void hand_wait(handed *one)
{
    while (sem_wait(&one->done) != 0)
        continue;
    sem_destroy(&one->done);
}

size_t claim_now(fixture *is, iswi_delivery **items, size_t max)
{
    handed one;

    assert_true(max <= 16);
    hand_claim(is, &one, max);
    iswi_broker_recall(is->broker, &one.op);
    hand_wait(&one);
    if (one.op.error.status == ISW_OK)
        memcpy(items, one.items, one.op.as.claim.count * sizeof *items);
    else
        assert_int_equal(one.op.error.status, ISW_E_CANCELLED);
    return one.op.error.status == ISW_OK ? one.op.as.claim.count : 0;
}

void assert_nothing_is_ready(fixture *is)
{
    iswi_delivery *items[16];

    assert_int_equal(claim_now(is, items, 16), 0);
}

iswi_settlement settle(fixture *is, iswi_delivery *delivery, iswi_verdict verdict,
                       int64_t delay_ms, const char *cause)
{
    iswi_settlement settlement = { .delivery = delivery, .verdict = verdict, .delay_ms = delay_ms,
                                   .cause = isw_str_of(cause) };
    iswi_broker_op op = { .kind = ISWI_BROKER_SETTLE,
                          .as.settle = { .items = &settlement, .count = 1 } };

    assert_int_equal(run(is, &op), ISW_OK);
    iswi_delivery_free(delivery);
    return settlement;
}

void complete(fixture *is, iswi_delivery *delivery)
{
    assert_false(settle(is, delivery, ISWI_VERDICT_COMPLETE, 0, NULL).lost);
}

iswi_broker_queue look(fixture *is)
{
    iswi_arena arena;
    iswi_broker_op op = { .kind = ISWI_BROKER_LOOK, .queue = is->queue, .as.look.arena = &arena };
    iswi_broker_queue seen;

    iswi_arena_init(&arena, 1024);
    assert_int_equal(run(is, &op), ISW_OK);
    assert_int_equal(op.as.look.count, 1);
    seen = op.as.look.items[0];
    assert_true(isw_str_equal(seen.name, is->queue));
    seen.name = is->queue;
    iswi_arena_fini(&arena);
    return seen;
}

size_t list(fixture *is, iswi_message_filter filter, iswi_delivery **items, size_t max)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_LIST, .queue = is->queue,
                          .as.list = { .filter = filter, .max = max, .items = items } };

    assert_int_equal(run(is, &op), ISW_OK);
    return op.as.list.count;
}

isw_status sweep(fixture *is, iswi_broker_kind kind, iswi_message_filter filter, size_t max,
                 size_t *count)
{
    iswi_broker_op op = { .kind = kind, .queue = is->queue,
                          .as.sweep = { .filter = filter, .max = max } };
    const isw_status status = run(is, &op);

    if (count)
        *count = op.as.sweep.count;
    return status;
}

iswi_message_filter only(iswi_message_state state)
{
    iswi_message_filter filter = { 0 };

    filter.states[state] = true;
    return filter;
}

/* -- Rest -------------------------------------------------------------------------------------- */

/* How often the thread of brokers was put to sleep by itself, as the kernel counts. */
static long sleeps_of_broker(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    long sleeps = -1;

    assert_non_null(tasks);
    while ((entry = readdir(tasks)) != NULL) {
        char path[320];
        char line[256];
        bool mine = false;
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        if (entry->d_name[0] == '.' || (file = fopen(path, "r")) == NULL)
            continue;
        while (fgets(line, sizeof line, file)) {
            mine = mine || strcmp(line, "Name:\tisw:broker\n") == 0;
            if (mine && strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
                sleeps = atol(&line[24]);
        }
        fclose(file);
    }
    closedir(tasks);
    return sleeps;
}

void assert_broker_sleeps(void)
{
    long before = -1;

    for (int tries = 0; tries < 100; tries++) {
        const long now = sleeps_of_broker();

        assert_true(now > 0);
        if (now == before) {
            usleep(1000000);
            assert_int_equal(sleeps_of_broker(), now);
            return;
        }
        before = now;
        usleep(200000);
    }
    fail_msg("it does not come to rest");
}

/* -- Texts ------------------------------------------------------------------------------------- */

isw_str text(const char *of)
{
    return isw_str_of(of);
}

void assert_text(isw_str is, const char *expected)
{
    if (!isw_str_equal(is, isw_str_of(expected)))
        fail_msg("\"%.*s\", not \"%s\"", (int)is.size, is.data ? is.data : "", expected);
}

void assert_body(const iswi_delivery *delivery, const char *expected)
{
    assert_text((isw_str){ delivery->body.data, delivery->body.size }, expected);
}
