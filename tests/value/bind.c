/* SPDX-License-Identifier: Apache-2.0 */
/* Values to structs and back. */
#include "support/arena.h"

#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const states[] = { "open", "paid", "sent", NULL };

typedef struct line {
    const char *item;
    int64_t quantity;
    double price;
} line;

typedef struct address {
    const char *street;
    bool main;
} address;

typedef struct order {
    const char *customer;
    int64_t state;
    address address;
    line *lines;
    size_t line_count;
    const char **notes;
    size_t note_count;
    isw_bytes seal;
    isw_value extra;
} order;

static const isw_field line_fields[] = {
    { ISW_FIELD(STRING, line, item), .required = true, .min = 1, .max = 8 },
    { ISW_FIELD(INT, line, quantity), .default_value = "1", .min = 1, .max = 99 },
    { ISW_FIELD(DOUBLE, line, price), .max = 1000 },
    { 0 },
};
static const isw_field address_fields[] = {
    { ISW_FIELD(STRING, address, street), .default_value = "unknown" },
    { ISW_FIELD(BOOL, address, main), .default_value = "true" },
    { 0 },
};
static const isw_field order_fields[] = {
    { ISW_FIELD(STRING, order, customer), .required = true },
    { ISW_FIELD(ENUM, order, state), .choices = states, .default_value = "paid" },
    { ISW_FIELD(STRUCT, order, address), .fields = address_fields },
    { ISW_FIELD_LIST(STRUCT, order, lines, line_count), .fields = line_fields,
      .item_size = sizeof(line), .required = true, .min = 1, .max = 3 },
    { ISW_FIELD_LIST(STRING, order, notes, note_count) },
    { ISW_FIELD(BYTES, order, seal), .max = 4 },
    { ISW_FIELD(VALUE, order, extra) },
    { 0 },
};

static isw_status bind_json(const char *json, order *out, isw_error *error)
{
    isw_value value = isw_value_json(json);

    memset(out, 0xa5, sizeof *out); /* every member that is in a row is written */
    return iswi_bind(&arena, &value, "order", order_fields, false, out, error);
}

static void assert_bound(const char *json, order *out)
{
    isw_error error = { ISW_OK, "" };

    if (bind_json(json, out, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

static void every_kind_of_member_is_filled(void **state)
{
    order o;

    (void)state;
    assert_bound("{\"customer\": \"Ada\", \"state\": \"sent\", \"unknown\": [1],"
                 " \"address\": {\"street\": \"Main\", \"main\": false},"
                 " \"lines\": [{\"item\": \"pen\", \"quantity\": 3, \"price\": 1},"
                 "             {\"item\": \"ink\", \"price\": 2.5}],"
                 " \"notes\": [\"a\", \"b\"], \"seal\": \"wax\", \"extra\": {\"x\": 1}}", &o);
    assert_string_equal(o.customer, "Ada");
    assert_int_equal(o.state, 2);
    assert_string_equal(o.address.street, "Main");
    assert_false(o.address.main);
    assert_int_equal(o.line_count, 2);
    assert_string_equal(o.lines[0].item, "pen");
    assert_int_equal(o.lines[0].quantity, 3);
    assert_true(o.lines[0].price == 1);
    assert_int_equal(o.lines[1].quantity, 1);
    assert_true(o.lines[1].price == 2.5);
    assert_int_equal(o.note_count, 2);
    assert_string_equal(o.notes[1], "b");
    assert_int_equal(o.seal.size, 3);
    assert_int_equal(isw_value_get(&o.extra, "x")->as.integer, 1);
}

static void what_is_missing_takes_its_default_or_is_zero(void **state)
{
    order o;

    (void)state;
    assert_bound("{\"customer\": \"Ada\", \"lines\": [{\"item\": \"pen\"}], \"notes\": null}", &o);
    assert_int_equal(o.state, 1);
    assert_string_equal(o.address.street, "unknown");
    assert_true(o.address.main);
    assert_null(o.notes);
    assert_int_equal(o.note_count, 0);
    assert_int_equal(o.seal.size, 0);
    assert_int_equal(o.extra.type, ISW_VALUE_NONE);
    assert_true(o.lines[0].price == 0);
}

static void assert_refused(const char *json, const char *message)
{
    isw_error error = { ISW_OK, "" };
    order o;

    assert_int_equal(bind_json(json, &o, &error), ISW_E_INVALID);
    assert_string_equal(error.message, message);
}

#define LINES "\"lines\": [{\"item\": \"pen\"}]"

static void what_does_not_fit_is_refused_by_its_path(void **state)
{
    (void)state;
    assert_refused("[]", "order: expected object, found array");
    assert_refused("{" LINES "}", "order.customer: is required");
    assert_refused("{\"customer\": null, " LINES "}", "order.customer: is required");
    assert_refused("{\"customer\": 7, " LINES "}",
                   "order.customer: expected string, found integer 7");
    assert_refused("{\"customer\": \"a\\u0000b\", " LINES "}", "order.customer: holds a NUL");
    assert_refused("{\"customer\": \"A\", \"state\": \"lost\", " LINES "}",
                   "order.state: \"lost\" is none of open, paid, sent");
    assert_refused("{\"customer\": \"A\", \"address\": 1, " LINES "}",
                   "order.address: expected object, found integer 1");
    assert_refused("{\"customer\": \"A\", \"address\": {\"main\": \"true\"}, " LINES "}",
                   "order.address.main: expected true or false, found string \"true\"");
    assert_refused("{\"customer\": \"A\", \"lines\": {}}",
                   "order.lines: expected array, found map");
    assert_refused("{\"customer\": \"A\", \"lines\": []}",
                   "order.lines: its number of items, 0 is less than 1");
    assert_refused("{\"customer\": \"A\", \"lines\": [{\"item\": \"pen\"}, {\"item\": \"ink\", "
                   "\"quantity\": \"3\"}]}",
                   "order.lines[1].quantity: expected integer, found string \"3\"");
    assert_refused("{\"customer\": \"A\", \"lines\": [{\"item\": \"pen\", \"quantity\": 100}]}",
                   "order.lines[0].quantity: 100 is more than 99");
    assert_refused("{\"customer\": \"A\", \"lines\": [{\"item\": \"pen\", \"price\": -0.5}]}",
                   "order.lines[0].price: -0.5 is less than 0");
    assert_refused("{\"customer\": \"A\", \"lines\": [{\"item\": \"a pencil\"}, {\"item\": \"\"}]}",
                   "order.lines[1].item: its length of 0 is less than 1");
    assert_refused("{\"customer\": \"A\", " LINES ", \"notes\": [\"x\", 1]}",
                   "order.notes[1]: expected string, found integer 1");
    assert_refused("{\"customer\": \"A\", " LINES ", \"seal\": \"12345\"}",
                   "order.seal: its size of 5 is more than 4");
    assert_refused("{\"customer\"}", "order: line 1, column 12: ':' expected near '}'");
}

static void a_struct_comes_back_as_it_was(void **state)
{
    static const char json[] =
        "{\"customer\":\"Ada\",\"state\":\"sent\",\"address\":{\"street\":\"Main\",\"main\":false},"
        "\"lines\":[{\"item\":\"pen\",\"quantity\":3,\"price\":1.5}],\"notes\":[\"a\",\"b\"],"
        "\"seal\":\"d2F4\",\"extra\":[1,{\"x\":null}]}";
    isw_error error = { ISW_OK, "" };
    isw_value value;
    isw_str text;
    order o;

    (void)state;
    assert_bound(json, &o);
    o.seal = (isw_bytes){ "wax", 3 };
    assert_int_equal(iswi_unbind(&arena, order_fields, &o, &value, &error), ISW_OK);
    assert_int_equal(iswi_json_write(&arena, &value, &text, &error), ISW_OK);
    assert_string_equal(text.data, json);
}

static void what_is_none_is_left_out_and_a_bad_choice_refused(void **state)
{
    isw_error error = { ISW_OK, "" };
    isw_value value;
    order o = { .state = 1 };

    (void)state;
    assert_int_equal(iswi_unbind(&arena, order_fields, &o, &value, &error), ISW_OK);
    assert_null(isw_value_get(&value, "customer"));
    assert_int_equal(isw_value_get(&value, "lines")->as.array.count, 0);
    o.state = 3;
    assert_int_equal(iswi_unbind(&arena, order_fields, &o, &value, &error), ISW_E_INVALID);
    assert_string_equal(error.message, "state: 3 is the index of no choice");
}

typedef struct search {
    const char *text;
    int64_t page;
    bool exact;
    int64_t *ids;
    size_t id_count;
} search;

static const isw_field search_fields[] = {
    { ISW_FIELD(STRING, search, text), .required = true },
    { ISW_FIELD(INT, search, page), .default_value = "1", .min = 1, .max = 100 },
    { ISW_FIELD(BOOL, search, exact) },
    { ISW_FIELD_LIST(INT, search, ids, id_count) },
    { 0 },
};

static isw_status bind_pairs(const isw_pair *items, size_t count, search *out, isw_error *error)
{
    const isw_pairs pairs = { items, count };

    const isw_value *value = iswi_bind_pairs_value(&arena, &pairs, search_fields);

    return iswi_bind(&arena, value, "", search_fields, true, out, error);
}

#define PAIR(name, value) { { name, sizeof(name) - 1 }, { value, sizeof(value) - 1 } }

static void pairs_are_read_as_text(void **state)
{
    const isw_pair items[] = { PAIR("ids", "7"), PAIR("text", "pen"), PAIR("exact", "true"),
                               PAIR("ids", "8"), PAIR("text", "second"), PAIR("odd", "x") };
    isw_error error = { ISW_OK, "" };
    search s;

    (void)state;
    assert_int_equal(bind_pairs(items, 6, &s, &error), ISW_OK);
    assert_string_equal(s.text, "pen");
    assert_int_equal(s.page, 1);
    assert_true(s.exact);
    assert_int_equal(s.id_count, 2);
    assert_int_equal(s.ids[1], 8);
}

static void pairs_that_do_not_fit_are_refused(void **state)
{
    const isw_pair items[] = { PAIR("text", "pen"), PAIR("ids", "7"), PAIR("ids", "x") };
    isw_error error = { ISW_OK, "" };
    search s;

    (void)state;
    assert_int_equal(bind_pairs(items, 3, &s, &error), ISW_E_INVALID);
    assert_string_equal(error.message, "ids[1]: expected integer, found string \"x\"");
    error.status = ISW_OK;
    assert_int_equal(bind_pairs(items + 1, 1, &s, &error), ISW_E_INVALID);
    assert_string_equal(error.message, "text: is required");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(every_kind_of_member_is_filled, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_missing_takes_its_default_or_is_zero, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused_by_its_path, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_struct_comes_back_as_it_was, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_none_is_left_out_and_a_bad_choice_refused, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(pairs_are_read_as_text, set_up, tear_down),
    cmocka_unit_test_setup_teardown(pairs_that_do_not_fit_are_refused, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
