/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_VALUE_TYPED_H
#define ISWI_VALUE_TYPED_H

/*
 * Values with their types as values that JSON can hold, and back: {"int":7}, {"string":"x"},
 * {"json":"{}"} (its text), {"bytes":"<base64>"}, {"array":[...]}, {"map":{...}}, {"none":null} and
 * {"http":{"method":..,"url":..,"headers":[["name","value"]],"query":..,"params":..,"client":..,
 * "status":..,"body":{"string":..} or {"bytes":..}}}. A model is written as none.
 */
#include "value/value.h"

#include <isoworker/failure.h>

/* What stands where a secret was left out of a record. */
#define ISWI_REDACTED "[redacted]"

/* "failed", "success", "cancelled" or "retry_later". */
const char *iswi_outcome_name(isw_outcome outcome);

/* In the arena, with views into `value`. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_typed_encode(iswi_arena *arena, const isw_value *value, isw_value *out);

/* The same way back. Errors: ISW_E_INVALID, which names the path below `root`, ISW_E_NO_MEMORY. */
isw_status iswi_typed_decode(iswi_arena *arena, const isw_value *from, const char *root,
                             isw_value *out, isw_error *error);

/* Pairs as [["name","value"]], and back, alike. */
isw_status iswi_typed_encode_pairs(iswi_arena *arena, const isw_pairs *pairs, isw_value *out);
isw_status iswi_typed_decode_pairs(iswi_arena *arena, const isw_value *from, const char *root,
                                   isw_pairs *out, isw_error *error);

#endif
