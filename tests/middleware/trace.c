/* SPDX-License-Identifier: Apache-2.0 */
/* Spans as they are exported, and what those who are called learn. */
#include "middleware/conformance.h"

#include "../../middleware/trace_file.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char sent_on[64]; /* what the handler would send */

static isw_status works(isw_context *ctx)
{
    isw_value rows = isw_value_int(3);
    isw_value table = isw_value_string("orders \"7\"");
    unsigned query;

    isw_context_sleep(ctx, 10);
    query = isw_span_begin(ctx, "query");
    isw_span_set(ctx, query, "db.rows", &rows);
    isw_span_set(ctx, query, "db.table", &table);
    isw_span_begin(ctx, "left open");
    isw_context_sleep(ctx, 5);
    snprintf(sent_on, sizeof sent_on, "%s", isw_context_traceparent(ctx));
    isw_span_end(ctx, query, ISW_E_IO);
    return isw_http_reply(ctx, 201, NULL, "done");
}

static isw_status fails(isw_context *ctx)
{
    snprintf(sent_on, sizeof sent_on, "%s", isw_context_traceparent(ctx));
    return isw_fail(ctx, ISW_E_CONFLICT, "taken");
}

static const isw_function functions[] = {
    { .name = "works", .trigger = ISW_HTTP("POST", "orders/{id}"), .handler = works },
    { .name = "fails", .trigger = ISW_TRIGGER("queue", NULL), .handler = fails },
    { 0 },
};

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT_ID "b7ad6b7169203331"

static const isw_test_line *line_of(const isw_test_result *result, const char *name)
{
    for (size_t i = 0; i < result->line_count; i++)
        if (strcmp(result->lines[i].category, "Trace") == 0 &&
            strcmp(result->lines[i].message, name) == 0)
            return &result->lines[i];
    return NULL;
}

static const char *field(const isw_test_line *line, const char *name)
{
    for (size_t i = 0; i < line->fields.count; i++)
        if (isw_str_equal(line->fields.items[i].name, isw_str_of(name)))
            return line->fields.items[i].value.as.string.data;
    return "-";
}

static int64_t number(const isw_test_line *line, const char *name)
{
    for (size_t i = 0; i < line->fields.count; i++)
        if (isw_str_equal(line->fields.items[i].name, isw_str_of(name)))
            return line->fields.items[i].value.as.integer;
    return -1;
}

static void spans_nest_in_the_callers_trace(void **state)
{
    isw_test *test = test_of(functions, "middleware: [trace, error_handling]\n");
    const isw_test_line *root, *step, *handler, *query, *left;
    const isw_test_result *result;

    (void)state;
    isw_test_trace(test, "00-" TRACE_ID "-" PARENT_ID "-01", "vendor=1");
    result = isw_test_http(test, "POST", "/orders/7");
    root = line_of(result, "POST /orders/{id}");
    step = line_of(result, "error_handling");
    handler = line_of(result, "handler");
    query = line_of(result, "query");
    left = line_of(result, "left open");
    assert_true(root && step && handler && query && left);
    assert_string_equal(field(root, "trace_id"), TRACE_ID);
    assert_string_equal(field(root, "parent_id"), PARENT_ID);
    assert_string_equal(field(step, "parent_id"), field(root, "span_id"));
    assert_string_equal(field(handler, "parent_id"), field(step, "span_id"));
    assert_string_equal(field(query, "parent_id"), field(handler, "span_id"));
    assert_string_equal(field(left, "parent_id"), field(query, "span_id"));
    assert_string_not_equal(field(step, "span_id"), field(handler, "span_id"));
    assert_int_equal(number(root, "duration_us"), 15000);
    assert_int_equal(number(handler, "duration_us"), 15000);
    assert_int_equal(number(query, "duration_us"), 5000);
    assert_int_equal(number(left, "duration_us"), 5000);
    assert_int_equal(number(query, "start_us") - number(root, "start_us"), 10000);
    assert_string_equal(field(query, "status"), "ISW_E_IO");
    assert_int_equal(number(query, "db.rows"), 3);
    assert_int_equal(number(root, "http.response.status_code"), 201);
    assert_string_equal(field(root, "faas.name"), "works");
    isw_test_destroy(test);
}

static void who_is_called_learns_of_the_innermost_span(void **state)
{
    isw_test *test = test_of(functions, "middleware: [trace]\n");
    const isw_test_result *result;
    char expected[64];

    (void)state;
    isw_test_trace(test, "00-" TRACE_ID "-" PARENT_ID "-01", NULL);
    result = isw_test_http(test, "POST", "/orders/7");
    snprintf(expected, sizeof expected, "00-" TRACE_ID "-%s-01",
             field(line_of(result, "left open"), "span_id"));
    assert_string_equal(sent_on, expected);
    isw_test_destroy(test);
}

/* The flags of the traceparent that is sent on for one with these; NULL: for none. */
static const char *flags_for(const char *yaml, const char *flags)
{
    isw_test *test = test_of(functions, yaml);
    char parent[64];

    if (flags) {
        snprintf(parent, sizeof parent, "00-" TRACE_ID "-" PARENT_ID "-%s", flags);
        isw_test_trace(test, parent, NULL);
    }
    isw_test_http(test, "POST", "/orders/7");
    isw_test_destroy(test);
    return sent_on + 53;
}

/* Level 2, section 3.2.2.5: the flag belongs to the trace's id. */
static void the_random_flag_is_kept_and_set_on_what_begins_here(void **state)
{
    static const char none[] = "middleware: []\n";
    static const char recording[] = "middleware: [trace]\n";

    (void)state;
    assert_string_equal(flags_for(none, "02"), "02");
    assert_string_equal(flags_for(none, "03"), "03");
    assert_string_equal(flags_for(none, "01"), "01");
    assert_string_equal(flags_for(none, "ff"), "03");
    assert_string_equal(flags_for(none, NULL), "02");
    assert_string_equal(flags_for(recording, NULL), "03");
    assert_string_equal(flags_for(recording, "00"), "00");
    assert_string_equal(flags_for(recording, "03"), "03");
}

static void without_the_middleware_the_trace_goes_on_unrecorded(void **state)
{
    isw_test *test = test_of(functions, "middleware: []\n");

    (void)state;
    isw_test_trace(test, "00-" TRACE_ID "-" PARENT_ID "-01", NULL);
    isw_test_http(test, "POST", "/orders/7");
    assert_memory_equal(sent_on, "00-" TRACE_ID "-", 36);
    assert_string_equal(sent_on + 52, "-01");
    assert_string_not_equal(sent_on + 36, PARENT_ID "-01");
    isw_test_destroy(test);
}

static void a_trace_that_is_not_valid_begins_anew(void **state)
{
    static const char *const bad[] = {
        "", "00", "00-" TRACE_ID "-" PARENT_ID, "ff-" TRACE_ID "-" PARENT_ID "-01",
        "00-00000000000000000000000000000000-" PARENT_ID "-01",
        "00-" TRACE_ID "-0000000000000000-01", "00-" TRACE_ID "-" PARENT_ID "-0g",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT_ID "-01",
        "00-" TRACE_ID "-" PARENT_ID "-01-more", "01-" TRACE_ID "-" PARENT_ID "-01more",
    };
    isw_test *test = test_of(functions, "middleware: [trace]\n");

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const isw_test_line *root;

        isw_test_trace(test, bad[i], NULL);
        root = line_of(isw_test_http(test, "POST", "/orders/7"), "POST /orders/{id}");
        assert_string_not_equal(field(root, "trace_id"), TRACE_ID);
        assert_int_equal(strlen(field(root, "trace_id")), 32);
        assert_string_equal(field(root, "parent_id"), "");
    }
    isw_test_trace(test, "01-" TRACE_ID "-" PARENT_ID "-01-more", NULL); /* of a later version */
    assert_string_equal(field(line_of(isw_test_http(test, "POST", "/orders/7"),
                                      "POST /orders/{id}"), "trace_id"), TRACE_ID);
    isw_test_destroy(test);
}

static void the_caller_decides_what_is_sampled_and_else_the_share(void **state)
{
    isw_test *test = test_of(functions, "middleware: [trace]\n");
    int sampled = 0;

    (void)state;
    isw_test_trace(test, "00-" TRACE_ID "-" PARENT_ID "-00", NULL);
    assert_null(line_of(isw_test_http(test, "POST", "/orders/7"), "POST /orders/{id}"));
    assert_string_equal(sent_on + 52, "-00");
    isw_test_destroy(test);
    test = test_of(functions, "middleware: [trace: {sample: 0.3}]\n");
    for (int i = 0; i < 500; i++)
        sampled += line_of(isw_test_http(test, "POST", "/orders/7"), "handler") != NULL;
    assert_in_range(sampled, 80, 220);
    isw_test_trace(test, "00-" TRACE_ID "-" PARENT_ID "-01", NULL);
    assert_non_null(line_of(isw_test_http(test, "POST", "/orders/7"), "handler"));
    isw_test_destroy(test);
}

/* -- OTLP -------------------------------------------------------------------------------------- */

static json_t *only_line(const char *path)
{
    json_error_t error;
    json_t *line = json_load_file(path, JSON_DISABLE_EOF_CHECK, &error);

    if (!line)
        fail_msg("%s", error.text);
    return line;
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* -- The file ---------------------------------------------------------------------------------- */

typedef struct folder {
    char path[32], file[64];
} folder;

static void make_folder(folder *f)
{
    strcpy(f->path, "/tmp/isw-trace-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->file, sizeof f->file, "%s/spans", f->path);
}

static void remove_folder(const folder *f)
{
    char name[96];

    unlink(f->file);
    for (int i = 1; i < 9; i++) {
        snprintf(name, sizeof name, "%s.%d", f->file, i);
        unlink(name);
    }
    assert_int_equal(rmdir(f->path), 0);
}

/* The size of FILE.number (0: FILE), -1 if it is not there; *lines gets how many it has. */
static long size_of(const folder *f, int number, int *lines)
{
    char name[96];
    FILE *in;
    int last = '\n';
    int c;
    long size = 0;

    snprintf(name, sizeof name, number ? "%s.%d" : "%s", f->file, number);
    in = fopen(name, "r");
    if (!in)
        return -1;
    for (*lines = 0; (c = getc(in)) != EOF; size++, last = c)
        *lines += c == '\n';
    assert_int_equal(last, '\n');
    fclose(in);
    return size;
}

static isw_test *tracing_to(const folder *f, const char *more)
{
    char yaml[192];

    snprintf(yaml, sizeof yaml, "middleware: [trace: {to: file, file: %s%s}]\n", f->file, more);
    return test_of(functions, yaml);
}

static void a_file_is_turned_over_before_it_is_too_large(void **state)
{
    isw_test *test;
    folder f;
    int lines;
    int kept = 0;

    (void)state;
    make_folder(&f);
    test = tracing_to(&f, ", max_size: 4KiB, keep: 2");
    for (int i = 0; i < 40; i++)
        isw_test_http(test, "POST", "/orders/7");
    for (int i = 0; i <= 2; i++) {
        assert_in_range(size_of(&f, i, &lines), 1, 4096);
        assert_in_range(lines, 1, 8);
        kept += lines;
    }
    assert_in_range(kept, 3, 39);
    assert_int_equal(size_of(&f, 3, &lines), -1);
    isw_test_destroy(test);
    test = tracing_to(&f, ", max_size: 4KiB, keep: 0");
    for (int i = 0; i < 9; i++)
        isw_test_http(test, "POST", "/orders/7");
    assert_in_range(size_of(&f, 0, &lines), 1, 4096);
    isw_test_destroy(test);
    remove_folder(&f);
}

/* As logrotate does, which tells nobody. */
static void a_file_that_was_moved_or_deleted_is_begun_anew(void **state)
{
    char moved[96];
    isw_test *test;
    folder f;
    int lines;

    (void)state;
    make_folder(&f);
    snprintf(moved, sizeof moved, "%s.7", f.file);
    test = tracing_to(&f, "");
    isw_test_http(test, "POST", "/orders/7");
    isw_test_http(test, "POST", "/orders/7");
    assert_int_equal(rename(f.file, moved), 0);
    isw_test_http(test, "POST", "/orders/7");
    size_of(&f, 7, &lines);
    assert_int_equal(lines, 2);
    size_of(&f, 0, &lines);
    assert_int_equal(lines, 1);
    assert_int_equal(unlink(f.file), 0);
    isw_test_http(test, "POST", "/orders/7");
    size_of(&f, 0, &lines);
    assert_int_equal(lines, 1);
    isw_test_destroy(test);
    remove_folder(&f);
}

static void *write_many(void *path)
{
    isw_error error = { 0 };
    iswi_trace_file file;
    char line[101];

    snprintf(line, sizeof line, "%099d\n", 7);
    assert_int_equal(iswi_trace_file_open(&file, path, 4096, 1000, &error), ISW_OK);
    for (int i = 0; i < 500; i++)
        assert_int_equal(iswi_trace_file_write(&file, line, 100), 0);
    iswi_trace_file_close(&file);
    return NULL;
}

/* As several processes of a worker do: each has opened the file for itself. */
static void who_shares_a_file_loses_no_line(void **state)
{
    pthread_t threads[4];
    char name[96];
    folder f;
    int lines;
    int all = 0;

    (void)state;
    make_folder(&f);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, f.file), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; size_of(&f, i, &lines) >= 0; i++) {
        all += lines;
        assert_in_range(size_of(&f, i, &lines), 100, 4096 + 4 * 100);
    }
    assert_int_equal(all, 2000);
    for (int i = 9; size_of(&f, i, &lines) >= 0; i++) {
        snprintf(name, sizeof name, "%s.%d", f.file, i);
        unlink(name);
    }
    remove_folder(&f);
}

static void a_file_that_cannot_be_turned_over_does_not_grow(void **state)
{
    isw_error error = { 0 };
    iswi_trace_file file;
    char blocker[96];
    folder f;
    int lines;
    int told = 0;

    (void)state;
    make_folder(&f);
    snprintf(blocker, sizeof blocker, "%s.1", f.file);
    assert_int_equal(mkdir(blocker, 0700), 0); /* a file cannot become a folder */
    assert_int_equal(iswi_trace_file_open(&file, f.file, 4096, 1, &error), ISW_OK);
    for (int i = 0; i < 4096; i++)
        told += iswi_trace_file_write(&file, "spans\n", 6) != 0;
    assert_int_equal(told, 1);
    assert_in_range(size_of(&f, 0, &lines), 4000, 4096);
    assert_int_equal(rmdir(blocker), 0);
    assert_int_equal(iswi_trace_file_write(&file, "spans\n", 6), 0);
    assert_int_equal(size_of(&f, 0, &lines), 6);
    iswi_trace_file_close(&file);
    remove_folder(&f);
}

static void a_file_gets_a_line_of_otlp(void **state)
{
    char path[] = "/tmp/isw-trace-XXXXXX";
    char yaml[128];
    json_t *line, *resource, *spans, *root, *query, *attribute;
    isw_test *test;

    (void)state;
    close(mkstemp(path));
    snprintf(yaml, sizeof yaml, "middleware: [trace: {to: file, file: %s, service: shop}]\n", path);
    test = test_of(functions, yaml);
    isw_test_http(test, "POST", "/orders/7");
    line = only_line(path);
    resource = json_array_get(json_object_get(line, "resourceSpans"), 0);
    attribute = json_array_get(json_object_get(json_object_get(resource, "resource"), "attributes"),
                               0);
    assert_string_equal(text(attribute, "key"), "service.name");
    assert_string_equal(text(json_object_get(attribute, "value"), "stringValue"), "shop");
    spans = json_object_get(json_array_get(json_object_get(resource, "scopeSpans"), 0), "spans");
    assert_int_equal(json_array_size(spans), 4);
    root = json_array_get(spans, 0);
    assert_string_equal(text(root, "name"), "POST /orders/{id}");
    assert_int_equal(json_integer_value(json_object_get(root, "kind")), 2);
    assert_string_equal(text(root, "startTimeUnixNano"), "1767225600000000000");
    assert_string_equal(text(root, "endTimeUnixNano"), "1767225600015000000");
    query = json_array_get(spans, 2);
    assert_string_equal(text(query, "name"), "query");
    assert_string_equal(text(query, "traceId"), text(root, "traceId"));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(query, "status"), "code")),
                     2);
    attribute = json_array_get(json_object_get(query, "attributes"), 0);
    assert_string_equal(text(json_object_get(attribute, "value"), "intValue"), "3");
    attribute = json_array_get(json_object_get(query, "attributes"), 1);
    assert_string_equal(text(json_object_get(attribute, "value"), "stringValue"), "orders \"7\"");
    json_decref(line);
    isw_test_destroy(test);
    unlink(path);
}

static void other_triggers_are_consumers(void **state)
{
    isw_test *test = test_of(functions, "middleware: [trace]\n");
    const isw_test_line *root = line_of(isw_test_invoke(test, "fails", NULL), "fails");

    (void)state;
    assert_string_equal(field(root, "status"), "ISW_E_CONFLICT");
    assert_string_equal(field(root, "faas.trigger"), "queue");
    isw_test_destroy(test);
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    assert_string_equal(refusal_of_yaml("middleware: [trace: {sample: 1.5}]\n"),
                        ":1:14: middleware trace did not start: sample is a share from 0 to 1");
    assert_string_equal(refusal_of_yaml("middleware: [trace: {to: file}]\n"),
                        ":1:14: middleware trace did not start: to: file needs a file");
    assert_string_equal(
        refusal_of_yaml("middleware: [trace: {to: file, file: /none/x}]\n"),
        ":1:14: middleware trace did not start: /none/x: No such file or directory");
}

const conforming subject = { .name = "trace", .options = "{sample: 1}",
                             .other_options = "{sample: 0.5}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(spans_nest_in_the_callers_trace),
    cmocka_unit_test(who_is_called_learns_of_the_innermost_span),
    cmocka_unit_test(the_random_flag_is_kept_and_set_on_what_begins_here),
    cmocka_unit_test(without_the_middleware_the_trace_goes_on_unrecorded),
    cmocka_unit_test(a_trace_that_is_not_valid_begins_anew),
    cmocka_unit_test(the_caller_decides_what_is_sampled_and_else_the_share),
    cmocka_unit_test(a_file_is_turned_over_before_it_is_too_large),
    cmocka_unit_test(a_file_that_was_moved_or_deleted_is_begun_anew),
    cmocka_unit_test(who_shares_a_file_loses_no_line),
    cmocka_unit_test(a_file_that_cannot_be_turned_over_does_not_grow),
    cmocka_unit_test(a_file_gets_a_line_of_otlp),
    cmocka_unit_test(other_triggers_are_consumers),
    cmocka_unit_test(senseless_options_are_refused),
};

ISW_TEST_MAIN(tests)
