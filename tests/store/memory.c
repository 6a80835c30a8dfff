/* SPDX-License-Identifier: Apache-2.0 */
/* Entries in memory: what may be done with them, by one process and by several, of which some die. */
#include "support/main.h"

#include "base/clock.h"
#include "store/directory.h"
#include "store/hash.h"
#include "store/memory.h"
#include "store/table.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const iswi_store_driver *const driver = &iswi_store_memory;

enum { S = 1000000000 };

typedef struct fixture {
    iswi_memory *memory;
    void *space;
} fixture;

static void *space_of(iswi_memory *memory, const char *name, int64_t entries, int64_t bytes)
{
    const isw_store_options options = { sizeof options, entries, bytes };
    isw_error error = { 0 };
    void *space = NULL;

    assert_int_equal(driver->open(memory, name, &options, &space, &error), ISW_OK);
    return space;
}

static fixture begin(int fd, int64_t entries, int64_t bytes)
{
    fixture f = { .memory = iswi_memory_create(fd) };

    assert_non_null(f.memory);
    f.space = space_of(f.memory, "test", entries, bytes);
    return f;
}

static void end(fixture *f)
{
    driver->close(f->space);
    iswi_memory_destroy(f->memory);
    iswi_clock_real();
}

static int make_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* A key of one part; good until the next but seven. */
static isw_store_key key(const char *text)
{
    static isw_str parts[8];
    static unsigned at;
    isw_str *part = &parts[at++ % 8];

    *part = isw_str_of(text);
    return (isw_store_key){ part, 1 };
}

static isw_status put(void *space, const char *name, const char *text, int64_t ttl_ms)
{
    const isw_bytes value = { text, strlen(text) };

    return driver->replace(space, key(name),
                           &(isw_store_change){ .value = &value, .ttl_ms = ttl_ms }, true, NULL);
}

/* What an entry says, or "none". Static text. */
static const char *said(void *space, const char *name)
{
    static char text[65536];
    size_t size = 0;
    isw_status status = driver->get(space, key(name), text, sizeof text - 1, &size, NULL);

    assert_true(status == ISW_OK || status == ISW_E_NOT_FOUND);
    text[size] = '\0';
    return status == ISW_OK ? text : "none";
}

/* -- One process ------------------------------------------------------------------------------- */

static void values_come_and_go(void **state)
{
    fixture f = begin(-1, 16, 4096);
    size_t size = 0;
    char small[4] = "abc";

    (void)state;
    iswi_clock_fake(5 * (int64_t)S, 1);
    assert_string_equal(said(f.space, "a"), "none");
    assert_int_equal(put(f.space, "a", "one", 1000), ISW_OK);
    assert_int_equal(put(f.space, "b", "a value that is longer than an entry has room for", 2000),
                     ISW_OK);
    assert_string_equal(said(f.space, "a"), "one");
    assert_string_equal(said(f.space, "b"), "a value that is longer than an entry has room for");
    assert_int_equal(driver->get(f.space, key("b"), small, sizeof small, &size, NULL), ISW_OK);
    assert_int_equal(size, 49);
    assert_string_equal(small, "abc"); /* no room: left alone */
    assert_int_equal(put(f.space, "a", "", 1000), ISW_OK);
    assert_string_equal(said(f.space, "a"), "");
    iswi_clock_fake(6 * (int64_t)S, 1);
    assert_string_equal(said(f.space, "a"), "none");
    driver->replace(f.space, key("b"), &(isw_store_change){ 0 }, true, NULL);
    assert_string_equal(said(f.space, "b"), "none");
    end(&f);
}

static void parts_of_a_key_are_not_taken_for_each_other(void **state)
{
    fixture f = begin(-1, 16, 0);
    const isw_str one[] = { { "ab", 2 }, { "c", 1 } };
    const isw_str other[] = { { "a", 1 }, { "bc", 2 } };
    const isw_bytes value = { "x", 1 };
    const isw_store_change change = { .value = &value, .ttl_ms = 1000 };
    size_t size;
    char text[8];

    (void)state;
    assert_int_equal(driver->replace(f.space, (isw_store_key){ one, 2 }, &change, true, NULL),
                     ISW_OK);
    assert_int_equal(driver->get(f.space, (isw_store_key){ other, 2 }, text, 8, &size, NULL),
                     ISW_E_NOT_FOUND);
    assert_int_equal(driver->get(f.space, (isw_store_key){ one, 2 }, text, 8, &size, NULL), ISW_OK);
    end(&f);
}

static void a_change_is_made_only_to_what_it_was_meant_for(void **state)
{
    fixture f = begin(-1, 16, 0);
    const isw_bytes one = { "one", 3 };
    const isw_bytes two = { "two", 3 };
    const isw_store_change make = { .value = &one, .ttl_ms = 1000 };
    const isw_store_change change = { .was = &one, .value = &two, .ttl_ms = 1000 };
    const isw_store_change drop = { .was = &two };

    (void)state;
    assert_int_equal(driver->replace(f.space, key("a"), &change, false, NULL), ISW_E_CONFLICT);
    assert_int_equal(driver->replace(f.space, key("a"), &make, false, NULL), ISW_OK);
    assert_int_equal(driver->replace(f.space, key("a"), &make, false, NULL), ISW_E_CONFLICT);
    assert_int_equal(driver->replace(f.space, key("a"), &change, false, NULL), ISW_OK);
    assert_string_equal(said(f.space, "a"), "two");
    assert_int_equal(driver->replace(f.space, key("a"), &change, false, NULL), ISW_E_CONFLICT);
    assert_int_equal(driver->replace(f.space, key("a"), &drop, false, NULL), ISW_OK);
    assert_string_equal(said(f.space, "a"), "none");
    end(&f);
}

static void a_counter_keeps_between_floor_and_ceiling(void **state)
{
    fixture f = begin(-1, 16, 0);
    isw_store_step step = { 3, INT64_MIN, 7, 1000, false };
    int64_t value = 0;

    (void)state;
    iswi_clock_fake(5 * (int64_t)S, 1);
    assert_int_equal(driver->add(f.space, key("n"), &step, &value, NULL), ISW_OK);
    assert_int_equal(driver->add(f.space, key("n"), &step, &value, NULL), ISW_OK);
    assert_int_equal(value, 6);
    assert_int_equal(driver->add(f.space, key("n"), &step, &value, NULL), ISW_E_BUSY);
    assert_int_equal(value, 6);
    step.floor = 10;
    step.ceiling = INT64_MAX;
    assert_int_equal(driver->add(f.space, key("n"), &step, &value, NULL), ISW_OK);
    assert_int_equal(value, 13);
    step.by = INT64_MAX;
    assert_int_equal(driver->add(f.space, key("n"), &step, &value, NULL), ISW_E_BUSY);
    iswi_clock_fake(6 * (int64_t)S, 1); /* as the first one said */
    assert_string_equal(said(f.space, "n"), "none");
    put(f.space, "n", "no number", 1000);
    assert_int_equal(driver->add(f.space, key("n"), &step, &value, NULL), ISW_E_INVALID);
    end(&f);
}

static void what_was_written_longest_ago_gives_way(void **state)
{
    fixture f = begin(-1, 4, 0);

    (void)state;
    put(f.space, "a", "1", 5000);
    put(f.space, "b", "2", 4000);
    put(f.space, "c", "3", 6000);
    put(f.space, "d", "4", 7000);
    put(f.space, "e", "5", 8000);
    assert_string_equal(said(f.space, "b"), "none"); /* the one that ends first */
    assert_string_equal(said(f.space, "a"), "1");
    assert_string_equal(said(f.space, "e"), "5");
    end(&f);
}

static void what_is_held_gives_way_to_nothing(void **state)
{
    fixture f = begin(-1, 2, 0);
    const isw_bytes one = { "one", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = 1000, .held = true };

    (void)state;
    assert_int_equal(driver->replace(f.space, key("a"), &hold, false, NULL), ISW_OK);
    put(f.space, "b", "2", 9000);
    put(f.space, "c", "3", 9000);
    assert_string_equal(said(f.space, "a"), "one");
    assert_string_equal(said(f.space, "b"), "none");
    assert_int_equal(driver->replace(f.space, key("c"), &hold, true, NULL), ISW_OK);
    assert_int_equal(put(f.space, "d", "4", 9000), ISW_E_BUSY);
    end(&f);
}

static void large_values_have_so_many_bytes_and_no_more(void **state)
{
    fixture f = begin(-1, 100, 4 * ISWI_BLOCK_BYTES);
    char text[5 * ISWI_BLOCK_BYTES + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    text[5 * ISWI_BLOCK_BYTES] = '\0';
    assert_int_equal(put(f.space, "a", text, 1000), ISW_E_TOO_LARGE);
    text[2 * ISWI_BLOCK_BYTES] = '\0';
    for (int round = 0; round < 50; round++) {
        assert_int_equal(put(f.space, "a", text, 1000), ISW_OK);
        assert_int_equal(put(f.space, "b", text, 1000), ISW_OK);
        assert_string_equal(said(f.space, "a"), text);
        assert_string_equal(said(f.space, "b"), text);
        assert_int_equal(put(f.space, "c", text, 1000), ISW_OK);
        assert_string_equal(said(f.space, "a"), "none");
    }
    end(&f);
}

/* -- Several ----------------------------------------------------------------------------------- */

static void wait_for(pid_t child, int signal_number)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    if (signal_number)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signal_number);
    else
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In a process of its own: 1,000 tries, and how many of them counted. */
static void count_in_child(int fd, int out)
{
    fixture f = { .memory = iswi_memory_create(fd) };
    const isw_store_step step = { 1, INT64_MIN, 1500, 3600000, true };
    int64_t value;
    int count = 0;

    f.space = space_of(f.memory, "test", 20000, 0);
    for (int i = 0; i < 1000; i++)
        count += driver->add(f.space, key("limit"), &step, &value, NULL) == ISW_OK;
    _exit(write(out, &count, sizeof count) == sizeof count ? 0 : 1);
}

static void processes_count_together_exactly(void **state)
{
    int fd = make_file();
    int ends[2];
    int total = 0;
    pid_t children[4];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0)
            count_in_child(fd, ends[1]);
    }
    for (int i = 0; i < 4; i++) {
        int count;

        wait_for(children[i], 0);
        assert_int_equal(read(ends[0], &count, sizeof count), sizeof count);
        total += count;
    }
    assert_int_equal(total, 1500);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

static void stores_of_other_names_and_shapes_are_others(void **state)
{
    fixture f = begin(make_file(), 16, 0);
    void *name = space_of(f.memory, "other", 16, 0);
    void *shape = space_of(f.memory, "test", 17, 0);
    void *same = space_of(f.memory, "test", 16, 0);

    (void)state;
    put(f.space, "a", "1", 60000);
    assert_string_equal(said(name, "a"), "none");
    assert_string_equal(said(shape, "a"), "none");
    assert_string_equal(said(same, "a"), "1");
    driver->close(name);
    driver->close(shape);
    driver->close(same);
    end(&f);
}

static void what_no_process_uses_makes_room_for_others(void **state)
{
    fixture f = begin(make_file(), 16, 0);
    char name[16];

    (void)state;
    put(f.space, "a", "1", 60000);
    for (int i = 0; i < 200; i++) {
        void *space;

        snprintf(name, sizeof name, "n%d", i);
        space = space_of(f.memory, name, 16, 0);
        assert_string_equal(said(space, "a"), "none");
        put(space, "a", name, 60000);
        assert_string_equal(said(space, "a"), name);
        driver->close(space);
    }
    assert_string_equal(said(f.space, "a"), "1");
    end(&f);
}

/* A child dies with the lock of the table, in the middle of a change of `victim`. */
static void die_while_changing(int fd, const char *victim)
{
    const isw_store_options options = { sizeof options, 16, 4096 };
    iswi_memory *memory = iswi_memory_create(fd);
    iswi_table_shape shape;
    iswi_region region;
    iswi_rows rows;
    iswi_slot *slot;
    uint64_t name[2];
    char other[700]; /* as large as what is there */

    memset(other, 'z', sizeof other);
    if (iswi_table_shape_of(&options, &shape, NULL) != ISW_OK ||
        iswi_memory_open(memory, "test", &shape, &region, NULL) != ISW_OK)
        _exit(1);
    iswi_store_hash(region.secret, key(victim), name);
    if (!iswi_table_lock(&shape, region.table, name, &rows))
        _exit(2);
    slot = iswi_table_find(&shape, &rows, name);
    if (!slot || slot->size > sizeof other)
        _exit(3);
    iswi_table_write(&rows, slot, (isw_bytes){ other, slot->size });
    slot->next = slot->older = 77777;
    rows.stripe->oldest = rows.stripe->free_blocks = 4242;
    memset(rows.buckets, 0x55, shape.buckets * sizeof(uint32_t));
    kill(getpid(), SIGKILL);
}

static void a_death_in_the_middle_of_a_change_loses_that_entry_alone(void **state)
{
    int fd = make_file();
    fixture f = begin(fcntl(fd, F_DUPFD_CLOEXEC, 3), 16, 4096);
    char text[700];
    pid_t child;

    (void)state;
    memset(text, 'y', sizeof text);
    text[sizeof text - 1] = '\0';
    put(f.space, "small", "1", 60000);
    put(f.space, "victim", text, 60000);
    put(f.space, "large", text, 60000);
    child = fork();
    if (child == 0)
        die_while_changing(fd, "victim");
    wait_for(child, SIGKILL);
    assert_string_equal(said(f.space, "small"), "1");
    assert_string_equal(said(f.space, "large"), text);
    assert_string_equal(said(f.space, "victim"), "none");
    for (int i = 0; i < 40; i++) { /* all slots and blocks are there again */
        char name[16];

        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(put(f.space, name, text, 60000), ISW_OK);
        assert_string_equal(said(f.space, name), text);
    }
    close(fd);
    end(&f);
}

static void what_is_held_goes_with_its_process(void **state)
{
    int fd = make_file();
    fixture f = begin(fcntl(fd, F_DUPFD_CLOEXEC, 3), 16, 0);
    const isw_bytes one = { "one", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = 3600000, .held = true };
    int held[2];
    char byte;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(held), 0);
    child = fork();
    if (child == 0) {
        fixture own = begin(fd, 16, 0);

        driver->replace(own.space, key("a"), &hold, false, NULL);
        if (write(held[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(held[0], &byte, 1), 1);
    assert_int_equal(driver->replace(f.space, key("a"), &hold, false, NULL), ISW_E_CONFLICT);
    kill(child, SIGKILL);
    wait_for(child, SIGKILL);
    assert_int_equal(driver->replace(f.space, key("a"), &hold, false, NULL), ISW_OK);
    close(held[0]);
    close(held[1]);
    close(fd);
    end(&f);
}

/* Children work on a few keys and are killed at any moment; what is left works, and is whole. */
static void work_until_killed(int fd)
{
    fixture f = begin(fd, 8, 8 * 1024);
    char text[3000];
    char name[8];

    for (unsigned i = 0;; i++) {
        size_t size = i * 7919 % (sizeof text - 1);

        memset(text, 'a' + (int)(i % 26), size);
        text[size] = '\0';
        snprintf(name, sizeof name, "k%u", i % 12);
        put(f.space, name, text, 3600000);
        if (i % 5 == 0)
            driver->replace(f.space, key(name), &(isw_store_change){ 0 }, true, NULL);
    }
}

static void killing_at_any_moment_leaves_it_whole(void **state)
{
    int fd = make_file();
    fixture f = begin(fcntl(fd, F_DUPFD_CLOEXEC, 3), 8, 8 * 1024);

    (void)state;
    for (int round = 0; round < 60; round++) {
        pid_t children[3];

        for (int i = 0; i < 3; i++) {
            children[i] = fork();
            if (children[i] == 0)
                work_until_killed(fd);
        }
        usleep((useconds_t)(500 + round * 37)); /* any moment */
        for (int i = 0; i < 3; i++) {
            kill(children[i], SIGKILL);
            wait_for(children[i], SIGKILL);
        }
        for (int i = 0; i < 12; i++) {
            char name[8];
            const char *text;

            snprintf(name, sizeof name, "k%d", i);
            text = said(f.space, name);
            if (strcmp(text, "none") != 0)
                assert_int_equal(strspn(text, (char[]){ *text, '\0' }), strlen(text));
        }
    }
    close(fd);
    end(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_come_and_go),
    cmocka_unit_test(parts_of_a_key_are_not_taken_for_each_other),
    cmocka_unit_test(a_change_is_made_only_to_what_it_was_meant_for),
    cmocka_unit_test(a_counter_keeps_between_floor_and_ceiling),
    cmocka_unit_test(what_was_written_longest_ago_gives_way),
    cmocka_unit_test(what_is_held_gives_way_to_nothing),
    cmocka_unit_test(large_values_have_so_many_bytes_and_no_more),
    cmocka_unit_test(processes_count_together_exactly),
    cmocka_unit_test(stores_of_other_names_and_shapes_are_others),
    cmocka_unit_test(what_no_process_uses_makes_room_for_others),
    cmocka_unit_test(a_death_in_the_middle_of_a_change_loses_that_entry_alone),
    cmocka_unit_test(what_is_held_goes_with_its_process),
    cmocka_unit_test(killing_at_any_moment_leaves_it_whole),
};

ISW_TEST_MAIN(tests)
