/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_MIDDLEWARE_CONFORMANCE_H
#define ISW_TESTS_MIDDLEWARE_CONFORMANCE_H

/*
 * What every middleware keeps to, whatever it does. Its test file says what it is,
 *
 *     const conforming subject = { .name = "logging", .options = "{level: debug}",
 *                                  .other_options = "{level: none}" };
 *
 * and has MIDDLEWARE_CONFORMANCE among its cases; conformance.c runs the chain outer, subject,
 * inner, handler with it.
 */
#include "support/main.h"

#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>
#include <isoworker/testing.h>

typedef struct conforming {
    const isw_middleware *middleware; /* NULL: the library knows it by its name */
    const char *name;
    const char *options;          /* YAML: such that the invocations of the suite pass, at least */
    const char *other_options;    /* a thousand a second, and as many failures; and others */
    const isw_property *metadata; /* of the functions; NULL for none */
    const isw_pair *headers;      /* that let a request pass; ends with an empty name; NULL: none */
    bool idempotent;              /* the functions say so */
} conforming;

extern const conforming subject;

/* For the subject's own cases: a test of `functions`, which end with a NULL name, behind the chain
 * of `yaml`. The caller destroys it. */
isw_test *test_of(const isw_function *functions, const char *yaml);

/* Why a worker with this YAML does not start, behind "(text)". Static text. */
const char *refusal_of_yaml(const char *yaml);

void conforms_and_lets_pass(void **state);
void conforms_and_leaves_a_short_circuit_inside_alone(void **state);
void conforms_and_keeps_a_failure(void **state);
void conforms_when_next_is_called_twice(void **state);
void conforms_when_the_caller_leaves(void **state);
void conforms_when_the_deadline_passes(void **state);
void conforms_when_memory_is_out(void **state);
void conforms_when_it_starts_without_memory(void **state);
void conforms_when_threads_share_it(void **state);
void conforms_when_it_is_reloaded(void **state);
void conforms_and_explains_itself(void **state);

#define MIDDLEWARE_CONFORMANCE                                         \
    cmocka_unit_test(conforms_and_lets_pass),                          \
    cmocka_unit_test(conforms_and_leaves_a_short_circuit_inside_alone),\
    cmocka_unit_test(conforms_and_keeps_a_failure),                    \
    cmocka_unit_test(conforms_when_next_is_called_twice),              \
    cmocka_unit_test(conforms_when_the_caller_leaves),                 \
    cmocka_unit_test(conforms_when_the_deadline_passes),               \
    cmocka_unit_test(conforms_when_memory_is_out),                     \
    cmocka_unit_test(conforms_when_it_starts_without_memory),          \
    cmocka_unit_test(conforms_when_threads_share_it),                  \
    cmocka_unit_test(conforms_when_it_is_reloaded),                    \
    cmocka_unit_test(conforms_and_explains_itself)

#endif
