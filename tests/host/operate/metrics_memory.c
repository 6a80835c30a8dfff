/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker counts in memory, read by one who believes nothing of it. */
#include "support/main.h"

#include "host/operate/metrics_memory.h"
#include "wire/metrics_memory.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { FIRST = sizeof(iswi_counted_head) };

typedef struct fixture {
    iswi_metrics_table *table;
    iswi_metrics_share share;
    iswi_metrics_memory memory;
    iswi_buffer text;
    unsigned char *base; /* as the worker has it */
    size_t end;          /* of the records */
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    int fd;

    f->table = iswi_metrics_create();
    f->share.worker = "w";
    iswi_metrics_memory_init(&f->memory);
    fd = iswi_metrics_memory_begin(&f->memory);
    assert_true(fd >= 0);
    f->base = mmap(NULL, ISWI_METRICS_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(f->base != MAP_FAILED);
    f->end = FIRST;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;

    munmap(f->base, ISWI_METRICS_MEMORY_BYTES);
    iswi_metrics_memory_fini(&f->memory);
    iswi_buffer_fini(&f->text);
    iswi_metrics_destroy(f->table);
    free(f);
    return 0;
}

/* One more record, of a counter, a gauge, or a histogram with the bounds 1 and 2. */
static iswi_counted_record *add(fixture *f, const char *name, iswi_metric_type type)
{
    const isw_value bounds[] = { isw_value_double(1), isw_value_double(2) };
    iswi_wire_series series = { .value = isw_value_double(0) };
    iswi_wire_family family = { .name = isw_str_of(name), .type = (uint64_t)type,
                                .series = { &series, 1 } };
    iswi_frame frame = { .kind = ISWI_METRICS, .as.metrics.families = { &family, 1 } };
    iswi_counted_record *record = (void *)(f->base + f->end);
    iswi_buffer bytes = { 0 };

    if (type == ISWI_METRIC_HISTOGRAM)
        family.bounds = isw_value_array(bounds, 2);
    assert_int_equal(iswi_frame_encode(&frame, &bytes, NULL), ISW_OK);
    record->numbers = type == ISWI_METRIC_HISTOGRAM ? 4 : 1;
    record->described = (uint32_t)bytes.size;
    memcpy((void *)&record->number[record->numbers], bytes.data, bytes.size);
    record->size = (uint32_t)((sizeof *record + 8 * record->numbers + bytes.size + 7) / 8 * 8);
    f->end += record->size;
    iswi_buffer_fini(&bytes);
    return record;
}

static void set(iswi_counted_record *record, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    record->number[0] = bits;
}

static isw_status read_all(fixture *f, isw_error *error)
{
    return iswi_metrics_memory_read(&f->memory, f->table, &f->share, f, error);
}

static void assert_text(fixture *f, const char *line, bool there)
{
    isw_error error = { ISW_OK, "" };

    if (read_all(f, &error) != ISW_OK)
        fail_msg("%s", error.message);
    iswi_buffer_reset(&f->text);
    iswi_metrics_write(f->table, &f->text);
    if (!f->text.size || (strstr(iswi_buffer_text(&f->text), line) != NULL) != there)
        fail_msg("%s, in\n%s", line, f->text.size ? iswi_buffer_text(&f->text) : "nothing");
}

static void assert_refused(fixture *f, const char *why)
{
    isw_error error = { ISW_OK, "" };

    assert_int_equal(read_all(f, &error), ISW_E_PROTOCOL);
    if (!strstr(error.message, why))
        fail_msg("%s: %s", why, error.message);
    assert_int_equal(read_all(f, &error), ISW_OK); /* it is said once */
}

static void each_look_adds_what_has_grown(void **state)
{
    fixture *f = *state;
    iswi_counted_record *counter = add(f, "c_total", ISWI_METRIC_COUNTER);
    iswi_counted_record *gauge = add(f, "g", ISWI_METRIC_GAUGE);
    iswi_counted_record *histogram;

    assert_text(f, "c_total{worker=\"w\"} 0\n", true);
    set(counter, 3);
    set(gauge, 7);
    assert_text(f, "c_total{worker=\"w\"} 3\n", true);
    set(counter, 5);
    set(gauge, -1);
    histogram = add(f, "h", ISWI_METRIC_HISTOGRAM);
    set(histogram, 1.5);
    histogram->number[2] = 1;
    assert_text(f, "c_total{worker=\"w\"} 5\n", true);
    assert_text(f, "g{worker=\"w\"} -1\n", true);
    assert_text(f, "h_bucket{worker=\"w\",le=\"1\"} 0\n", true);
    assert_text(f, "h_bucket{worker=\"w\",le=\"2\"} 1\n", true);
    assert_text(f, "h_sum{worker=\"w\"} 1.5\n", true);
}

static void a_process_that_begins_again_adds_to_what_was_there(void **state)
{
    fixture *f = *state;
    int fd;

    set(add(f, "c_total", ISWI_METRIC_COUNTER), 3);
    assert_text(f, "c_total{worker=\"w\"} 3\n", true);
    munmap(f->base, ISWI_METRICS_MEMORY_BYTES);
    fd = iswi_metrics_memory_begin(&f->memory);
    f->base = mmap(NULL, ISWI_METRICS_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(f->base != MAP_FAILED);
    f->end = FIRST;
    set(add(f, "c_total", ISWI_METRIC_COUNTER), 4);
    assert_text(f, "c_total{worker=\"w\"} 7\n", true);
}

static void who_counts_all_there_need_not_be_asked(void **state)
{
    fixture *f = *state;
    iswi_counted_head *head = (void *)f->base;

    assert_false(iswi_metrics_memory_says_all(&f->memory));
    head->taken = 1;
    assert_true(iswi_metrics_memory_says_all(&f->memory));
    head->elsewhere = 1;
    assert_false(iswi_metrics_memory_says_all(&f->memory));
    head->elsewhere = 0;
    iswi_metrics_memory_end(&f->memory);
    assert_false(iswi_metrics_memory_says_all(&f->memory));
}

static void a_counter_that_falls_is_refused(void **state)
{
    fixture *f = *state;
    iswi_counted_record *record = add(f, "c_total", ISWI_METRIC_COUNTER);

    set(record, 3);
    assert_text(f, "c_total{worker=\"w\"} 3\n", true);
    set(record, 2);
    assert_refused(f, "metric c_total: a counter falls");
    set(record, 9);
    assert_text(f, "c_total{worker=\"w\"} 3\n", true); /* and what is there is not read any more */
}

static void numbers_that_are_none_are_refused(void **state)
{
    fixture *f = *state;
    iswi_counted_record *record = add(f, "h", ISWI_METRIC_HISTOGRAM);

    record->number[2] = UINT64_MAX;
    assert_refused(f, "counts");
    tear_down(state);
    set_up(state);
    f = *state;
    set(add(f, "c_total", ISWI_METRIC_COUNTER), NAN);
    assert_refused(f, "no finite double");
}

/* Each member of a record as it must not be. */
static void sizes_that_lead_out_of_a_record_are_refused(void **state)
{
    static const struct {
        uint32_t size, numbers, described;
        const char *why;
    } rows[] = {
        { 4, 1, 8, "longer than what is there" },
        { UINT32_MAX - 7, 1, 8, "longer than what is there" },
        { ISWI_METRICS_MEMORY_BYTES - FIRST + 8, 1, 8, "longer than what is there" },
        { 64, 0, 8, "no room for its numbers" },
        { 64, UINT32_MAX, 8, "no room for its numbers" },
        { 64, 66, 8, "no room for its numbers" },
        { 64, 1, UINT32_MAX, "no room for its numbers" },
        { 64, 1, 48, "no room for its numbers" },
        { 8, 1, 0, "no room for its numbers" },
        { 64, 1, 0, "" },
        { 64, 1, 8, "" },
        { 128, 2, 0, "" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture *f = *state;
        iswi_counted_record *record = add(f, "c_total", ISWI_METRIC_COUNTER);

        record->numbers = rows[i].numbers;
        record->described = rows[i].described;
        record->size = rows[i].size;
        assert_refused(f, rows[i].why);
        tear_down(state);
        set_up(state);
    }
}

static void a_record_has_the_numbers_of_its_metric(void **state)
{
    fixture *f = *state;
    iswi_counted_record *record = add(f, "h", ISWI_METRIC_HISTOGRAM);
    unsigned char frame[512];

    memcpy(frame, (void *)&record->number[4], record->described);
    memcpy((void *)&record->number[1], frame, record->described);
    record->numbers = 1;
    assert_refused(f, "has not as many numbers as its metric");
}

static void a_record_at_the_very_end_is_read_no_further(void **state)
{
    fixture *f = *state;
    iswi_counted_record *record = add(f, "c_total", ISWI_METRIC_COUNTER);

    set(record, 2);
    record->size = ISWI_METRICS_MEMORY_BYTES - FIRST;
    assert_text(f, "c_total{worker=\"w\"} 2\n", true);
}

/* Whatever is written over it: all of it is read, or it is refused, and nothing else happens. */
static void bytes_at_random_do_no_harm(void **state)
{
    unsigned seed = 7;

    for (int round = 0; round < 3000; round++) {
        fixture *f = *state;
        isw_error error = { ISW_OK, "" };

        if (round % 50 == 0) {
            tear_down(state);
            set_up(state);
            f = *state;
            add(f, "c_total", ISWI_METRIC_COUNTER);
            add(f, "h", ISWI_METRIC_HISTOGRAM);
            add(f, "g", ISWI_METRIC_GAUGE);
        }
        f->memory.broken = false;
        seed = seed * 1103515245 + 12345;
        f->base[FIRST + (seed >> 8) % (f->end - FIRST)] = (unsigned char)(seed >> 24);
        read_all(f, &error);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(each_look_adds_what_has_grown, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_process_that_begins_again_adds_to_what_was_there, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(who_counts_all_there_need_not_be_asked, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_counter_that_falls_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(numbers_that_are_none_are_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(sizes_that_lead_out_of_a_record_are_refused, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_record_has_the_numbers_of_its_metric, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_record_at_the_very_end_is_read_no_further, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(bytes_at_random_do_no_harm, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
