/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "host/operate/journal.h"

#include <stdio.h>

static unsigned rings;

static void ring(void *user)
{
    (void)user;
    rings++;
}

static void add(iswi_journal *journal, isw_log_level level, const char *function,
                const char *invocation_id, const char *text)
{
    iswi_logline line = { .level = level,
                          .function = isw_str_of(function),
                          .category = isw_str_of("Function"),
                          .invocation_id = isw_str_of(invocation_id) };

    iswi_journal_add(journal, &line, text, strlen(text));
}

/* All from `next` on that pass are these, and so many are lost. */
static void assert_reads(iswi_journal *journal, const iswi_journal_filter *filter, uint64_t next,
                         const char *expected, uint64_t expected_lost)
{
    iswi_buffer out = { 0 };
    uint64_t lost = 0;

    iswi_journal_read(journal, filter, &next, 1000000, &out, &lost);
    assert_string_equal(iswi_buffer_text(&out), expected);
    assert_int_equal(lost, expected_lost);
    iswi_buffer_fini(&out);
}

static void the_oldest_lines_go_and_count_as_lost(void **state)
{
    iswi_journal *journal = iswi_journal_create(3, 100000, ring, NULL);
    iswi_journal_filter all = { .level = ISW_LOG_TRACE };

    (void)state;
    assert_reads(journal, &all, 0, "", 0);
    add(journal, ISW_LOG_INFO, "f", "1", "a");
    add(journal, ISW_LOG_INFO, "f", "1", "b");
    assert_reads(journal, &all, 0, "ab", 0);
    add(journal, ISW_LOG_INFO, "f", "1", "c");
    add(journal, ISW_LOG_INFO, "f", "1", "d");
    add(journal, ISW_LOG_INFO, "f", "1", "e");
    assert_reads(journal, &all, 0, "cde", 2);
    assert_reads(journal, &all, 3, "de", 0);
    iswi_journal_destroy(journal);
}

static void there_may_be_more_room_or_less(void **state)
{
    iswi_journal *journal = iswi_journal_create(3, 100000, ring, NULL);
    const iswi_journal_filter all = { .level = ISW_LOG_TRACE };

    (void)state;
    for (const char *text = "abcde"; *text; text++)
        add(journal, ISW_LOG_INFO, "f", "1", (const char[]){ *text, '\0' });
    iswi_journal_take_room(journal, iswi_journal_room_make(5));
    add(journal, ISW_LOG_INFO, "f", "1", "f");
    add(journal, ISW_LOG_INFO, "f", "1", "g");
    assert_reads(journal, &all, 0, "cdefg", 2);
    iswi_journal_take_room(journal, iswi_journal_room_make(2));
    assert_reads(journal, &all, 0, "fg", 5);
    add(journal, ISW_LOG_INFO, "f", "1", "h");
    assert_reads(journal, &all, 0, "gh", 6);
    iswi_journal_destroy(journal);
}

static void long_lines_take_the_room_of_more(void **state)
{
    static char wide[400];
    iswi_journal *journal = iswi_journal_create(100, 1000, ring, NULL);
    iswi_journal_filter errors = { .level = ISW_LOG_ERROR };

    (void)state;
    memset(wide, 'x', sizeof wide - 1);
    add(journal, ISW_LOG_ERROR, "", "", "first");
    add(journal, ISW_LOG_INFO, "", "", wide);
    assert_reads(journal, &errors, 0, "first", 0);
    add(journal, ISW_LOG_INFO, "", "", wide);
    add(journal, ISW_LOG_INFO, "", "", wide);
    assert_reads(journal, &errors, 0, "", 2);
    iswi_journal_destroy(journal);
}

static void filters_take_function_category_invocation_and_level(void **state)
{
    iswi_journal *journal = iswi_journal_create(10, 100000, ring, NULL);

    (void)state;
    add(journal, ISW_LOG_INFO, "order_new", "ab12", "1");
    add(journal, ISW_LOG_ERROR, "order_old", "ab34", "2");
    add(journal, ISW_LOG_DEBUG, "hello", "cd56", "3");
    add(journal, ISW_LOG_WARNING, "", "", "4");
    assert_reads(journal, &(iswi_journal_filter){ .function = "order_*" }, 0, "12", 0);
    assert_reads(journal, &(iswi_journal_filter){ .invocation = "ab3" }, 0, "2", 0);
    assert_reads(journal, &(iswi_journal_filter){ .level = ISW_LOG_WARNING }, 0, "24", 0);
    assert_reads(journal, &(iswi_journal_filter){ .category = "Func*" }, 0, "1234", 0);
    assert_reads(journal, &(iswi_journal_filter){ .category = "Host*" }, 0, "", 0);
    iswi_journal_destroy(journal);
}

static void a_tail_counts_only_what_passes(void **state)
{
    iswi_journal *journal = iswi_journal_create(10, 100000, ring, NULL);
    iswi_journal_filter errors = { .level = ISW_LOG_ERROR };

    (void)state;
    for (int i = 0; i < 10; i++) {
        char text[2] = { (char)('0' + i), '\0' };

        add(journal, i % 2 ? ISW_LOG_ERROR : ISW_LOG_INFO, "", "", text);
    }
    assert_reads(journal, &errors, iswi_journal_tail(journal, &errors, 2), "79", 0);
    assert_reads(journal, &errors, iswi_journal_tail(journal, &errors, 0), "", 0);
    assert_reads(journal, &errors, iswi_journal_tail(journal, &errors, 100), "13579", 0);
    iswi_journal_destroy(journal);
}

static void a_batch_ends_where_it_is_full_and_goes_on_there(void **state)
{
    iswi_journal *journal = iswi_journal_create(10, 100000, ring, NULL);
    iswi_journal_filter all = { .level = ISW_LOG_TRACE };
    iswi_buffer out = { 0 };
    uint64_t next = 0;
    uint64_t lost = 0;

    (void)state;
    for (int i = 0; i < 5; i++)
        add(journal, ISW_LOG_INFO, "", "", "line");
    iswi_journal_read(journal, &all, &next, 9, &out, &lost);
    assert_int_equal(out.size, 12);
    assert_int_equal(next, 3);
    iswi_journal_read(journal, &all, &next, 1000, &out, &lost);
    assert_int_equal(out.size, 20);
    iswi_buffer_fini(&out);
    iswi_journal_destroy(journal);
}

static void the_bell_rings_once_for_those_who_are_up_to_date(void **state)
{
    iswi_journal *journal = iswi_journal_create(10, 100000, ring, NULL);

    (void)state;
    rings = 0;
    add(journal, ISW_LOG_INFO, "", "", "x");
    assert_int_equal(rings, 0);
    assert_false(iswi_journal_arm(journal, 0));
    assert_true(iswi_journal_arm(journal, 1));
    add(journal, ISW_LOG_INFO, "", "", "y");
    add(journal, ISW_LOG_INFO, "", "", "z");
    assert_int_equal(rings, 1);
    iswi_journal_destroy(journal);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_oldest_lines_go_and_count_as_lost),
    cmocka_unit_test(there_may_be_more_room_or_less),
    cmocka_unit_test(long_lines_take_the_room_of_more),
    cmocka_unit_test(filters_take_function_category_invocation_and_level),
    cmocka_unit_test(a_tail_counts_only_what_passes),
    cmocka_unit_test(a_batch_ends_where_it_is_full_and_goes_on_there),
    cmocka_unit_test(the_bell_rings_once_for_those_who_are_up_to_date),
};

ISW_TEST_MAIN(tests)
