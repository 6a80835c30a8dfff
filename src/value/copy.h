/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_VALUE_COPY_H
#define ISWI_VALUE_COPY_H

/* Values that outlive whoever had them: all that they point to is copied into the arena, texts with
 * a NUL behind them. False: no memory, and *out is then undefined. One thread at a time. */
#include "base/arena.h"

bool iswi_str_copy(iswi_arena *arena, isw_str text, isw_str *out);
bool iswi_pairs_copy(iswi_arena *arena, const isw_pairs *pairs, isw_pairs *out);
bool iswi_map_copy(iswi_arena *arena, const isw_map *map, isw_map *out);
bool iswi_value_copy(iswi_arena *arena, const isw_value *value, isw_value *out);

#endif
