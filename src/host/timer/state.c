/* SPDX-License-Identifier: Apache-2.0 */
#include "host/timer/state.h"

#include "value/value.h"

#include <stddef.h>

static const isw_field record_fields[] = {
    { ISW_FIELD(STRING, iswi_timer_record, schedule), .required = true },
    { ISW_FIELD(STRING, iswi_timer_record, zone), .required = true },
    { ISW_FIELD(INT, iswi_timer_record, next_s) },
    { ISW_FIELD(BOOL, iswi_timer_record, paused) },
    { ISW_FIELD(BOOL, iswi_timer_record, runs) },
    { ISW_FIELD(STRING, iswi_timer_record, owner), .default_value = "" },
    { ISW_FIELD(INT, iswi_timer_record, lease_ms) },
    { ISW_FIELD(INT, iswi_timer_record, scheduled_s) },
    { ISW_FIELD(INT, iswi_timer_record, attempt) },
    { ISW_FIELD(INT, iswi_timer_record, started_ms) },
    { ISW_FIELD(INT, iswi_timer_record, ended_ms) },
    { ISW_FIELD(STRING, iswi_timer_record, outcome), .default_value = "" },
    { ISW_FIELD(STRING, iswi_timer_record, error), .default_value = "" },
    { ISW_FIELD(INT, iswi_timer_record, run_count) },
    { ISW_FIELD(INT, iswi_timer_record, failure_count) },
    { ISW_FIELD(INT, iswi_timer_record, missed_count) },
    { 0 },
};

isw_str iswi_timer_record_write(const iswi_timer_record *record, iswi_arena *arena)
{
    isw_value value;
    isw_str text = { NULL, 0 };

    if (iswi_unbind(arena, record_fields, record, &value, NULL) == ISW_OK)
        iswi_json_write(arena, &value, &text, NULL);
    return text;
}

isw_status iswi_timer_record_read(isw_str text, iswi_arena *arena, iswi_timer_record *out,
                                  isw_error *error)
{
    isw_value value;
    isw_status status = iswi_json_parse(arena, text, &value, error);

    return status == ISW_OK ? iswi_bind(arena, &value, "record", record_fields, false, out, error)
                            : status;
}
