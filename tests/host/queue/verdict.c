/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a message by the answers of its calls, one after the other. */
#include "support/main.h"

#include "host/queue/internal.h"

enum { ARENA_BYTES = 1024, CAUSE_BYTES = 128 };

typedef struct one {
    iswi_feed_properties properties;
    iswi_consumer consumer;
    iswi_delivery message;
    char cause[CAUSE_BYTES]; /* of its last end, as the broker keeps it */
} one;

static void begin(one *is)
{
    *is = (one){ .message = { .attempt = 1 } };
    is->consumer.properties = &is->properties;
    is->properties.batch_size = 1;
}

/* The verdict; what was said of it is with the message when that comes again. */
static iswi_verdict answer(one *is, const iswi_answer *said)
{
    iswi_delivery *items[] = { &is->message };
    iswi_settlement settlement = { 0 };
    iswi_said nothing = { 0 };
    iswi_delivered with = { .consumer = &is->consumer,
                            .items = items,
                            .said = &nothing,
                            .count = 1,
                            .settlements = &settlement };

    iswi_arena_init(&with.arena, ARENA_BYTES);
    iswi_queue_judge(&with, said);
    assert_true(settlement.cause.size < sizeof is->cause);
    memmove(is->cause, settlement.cause.data, settlement.cause.size);
    is->message.last_error = (isw_str){ is->cause, settlement.cause.size };
    iswi_arena_fini(&with.arena);
    return settlement.verdict;
}

static const iswi_answer looked_on = { .outcome = ISW_OUTCOME_FAILED,
                                       .status = ISW_E_WORKER_LOST,
                                       .bystander = true };
static const iswi_answer refused = { .outcome = ISW_OUTCOME_FAILED,
                                     .status = ISW_E_UNAVAILABLE,
                                     .refused = true };

static void one_that_looks_on_too_often_in_a_row_has_made_an_attempt(void **state)
{
    one is;

    (void)state;
    begin(&is);
    for (int i = 0; i < ISWI_BYSTANDER_MAX; i++)
        assert_int_equal(answer(&is, &looked_on), ISWI_VERDICT_DEFER);
    assert_int_equal(answer(&is, &looked_on), ISWI_VERDICT_ABANDON);
}

static void a_row_goes_on_behind_a_call_that_was_not_begun(void **state)
{
    one is;

    (void)state;
    begin(&is);
    for (int i = 0; i < ISWI_BYSTANDER_MAX; i++) {
        assert_int_equal(answer(&is, &refused), ISWI_VERDICT_DEFER);
        assert_int_equal(answer(&is, &looked_on), ISWI_VERDICT_DEFER);
    }
    assert_int_equal(answer(&is, &refused), ISWI_VERDICT_DEFER);
    assert_int_equal(answer(&is, &looked_on), ISWI_VERDICT_ABANDON);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_that_looks_on_too_often_in_a_row_has_made_an_attempt),
    cmocka_unit_test(a_row_goes_on_behind_a_call_that_was_not_begun),
};

ISW_TEST_MAIN(tests)
