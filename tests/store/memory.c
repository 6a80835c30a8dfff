/* SPDX-License-Identifier: Apache-2.0 */
/* Entries in memory: what all stores keep to, and what becomes of them where processes die. */
#include "store/conformance.h"

#include "base/clock.h"
#include "store/directory.h"
#include "store/hash.h"
#include "store/memory.h"
#include "store/table.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const iswi_store_driver *const driver = &iswi_store_memory;

static int make_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* -- What all stores keep to ------------------------------------------------------------------- */

static int shared = -1; /* the file of all places of the suite */
static int64_t now_ns;

static void begin_anew(void)
{
    if (shared >= 0)
        close(shared);
    shared = make_file();
    now_ns = INT64_C(5000000000);
    iswi_clock_fake(now_ns, 1);
}

static void *join_shared(void)
{
    return iswi_memory_create(fcntl(shared, F_DUPFD_CLOEXEC, 3));
}

static void leave(void *place)
{
    iswi_memory_destroy(place);
}

static void pass_ms(int64_t ms)
{
    now_ns += ms * 1000000;
    iswi_clock_fake(now_ns, 1);
}

const conforming_store subject = { &iswi_store_memory, begin_anew, join_shared, leave, pass_ms };

/* -- Places of its own ------------------------------------------------------------------------- */

typedef struct fixture {
    iswi_memory *memory;
    void *space;
} fixture;

static fixture begin(int fd, int64_t entries, int64_t bytes)
{
    fixture f = { .memory = iswi_memory_create(fd) };

    assert_non_null(f.memory);
    f.space = conforming_open(f.memory, "test", entries, bytes);
    return f;
}

static void end(fixture *f)
{
    driver->close(f->space);
    iswi_memory_destroy(f->memory);
    iswi_clock_real();
}

/* -- One process ------------------------------------------------------------------------------- */

static void what_was_written_longest_ago_gives_way(void **state)
{
    fixture f = begin(-1, 4, 0);

    (void)state;
    conforming_put(f.space, "a", "1", 5000);
    conforming_put(f.space, "b", "2", 4000);
    conforming_put(f.space, "c", "3", 6000);
    conforming_put(f.space, "d", "4", 7000);
    conforming_put(f.space, "e", "5", 8000);
    assert_string_equal(conforming_said(f.space, "b"), "none"); /* the one that ends first */
    assert_string_equal(conforming_said(f.space, "a"), "1");
    assert_string_equal(conforming_said(f.space, "e"), "5");
    end(&f);
}

static void what_is_held_gives_way_to_nothing(void **state)
{
    fixture f = begin(-1, 2, 0);
    const isw_bytes one = { "one", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = 1000, .held = true };

    (void)state;
    assert_int_equal(driver->replace(f.space, conforming_key("a"), &hold, false, NULL), ISW_OK);
    conforming_put(f.space, "b", "2", 9000);
    conforming_put(f.space, "c", "3", 9000);
    assert_string_equal(conforming_said(f.space, "a"), "one");
    assert_string_equal(conforming_said(f.space, "b"), "none");
    assert_int_equal(driver->replace(f.space, conforming_key("c"), &hold, true, NULL), ISW_OK);
    assert_int_equal(conforming_put(f.space, "d", "4", 9000), ISW_E_BUSY);
    end(&f);
}

static void large_values_have_so_many_bytes_and_no_more(void **state)
{
    fixture f = begin(-1, 100, 4 * ISWI_BLOCK_BYTES);
    char text[5 * ISWI_BLOCK_BYTES + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    text[5 * ISWI_BLOCK_BYTES] = '\0';
    assert_int_equal(conforming_put(f.space, "a", text, 1000), ISW_E_TOO_LARGE);
    text[2 * ISWI_BLOCK_BYTES] = '\0';
    for (int round = 0; round < 50; round++) {
        assert_int_equal(conforming_put(f.space, "a", text, 1000), ISW_OK);
        assert_int_equal(conforming_put(f.space, "b", text, 1000), ISW_OK);
        assert_string_equal(conforming_said(f.space, "a"), text);
        assert_string_equal(conforming_said(f.space, "b"), text);
        assert_int_equal(conforming_put(f.space, "c", text, 1000), ISW_OK);
        assert_string_equal(conforming_said(f.space, "a"), "none");
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

static void stores_of_other_names_and_shapes_are_others(void **state)
{
    fixture f = begin(make_file(), 16, 0);
    void *name = conforming_open(f.memory, "other", 16, 0);
    void *shape = conforming_open(f.memory, "test", 17, 0);
    void *same = conforming_open(f.memory, "test", 16, 0);

    (void)state;
    conforming_put(f.space, "a", "1", 60000);
    assert_string_equal(conforming_said(name, "a"), "none");
    assert_string_equal(conforming_said(shape, "a"), "none");
    assert_string_equal(conforming_said(same, "a"), "1");
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
    conforming_put(f.space, "a", "1", 60000);
    for (int i = 0; i < 200; i++) {
        void *space;

        snprintf(name, sizeof name, "n%d", i);
        space = conforming_open(f.memory, name, 16, 0);
        assert_string_equal(conforming_said(space, "a"), "none");
        conforming_put(space, "a", name, 60000);
        assert_string_equal(conforming_said(space, "a"), name);
        driver->close(space);
    }
    assert_string_equal(conforming_said(f.space, "a"), "1");
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
    iswi_store_hash(region.secret, conforming_key(victim), name);
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
    conforming_put(f.space, "small", "1", 60000);
    conforming_put(f.space, "victim", text, 60000);
    conforming_put(f.space, "large", text, 60000);
    child = fork();
    if (child == 0)
        die_while_changing(fd, "victim");
    wait_for(child, SIGKILL);
    assert_string_equal(conforming_said(f.space, "small"), "1");
    assert_string_equal(conforming_said(f.space, "large"), text);
    assert_string_equal(conforming_said(f.space, "victim"), "none");
    for (int i = 0; i < 40; i++) { /* all slots and blocks are there again */
        char name[16];

        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(conforming_put(f.space, name, text, 60000), ISW_OK);
        assert_string_equal(conforming_said(f.space, name), text);
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

        driver->replace(own.space, conforming_key("a"), &hold, false, NULL);
        if (write(held[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(held[0], &byte, 1), 1);
    assert_int_equal(driver->replace(f.space, conforming_key("a"), &hold, false, NULL),
                     ISW_E_CONFLICT);
    kill(child, SIGKILL);
    wait_for(child, SIGKILL);
    assert_int_equal(driver->replace(f.space, conforming_key("a"), &hold, false, NULL), ISW_OK);
    close(held[0]);
    close(held[1]);
    close(fd);
    end(&f);
}

/* A byte when the child uses its parent's store; it waits until we close. */
static pid_t fork_user(fixture *f, const int *ready, const int *wait)
{
    pid_t child = fork();
    char byte;

    if (child != 0)
        return child;
    close(wait[1]);
    iswi_memory_forked(f->memory);
    if (write(ready[1], "", 1) != 1 || read(wait[0], &byte, 1) != 0)
        _exit(1);
    _exit(strcmp(conforming_said(f->space, "a"), "one") == 0 ? 0 : 2);
}

static void a_child_that_was_forked_uses_what_its_parent_opened(void **state)
{
    int fd = make_file();
    fixture f = begin(fcntl(fd, F_DUPFD_CLOEXEC, 3), 16, 0);
    const isw_store_options options = { sizeof options, 16, 0 };
    int ready[2];
    int wait[2];
    iswi_memory *other;
    void *spaces[64];
    unsigned opened = 0;
    char name[16] = "n0";
    char byte;
    pid_t child;

    (void)state;
    assert_true(pipe2(ready, O_CLOEXEC) == 0 && pipe2(wait, O_CLOEXEC) == 0);
    conforming_put(f.space, "a", "one", 60000);
    child = fork_user(&f, ready, wait);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    end(&f); /* the parent has it no more */
    other = iswi_memory_create(fd);
    while (opened < 64 &&
           driver->open(other, name, &options, &spaces[opened], NULL) == ISW_OK)
        snprintf(name, sizeof name, "n%u", ++opened);
    assert_int_equal(opened, 47); /* of 48 places: one is the child's */
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(wait[i]);
    }
    wait_for(child, 0);
    while (opened)
        driver->close(spaces[--opened]);
    iswi_memory_destroy(other);
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
        conforming_put(f.space, name, text, 3600000);
        if (i % 5 == 0)
            driver->replace(f.space, conforming_key(name), &(isw_store_change){ 0 }, true, NULL);
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
            text = conforming_said(f.space, name);
            if (strcmp(text, "none") != 0)
                assert_int_equal(strspn(text, (char[]){ *text, '\0' }), strlen(text));
        }
    }
    close(fd);
    end(&f);
}

/* -- Who reads without the lock ---------------------------------------------------------------- */

typedef struct replacer {
    void *space;
    atomic_bool over;
} replacer;

/* Say something else, longer or shorter. */
static void *replace_often(void *user)
{
    static const char text[] = "a longer text";
    const isw_str name = isw_str_of("n");
    const isw_store_key key = { &name, 1 };
    replacer *r = user;

    for (size_t i = 0; !atomic_load(&r->over); i++) {
        const isw_bytes value = { text, 1 + i % (sizeof text - 1) };
        const isw_store_change turn = { .value = &value, .ttl_ms = 60000 };

        driver->replace(r->space, key, &turn, true, NULL);
    }
    return NULL;
}

static void who_reads_what_others_replace_finds_it(void **state)
{
    fixture f = begin(make_file(), 16, 0);
    replacer r = { .space = f.space };
    const isw_str name = isw_str_of("n");
    const isw_store_key key = { &name, 1 };
    char text[ISW_STORE_SMALL];
    unsigned missed = 0;
    pthread_t other;
    size_t size;

    (void)state;
    conforming_put(f.space, "n", "a", 60000);
    assert_int_equal(pthread_create(&other, NULL, replace_often, &r), 0);
    for (int i = 0; i < 1000000; i++)
        missed += driver->get(f.space, key, text, sizeof text, &size, NULL) != ISW_OK;
    atomic_store(&r.over, true);
    pthread_join(other, NULL);
    assert_int_equal(missed, 0);
    end(&f);
}

/* -- Names ------------------------------------------------------------------------------------- */

enum { NAMES_MAX = 4096 };

static int compare_names(const void *a, const void *b)
{
    return memcmp(a, b, 2 * sizeof(uint64_t));
}

static void name_it(uint64_t (*names)[2], size_t *count, const isw_str *parts, size_t number)
{
    static const uint64_t secret[2] = { 1, 2 };

    assert_true(*count < NAMES_MAX);
    iswi_store_hash(secret, (isw_store_key){ parts, number }, names[(*count)++]);
}

/* Of one text in one to six pieces, wherever it is cut, and of its beginnings. */
static void no_two_keys_have_one_name(void **state)
{
    static char text[70000];
    static uint64_t names[NAMES_MAX][2];
    size_t count = 0;

    (void)state;
    memset(text, 'a', sizeof text);
    name_it(names, &count, NULL, 0);
    for (size_t size = 0; size <= 20; size++) {
        name_it(names, &count, (isw_str[]){ { text, size } }, 1);
        for (size_t cut = 0; cut <= size; cut++)
            for (size_t more = 0; more < 5; more++) {
                isw_str parts[6] = { { text, cut }, { text, size - cut } };

                for (size_t i = 0; i < more; i++)
                    parts[2 + i] = (isw_str){ "", 0 };
                name_it(names, &count, parts, 2 + more);
            }
    }
    for (size_t size = 65530; size < 65541; size++)
        name_it(names, &count, (isw_str[]){ { text, size }, { text, 65541 - size } }, 2);
    name_it(names, &count, (isw_str[]){ { "ab", 2 } }, 1);
    name_it(names, &count, (isw_str[]){ { "ba", 2 } }, 1);
    name_it(names, &count, (isw_str[]){ { "aba", 3 } }, 1);
    name_it(names, &count, (isw_str[]){ { "aab", 3 } }, 1);
    name_it(names, &count, (isw_str[]){ { "aabaaaa", 7 } }, 1);
    name_it(names, &count, (isw_str[]){ { "aaaaaba", 7 } }, 1);
    qsort(names, count, sizeof names[0], compare_names);
    for (size_t i = 1; i < count; i++)
        assert_int_not_equal(memcmp(names[i - 1], names[i], sizeof names[0]), 0);
}

static const struct CMUnitTest tests[] = {
    STORE_CONFORMANCE,
    cmocka_unit_test(who_reads_what_others_replace_finds_it),
    cmocka_unit_test(no_two_keys_have_one_name),
    cmocka_unit_test(what_was_written_longest_ago_gives_way),
    cmocka_unit_test(what_is_held_gives_way_to_nothing),
    cmocka_unit_test(large_values_have_so_many_bytes_and_no_more),
    cmocka_unit_test(stores_of_other_names_and_shapes_are_others),
    cmocka_unit_test(what_no_process_uses_makes_room_for_others),
    cmocka_unit_test(a_death_in_the_middle_of_a_change_loses_that_entry_alone),
    cmocka_unit_test(what_is_held_goes_with_its_process),
    cmocka_unit_test(a_child_that_was_forked_uses_what_its_parent_opened),
    cmocka_unit_test(killing_at_any_moment_leaves_it_whole),
};

ISW_TEST_MAIN(tests)
