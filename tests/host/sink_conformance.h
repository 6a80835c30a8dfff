/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_HOST_SINK_CONFORMANCE_H
#define ISW_TESTS_HOST_SINK_CONFORMANCE_H

/*
 * What every sink keeps to, wherever its values go. Its test file says what it is, has
 * SINK_CONFORMANCE among its cases, and sink_conformance.c puts values into it, for a host that
 * nothing runs.
 */
#include "support/main.h"

#include "host/engine/sink.h"

typedef struct conforming_sink {
    const iswi_sink *sink;
    const isw_pair *given; /* properties that it takes; ends with an empty name */
    const isw_pair *wrong; /* that it refuses, likewise, each instead of the first of `given` */
    /* What has come so far, a line each; free it. The host's log is in `log`, its folder is
     * `folder`. */
    char *(*read)(const char *folder, const char *log);
} conforming_sink;

extern const conforming_sink subject;

/* -- For the subject's own cases --------------------------------------------------------------- */

typedef struct conforming_output {
    char folder[40];
    iswi_host *host;
    iswi_sink_item item; /* all but the value */
    void *self;
} conforming_output;

void conforming_open(conforming_output *o);
void conforming_close(conforming_output *o);

/* Open with these properties instead; ISW_OK leaves an instance that is closed at once. */
isw_status conforming_try(conforming_output *o, const isw_pair *given, isw_error *error);

/* Put a value, and what comes of all so far; free it. */
isw_status conforming_put(conforming_output *o, const isw_value *value, isw_error *error);
char *conforming_read(conforming_output *o);

void conforms_and_puts_each_value_as_a_line(void **state);
void conforms_and_puts_of_a_message_its_body(void **state);
void conforms_when_threads_share_it(void **state);
void conforms_when_outputs_share_where_it_goes(void **state);
void conforms_and_refuses_properties(void **state);
void conforms_and_tells_when_memory_is_out(void **state);

#define SINK_CONFORMANCE                                         \
    cmocka_unit_test(conforms_and_puts_each_value_as_a_line),    \
    cmocka_unit_test(conforms_and_puts_of_a_message_its_body),   \
    cmocka_unit_test(conforms_when_threads_share_it),            \
    cmocka_unit_test(conforms_when_outputs_share_where_it_goes), \
    cmocka_unit_test(conforms_and_refuses_properties),           \
    cmocka_unit_test(conforms_and_tells_when_memory_is_out)

#endif
