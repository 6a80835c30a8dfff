/* SPDX-License-Identifier: Apache-2.0 */
/* Series of a worker: what they add up to, their limits, and what is told of them. */
#include "worker/support.h"

#include "worker/context/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const isw_metric orders = { .name = "orders_total", .help = "Orders.",
                                   .type = ISW_COUNTER, .labels = { "country", "kind" } };
static const isw_metric open_files = { .name = "open_files", .type = ISW_GAUGE,
                                       .labels = { "what" } };
static const double bounds[] = { 1, 10 };
static const isw_metric sizes = { .name = "sizes_bytes", .type = ISW_HISTOGRAM,
                                  .bounds = bounds, .bound_count = 2 };
static const isw_metric refused = { .name = "isoworker_metrics_refused_total",
                                    .type = ISW_COUNTER, .labels = { "metric" } };

static isw_worker *worker;
static isw_metrics *metrics;

static int begin(void **state)
{
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(isw_worker_create(NULL, &worker, &error), ISW_OK);
    metrics = isw_worker_metrics(worker);
    return 0;
}

static int end(void **state)
{
    (void)state;
    isw_worker_destroy(worker);
    return 0;
}

/* -- Recording --------------------------------------------------------------------------------- */

static void a_series_is_known_by_its_labels(void **state)
{
    isw_series *german = isw_metric_series(metrics, &orders, "DE", "web", NULL);
    char country[] = "DE";

    (void)state;
    assert_non_null(german);
    assert_ptr_equal(isw_metric_series(metrics, &orders, country, "web", NULL), german);
    assert_ptr_not_equal(isw_metric_series(metrics, &orders, "DEw", "eb", NULL), german);
    assert_ptr_equal(isw_metric_series(metrics, &orders, "DE", NULL),
                     isw_metric_series(metrics, &orders, "DE", "", NULL));
    isw_series_add(german, 2);
    isw_series_add(german, 0.5);
    isw_series_add(german, -1);
    isw_series_add(german, NAN);
    assert_true(isw_series_value(german) == 2.5);
}

static void a_gauge_goes_up_and_down(void **state)
{
    isw_series *series = isw_metric_series(metrics, &open_files, "logs", NULL);

    (void)state;
    isw_series_add(series, 3);
    isw_series_add(series, -5);
    assert_true(isw_series_value(series) == -2);
    isw_series_set(series, 7);
    assert_true(isw_series_value(series) == 7);
}

static void an_observation_falls_into_the_bucket_of_its_bound(void **state)
{
    isw_series *series = isw_metric_series(metrics, &sizes, NULL);

    (void)state;
    isw_series_observe(series, 1);
    isw_series_observe(series, 1.1);
    isw_series_observe(series, 11);
    assert_int_equal(isw_series_count(series, 0.9), 0);
    assert_int_equal(isw_series_count(series, 1), 1);
    assert_int_equal(isw_series_count(series, 10), 2);
    assert_int_equal(isw_series_count(series, HUGE_VAL), 3);
    assert_true(fabs(isw_series_value(series) - 13.1) < 1e-9);
}

static void labels_are_cut_at_a_character_and_made_utf_8(void **state)
{
    char longest[200];
    char cut[128];

    (void)state;
    memset(longest, 'x', sizeof longest);
    memcpy(longest + 126, "\xc3\xa4", 2);
    longest[199] = '\0';
    memset(cut, 'x', 126);
    cut[126] = '\0';
    assert_ptr_equal(isw_metric_series(metrics, &open_files, longest, NULL),
                     isw_metric_series(metrics, &open_files, cut, NULL));
    assert_ptr_equal(isw_metric_series(metrics, &open_files, "a\xff" "b", NULL),
                     isw_metric_series(metrics, &open_files, "a?b", NULL));
}

static void a_metric_that_breaks_the_rules_gets_no_series(void **state)
{
    static const double falling[] = { 2, 1 };
    static const isw_metric wrong[] = {
        { .name = "" },
        { .name = "a" },
        { .name = "_total" },
        { .name = "a_total", .labels = { NULL, "b" } },
        { .name = "a_total", .labels = { "b", NULL, "c" } },
        { .name = "9lives" },
        { .name = "a-b" },
        { .name = "a_total", .labels = { "le" } },
        { .name = "a_total", .labels = { "worker" } },
        { .name = "a_total", .labels = { "b:c" } },
        { .name = "a_total", .labels = { "__name__" } },
        { .name = "a_total", .labels = { "__" } },
        { .name = "a_total", .labels = { "b", "c", "b" } },
        { .name = "isoworker_host_mine" },
        { .name = "isoworker_build_info", .type = ISW_GAUGE },
        { .name = "a", .type = (isw_metric_type)3 },
        { .name = "a", .type = ISW_HISTOGRAM, .bounds = falling, .bound_count = 2 },
        { .name = "a", .type = ISW_HISTOGRAM, .bounds = falling },
    };
    size_t count = sizeof wrong / sizeof wrong[0];

    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_null(isw_metric_series(metrics, &wrong[i], "x", NULL));
    isw_series_add(NULL, 1);
    isw_series_set(NULL, 1);
    isw_series_observe(NULL, 1);
    assert_true(isw_series_value(NULL) == 0);
    assert_true(isw_series_value(isw_metric_series(metrics, &refused, "", NULL)) ==
                (double)count);
}

static size_t said_of(FILE *said, const char *name)
{
    char line[512];
    size_t count = 0;

    rewind(said);
    while (fgets(line, sizeof line, said))
        count += strstr(line, name) && strstr(line, "no finite number");
    return count;
}

static void an_amount_that_is_not_finite_is_left_out_and_told_once(void **state)
{
    isw_series *series[] = { isw_metric_series(metrics, &orders, "DE", "", NULL),
                             isw_metric_series(metrics, &open_files, "a", NULL),
                             isw_metric_series(metrics, &sizes, NULL) };
    static const double amounts[] = { NAN, INFINITY, -INFINITY };
    FILE *said = tmpfile();
    int usual = dup(STDERR_FILENO);

    (void)state;
    assert_non_null(said);
    dup2(fileno(said), STDERR_FILENO);
    for (size_t i = 0; i < 3; i++) {
        isw_series_add(series[0], amounts[i]);
        isw_series_set(series[1], amounts[i]);
        isw_series_observe(series[2], amounts[i]);
    }
    dup2(usual, STDERR_FILENO);
    close(usual);
    for (size_t i = 0; i < 3; i++)
        assert_true(isw_series_value(series[i]) == 0);
    assert_true(isw_series_count(series[2], HUGE_VAL) == 0);
    assert_int_equal(said_of(said, "orders_total"), 1);
    assert_int_equal(said_of(said, "open_files"), 1);
    assert_int_equal(said_of(said, "sizes_bytes"), 1);
    fclose(said);
}

/* Whether `second` is refused once `first` is there; and the other way round. */
static bool clash(const isw_metric *first, const isw_metric *second)
{
    bool refused_one = false;

    for (int turn = 0; turn < 2; turn++) {
        isw_metrics *own = iswi_metrics_create();

        assert_non_null(isw_metric_series(own, turn ? second : first, "x", "y", NULL));
        refused_one = !isw_metric_series(own, turn ? first : second, "x", "z", NULL);
        assert_int_equal(isw_series_value(isw_metric_series(own, &refused, "", NULL)),
                         refused_one);
        iswi_metrics_destroy(own);
    }
    return refused_one;
}

static void a_metric_that_clashes_with_another_gets_no_series(void **state)
{
    static const double others[] = { 1, 2 };
    static const isw_metric took = { .name = "took", .type = ISW_HISTOGRAM, .labels = { "b" } };
    static const isw_metric other_bounds = { .name = "took", .type = ISW_HISTOGRAM,
                                             .labels = { "b" }, .bounds = others,
                                             .bound_count = 2 };
    static const struct {
        isw_metric metric;
        bool clashes;
    } rows[] = {
        { { .name = "took_sum", .type = ISW_GAUGE }, true },
        { { .name = "took_count", .type = ISW_GAUGE }, true },
        { { .name = "took_bucket", .type = ISW_GAUGE, .labels = { "b" } }, true },
        { { .name = "took_sum", .type = ISW_HISTOGRAM }, true },
        { { .name = "took", .type = ISW_GAUGE, .labels = { "b" } }, true },
        { { .name = "took", .type = ISW_HISTOGRAM, .labels = { "c" } }, true },
        { { .name = "took", .type = ISW_HISTOGRAM, .labels = { "b", "c" } }, true },
        { { .name = "took_total" }, false },
        { { .name = "took_sum_of", .type = ISW_GAUGE }, false },
        { { .name = "to", .type = ISW_HISTOGRAM }, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (clash(&took, &rows[i].metric) != rows[i].clashes)
            fail_msg("row %zu: %s", i, rows[i].metric.name);
    assert_false(clash(&took, &other_bounds)); /* as a configuration that changes brings them */
}

static void beyond_the_limit_a_counter_counts_others_and_a_gauge_nothing(void **state)
{
    isw_series *other;
    char label[16];

    (void)state;
    for (int i = 0; i < ISWI_SERIES_OF_FAMILY_MAX; i++) {
        snprintf(label, sizeof label, "%d", i);
        isw_series_add(isw_metric_series(metrics, &orders, label, "", NULL), 1);
        isw_series_set(isw_metric_series(metrics, &open_files, label, NULL), 1);
    }
    isw_series_add(isw_metric_series(metrics, &orders, "new", "", NULL), 1);
    isw_series_add(isw_metric_series(metrics, &orders, "newer", "", NULL), 1);
    other = isw_metric_series(metrics, &orders, "other", "other", NULL);
    assert_true(isw_series_value(other) == 2);
    assert_null(isw_metric_series(metrics, &open_files, "new", NULL));
    assert_true(isw_series_value(isw_metric_series(metrics, &orders, "7", "", NULL)) == 1);
    assert_true(isw_series_value(isw_metric_series(metrics, &refused, "orders_total", NULL)) == 2);
    assert_true(isw_series_value(isw_metric_series(metrics, &refused, "open_files", NULL)) == 1);
}

static void a_worker_has_so_many_metrics(void **state)
{
    isw_metric metric = { .name = NULL };
    char name[16];

    (void)state;
    for (int i = 0; i <= ISWI_FAMILIES_MAX; i++) {
        snprintf(name, sizeof name, "m%d_total", i);
        metric.name = name;
        if (isw_metric_series(metrics, &metric, NULL) == NULL)
            assert_true(i >= ISWI_FAMILIES_MAX - 1);
    }
    assert_null(isw_metric_series(metrics, &metric, NULL));
}

enum { THREADS = 4, ROUNDS = 2000, LABELS = 50 };

static void *count_much(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        char label[16];

        snprintf(label, sizeof label, "%d", i % LABELS);
        isw_series_add(isw_metric_series(metrics, &orders, label, "x", NULL), 1);
        isw_series_observe(isw_metric_series(metrics, &sizes, NULL), 5);
    }
    return unused;
}

static void threads_lose_nothing(void **state)
{
    pthread_t threads[THREADS];
    isw_series *all;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < LABELS; i++) {
        char label[16];

        snprintf(label, sizeof label, "%d", i);
        assert_true(isw_series_value(isw_metric_series(metrics, &orders, label, "x", NULL)) ==
                    (double)(THREADS * ROUNDS / LABELS));
    }
    all = isw_metric_series(metrics, &sizes, NULL);
    assert_int_equal(isw_series_count(all, 10), THREADS * ROUNDS);
    assert_true(isw_series_value(all) == 5.0 * (double)(THREADS * ROUNDS));
}

/* -- Telling ----------------------------------------------------------------------------------- */

typedef struct told {
    iswi_arena arena;
    iswi_metrics_at at;
    iswi_wire_metrics metrics;
} told;

static const iswi_wire_metrics *tell(told *t)
{
    memset(t, 0, sizeof *t);
    iswi_arena_init(&t->arena, 1024);
    iswi_metrics_tell(metrics, &t->at, &t->arena, &t->metrics);
    return &t->metrics;
}

static void only_what_has_changed_is_told(void **state)
{
    isw_series *german = isw_metric_series(metrics, &orders, "DE", "web", NULL);
    const iswi_wire_family *family;
    told t;

    (void)state;
    assert_int_equal(tell(&t)->families.count, 1); /* it is there, and 0 */
    assert_true(t.metrics.families.items[0].series.items[0].value.as.real == 0);
    iswi_arena_fini(&t.arena);
    assert_int_equal(tell(&t)->families.count, 0);
    iswi_arena_fini(&t.arena);
    isw_series_add(german, 3);
    tell(&t);
    iswi_arena_fini(&t.arena);
    isw_series_add(german, 2);
    isw_metric_series(metrics, &open_files, "x", NULL);
    assert_int_equal(tell(&t)->families.count, 2);
    family = &t.metrics.families.items[0];
    assert_true(isw_str_equal(family->name, isw_str_of("orders_total")));
    assert_true(isw_str_equal(family->labels.items[1], isw_str_of("kind")));
    assert_true(isw_str_equal(family->series.items[0].labels.items[0], isw_str_of("DE")));
    assert_true(family->series.items[0].value.as.real == 2);
    assert_int_equal(family->series.items[0].counts.type, ISW_VALUE_NONE);
    iswi_arena_fini(&t.arena);
}

static void a_gauge_is_told_as_it_stands_and_a_histogram_by_its_growth(void **state)
{
    isw_series *files = isw_metric_series(metrics, &open_files, "x", NULL);
    isw_series *size = isw_metric_series(metrics, &sizes, NULL);
    const iswi_wire_series *series;
    told t;

    (void)state;
    isw_series_set(files, 5);
    isw_series_observe(size, 0);
    tell(&t);
    iswi_arena_fini(&t.arena);
    isw_series_add(files, -1);
    isw_series_observe(size, 0); /* the sum stays as it is */
    isw_series_observe(size, 0);
    tell(&t);
    assert_true(t.metrics.families.items[0].series.items[0].value.as.real == 4);
    series = &t.metrics.families.items[1].series.items[0];
    assert_true(t.metrics.families.items[1].bounds.as.array.items[1].as.real == 10);
    assert_int_equal(series->counts.as.array.count, 3);
    assert_int_equal(series->counts.as.array.items[0].as.integer, 2);
    iswi_arena_fini(&t.arena);
}

static void what_is_long_is_told_in_parts(void **state)
{
    iswi_wire_metrics part;
    iswi_metrics_at at = { .begun = false };
    iswi_arena arena;
    size_t series = 0;
    size_t parts = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char label[16];

        snprintf(label, sizeof label, "%d", i);
        isw_metric_series(metrics, i % 2 ? &orders : &open_files, label, NULL);
    }
    iswi_arena_init(&arena, 1024);
    do {
        iswi_buffer bytes = { 0 };
        iswi_frame frame = { .kind = ISWI_METRICS };

        iswi_metrics_tell(metrics, &at, &arena, &part);
        for (size_t i = 0; i < part.families.count; i++)
            series += part.families.items[i].series.count;
        parts++;
        frame.as.metrics = part;
        assert_int_equal(iswi_frame_encode(&frame, &bytes, NULL), ISW_OK);
        assert_true(bytes.size < ISWI_METRICS_MAX_BYTES);
        iswi_buffer_fini(&bytes);
    } while (part.more);
    iswi_arena_fini(&arena);
    assert_int_equal(series, 1000);
    assert_true(parts > 2);
}

static void the_longest_that_may_be_fits_a_frame(void **state)
{
    static double many[ISW_METRIC_BOUNDS_MAX];
    static char name[ISWI_NAME_MAX + 1], help[ISWI_LINE_MAX + 1];
    static char labels[ISW_METRIC_LABELS_MAX][ISWI_NAME_MAX + 1];
    isw_metric longest = { .name = name, .help = help, .type = ISW_HISTOGRAM, .bounds = many,
                           .bound_count = ISW_METRIC_BOUNDS_MAX };
    iswi_frame frame = { .kind = ISWI_METRICS, .id = UINT64_MAX };
    iswi_buffer bytes = { 0 };
    told t;

    (void)state;
    memset(name, 'n', sizeof name - 1);
    memset(help, 'h', sizeof help - 1);
    for (int i = 0; i < ISW_METRIC_BOUNDS_MAX; i++)
        many[i] = i + 0.1;
    for (int i = 0; i < ISW_METRIC_LABELS_MAX; i++) {
        memset(labels[i], 'a' + i, sizeof labels[i] - 1);
        longest.labels[i] = labels[i];
    }
    for (int i = 100; i < 228; i++) { /* each a metric of its own, by its bounds */
        many[0] = 0.1 / i;
        isw_series_observe(isw_metric_series(metrics, &longest, name, name, name, name, name, name,
                                             name, name, NULL), 1e-9);
    }
    frame.as.metrics = *tell(&t);
    assert_int_equal(frame.as.metrics.families.count, 128);
    assert_int_equal(iswi_frame_encode(&frame, &bytes, NULL), ISW_OK);
    assert_in_range(bytes.size, ISWI_METRICS_MAX_BYTES / 4, ISWI_METRICS_MAX_BYTES);
    iswi_buffer_fini(&bytes);
    iswi_arena_fini(&t.arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_series_is_known_by_its_labels, begin, end),
    cmocka_unit_test_setup_teardown(a_gauge_goes_up_and_down, begin, end),
    cmocka_unit_test_setup_teardown(an_observation_falls_into_the_bucket_of_its_bound, begin, end),
    cmocka_unit_test_setup_teardown(labels_are_cut_at_a_character_and_made_utf_8, begin, end),
    cmocka_unit_test_setup_teardown(a_metric_that_breaks_the_rules_gets_no_series, begin, end),
    cmocka_unit_test_setup_teardown(a_metric_that_clashes_with_another_gets_no_series, begin, end),
    cmocka_unit_test_setup_teardown(beyond_the_limit_a_counter_counts_others_and_a_gauge_nothing,
                                    begin, end),
    cmocka_unit_test_setup_teardown(an_amount_that_is_not_finite_is_left_out_and_told_once, begin,
                                    end),
    cmocka_unit_test_setup_teardown(a_worker_has_so_many_metrics, begin, end),
    cmocka_unit_test_setup_teardown(threads_lose_nothing, begin, end),
    cmocka_unit_test_setup_teardown(only_what_has_changed_is_told, begin, end),
    cmocka_unit_test_setup_teardown(a_gauge_is_told_as_it_stands_and_a_histogram_by_its_growth,
                                    begin, end),
    cmocka_unit_test_setup_teardown(what_is_long_is_told_in_parts, begin, end),
    cmocka_unit_test_setup_teardown(the_longest_that_may_be_fits_a_frame, begin, end),
};

ISW_TEST_MAIN(tests)
