/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which calls wait. */
#include "support/main.h"

#include "host/engine/engine.h"

#include <stdio.h>

enum { FUNCTIONS = 3, CALLS = 4 };

typedef struct crowd {
    iswi_lines lines;
    iswi_host_function functions[FUNCTIONS];
    iswi_call calls[FUNCTIONS][CALLS];
    char order[64];
    size_t size;
} crowd;

/* Call n of function f has the id 10 f + n, and is "f" and "n" in `order`. */
static void init(crowd *c)
{
    memset(c, 0, sizeof *c);
    for (unsigned f = 0; f < FUNCTIONS; f++) {
        for (unsigned n = 0; n < CALLS; n++) {
            c->calls[f][n].function = &c->functions[f];
            c->calls[f][n].wait.id = 10 * f + n;
        }
    }
}

static void add(crowd *c, unsigned f, unsigned n)
{
    iswi_lines_add(&c->lines, &c->calls[f][n], false);
}

/* Take out all that wait, as they would be placed. */
static const char *serve_all(crowd *c)
{
    while (c->lines.first) {
        iswi_line *line = c->lines.first;
        iswi_call *call = line->first;

        iswi_lines_lift(&c->lines, call);
        iswi_lines_settle(&c->lines, line);
        c->size += (size_t)sprintf(c->order + c->size, "%s%02u", c->size ? " " : "",
                                   (unsigned)call->wait.id);
    }
    assert_null(c->lines.last);
    return c->order;
}

static void one_function_is_served_in_order(void **state)
{
    crowd c;

    (void)state;
    init(&c);
    for (unsigned n = 0; n < CALLS; n++)
        add(&c, 1, n);
    assert_string_equal(serve_all(&c), "10 11 12 13");
    assert_int_equal(c.functions[1].line.count, 0);
}

static void functions_take_turns(void **state)
{
    crowd c;

    (void)state;
    init(&c);
    for (unsigned n = 0; n < CALLS; n++)
        add(&c, 0, n);
    add(&c, 1, 0);
    add(&c, 2, 0);
    add(&c, 2, 1);
    assert_string_equal(serve_all(&c), "00 10 20 01 21 02 03");
}

static void a_try_that_fails_costs_no_turn(void **state)
{
    crowd c;

    (void)state;
    init(&c);
    add(&c, 0, 0);
    add(&c, 1, 0);
    iswi_lines_lift(&c.lines, &c.calls[0][0]);
    iswi_lines_add(&c.lines, &c.calls[0][0], true);
    assert_string_equal(serve_all(&c), "00 10");
}

static void what_comes_back_is_the_first_of_its_line(void **state)
{
    crowd c;

    (void)state;
    init(&c);
    add(&c, 0, 1);
    add(&c, 0, 2);
    iswi_lines_add(&c.lines, &c.calls[0][0], true);
    assert_string_equal(serve_all(&c), "00 01 02");
}

static void anyone_can_be_found_and_leave(void **state)
{
    crowd c;

    (void)state;
    init(&c);
    c.calls[0][1].wait.id = 10 + ISWI_LINES_BUCKETS; /* beside that of another */
    for (unsigned f = 0; f < 2; f++)
        for (unsigned n = 0; n < 3; n++)
            add(&c, f, n);
    assert_ptr_equal(iswi_lines_find(&c.lines, 10 + ISWI_LINES_BUCKETS), &c.calls[0][1]);
    assert_ptr_equal(iswi_lines_find(&c.lines, 10), &c.calls[1][0]);
    assert_null(iswi_lines_find(&c.lines, 1));
    iswi_lines_remove(&c.lines, &c.calls[0][1]);
    iswi_lines_remove(&c.lines, &c.calls[1][0]);
    iswi_lines_remove(&c.lines, &c.calls[1][2]);
    assert_null(iswi_lines_find(&c.lines, 10));
    assert_int_equal(c.functions[0].line.count, 2);
    assert_string_equal(serve_all(&c), "00 11 02");
}

static void the_longest_line_is_known(void **state)
{
    crowd c;

    (void)state;
    init(&c);
    assert_null(iswi_lines_longest(&c.lines));
    add(&c, 0, 0);
    add(&c, 1, 0);
    add(&c, 1, 1);
    add(&c, 2, 0);
    assert_ptr_equal(iswi_lines_longest(&c.lines), &c.functions[1].line);
    iswi_lines_remove(&c.lines, &c.calls[1][0]);
    add(&c, 2, 1);
    assert_ptr_equal(iswi_lines_longest(&c.lines), &c.functions[2].line);
}

static void who_has_waited_long_enough_is_taken_out(void **state)
{
    crowd c;
    int64_t next_ns;
    iswi_call *due;

    (void)state;
    init(&c);
    for (unsigned f = 0; f < 2; f++)
        for (unsigned n = 0; n < 3; n++)
            c.calls[f][n].wait.until_ns = 100 + 10 * n + f;
    for (unsigned n = 0; n < 3; n++)
        add(&c, 0, n);
    add(&c, 1, 0);
    assert_null(iswi_lines_take_due(&c.lines, 99, &next_ns));
    assert_int_equal(next_ns, 100);
    due = iswi_lines_take_due(&c.lines, 101, &next_ns);
    assert_int_equal(next_ns, 110);
    assert_ptr_equal(due, &c.calls[1][0]);
    assert_ptr_equal(due->wait.behind, &c.calls[0][0]);
    assert_null(due->wait.behind->wait.behind);
    assert_false(c.functions[1].line.listed);
    add(&c, 1, 1);
    assert_non_null(iswi_lines_take_due(&c.lines, INT64_MAX, &next_ns));
    assert_int_equal(next_ns, INT64_MAX);
    assert_string_equal(serve_all(&c), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_function_is_served_in_order),
        cmocka_unit_test(functions_take_turns),
        cmocka_unit_test(a_try_that_fails_costs_no_turn),
        cmocka_unit_test(what_comes_back_is_the_first_of_its_line),
        cmocka_unit_test(anyone_can_be_found_and_leave),
        cmocka_unit_test(the_longest_line_is_known),
        cmocka_unit_test(who_has_waited_long_enough_is_taken_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
