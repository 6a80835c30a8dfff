/* SPDX-License-Identifier: Apache-2.0 */
/* What workers tell, added up; what they may not tell; and the text that it becomes. */
#include "support/main.h"

#include "host/operate/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
    iswi_metrics_table *table;
    iswi_metrics_share orders, mails;
    iswi_buffer text;
} fixture;

static const int process_a, process_b;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    f->table = iswi_metrics_create();
    f->orders.worker = "orders";
    f->mails.worker = "mails";
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;

    iswi_buffer_fini(&f->text);
    iswi_metrics_destroy(f->table);
    free(f);
    return 0;
}

static const char *text_of(fixture *f)
{
    iswi_buffer_reset(&f->text);
    iswi_metrics_write(f->table, &f->text);
    return f->text.size ? iswi_buffer_text(&f->text) : "";
}

/* A family with one series. */
typedef struct one {
    iswi_wire_family family;
    iswi_wire_series series;
    iswi_wire_metrics told;
    isw_str names[9], values[9];
    isw_value bounds[3], counts[4];
} one;

static void begin(one *o, const char *name, iswi_metric_type type, double value)
{
    memset(o, 0, sizeof *o);
    o->family.name = isw_str_of(name);
    o->family.type = (uint64_t)type;
    o->family.labels.items = o->names;
    o->family.series.items = &o->series;
    o->family.series.count = 1;
    o->series.labels.items = o->values;
    o->series.value = isw_value_double(value);
    o->told.families.items = &o->family;
    o->told.families.count = 1;
}

static void label(one *o, const char *name, const char *value)
{
    o->names[o->family.labels.count++] = isw_str_of(name);
    o->values[o->series.labels.count++] = isw_str_of(value);
}

/* With bounds 0.5 and `upper`. */
static void histogram(one *o, double upper, int64_t first, int64_t second, int64_t third,
                      double sum)
{
    begin(o, "took_seconds", ISWI_METRIC_HISTOGRAM, sum);
    o->bounds[0] = isw_value_double(0.5);
    o->bounds[1] = isw_value_double(upper);
    o->counts[0] = isw_value_int(first);
    o->counts[1] = isw_value_int(second);
    o->counts[2] = isw_value_int(third);
    o->family.bounds = isw_value_array(o->bounds, 2);
    o->series.counts = isw_value_array(o->counts, 3);
}

static void take(fixture *f, iswi_metrics_share *share, const void *process, const one *o)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_metrics_take(f->table, share, process, &o->told, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

/* -- Adding up --------------------------------------------------------------------------------- */

static void counters_are_added_up_by_worker_and_labels(void **state)
{
    fixture *f = *state;
    one o;

    begin(&o, "seen_total", ISWI_METRIC_COUNTER, 2);
    label(&o, "what", "a");
    o.family.help = isw_str_of("What was seen.");
    take(f, &f->orders, &process_a, &o);
    take(f, &f->orders, &process_b, &o);
    take(f, &f->mails, &process_a, &o);
    o.values[0] = isw_str_of("b");
    o.series.value = isw_value_double(0.1);
    take(f, &f->orders, &process_a, &o);
    iswi_metrics_forget(f->table, &process_a);
    assert_string_equal(text_of(f), "# HELP seen_total What was seen.\n"
                                    "# TYPE seen_total counter\n"
                                    "seen_total{worker=\"orders\",what=\"a\"} 4\n"
                                    "seen_total{worker=\"mails\",what=\"a\"} 2\n"
                                    "seen_total{worker=\"orders\",what=\"b\"} 0.1\n");
}

static void a_gauge_is_the_sum_of_the_processes_that_live(void **state)
{
    fixture *f = *state;
    one o;

    begin(&o, "open_files", ISWI_METRIC_GAUGE, 5);
    take(f, &f->orders, &process_a, &o);
    o.series.value = isw_value_double(3);
    take(f, &f->orders, &process_b, &o);
    o.series.value = isw_value_double(-1);
    take(f, &f->orders, &process_a, &o);
    assert_string_equal(text_of(f), "# TYPE open_files gauge\nopen_files{worker=\"orders\"} 2\n");
    iswi_metrics_forget(f->table, &process_a);
    assert_string_equal(text_of(f), "# TYPE open_files gauge\nopen_files{worker=\"orders\"} 3\n");
    iswi_metrics_forget(f->table, &process_b);
    assert_string_equal(text_of(f), "");
}

static void a_histogram_has_buckets_that_add_up(void **state)
{
    fixture *f = *state;
    one o;

    histogram(&o, 2, 1, 2, 3, 10.25);
    take(f, &f->orders, &process_a, &o);
    take(f, &f->orders, &process_b, &o);
    assert_string_equal(text_of(f),
                        "# TYPE took_seconds histogram\n"
                        "took_seconds_bucket{worker=\"orders\",le=\"0.5\"} 2\n"
                        "took_seconds_bucket{worker=\"orders\",le=\"2\"} 6\n"
                        "took_seconds_bucket{worker=\"orders\",le=\"+Inf\"} 12\n"
                        "took_seconds_sum{worker=\"orders\"} 20.5\n"
                        "took_seconds_count{worker=\"orders\"} 12\n");
}

static void a_histogram_with_other_bounds_begins_again(void **state)
{
    fixture *f = *state;
    one o;

    histogram(&o, 2, 1, 2, 3, 10.25);
    take(f, &f->orders, &process_a, &o);
    histogram(&o, 4, 1, 0, 0, 0.25);
    take(f, &f->orders, &process_a, &o);
    assert_non_null(strstr(text_of(f), "_bucket{worker=\"orders\",le=\"4\"} 1\n"));
    assert_null(strstr(text_of(f), "le=\"2\""));
    assert_non_null(strstr(text_of(f), "_sum{worker=\"orders\"} 0.25\n"));
}

/* -- Room -------------------------------------------------------------------------------------- */

static void another_type_under_a_name_is_dropped(void **state)
{
    fixture *f = *state;
    one o;

    begin(&o, "seen", ISWI_METRIC_COUNTER, 1);
    take(f, &f->orders, &process_a, &o);
    begin(&o, "seen", ISWI_METRIC_GAUGE, 7);
    take(f, &f->mails, &process_b, &o);
    assert_string_equal(text_of(f), "# TYPE seen counter\nseen{worker=\"orders\"} 1\n");
    assert_int_equal(f->orders.dropped, 0);
    assert_int_equal(f->mails.dropped, 1);
}

static void names_of_the_host_are_its_own(void **state)
{
    fixture *f = *state;
    one o;

    begin(&o, "isoworker_host_requests_total", ISWI_METRIC_COUNTER, 1);
    take(f, &f->orders, &process_a, &o);
    begin(&o, "isoworker_build_info", ISWI_METRIC_COUNTER, 1);
    take(f, &f->orders, &process_a, &o);
    assert_string_equal(text_of(f), "");
    assert_int_equal(f->orders.dropped, 2);
}

static void a_worker_has_no_more_than_its_share(void **state)
{
    fixture *f = *state;
    char value[128];
    one o;

    memset(value, 'x', sizeof value - 1);
    value[127] = '\0';
    begin(&o, "seen_total", ISWI_METRIC_COUNTER, 1);
    for (int i = 0; i < ISWI_METRIC_LABELS_MAX; i++)
        label(&o, (const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h" }[i], value);
    for (int i = 0; i < 20000; i++) {
        snprintf(value, sizeof value, "%0127d", i);
        take(f, &f->orders, &process_a, &o);
    }
    assert_true(f->orders.dropped > 1000);
    assert_in_range(f->orders.bytes, ISWI_METRICS_BYTES_OF_WORKER / 2,
                    ISWI_METRICS_BYTES_OF_WORKER);
    take(f, &f->mails, &process_b, &o);
    assert_int_equal(f->mails.dropped, 0);
}

static void what_goes_gives_its_room_back(void **state)
{
    fixture *f = *state;
    size_t before;
    one o;

    begin(&o, "open_files", ISWI_METRIC_GAUGE, 5);
    take(f, &f->orders, &process_a, &o);
    before = f->orders.bytes;
    for (int i = 0; i < 10; i++) {
        iswi_metrics_forget(f->table, &process_a);
        assert_true(f->orders.bytes < before);
        take(f, &f->orders, &process_a, &o);
    }
    assert_int_equal(f->orders.bytes, before);
}

/* -- The text ---------------------------------------------------------------------------------- */

static void what_could_break_a_line_is_escaped(void **state)
{
    fixture *f = *state;
    one o;

    f->orders.worker = "a\"b";
    begin(&o, "seen_total", ISWI_METRIC_COUNTER, 1);
    label(&o, "what", "x\\y\"z\n} 9");
    o.family.help = isw_str_of("a \\ \"b\"\nseen_total 7");
    take(f, &f->orders, &process_a, &o);
    assert_string_equal(text_of(f), "# HELP seen_total a \\\\ \"b\"\\nseen_total 7\n"
                                    "# TYPE seen_total counter\n"
                                    "seen_total{worker=\"a\\\"b\",what=\"x\\\\y\\\"z\\n} 9\"} 1\n");
}

static void numbers_are_as_short_as_they_read_back(void **state)
{
    fixture *f = *state;
    static const struct {
        double value;
        const char *text;
    } numbers[] = { { 0, "0" },       { 12345678901, "12345678901" }, { 0.1, "0.1" },
                    { 1e300, "1e+300" }, { -2.5, "-2.5" }, { 1.0 / 3, "0.3333333333333333" } };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        iswi_buffer_reset(&f->text);
        iswi_metrics_number(&f->text, numbers[i].value);
        assert_string_equal(iswi_buffer_text(&f->text), numbers[i].text);
    }
}

/* -- What may not be told ---------------------------------------------------------------------- */

static void assert_refused(fixture *f, const one *o, const char *why)
{
    isw_error error = { ISW_OK, "" };

    assert_int_equal(iswi_metrics_take(f->table, &f->orders, &process_a, &o->told, &error),
                     ISW_E_PROTOCOL);
    assert_non_null(strstr(error.message, why));
    assert_string_equal(text_of(f), "");
}

static void names_and_labels_keep_to_the_rules(void **state)
{
    static const char *const names[] = { "", "9a", "a b", "a{b", "a-b", "\xc3\xa4" };
    static const char *const labels[] = { "", "le", "worker", "a:b", "a\"", "__name__" };
    fixture *f = *state;
    one o;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        begin(&o, names[i], ISWI_METRIC_COUNTER, 1);
        assert_refused(f, &o, "no name for a metric");
    }
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        begin(&o, "a", ISWI_METRIC_COUNTER, 1);
        label(&o, labels[i], "x");
        assert_refused(f, &o, "metric a: no names for labels");
    }
    begin(&o, "a", ISWI_METRIC_COUNTER, 1);
    label(&o, "twice", "x");
    label(&o, "twice", "y");
    assert_refused(f, &o, "no names for labels");
    begin(&o, "a", ISWI_METRIC_COUNTER, 1);
    for (int i = 0; i <= ISWI_METRIC_LABELS_MAX; i++)
        label(&o, (const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h", "i" }[i], "x");
    assert_refused(f, &o, "no names for labels");
}

/* Take `second` of the worker mails after `first` of orders: whether it is dropped, with a note. */
static bool is_dropped(const one *first, const one *second)
{
    isw_error error = { 0 };
    isw_error note = { 0 };
    fixture *f;
    bool dropped;

    set_up((void **)&f);
    assert_int_equal(iswi_metrics_take(f->table, &f->orders, &process_a, &first->told, &error),
                     ISW_OK);
    assert_false(iswi_metrics_note(f->table, &f->orders, &note));
    for (int i = 0; i < 2; i++)
        assert_int_equal(iswi_metrics_take(f->table, &f->mails, &process_b, &second->told, &error),
                         ISW_OK);
    dropped = f->mails.dropped != 0;
    assert_int_equal(iswi_metrics_note(f->table, &f->mails, &note), dropped);
    assert_int_equal(strstr(note.message, "of worker orders") != NULL, dropped);
    assert_false(iswi_metrics_note(f->table, &f->mails, &note)); /* once */
    assert_int_equal(strstr(text_of(f), "worker=\"mails\"") == NULL, dropped);
    assert_non_null(strstr(text_of(f), "worker=\"orders\""));
    tear_down((void **)&f);
    return dropped;
}

static void a_metric_that_would_break_that_of_another_worker_is_dropped(void **state)
{
    static const char *const endings[] = { "took_seconds_sum", "took_seconds_count",
                                           "took_seconds_bucket" };
    one histogram_one;
    one other;

    (void)state;
    histogram(&histogram_one, 2, 1, 1, 1, 1);
    for (size_t i = 0; i < 3; i++) {
        begin(&other, endings[i], ISWI_METRIC_GAUGE, 1);
        assert_true(is_dropped(&histogram_one, &other));
        assert_true(is_dropped(&other, &histogram_one));
    }
    begin(&other, "took_seconds_total", ISWI_METRIC_COUNTER, 1);
    assert_false(is_dropped(&histogram_one, &other));
    begin(&other, "took_seconds", ISWI_METRIC_COUNTER, 1);
    assert_true(is_dropped(&histogram_one, &other));
    histogram(&other, 3, 1, 1, 1, 1);
    assert_false(is_dropped(&histogram_one, &other));
}

/* To who reads the text, an empty label is none, and labels have no order. */
static void no_series_is_there_twice(void **state)
{
    fixture *f = *state;
    isw_error error = { 0 };
    one o;

    begin(&o, "a", ISWI_METRIC_COUNTER, 1);
    label(&o, "y", "1");
    label(&o, "x", "2");
    label(&o, "xx", "");
    assert_int_equal(iswi_metrics_take(f->table, &f->orders, &process_a, &o.told, &error), ISW_OK);
    begin(&o, "a", ISWI_METRIC_COUNTER, 2);
    label(&o, "x", "2");
    label(&o, "y", "1");
    assert_int_equal(iswi_metrics_take(f->table, &f->orders, &process_a, &o.told, &error), ISW_OK);
    assert_string_equal(text_of(f),
                        "# TYPE a counter\na{worker=\"orders\",x=\"2\",y=\"1\"} 3\n");
}

static void series_fit_their_family(void **state)
{
    char longest[ISWI_NAME_MAX + 2];
    fixture *f = *state;
    one o;

    begin(&o, "a", ISWI_METRIC_COUNTER, 1);
    label(&o, "x", "y");
    o.series.labels.count = 0;
    assert_refused(f, &o, "not as many labels");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    begin(&o, "a", ISWI_METRIC_COUNTER, 1);
    label(&o, "x", longest);
    assert_refused(f, &o, "too long");
    begin(&o, "a", ISWI_METRIC_COUNTER, -1);
    assert_refused(f, &o, "a counter falls");
    begin(&o, "a", ISWI_METRIC_GAUGE, NAN);
    assert_refused(f, &o, "no finite double");
    o.series.value = isw_value_int(1);
    assert_refused(f, &o, "no finite double");
    begin(&o, "a", (iswi_metric_type)3, 1);
    assert_refused(f, &o, "an unknown type");
}

static void histograms_have_bounds_and_counts_for_them(void **state)
{
    fixture *f = *state;
    one o;

    histogram(&o, 0.5, 1, 1, 1, 1);
    assert_refused(f, &o, "no bounds");
    histogram(&o, HUGE_VAL, 1, 1, 1, 1);
    assert_refused(f, &o, "no bounds");
    histogram(&o, 2, 1, 1, 1, 1);
    o.family.bounds = isw_value_none();
    assert_refused(f, &o, "no bounds");
    histogram(&o, 2, 1, -1, 1, 1);
    assert_refused(f, &o, "counts");
    histogram(&o, 2, 1, 1, 1, 1);
    o.series.counts.as.array.count = 2;
    assert_refused(f, &o, "counts");
    histogram(&o, 2, 1, 1, 1, 1);
    o.series.counts = isw_value_none();
    assert_refused(f, &o, "counts");
    histogram(&o, 2, 1, 1, 1, 1);
    o.counts[1] = isw_value_double(1);
    assert_refused(f, &o, "counts");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(counters_are_added_up_by_worker_and_labels, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_gauge_is_the_sum_of_the_processes_that_live, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_histogram_has_buckets_that_add_up, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_histogram_with_other_bounds_begins_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(another_type_under_a_name_is_dropped, set_up, tear_down),
    cmocka_unit_test_setup_teardown(names_of_the_host_are_its_own, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_worker_has_no_more_than_its_share, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_goes_gives_its_room_back, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_could_break_a_line_is_escaped, set_up, tear_down),
    cmocka_unit_test_setup_teardown(numbers_are_as_short_as_they_read_back, set_up, tear_down),
    cmocka_unit_test_setup_teardown(names_and_labels_keep_to_the_rules, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_metric_that_would_break_that_of_another_worker_is_dropped,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(no_series_is_there_twice, set_up, tear_down),
    cmocka_unit_test_setup_teardown(series_fit_their_family, set_up, tear_down),
    cmocka_unit_test_setup_teardown(histograms_have_bounds_and_counts_for_them, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
