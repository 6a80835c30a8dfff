/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_SCHEMA_H
#define ISWI_CONFIG_SCHEMA_H

/* From an option table to the libcyaml schema that fills its struct. */
#include "base/arena.h"
#include <isoworker/sys/middleware.h>

#include <cyaml/cyaml.h>

/* The schema of a mapping with the rows of `table` (NULL for none) that loads into a new block of
 * `size` bytes. It lies in `arena`; NULL when memory is out.
 *
 * The layout is that of the option types, but for a named list: libcyaml makes of it an array of
 * rows of pointers, one slot for each known name, of which each entry fills one. */
const cyaml_schema_value_t *iswi_schema_make(iswi_arena *arena, const isw_option *table,
                                             size_t size);

#endif
