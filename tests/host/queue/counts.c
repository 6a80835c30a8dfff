/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of messages: by function and by queue, each once. */
#include "support/main.h"

#include "base/clock.h"
#include "host/queue/internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Two consumers of one function, as one that was told otherwise is, and one of another that has the
 * same queue. */
typedef struct three {
    iswi_entry entries[3];
    iswi_consumer consumers[3];
    char told[4096];
} three;

static int set_up(void **state)
{
    static const char *const names[] = { "work", "work", "other" };
    three *t = calloc(1, sizeof *t);

    for (size_t i = 0; i < 3; i++) {
        t->entries[i].name = names[i];
        t->consumers[i].entry = &t->entries[i];
        strcpy(t->consumers[i].queue, "orders");
        t->consumers[i].next = i < 2 ? &t->consumers[i + 1] : NULL;
    }
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

/* "queue_attempts{queue=orders} 3: 1 0 2" for a histogram with its sum. */
static void on_row(void *user, const iswi_trigger_row *row)
{
    three *t = user;
    size_t used = strlen(t->told);

    used += (size_t)snprintf(t->told + used, sizeof t->told - used, "%s{%s=%s} %g", row->name,
                             row->label, row->value, row->number);
    for (size_t i = 0; row->buckets && i <= row->buckets->bound_count; i++)
        used += (size_t)snprintf(t->told + used, sizeof t->told - used, "%s%llu", i ? " " : ": ",
                                 (unsigned long long)row->buckets->counts[i]);
    snprintf(t->told + used, sizeof t->told - used, "\n");
}

static const char *told(three *t)
{
    t->told[0] = '\0';
    iswi_counts_rows("queue", &t->consumers[0], on_row, t);
    return t->told;
}

static void settle(three *t, size_t consumer, unsigned attempt, iswi_verdict verdict, bool died)
{
    iswi_delivery delivery = { .attempt = attempt };
    const iswi_settlement settlement = { .delivery = &delivery, .verdict = verdict, .died = died };

    iswi_counts_settled(&t->consumers[consumer].counts, &settlement);
}

static void functions_of_one_name_are_one_row(void **state)
{
    three *t = *state;

    settle(t, 0, 1, ISWI_VERDICT_COMPLETE, false);
    settle(t, 1, 1, ISWI_VERDICT_COMPLETE, false);
    settle(t, 2, 1, ISWI_VERDICT_COMPLETE, false);
    assert_non_null(strstr(told(t), "queue_completed_total{function=work} 2\n"
                                    "queue_completed_total{function=other} 1\n"));
    assert_null(strstr(strstr(t->told, "_total{function=work} 2") + 1,
                       "queue_completed_total{function=work}"));
}

static void attempts_are_counted_when_a_message_is_over(void **state)
{
    three *t = *state;

    settle(t, 0, 1, ISWI_VERDICT_ABANDON, false);
    settle(t, 0, 2, ISWI_VERDICT_DEFER, false);
    assert_non_null(strstr(told(t), "queue_attempts{queue=orders} 0: 0 0 0 0 0 0\n"));
    settle(t, 0, 1, ISWI_VERDICT_COMPLETE, false);
    settle(t, 1, 3, ISWI_VERDICT_ABANDON, true);
    settle(t, 2, 12, ISWI_VERDICT_COMPLETE, false);
    assert_non_null(strstr(told(t), "queue_attempts{queue=orders} 16: 1 0 1 0 0 1\n"));
}

static void time_in_a_queue_lies_at_most_as_its_bound(void **state)
{
    three *t = *state;
    iswi_delivery first = { .due_ms = 10000 };
    iswi_delivery second = { .due_ms = 9999 };
    iswi_delivery third = { .due_ms = -10000000 };
    iswi_delivery later = { .due_ms = 20000 };
    iswi_delivery *items[] = { &first, &second, &third, &later };

    iswi_clock_fake(1, 10000 * 1000);
    iswi_counts_delivered(&t->consumers[0].counts, items, 4);
    iswi_clock_real();
    assert_non_null(strstr(told(t), "queue_time_in_queue_seconds{queue=orders} 10010: "
                                    "3 0 0 0 0 0 0 0 0 0 0 0 0 1\n"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(functions_of_one_name_are_one_row, set_up, tear_down),
    cmocka_unit_test_setup_teardown(attempts_are_counted_when_a_message_is_over, set_up, tear_down),
    cmocka_unit_test_setup_teardown(time_in_a_queue_lies_at_most_as_its_bound, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
