/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_HOST_TRIGGER_CONFORMANCE_H
#define ISW_TESTS_HOST_TRIGGER_CONFORMANCE_H

/*
 * What every trigger keeps to, whatever it is that comes in. Its test file says what it is,
 *
 *     const conforming_trigger subject = { .trigger = &iswi_http_trigger, .yaml = "...",
 *                                          .misspelt = "rout", .meant = "route",
 *                                          .begin = ..., .end = ... };
 *
 * and has TRIGGER_CONFORMANCE among its cases; trigger_conformance.c makes a host that has no other
 * trigger, with a worker that has functions of its type (conforming_worker.c).
 */
#include "support/main.h"

#include "host/engine/trigger.h"

#include <pthread.h>

/* Something that came in, for a function of that name. */
typedef struct asked {
    void *own;   /* the subject's */
    int fd;      /* likewise */
    int answers; /* that came so far */
} asked;

typedef struct conforming_trigger {
    const iswi_trigger *trigger;
    const char *yaml;     /* of host.yaml: so that its address, if it has one, is any free one */
    const char *misspelt; /* a property that it does not take, */
    const char *meant;    /* near to this one, which it does */
    /* Have something come in; whatever becomes of it is its one answer. */
    void (*begin)(iswi_host *host, const char *function, asked *of);
    /* Wait for the answer: whether the function ran and succeeded. Any thread. */
    bool (*end)(asked *of);
} conforming_trigger;

extern const conforming_trigger subject;

/* -- For the subject's own cases --------------------------------------------------------------- */

typedef struct conforming_host {
    char folder[40];
    int begun, gate, late; /* named pipes */
    int output;            /* the log */
    const iswi_trigger *triggers[2];
    iswi_host *host;
    pthread_t thread;
    isw_status status;
    isw_error error;
} conforming_host;

/* A host in a folder of its own, with the worker `w`, whose functions have triggers of `type`, and
 * when `late` with the worker `later`, too, which waits for a byte. `yaml` comes first. Not ISW_OK,
 * and nothing to stop: it could not be made, which *error says. */
isw_status conforming_start(conforming_host *h, const char *yaml, const char *type, bool late,
                            isw_error *error);
void conforming_stop(conforming_host *h);

/* Ask until the function answers with success. */
void conforming_await(conforming_host *h, const char *function);

/* Wait until the log has `text`. */
void conforming_await_line(const conforming_host *h, const char *text);

void conforms_and_answers_each_call_once(void **state);
void conforms_and_loses_none_when_it_quiesces(void **state);
void conforms_and_loses_none_when_another_host_takes_its_place(void **state);
void conforms_and_takes_nothing_while_the_host_drains(void **state);
void conforms_and_tells_of_a_workers_death(void **state);
void conforms_when_functions_come_under_load(void **state);
void conforms_and_refuses_properties_that_it_does_not_know(void **state);

#define TRIGGER_CONFORMANCE                                                          \
    cmocka_unit_test(conforms_and_answers_each_call_once),                           \
    cmocka_unit_test(conforms_and_loses_none_when_it_quiesces),                      \
    cmocka_unit_test(conforms_and_loses_none_when_another_host_takes_its_place),     \
    cmocka_unit_test(conforms_and_takes_nothing_while_the_host_drains),              \
    cmocka_unit_test(conforms_and_tells_of_a_workers_death),                         \
    cmocka_unit_test(conforms_when_functions_come_under_load),                       \
    cmocka_unit_test(conforms_and_refuses_properties_that_it_does_not_know)

#endif
