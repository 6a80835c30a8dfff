/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "value/value.h"

#include <math.h>

static isw_value text(const char *text_of)
{
    return isw_value_string(text_of);
}

static void assert_int(isw_value value, int64_t expected)
{
    int64_t number = 0;

    assert_int_equal(isw_value_to_int(&value, &number, NULL), ISW_OK);
    assert_true(number == expected);
}

static void assert_no_int(isw_value value, const char *message)
{
    isw_error error = { ISW_OK, "" };
    int64_t number = 42;

    assert_int_equal(isw_value_to_int(&value, &number, &error), ISW_E_INVALID);
    assert_string_equal(error.message, message);
    assert_true(number == 42);
}

static void integers_come_from_what_holds_them_exactly(void **state)
{
    (void)state;
    assert_int(isw_value_int(INT64_MIN), INT64_MIN);
    assert_int(isw_value_double(-3.0), -3);
    assert_int(text("-9223372036854775808"), INT64_MIN);
    assert_int(text("007"), 7);
    assert_no_int(isw_value_double(1.5), "expected integer, found number 1.5");
    assert_no_int(isw_value_double(0x1p63), "expected integer, found number 9.22337e+18");
    assert_no_int(isw_value_double(NAN), "expected integer, found number nan");
    assert_no_int(text("9223372036854775808"),
                  "expected integer, found string \"9223372036854775808\"");
    assert_no_int(text(""), "expected integer, found string \"\"");
    assert_no_int(text(" 1"), "expected integer, found string \" 1\"");
    assert_no_int(text("1x"), "expected integer, found string \"1x\"");
    assert_no_int(text("a very long text that is no number"),
                  "expected integer, found string \"a very long text that is...\"");
    assert_no_int(isw_value_none(), "expected integer, found none");
    assert_no_int(isw_value_bool(true), "expected integer, found true");
    assert_no_int(isw_value_array(NULL, 0), "expected integer, found array");
}

static bool is_double(isw_value value, double expected)
{
    double number = -1;

    return isw_value_to_double(&value, &number, NULL) == ISW_OK && number == expected;
}

static void doubles_come_from_numbers_and_decimal_text(void **state)
{
    (void)state;
    assert_true(is_double(isw_value_double(0.1), 0.1));
    assert_true(is_double(isw_value_int(INT64_C(1) << 53), 0x1p53));
    assert_true(is_double(text("-1.5e3"), -1500));
    assert_false(is_double(isw_value_int((INT64_C(1) << 53) + 1), 0x1p53));
    assert_false(is_double(text("0x10"), 16));
    assert_false(is_double(text("nan"), -1));
    assert_false(is_double(text("1e999"), INFINITY));
    assert_false(is_double(text("1,5"), 1.5));
}

static void bools_come_from_themselves_and_their_names(void **state)
{
    isw_value yes = text("true");
    isw_value no = text("false");
    isw_value other = text("True");
    isw_error error = { ISW_OK, "" };
    bool truth = false;

    (void)state;
    assert_int_equal(isw_value_to_bool(&yes, &truth, NULL), ISW_OK);
    assert_true(truth);
    assert_int_equal(isw_value_to_bool(&no, &truth, NULL), ISW_OK);
    assert_false(truth);
    assert_int_equal(isw_value_to_bool(&other, &truth, &error), ISW_E_INVALID);
    assert_string_equal(error.message, "expected true or false, found string \"True\"");
}

static void text_and_bytes_are_views(void **state)
{
    isw_value value = text("abc");
    isw_value number = isw_value_int(1);
    isw_bytes bytes;
    isw_str view;

    (void)state;
    assert_int_equal(isw_value_to_text(&value, &view, NULL), ISW_OK);
    assert_ptr_equal(view.data, value.as.string.data);
    assert_int_equal(isw_value_to_bytes(&value, &bytes, NULL), ISW_OK);
    assert_ptr_equal(bytes.data, value.as.string.data);
    assert_int_equal(isw_value_to_text(&number, &view, NULL), ISW_E_INVALID);
    assert_int_equal(isw_value_to_bytes(&number, &bytes, NULL), ISW_E_INVALID);
}

static void a_path_leads_to_what_lies_within(void **state)
{
    const isw_named_value line[] = { isw_named("quantity", isw_value_int(7)) };
    const isw_value lines[] = { isw_value_none(), isw_value_map(line, 1) };
    const isw_named_value order[] = { isw_named("lines", isw_value_array(lines, 2)) };
    const isw_named_value root[] = { isw_named("order", isw_value_map(order, 1)) };
    const isw_value value = isw_value_map(root, 1);

    (void)state;
    assert_ptr_equal(isw_value_get(&value, ""), &value);
    assert_int_equal(isw_value_get(&value, "order.lines[1].quantity")->as.integer, 7);
    assert_ptr_equal(isw_value_get(&value, "order.lines[0]"), &lines[0]);
    assert_null(isw_value_get(&value, "order.lines[2]"));
    assert_null(isw_value_get(&value, "order.lines[x]"));
    assert_null(isw_value_get(&value, "order.lines[1"));
    assert_null(isw_value_get(&value, "order.line"));
    assert_null(isw_value_get(&value, "order[0]"));
    assert_null(isw_value_get(&value, "order.lines.quantity"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(integers_come_from_what_holds_them_exactly),
    cmocka_unit_test(doubles_come_from_numbers_and_decimal_text),
    cmocka_unit_test(bools_come_from_themselves_and_their_names),
    cmocka_unit_test(text_and_bytes_are_views),
    cmocka_unit_test(a_path_leads_to_what_lies_within),
};

ISW_TEST_MAIN(tests)
