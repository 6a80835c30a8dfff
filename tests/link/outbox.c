/* SPDX-License-Identifier: Apache-2.0 */
/* How frames gather into messages, what is refused, and what a failed allocation leaves behind. */
#include "support/memory.h"

#include "link/link.h"
#include "link/outbox.h"

#include <stdlib.h>
#include <string.h>

static char frame[2 * ISWI_LINK_BATCH_BYTES];

static isw_status add(iswi_outbox *outbox, const void *bytes, size_t size)
{
    return iswi_outbox_add(outbox, &(isw_bytes){ bytes, size }, 1);
}

static size_t take(iswi_outbox *outbox)
{
    iswi_outbox_batch *batch = iswi_outbox_take(outbox);
    size_t size = batch ? batch->bytes.size : 0;

    if (batch)
        iswi_outbox_give_back(outbox, batch);
    return size;
}

static void frames_gather_until_a_message_is_full(void **state)
{
    iswi_outbox outbox = { 0 };

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(add(&outbox, frame, ISWI_LINK_BATCH_BYTES / 4), ISW_OK);
    assert_int_equal(outbox.bytes, ISWI_LINK_BATCH_BYTES / 4 * 5);
    assert_int_equal(take(&outbox), ISWI_LINK_BATCH_BYTES);
    assert_int_equal(take(&outbox), ISWI_LINK_BATCH_BYTES / 4);
    assert_int_equal(take(&outbox), 0);
    assert_int_equal(outbox.bytes, 0);
    iswi_outbox_fini(&outbox);
}

static void a_frame_above_the_limit_travels_alone(void **state)
{
    iswi_outbox outbox = { 0 };

    (void)state;
    add(&outbox, frame, 10);
    add(&outbox, frame, sizeof frame);
    add(&outbox, frame, 11);
    assert_int_equal(take(&outbox), 10);
    assert_int_equal(take(&outbox), sizeof frame);
    assert_int_equal(take(&outbox), 11);
    iswi_outbox_fini(&outbox);
}

static void bytes_keep_their_order(void **state)
{
    iswi_outbox outbox = { 0 };
    iswi_outbox_batch *batch;

    (void)state;
    add(&outbox, "one,", 4);
    add(&outbox, "two,", 4);
    batch = iswi_outbox_take(&outbox);
    add(&outbox, "three", 5); /* while the first is under way */
    assert_memory_equal(batch->bytes.data, "one,two,", 8);
    iswi_outbox_give_back(&outbox, batch);
    batch = iswi_outbox_take(&outbox);
    assert_memory_equal(batch->bytes.data, "three", 5);
    iswi_outbox_give_back(&outbox, batch);
    iswi_outbox_fini(&outbox);
}

static void the_backlog_has_a_limit(void **state)
{
    iswi_outbox outbox = { .bytes = ISWI_LINK_BACKLOG_BYTES - 10 };

    (void)state;
    assert_int_equal(add(&outbox, frame, 11), ISW_E_BUSY);
    assert_int_equal(add(&outbox, frame, 10), ISW_OK);
    assert_int_equal(add(&outbox, frame, 1), ISW_E_BUSY);
    assert_int_equal(take(&outbox), 10);
    assert_int_equal(add(&outbox, frame, 1), ISW_OK);
    iswi_outbox_fini(&outbox);
}

static void a_warm_outbox_takes_no_memory(void **state)
{
    counter count;
    iswi_outbox outbox = { 0 };
    size_t warm;

    (void)state;
    counter_init(&count, 0);
    add(&outbox, frame, 500);
    take(&outbox);
    warm = count.calls;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(add(&outbox, frame, 500), ISW_OK);
        assert_int_equal(take(&outbox), 500);
    }
    assert_int_equal(count.calls, warm);
    iswi_outbox_fini(&outbox);
    counter_fini(&count);
}

/* Whatever fails, what was taken goes out whole and what comes next is not stuck behind it. */
static void a_frame_without_memory_holds_nothing_up(void **state)
{
    for (size_t fail_at = 1; fail_at <= 4; fail_at++) {
        counter count;
        iswi_outbox outbox = { 0 };
        size_t sent = 0;
        size_t got = 0;

        (void)state;
        counter_init(&count, fail_at);
        for (unsigned i = 0; i < 4; i++) {
            size_t size = i % 2 ? sizeof frame : 300;

            if (add(&outbox, frame, size) == ISW_OK)
                sent += size;
        }
        assert_int_equal(outbox.bytes, sent);
        for (size_t size; (size = take(&outbox)) != 0;)
            got += size;
        assert_int_equal(got, sent);
        iswi_outbox_fini(&outbox);
        counter_fini(&count);
    }
}

static void a_message_has_so_many_frames_and_no_more(void **state)
{
    iswi_outbox outbox = { 0 };

    (void)state;
    for (unsigned i = 0; i < ISWI_LINK_BATCH_FRAMES + 1; i++)
        assert_int_equal(add(&outbox, frame, 2), ISW_OK);
    assert_int_equal(take(&outbox), 2 * ISWI_LINK_BATCH_FRAMES);
    assert_int_equal(take(&outbox), 2);
    assert_int_equal(take(&outbox), 0);
    iswi_outbox_fini(&outbox);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_message_has_so_many_frames_and_no_more),
    cmocka_unit_test(frames_gather_until_a_message_is_full),
    cmocka_unit_test(a_frame_above_the_limit_travels_alone),
    cmocka_unit_test(bytes_keep_their_order),
    cmocka_unit_test(the_backlog_has_a_limit),
    cmocka_unit_test(a_warm_outbox_takes_no_memory),
    cmocka_unit_test(a_frame_without_memory_holds_nothing_up),
};

ISW_TEST_MAIN(tests)
