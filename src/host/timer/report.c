/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of report.h: the names of its members are those of the JSON. */
#include "host/timer/report.h"

#include <stddef.h>

static const isw_field timer_fields[] = {
    { ISW_FIELD(STRING, iswi_timer_told, function), .required = true },
    { ISW_FIELD(STRING, iswi_timer_told, worker) },
    { ISW_FIELD(STRING, iswi_timer_told, schedule), .required = true },
    { ISW_FIELD(STRING, iswi_timer_told, zone), .required = true },
    { ISW_FIELD(STRING, iswi_timer_told, state), .required = true },
    { ISW_FIELD(BOOL, iswi_timer_told, paused) },
    { ISW_FIELD(BOOL, iswi_timer_told, asked) },
    { ISW_FIELD(STRING, iswi_timer_told, last) },
    { ISW_FIELD(STRING, iswi_timer_told, started) },
    { ISW_FIELD(STRING, iswi_timer_told, ended) },
    { ISW_FIELD(STRING, iswi_timer_told, outcome) },
    { ISW_FIELD(STRING, iswi_timer_told, error) },
    { ISW_FIELD(INT, iswi_timer_told, attempt) },
    { ISW_FIELD(INT, iswi_timer_told, runs) },
    { ISW_FIELD(INT, iswi_timer_told, failures) },
    { ISW_FIELD(INT, iswi_timer_told, missed) },
    { ISW_FIELD_LIST(STRING, iswi_timer_told, next, next_count) },
    { ISW_FIELD(STRING, iswi_timer_told, again) },
    { ISW_FIELD(STRING, iswi_timer_told, due) },
    { 0 },
};

const isw_field iswi_timers_told_fields[] = {
    { ISW_FIELD_LIST(STRUCT, iswi_timers_told, timers, timer_count), .fields = timer_fields,
      .item_size = sizeof(iswi_timer_told) },
    { 0 },
};
