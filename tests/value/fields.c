/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"
#include "value/value.h"

#include <stddef.h>

typedef struct item {
    int64_t count;
    double price;
    const char *name;
    isw_bytes seal;
    int64_t state;
    int64_t *ids;
    size_t id_count;
} item;

static const char *const states[] = { "open", "paid", NULL };
static const char *const no_states[] = { NULL };

/* Hold a table of one row to what is said of it; NULL: nothing. */
static void checked(isw_field row, const char *message)
{
    const isw_field table[] = { row, { 0 } };
    isw_error error = { ISW_OK, "" };
    isw_status status = iswi_fields_check(table, "body", &error);

    assert_string_equal(error.message, message ? message : "");
    assert_int_equal(status, message ? ISW_E_INVALID : ISW_OK);
}

#define ROW(...) ((isw_field){ __VA_ARGS__ })

static void a_range_that_no_value_can_meet_is_refused(void **state)
{
    (void)state;
    checked(ROW(ISW_FIELD(INT, item, count), .min = 5, .max = 3),
            "body.count: no value is at least 5 and at most 3");
    checked(ROW(ISW_FIELD(DOUBLE, item, price), .max = -1),
            "body.price: no value is at least 0 and at most -1");
    checked(ROW(ISW_FIELD(STRING, item, name), .min = 9, .max = 8),
            "body.name: no value is at least 9 and at most 8");
    checked(ROW(ISW_FIELD(BYTES, item, seal), .min = -9, .max = -8),
            "body.seal: no size is at most -8");
    checked(ROW(ISW_FIELD_LIST(INT, item, ids, id_count), .min = 2, .max = 1),
            "body.ids: no value is at least 2 and at most 1");
    checked(ROW(ISW_FIELD(INT, item, count), .min = 1), NULL);
    checked(ROW(ISW_FIELD(INT, item, count), .min = -5, .max = 0), NULL);
    checked(ROW(ISW_FIELD(INT, item, count), .min = 3, .max = 3), NULL);
    checked(ROW(ISW_FIELD(STRING, item, name), .max = 3), NULL);
}

static void a_default_that_may_not_stand_there_is_refused(void **state)
{
    (void)state;
    checked(ROW(ISW_FIELD(INT, item, count), .default_value = "0", .min = 1),
            "body.count has a default that may not stand there (count: 0 is less than 1)");
    checked(ROW(ISW_FIELD(ENUM, item, state), .choices = states, .default_value = "lost"),
            "body.state has a default that may not stand there (state: \"lost\" is none of open, "
            "paid)");
    checked(ROW(ISW_FIELD(INT, item, count), .default_value = "one"),
            "body.count has a default that may not stand there (count: expected integer, found "
            "string \"one\")");
    checked(ROW(ISW_FIELD(ENUM, item, state), .choices = states, .default_value = "paid"), NULL);
    checked(ROW(ISW_FIELD(INT, item, count), .default_value = "1", .min = 1, .required = true),
            NULL);
}

static void a_row_that_lacks_what_its_type_needs_is_refused(void **state)
{
    static const isw_field twice[] = { { ISW_FIELD(INT, item, count) },
                                       { ISW_FIELD(INT, item, count) },
                                       { 0 } };
    isw_error error = { ISW_OK, "" };

    (void)state;
    checked(ROW(ISW_FIELD(ENUM, item, state)), "body.state has no choices");
    checked(ROW(ISW_FIELD(ENUM, item, state), .choices = no_states), "body.state has no choices");
    checked(ROW(ISW_FIELD(STRUCT, item, name)), "body.name has no fields");
    checked(ROW(.name = "count"), "body.count has no type that is known");
    checked(ROW(ISW_FIELD_LIST(ARRAY, item, ids, id_count)), "body.ids has no type that is known");
    checked(ROW(ISW_FIELD_LIST(STRUCT, item, ids, id_count), .fields = twice),
            "body.ids has no item_size");
    checked(ROW(.type = ISW_FIELD_INT),
            "row 1 of the table of body has no name; only the last one, { 0 }, has none");
    assert_int_equal(iswi_fields_check(twice, "query", &error), ISW_E_INVALID);
    assert_string_equal(error.message, "query.count is there twice");
}

typedef struct tree {
    int64_t size;
    struct tree *children;
    size_t child_count;
} tree;

static const isw_field tree_fields[] = {
    { ISW_FIELD(INT, tree, size), .min = 1 },
    { ISW_FIELD_LIST(STRUCT, tree, children, child_count), .fields = tree_fields,
      .item_size = sizeof(tree) },
    { 0 },
};
static const isw_field bad_leaf[] = { { ISW_FIELD(INT, tree, size), .min = 1, .max = -1 }, { 0 } };
static const isw_field bad_tree[] = {
    { ISW_FIELD_LIST(STRUCT, tree, children, child_count), .fields = bad_leaf,
      .item_size = sizeof(tree) },
    { 0 },
};

static void tables_within_tables_are_looked_at_once(void **state)
{
    isw_error error = { ISW_OK, "" };

    (void)state;
    assert_int_equal(iswi_fields_check(tree_fields, "body", &error), ISW_OK);
    assert_int_equal(iswi_fields_check(bad_tree, "body", &error), ISW_E_INVALID);
    assert_string_equal(error.message,
                        "body.children[].size: no value is at least 1 and at most -1");
}

/* -- What the limits do to values -------------------------------------------------------------- */

/* Bind one member; its refusal, or "". Static text. */
static const char *bound(isw_field row, isw_value value)
{
    static isw_error error;
    const isw_field table[] = { row, { 0 } };
    const isw_named_value pair = { isw_str_of(row.name), value };
    const isw_value map = isw_value_map(&pair, 1);
    iswi_arena arena;
    item out;

    error = (isw_error){ ISW_OK, "" };
    iswi_arena_init(&arena, 256);
    iswi_bind(&arena, &map, "", table, false, &out, &error);
    iswi_arena_fini(&arena);
    return error.message;
}

static void at_least_one_can_be_said(void **state)
{
    const isw_field count = { ISW_FIELD(INT, item, count), .min = 1 };
    const isw_field price = { ISW_FIELD(DOUBLE, item, price), .min = 1 };
    const isw_field name = { ISW_FIELD(STRING, item, name), .min = 1 };

    (void)state;
    assert_string_equal(bound(count, isw_value_int(5)), "");
    assert_string_equal(bound(count, isw_value_int(INT64_MAX)), "");
    assert_string_equal(bound(count, isw_value_int(0)), "count: 0 is less than 1");
    assert_string_equal(bound(price, isw_value_double(1e300)), "");
    assert_string_equal(bound(price, isw_value_double(0.5)), "price: 0.5 is less than 1");
    assert_string_equal(bound(name, isw_value_string("a")), "");
    assert_string_equal(bound(name, isw_value_string("")),
                        "name: its length of 0 is less than 1");
}

static void a_range_that_no_value_can_meet_is_not_blamed_on_the_caller(void **state)
{
    (void)state;
    assert_string_equal(bound(ROW(ISW_FIELD(INT, item, count), .min = 5, .max = 3),
                              isw_value_int(4)),
                        "the field \"count\" has a range that no value can meet: at least 5 and at "
                        "most 3");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_range_that_no_value_can_meet_is_refused),
    cmocka_unit_test(a_default_that_may_not_stand_there_is_refused),
    cmocka_unit_test(a_row_that_lacks_what_its_type_needs_is_refused),
    cmocka_unit_test(tables_within_tables_are_looked_at_once),
    cmocka_unit_test(at_least_one_can_be_said),
    cmocka_unit_test(a_range_that_no_value_can_meet_is_not_blamed_on_the_caller),
};

ISW_TEST_MAIN(tests)
