/* SPDX-License-Identifier: Apache-2.0 */
/* Holds PROTOCOL.md and the code to each other: every table of the specification is compared with
 * the one that the codec walks, in both directions. */
#include "support/main.h"

#include "wire/table.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 600, CELLS = 4, CELL_BYTES = 200, STRUCTURES = 64 };

/* One row of a table, or a heading (no cells). */
typedef struct row {
    int section;
    char heading[CELL_BYTES];
    char cells[CELLS][CELL_BYTES];
    int count;
} row;

static row rows[ROWS];
static size_t row_count;

static void copy_trimmed(char *out, const char *text, size_t size)
{
    while (size && *text == ' ') {
        text++;
        size--;
    }
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\n'))
        size--;
    if (size >= CELL_BYTES)
        size = CELL_BYTES - 1; /* long meanings are not compared */
    memcpy(out, text, size);
    out[size] = '\0';
}

static void split_row(row *out, const char *line)
{
    for (line++; out->count < CELLS && *line && *line != '\n'; out->count++) {
        size_t size = strcspn(line, "|\n");

        copy_trimmed(out->cells[out->count], line, size);
        line += size + (line[size] == '|');
    }
}

static row *add_row(int section, const char *heading)
{
    row *out = &rows[row_count++];

    assert_true(row_count < ROWS);
    memset(out, 0, sizeof *out);
    out->section = section;
    snprintf(out->heading, sizeof out->heading, "%s", heading);
    return out;
}

/* A row of dashes follows the head of a table, which then is no row. */
static void read_row(int section, const char *heading, const char *line)
{
    if (strncmp(line, "| ---", 5) == 0)
        row_count--;
    else
        split_row(add_row(section, heading), line);
}

static int read_specification(void **state)
{
    FILE *file = fopen(ISW_TEST_SOURCE_DIR "/../src/wire/PROTOCOL.md", "r");
    char heading[CELL_BYTES] = "";
    char line[1024];
    int section = 0;

    (void)state;
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "## ", 3) == 0) {
            section = atoi(line + 3);
            heading[0] = '\0';
        } else if (strncmp(line, "### ", 4) == 0) {
            copy_trimmed(heading, line + 4, strlen(line + 4));
            add_row(section, heading);
        } else if (line[0] == '|') {
            read_row(section, heading, line);
        }
    }
    fclose(file);
    return 0;
}

/* The type of a member, as the specification writes it. */
static void type_text(const iswi_field *field, char *out)
{
    switch ((iswi_field_type)field->type) {
    case ISWI_FIELD_UINT:
    case ISWI_FIELD_CODE:
        strcpy(out, "uint");
        break;
    case ISWI_FIELD_BOOL:
        strcpy(out, "bool");
        break;
    case ISWI_FIELD_STR:
        snprintf(out, CELL_BYTES, field->limit ? "str %u" : "str", (unsigned)field->limit);
        break;
    case ISWI_FIELD_BIN:
        snprintf(out, CELL_BYTES, field->limit ? "bin %u" : "bin", (unsigned)field->limit);
        break;
    case ISWI_FIELD_STRS:
        strcpy(out, "strs");
        break;
    case ISWI_FIELD_PAIRS:
        strcpy(out, "pairs");
        break;
    case ISWI_FIELD_VALUE:
        strcpy(out, "data");
        break;
    case ISWI_FIELD_NAMED:
        strcpy(out, "named");
        break;
    case ISWI_FIELD_STRUCT:
        strcpy(out, field->table->name);
        break;
    case ISWI_FIELD_LIST:
        snprintf(out, CELL_BYTES, "[%s]", field->table->name);
        break;
    }
}

static void compare_field(const row *said, const iswi_field *field)
{
    char key[16];
    char type[CELL_BYTES];

    snprintf(key, sizeof key, "%u%s", (unsigned)field->key, field->required ? "*" : "");
    type_text(field, type);
    if (strcmp(said->cells[0], key) != 0 || strcmp(said->cells[1], field->name) != 0 ||
        strcmp(said->cells[2], type) != 0)
        fail_msg("%s: PROTOCOL.md says | %s | %s | %s |, the code | %s | %s | %s |", said->heading,
                 said->cells[0], said->cells[1], said->cells[2], key, field->name, type);
}

/* The rows below the heading at `at` are those of `table`, in the same order. */
static void compare_table(size_t at, const iswi_table *table)
{
    size_t count = 0;

    for (size_t i = at + 1; i < row_count && rows[i].count && rows[i].section == rows[at].section;
         i++, count++) {
        if (count == table->count)
            fail_msg("%s: the code has no key %s", rows[at].heading, rows[i].cells[0]);
        compare_field(&rows[i], &table->fields[count]);
    }
    if (count < table->count)
        fail_msg("%s: PROTOCOL.md has no key %u", rows[at].heading,
                 (unsigned)table->fields[count].key);
}

static void every_frame_is_as_specified(void **state)
{
    uint64_t kind = 0;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        const iswi_table *table = iswi_table_of_kind(kind + 1);
        char start[CELL_BYTES];

        if (rows[i].section != 4 || rows[i].count)
            continue;
        kind++;
        if (!table)
            fail_msg("the code has no %s", rows[i].heading);
        snprintf(start, sizeof start, "%u `%s` (", (unsigned)kind, table->name);
        if (strncmp(rows[i].heading, start, strlen(start)) != 0)
            fail_msg("PROTOCOL.md says %s, the code %s", rows[i].heading, start);
        compare_table(i, table);
    }
    assert_int_equal(kind, ISWI_KIND_LAST);
    assert_null(iswi_table_of_kind(kind + 1));
}

static const iswi_table *structures[STRUCTURES];
static size_t structure_count;

/* Every structure below `table`, each once. */
static void collect(const iswi_table *table)
{
    for (size_t i = 0; i < structure_count; i++)
        if (structures[i] == table)
            return;
    assert_true(structure_count < STRUCTURES);
    structures[structure_count++] = table;
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].table)
            collect(table->fields[i].table);
}

static void collect_all(void)
{
    structure_count = 0;
    collect(&iswi_table_http);
    collect(&iswi_table_model);
    for (uint64_t kind = ISWI_WORKER_HELLO; kind <= ISWI_KIND_LAST; kind++) {
        const iswi_table *table = iswi_table_of_kind(kind);

        for (size_t i = 0; i < table->count; i++)
            if (table->fields[i].table)
                collect(table->fields[i].table);
    }
}

static void every_structure_is_as_specified(void **state)
{
    size_t specified = 0;

    (void)state;
    collect_all();
    for (size_t i = 0; i < row_count; i++) {
        size_t n = 0;

        if (rows[i].section != 5 || rows[i].count)
            continue;
        while (n < structure_count && strcmp(structures[n]->name, rows[i].heading) != 0)
            n++;
        if (n == structure_count)
            fail_msg("the code has no structure %s", rows[i].heading);
        compare_table(i, structures[n]);
        specified++;
    }
    assert_int_equal(specified, structure_count);
}

static void keys_ascend_and_fit_the_limit(void **state)
{
    (void)state;
    collect_all();
    for (uint64_t kind = ISWI_WORKER_HELLO; kind <= ISWI_KIND_LAST; kind++)
        collect(iswi_table_of_kind(kind));
    for (size_t n = 0; n < structure_count; n++)
        for (size_t i = 0; i < structures[n]->count; i++) {
            assert_true(structures[n]->fields[i].key <= ISWI_KEY_MAX);
            assert_true(i == 0 || structures[n]->fields[i - 1].key < structures[n]->fields[i].key);
        }
}

static void every_type_of_data_is_as_specified(void **state)
{
    unsigned type = 0;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].section != 6)
            continue;
        if (type <= ISW_VALUE_MAP) {
            assert_int_equal(strtoul(rows[i].cells[0], NULL, 10), type);
            assert_string_equal(rows[i].cells[1], isw_value_type_name((isw_value_type)type));
        } else {
            assert_string_equal(rows[i].cells[0], "17 to 22, 24");
        }
        type++;
    }
    assert_int_equal(type, ISW_VALUE_MAP + 2);
    for (unsigned element = 0; element < 64; element++) {
        unsigned array = ISWI_WIRE_ARRAY + element;

        assert_int_equal(iswi_value_element_allowed(element),
                         (array >= 17 && array <= 22) || array == 24);
    }
}

static void every_status_is_as_specified(void **state)
{
    int code = 0;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        isw_status status = (isw_status)code;

        if (rows[i].section != 7)
            continue;
        assert_int_equal(atoi(rows[i].cells[0]), code);
        assert_string_equal(rows[i].cells[1], isw_status_name(status));
        assert_int_equal(atoi(rows[i].cells[2]), isw_status_http(status));
        assert_string_equal(rows[i].cells[3], isw_status_text(status));
        code++;
    }
    assert_string_equal(isw_status_name((isw_status)code), "ISW_E_?");
}

/* "67,108,864 bytes" and "0 to 63": the last number in the text, without its commas. */
static unsigned long number_in(const char *text)
{
    unsigned long number = 0;

    for (bool within = false; *text; text++) {
        bool digit = *text >= '0' && *text <= '9';

        if (digit)
            number = (within ? 10 * number : 0) + (unsigned long)(*text - '0');
        within = digit || (within && *text == ',');
    }
    return number;
}

static void every_limit_is_as_specified(void **state)
{
    static const struct {
        const char *what;
        unsigned long limit; /* 0: that of the frame */
    } limits[] = {
        { "message, and so a frame", ISWI_MESSAGE_MAX_BYTES },
        { "one str or bin without a limit of its own", 0 },
        { "elements of one array that becomes a list", ISWI_LIST_MAX },
        { "pairs or named entries of one list", ISWI_PAIRS_MAX },
        { "types 9 and 10 within each other", ISWI_VALUE_MAX_DEPTH },
        { "window of a stream at its begin", ISWI_WINDOW_BYTES },
        { "one frame `metrics`", ISWI_METRICS_MAX_BYTES },
        { "labels of one Family", ISWI_METRIC_LABELS_MAX },
        { "bounds of one Family", ISWI_METRIC_BOUNDS_MAX },
        { "nesting of values that are skipped", ISWI_SKIP_MAX_DEPTH },
        { "key of a body", ISWI_KEY_MAX },
        { "frames of one message", ISWI_MESSAGE_MAX_FRAMES },
    };
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].section != 8)
            continue;
        assert_true(count < sizeof limits / sizeof limits[0]);
        assert_string_equal(rows[i].cells[0], limits[count].what);
        assert_int_equal(number_in(rows[i].cells[1]), limits[count].limit);
        count++;
    }
    assert_int_equal(count, sizeof limits / sizeof limits[0]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_frame_is_as_specified),
    cmocka_unit_test(every_structure_is_as_specified),
    cmocka_unit_test(keys_ascend_and_fit_the_limit),
    cmocka_unit_test(every_type_of_data_is_as_specified),
    cmocka_unit_test(every_status_is_as_specified),
    cmocka_unit_test(every_limit_is_as_specified),
};

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, read_specification, NULL);
}
