/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that a host gives to count in: what a worker writes there, and when it does not. */
#include "worker/support.h"

#include "wire/metrics_memory.h"
#include "worker/context/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const isw_metric orders = { .name = "orders_total", .help = "Orders.",
                                   .type = ISW_COUNTER, .labels = { "country" } };
static const double bounds[] = { 1, 10 };
static const isw_metric sizes = { .name = "sizes_bytes", .type = ISW_HISTOGRAM,
                                  .bounds = bounds, .bound_count = 2 };

typedef struct fixture {
    unsigned char *base;
    iswi_counted_head *head;
    isw_metrics *metrics;
    iswi_arena arena;
    iswi_frame frame; /* of the last record that was looked at */
} fixture;

/* As a host makes it, of that size and version, for who is made next. */
static int make_memory(fixture *f, off_t size, uint32_t version)
{
    int fd = memfd_create("test", 0);
    char text[16];

    *f = (fixture){ .base = MAP_FAILED };
    assert_true(fd >= 0 && ftruncate(fd, size) == 0);
    f->base = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(f->base != MAP_FAILED);
    f->head = (iswi_counted_head *)f->base;
    f->head->magic = ISWI_METRICS_MEMORY_MAGIC;
    f->head->version = version;
    snprintf(text, sizeof text, "%d", fd);
    setenv("ISOWORKER_METRICS_FD", text, 1);
    iswi_arena_init(&f->arena, 4096);
    return fd;
}

static void begin_with(fixture *f, off_t size, uint32_t version)
{
    int fd = make_memory(f, size, version);

    f->metrics = iswi_metrics_create();
    assert_non_null(f->metrics);
    assert_null(getenv("ISOWORKER_METRICS_FD")); /* whoever it starts has no part in it */
    assert_int_equal(lseek(fd, 0, SEEK_CUR), -1); /* nor in the descriptor */
}

static void begin(fixture *f)
{
    begin_with(f, ISWI_METRICS_MEMORY_BYTES, ISWI_METRICS_MEMORY_VERSION);
    assert_int_equal(f->head->taken, 1);
}

static void finish(fixture *f)
{
    iswi_metrics_destroy(f->metrics);
    iswi_arena_fini(&f->arena);
    munmap(f->base, f->head->taken ? ISWI_METRICS_MEMORY_BYTES : 4096);
}

/* The record at *at, which moves on; its frame is read. NULL: there are no more. */
static const iswi_counted_record *next_record(fixture *f, size_t *at)
{
    const iswi_counted_record *record = (const void *)(f->base + sizeof *f->head + *at);
    isw_error error = { 0 };
    size_t used;

    if (!record->size)
        return NULL;
    if (iswi_frame_decode(&record->number[record->numbers], record->described, &f->arena,
                          &f->frame, &used, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_int_equal(used, record->described);
    *at += record->size;
    return record;
}

/* How many families a host is told of that asks. */
static size_t told(fixture *f)
{
    iswi_metrics_at at = { .begun = false };
    iswi_wire_metrics out;

    iswi_metrics_tell(f->metrics, &at, &f->arena, &out);
    return out.families.count;
}

static void a_series_counts_in_the_memory_that_says_what_it_is(void **state)
{
    const iswi_counted_record *record;
    const iswi_wire_family *family;
    size_t at = 0;
    fixture f;

    (void)state;
    begin(&f);
    isw_series_add(isw_metric_series(f.metrics, &orders, "DE", NULL), 2.5);
    isw_series_observe(isw_metric_series(f.metrics, &sizes, NULL), 5);
    isw_series_observe(isw_metric_series(f.metrics, &sizes, NULL), 11);
    record = next_record(&f, &at);
    assert_non_null(record);
    assert_int_equal(record->numbers, 1);
    assert_true(iswi_metric_double(record->number[0]) == 2.5);
    family = &f.frame.as.metrics.families.items[0];
    assert_true(isw_str_equal(family->name, isw_str_of("orders_total")));
    assert_true(isw_str_equal(family->help, isw_str_of("Orders.")));
    assert_true(isw_str_equal(family->series.items[0].labels.items[0], isw_str_of("DE")));
    assert_true(family->series.items[0].value.as.real == 0);
    record = next_record(&f, &at);
    assert_non_null(record);
    assert_int_equal(record->numbers, 4);
    assert_true(iswi_metric_double(record->number[0]) == 16);
    assert_int_equal(record->number[1], 0);
    assert_int_equal(record->number[2], 1);
    assert_int_equal(record->number[3], 1);
    assert_int_equal(f.frame.as.metrics.families.items[0].bounds.as.array.count, 2);
    assert_null(next_record(&f, &at));
    assert_true(isw_series_value(isw_metric_series(f.metrics, &orders, "DE", NULL)) == 2.5);
    assert_int_equal(isw_series_count(isw_metric_series(f.metrics, &sizes, NULL), 10), 1);
    finish(&f);
}

static void what_is_in_the_memory_is_not_told_as_well(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    isw_series_add(isw_metric_series(f.metrics, &orders, "DE", NULL), 1);
    assert_int_equal(told(&f), 0);
    assert_int_equal(f.head->elsewhere, 0);
    finish(&f);
}

static void what_finds_no_room_is_told_and_the_memory_says_so(void **state)
{
    size_t at = 0;
    fixture f;

    (void)state;
    begin(&f);
    isw_series_add(isw_metric_series(f.metrics, &orders, "DE", NULL), 1);
    f.head->next = ISWI_METRICS_MEMORY_BYTES - sizeof *f.head - 64;
    isw_series_add(isw_metric_series(f.metrics, &orders, "FR", NULL), 3);
    assert_int_equal(f.head->elsewhere, 1);
    assert_int_equal(told(&f), 1);
    assert_non_null(next_record(&f, &at));
    assert_null(next_record(&f, &at));
    assert_true(isw_series_value(isw_metric_series(f.metrics, &orders, "FR", NULL)) == 3);
    finish(&f);
}

static void memory_that_it_does_not_know_is_left_alone(void **state)
{
    static const struct {
        off_t size;
        uint32_t version;
    } rows[] = { { 4096, ISWI_METRICS_MEMORY_VERSION },
                 { ISWI_METRICS_MEMORY_BYTES, ISWI_METRICS_MEMORY_VERSION + 1 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t at = 0;
        fixture f;

        begin_with(&f, rows[i].size, rows[i].version);
        isw_series_add(isw_metric_series(f.metrics, &orders, "DE", NULL), 1);
        assert_int_equal(f.head->taken, 0);
        assert_null(next_record(&f, &at));
        assert_int_equal(told(&f), 1);
        finish(&f);
    }
}

static void memory_has_one_worker(void **state)
{
    isw_metrics *second;
    char text[16];
    fixture f;
    int fd = memfd_create("test", 0);
    iswi_counted_head *head;

    (void)state;
    assert_int_equal(ftruncate(fd, ISWI_METRICS_MEMORY_BYTES), 0);
    head = mmap(NULL, sizeof *head, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(head != MAP_FAILED);
    *head = (iswi_counted_head){ .magic = ISWI_METRICS_MEMORY_MAGIC,
                                 .version = ISWI_METRICS_MEMORY_VERSION, .taken = 1 };
    snprintf(text, sizeof text, "%d", fd);
    setenv("ISOWORKER_METRICS_FD", text, 1);
    second = iswi_metrics_create();
    iswi_arena_init(&f.arena, 4096);
    f.metrics = second;
    isw_series_add(isw_metric_series(second, &orders, "DE", NULL), 1);
    assert_int_equal(head->next, 0);
    assert_int_equal(told(&f), 1);
    iswi_metrics_destroy(second);
    iswi_arena_fini(&f.arena);
    munmap(head, sizeof *head);
}

static void what_was_counted_before_a_fork_moves_to_the_childs_memory(void **state)
{
    isw_metrics *metrics = iswi_metrics_create();
    isw_series *germany = isw_metric_series(metrics, &orders, "DE", NULL);
    isw_series *size = isw_metric_series(metrics, &sizes, NULL);
    const iswi_counted_record *record;
    size_t at = 0;
    fixture f;

    (void)state;
    isw_series_add(germany, 2);
    isw_series_observe(size, 5);
    make_memory(&f, ISWI_METRICS_MEMORY_BYTES, ISWI_METRICS_MEMORY_VERSION);
    f.metrics = metrics;
    iswi_metrics_forked(metrics);
    assert_int_equal(f.head->taken, 1);
    isw_series_add(germany, 1);
    isw_series_observe(size, 11);
    record = next_record(&f, &at);
    assert_non_null(record);
    assert_true(iswi_metric_double(record->number[0]) == 3);
    assert_true(f.frame.as.metrics.families.items[0].series.items[0].value.as.real == 0);
    record = next_record(&f, &at);
    assert_non_null(record);
    assert_true(iswi_metric_double(record->number[0]) == 16);
    assert_int_equal(record->number[2], 1);
    assert_int_equal(record->number[3], 1);
    assert_int_equal(told(&f), 0);
    finish(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_series_counts_in_the_memory_that_says_what_it_is),
    cmocka_unit_test(what_is_in_the_memory_is_not_told_as_well),
    cmocka_unit_test(what_finds_no_room_is_told_and_the_memory_says_so),
    cmocka_unit_test(memory_that_it_does_not_know_is_left_alone),
    cmocka_unit_test(memory_has_one_worker),
    cmocka_unit_test(what_was_counted_before_a_fork_moves_to_the_childs_memory),
};

ISW_TEST_MAIN(tests)
