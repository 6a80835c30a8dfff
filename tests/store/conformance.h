/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_STORE_CONFORMANCE_H
#define ISW_TESTS_STORE_CONFORMANCE_H

/*
 * What every driver of stores keeps to, wherever its entries are. Its test file says what it is, and
 * has STORE_CONFORMANCE among its cases.
 */
#include "support/main.h"

#include "store/driver.h"

typedef struct conforming_store {
    const iswi_store_driver *driver;
    void (*fresh)(void);  /* all that there was is gone */
    void *(*join)(void); /* the place where stores are, as a process has it that comes anew */
    void (*leave)(void *place);
    void (*pass_ms)(int64_t ms); /* so much time passes, at least */
} conforming_store;

extern const conforming_store subject;

/* -- For the subject's own cases --------------------------------------------------------------- */

typedef struct conforming_space {
    void *place, *space;
} conforming_space;

/* A place with the store "test", which is fresh unless there is another one now; and its end. */
conforming_space conforming_begin(int64_t entries, int64_t bytes);
void conforming_end(conforming_space *f);

void *conforming_open(void *place, const char *name, int64_t entries, int64_t bytes);

/* A key of one part; good until the next but seven. */
isw_store_key conforming_key(const char *text);

/* As isw_store_set. */
isw_status conforming_put(void *space, const char *name, const char *text, int64_t ttl_ms);

/* What an entry says, or "none". Static text. */
const char *conforming_said(void *space, const char *name);

void conforms_and_values_come_and_go(void **state);
void conforms_and_parts_of_a_key_are_not_taken_for_each_other(void **state);
void conforms_and_a_change_is_made_only_to_what_it_was_meant_for(void **state);
void conforms_and_a_counter_keeps_between_floor_and_ceiling(void **state);
void conforms_and_numbers_have_all_of_their_bits(void **state);
void conforms_and_a_counter_is_an_entry_of_eight_bytes(void **state);
void conforms_and_a_counter_ends_as_its_steps_say(void **state);
void conforms_and_stores_of_other_names_are_others(void **state);
void conforms_and_what_is_too_large_is_refused(void **state);
void conforms_and_what_is_held_stays_with_its_process(void **state);
void conforms_and_its_clock_is_that_of_all(void **state);
void conforms_when_processes_count_together(void **state);
void conforms_when_threads_change_one_entry(void **state);

#define STORE_CONFORMANCE                                                         \
    cmocka_unit_test(conforms_and_values_come_and_go),                            \
    cmocka_unit_test(conforms_and_parts_of_a_key_are_not_taken_for_each_other),   \
    cmocka_unit_test(conforms_and_a_change_is_made_only_to_what_it_was_meant_for),\
    cmocka_unit_test(conforms_and_a_counter_keeps_between_floor_and_ceiling),     \
    cmocka_unit_test(conforms_and_numbers_have_all_of_their_bits),                \
    cmocka_unit_test(conforms_and_a_counter_is_an_entry_of_eight_bytes),          \
    cmocka_unit_test(conforms_and_a_counter_ends_as_its_steps_say),               \
    cmocka_unit_test(conforms_and_stores_of_other_names_are_others),              \
    cmocka_unit_test(conforms_and_what_is_too_large_is_refused),                  \
    cmocka_unit_test(conforms_and_what_is_held_stays_with_its_process),           \
    cmocka_unit_test(conforms_and_its_clock_is_that_of_all),                      \
    cmocka_unit_test(conforms_when_processes_count_together),                     \
    cmocka_unit_test(conforms_when_threads_change_one_entry)

#endif
