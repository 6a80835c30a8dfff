/* SPDX-License-Identifier: Apache-2.0 */
#include "store/conformance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONG_MS = 3600000 };

static int spaces; /* that there are now */

/* -- For all ----------------------------------------------------------------------------------- */

void *conforming_open(void *place, const char *name, int64_t entries, int64_t bytes)
{
    const isw_store_options options = { sizeof options, entries, bytes };
    isw_error error = { 0 };
    void *space = NULL;

    assert_int_equal(subject.driver->open(place, name, &options, &space, &error), ISW_OK);
    return space;
}

conforming_space conforming_begin(int64_t entries, int64_t bytes)
{
    conforming_space f;

    if (spaces++ == 0)
        subject.fresh();
    f.place = subject.join();
    assert_non_null(f.place);
    f.space = conforming_open(f.place, "test", entries, bytes);
    return f;
}

void conforming_end(conforming_space *f)
{
    subject.driver->close(f->space);
    subject.leave(f->place);
    spaces--;
}

isw_store_key conforming_key(const char *text)
{
    static isw_str parts[8];
    static unsigned at;
    isw_str *part = &parts[at++ % 8];

    *part = isw_str_of(text);
    return (isw_store_key){ part, 1 };
}

isw_status conforming_put(void *space, const char *name, const char *text, int64_t ttl_ms)
{
    const isw_bytes value = { text, strlen(text) };

    return subject.driver->replace(space, conforming_key(name),
                                   &(isw_store_change){ .value = &value, .ttl_ms = ttl_ms }, true,
                                   NULL);
}

const char *conforming_said(void *space, const char *name)
{
    static char text[65536];
    size_t size = 0;
    isw_status status =
        subject.driver->get(space, conforming_key(name), text, sizeof text - 1, &size, NULL);

    assert_true(status == ISW_OK || status == ISW_E_NOT_FOUND);
    text[size] = '\0';
    return status == ISW_OK ? text : "none";
}

static isw_status change(void *space, const char *name, const isw_store_change *change)
{
    return subject.driver->replace(space, conforming_key(name), change, false, NULL);
}

static isw_status look(void *space, isw_store_key key)
{
    size_t size;
    char text[8];

    return subject.driver->get(space, key, text, sizeof text, &size, NULL);
}

static isw_status step(void *space, const char *name, const isw_store_step *step, int64_t *value)
{
    return subject.driver->add(space, conforming_key(name), step, value, NULL);
}

/* -- Values ------------------------------------------------------------------------------------ */

void conforms_and_values_come_and_go(void **state)
{
    conforming_space f = conforming_begin(16, 4096);
    size_t size = 0;
    char small[4] = "abc";

    (void)state;
    assert_string_equal(conforming_said(f.space, "a"), "none");
    assert_int_equal(conforming_put(f.space, "a", "one", LONG_MS), ISW_OK);
    assert_int_equal(conforming_put(f.space, "b", "a value that is longer than an entry has room "
                                                  "for", LONG_MS), ISW_OK);
    assert_string_equal(conforming_said(f.space, "a"), "one");
    assert_string_equal(conforming_said(f.space, "b"),
                        "a value that is longer than an entry has room for");
    assert_int_equal(subject.driver->get(f.space, conforming_key("b"), small, sizeof small, &size,
                                         NULL), ISW_OK);
    assert_int_equal(size, 49);
    assert_string_equal(small, "abc"); /* no room: left alone */
    assert_int_equal(conforming_put(f.space, "a", "", 300), ISW_OK);
    assert_string_equal(conforming_said(f.space, "a"), "");
    subject.pass_ms(301);
    assert_string_equal(conforming_said(f.space, "a"), "none");
    subject.driver->replace(f.space, conforming_key("b"), &(isw_store_change){ 0 }, true, NULL);
    assert_string_equal(conforming_said(f.space, "b"), "none");
    assert_int_equal(conforming_put(f.space, "c", "no time", 0), ISW_OK);
    assert_string_equal(conforming_said(f.space, "c"), "none");
    assert_int_equal(conforming_put(f.space, "c", "for ever", INT64_MAX), ISW_OK);
    assert_string_equal(conforming_said(f.space, "c"), "for ever");
    conforming_end(&f);
}

void conforms_and_parts_of_a_key_are_not_taken_for_each_other(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    const isw_str one[] = { { "ab", 2 }, { "c", 1 } };
    const isw_str other[] = { { "a", 1 }, { "bc", 2 } };
    const isw_str whole[] = { { "abc", 3 } };
    const isw_bytes value = { "x", 1 };
    const isw_store_change put = { .value = &value, .ttl_ms = LONG_MS };

    (void)state;
    assert_int_equal(subject.driver->replace(f.space, (isw_store_key){ one, 2 }, &put, true, NULL),
                     ISW_OK);
    assert_int_equal(look(f.space, (isw_store_key){ other, 2 }), ISW_E_NOT_FOUND);
    assert_int_equal(look(f.space, (isw_store_key){ whole, 1 }), ISW_E_NOT_FOUND);
    assert_int_equal(look(f.space, (isw_store_key){ one, 2 }), ISW_OK);
    conforming_end(&f);
}

void conforms_and_a_change_is_made_only_to_what_it_was_meant_for(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    const isw_bytes one = { "one\0", 4 };
    const isw_bytes two = { "two", 3 };
    const isw_store_change make = { .value = &one, .ttl_ms = LONG_MS };
    const isw_store_change turn = { .was = &one, .value = &two, .ttl_ms = LONG_MS };
    const isw_store_change drop = { .was = &two };

    (void)state;
    assert_int_equal(change(f.space, "a", &turn), ISW_E_CONFLICT);
    assert_int_equal(change(f.space, "a", &make), ISW_OK);
    assert_int_equal(change(f.space, "a", &make), ISW_E_CONFLICT);
    assert_int_equal(change(f.space, "a", &turn), ISW_OK);
    assert_string_equal(conforming_said(f.space, "a"), "two");
    assert_int_equal(change(f.space, "a", &turn), ISW_E_CONFLICT);
    assert_int_equal(change(f.space, "a", &drop), ISW_OK);
    assert_string_equal(conforming_said(f.space, "a"), "none");
    conforming_end(&f);
}

void conforms_and_what_is_too_large_is_refused(void **state)
{
    conforming_space f = conforming_begin(4, 1024);
    void *small = conforming_open(f.place, "small", 4, 0);
    char text[1026];

    (void)state;
    memset(text, 'x', sizeof text);
    text[1025] = '\0';
    assert_int_equal(conforming_put(f.space, "a", text, LONG_MS), ISW_E_TOO_LARGE);
    text[1024] = '\0';
    assert_int_equal(conforming_put(f.space, "a", text, LONG_MS), ISW_OK);
    assert_string_equal(conforming_said(f.space, "a"), text);
    text[ISW_STORE_SMALL + 1] = '\0';
    assert_int_equal(conforming_put(small, "a", text, LONG_MS), ISW_E_TOO_LARGE);
    text[ISW_STORE_SMALL] = '\0';
    assert_int_equal(conforming_put(small, "a", text, LONG_MS), ISW_OK);
    subject.driver->close(small);
    conforming_end(&f);
}

void conforms_and_stores_of_other_names_are_others(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    void *name = conforming_open(f.place, "other", 16, 0);
    void *same = conforming_open(f.place, "test", 16, 0);

    (void)state;
    conforming_put(f.space, "a", "1", LONG_MS);
    assert_string_equal(conforming_said(name, "a"), "none");
    assert_string_equal(conforming_said(same, "a"), "1");
    subject.driver->close(name);
    subject.driver->close(same);
    conforming_end(&f);
}

/* -- Counters ---------------------------------------------------------------------------------- */

void conforms_and_a_counter_keeps_between_floor_and_ceiling(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    isw_store_step by = { 3, INT64_MIN, 7, LONG_MS, false };
    int64_t value = 0;

    (void)state;
    assert_int_equal(step(f.space, "n", &by, &value), ISW_OK);
    assert_int_equal(step(f.space, "n", &by, &value), ISW_OK);
    assert_int_equal(value, 6);
    assert_int_equal(step(f.space, "n", &by, &value), ISW_E_BUSY);
    assert_int_equal(value, 6);
    by.floor = 10;
    by.ceiling = 12;
    assert_int_equal(step(f.space, "n", &by, &value), ISW_E_BUSY);
    assert_int_equal(value, 10); /* with the floor, and not moved */
    by.ceiling = INT64_MAX;
    assert_int_equal(step(f.space, "n", &by, &value), ISW_OK);
    assert_int_equal(value, 13);
    by.by = INT64_MAX;
    assert_int_equal(step(f.space, "n", &by, &value), ISW_E_BUSY);
    conforming_put(f.space, "n", "no number", LONG_MS);
    assert_int_equal(step(f.space, "n", &by, &value), ISW_E_INVALID);
    conforming_end(&f);
}

void conforms_and_numbers_have_all_of_their_bits(void **state)
{
    static const int64_t numbers[] = { 0, 1, -1, 4294967295, 4294967296, -4294967296, -4294967297,
                                       2147483648, 1764255555123456789, -1764255555123456789,
                                       INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1 };
    enum { COUNT = sizeof numbers / sizeof numbers[0] };
    conforming_space f = conforming_begin(16, 0);

    (void)state;
    for (int i = 0; i < COUNT * COUNT; i++) {
        const int64_t a = numbers[i / COUNT], b = numbers[i % COUNT];
        const isw_bytes was = { (const void *)&a, sizeof a };
        const isw_store_change put = { .value = &was, .ttl_ms = LONG_MS };
        isw_store_step by = { b, INT64_MIN, INT64_MAX, LONG_MS, true };
        int64_t sum, value = 77;
        bool over = __builtin_add_overflow(a, b, &sum);

        subject.driver->replace(f.space, conforming_key("n"), &put, true, NULL);
        assert_int_equal(step(f.space, "n", &by, &value), over ? ISW_E_BUSY : ISW_OK);
        assert_true(value == (over ? a : sum));
        subject.driver->replace(f.space, conforming_key("n"), &put, true, NULL);
        by = (isw_store_step){ 0, b, b, LONG_MS, true };
        assert_int_equal(step(f.space, "n", &by, &value), a > b ? ISW_E_BUSY : ISW_OK);
        assert_true(value == (a > b ? a : b));
    }
    conforming_end(&f);
}

void conforms_and_a_counter_is_an_entry_of_eight_bytes(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    const isw_store_step by = { 5, INT64_MIN, INT64_MAX, LONG_MS, false };
    int64_t value, read = 0;
    const isw_bytes was = { (const void *)&read, sizeof read };
    size_t size = 0;

    (void)state;
    assert_int_equal(step(f.space, "n", &by, &value), ISW_OK);
    assert_int_equal(subject.driver->get(f.space, conforming_key("n"), &read, sizeof read, &size,
                                         NULL), ISW_OK);
    assert_int_equal(size, sizeof read);
    assert_int_equal(read, 5);
    assert_int_equal(change(f.space, "n", &(isw_store_change){ .was = &was }), ISW_OK);
    assert_int_equal(step(f.space, "n", &by, &value), ISW_OK);
    assert_int_equal(value, 5);
    conforming_end(&f);
}

void conforms_and_a_counter_ends_as_its_steps_say(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    isw_store_step by = { 1, INT64_MIN, INT64_MAX, 400, false };
    int64_t value;

    (void)state;
    step(f.space, "first", &by, &value);
    step(f.space, "last", &by, &value);
    by.ttl_ms = LONG_MS;
    step(f.space, "first", &by, &value); /* keeps the end that it had */
    by.renews = true;
    step(f.space, "last", &by, &value);
    subject.pass_ms(401);
    assert_int_equal(step(f.space, "first", &by, &value), ISW_OK);
    assert_int_equal(value, 1);
    assert_int_equal(step(f.space, "last", &by, &value), ISW_OK);
    assert_int_equal(value, 3);
    conforming_end(&f);
}

/* -- Several ----------------------------------------------------------------------------------- */

void conforms_and_what_is_held_stays_with_its_process(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    conforming_space other = conforming_begin(16, 0);
    const isw_bytes one = { "one", 3 };
    const isw_bytes two = { "two", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = LONG_MS, .held = true };
    const isw_store_change settle = { .was = &one, .value = &two, .ttl_ms = LONG_MS };

    (void)state;
    assert_int_equal(change(f.space, "a", &hold), ISW_OK);
    assert_int_equal(change(other.space, "a", &hold), ISW_E_CONFLICT);
    assert_string_equal(conforming_said(other.space, "a"), "one");
    assert_int_equal(change(f.space, "a", &settle), ISW_OK);
    assert_string_equal(conforming_said(other.space, "a"), "two");
    conforming_end(&f);
    assert_string_equal(conforming_said(other.space, "a"), "two");
    conforming_end(&other);
}

void conforms_and_its_clock_is_that_of_all(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    conforming_space other = conforming_begin(16, 0);
    int64_t first = subject.driver->now_us(f.space);
    int64_t between = subject.driver->now_us(other.space);
    int64_t last = subject.driver->now_us(f.space);

    (void)state;
    assert_true(first <= last);
    assert_true(between - first > -100000 && last - between > -100000);
    subject.pass_ms(5);
    assert_true(subject.driver->now_us(f.space) >= last + 5000);
    conforming_end(&f);
    conforming_end(&other);
}

/* In a process of its own: 1,000 tries, and how many of them counted. */
static void count_in_child(int out)
{
    conforming_space f = conforming_begin(20000, 0);
    const isw_store_step by = { 1, INT64_MIN, 1500, LONG_MS, true };
    int64_t value;
    int count = 0;

    for (int i = 0; i < 1000; i++)
        count += step(f.space, "limit", &by, &value) == ISW_OK;
    _exit(write(out, &count, sizeof count) == sizeof count ? 0 : 1);
}

void conforms_when_processes_count_together(void **state)
{
    conforming_space f = conforming_begin(20000, 0);
    int ends[2];
    int total = 0;
    pid_t children[4];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0)
            count_in_child(ends[1]);
    }
    for (int i = 0; i < 4; i++) {
        int count, status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(read(ends[0], &count, sizeof count), sizeof count);
        total += count;
    }
    assert_int_equal(total, 1500);
    close(ends[0]);
    close(ends[1]);
    conforming_end(&f);
}

/* Add one by reading and replacing, 100 times. */
static void *change_often(void *user)
{
    conforming_space *f = user;

    for (int done = 0; done < 100;) {
        int64_t was = 0, now;
        const isw_bytes is = { (const void *)&was, sizeof was };
        const isw_bytes shall = { (const void *)&now, sizeof now };
        const isw_str name = isw_str_of("n");
        const isw_store_key key = { &name, 1 };
        isw_store_change turn = { .value = &shall, .ttl_ms = LONG_MS };
        size_t size = 0;

        if (subject.driver->get(f->space, key, &was, sizeof was, &size, NULL) == ISW_OK)
            turn.was = &is;
        now = was + 1;
        done += subject.driver->replace(f->space, key, &turn, false, NULL) == ISW_OK;
    }
    return NULL;
}

void conforms_when_threads_change_one_entry(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    pthread_t threads[4];
    int64_t read = 0;
    size_t size;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change_often, &f), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(subject.driver->get(f.space, conforming_key("n"), &read, sizeof read, &size,
                                         NULL), ISW_OK);
    assert_int_equal(read, 400);
    conforming_end(&f);
}
