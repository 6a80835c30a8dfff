/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_PROPERTIES_H
#define ISWI_CONFIG_PROPERTIES_H

/* From the properties that a function gives its trigger or an output, pairs of texts, to a struct,
 * by an option table like those of YAML. Pure. */
#include "base/arena.h"

#include <isoworker/sys/middleware.h>
#include <isoworker/value.h>

/* Fill *out, a struct of `size` bytes in the arena, from `given`. The table has BOOL, INT, DOUBLE,
 * STRING, ENUM, DURATION and SIZE rows; NULL is one without rows. Texts are copied. Errors:
 * ISW_E_CONFIG, which names the property, what is wrong with it (as that it is given twice), and for
 * a name that is in no row the nearest one that is; ISW_E_NO_MEMORY. */
isw_status iswi_properties_read(const isw_option *table, size_t size, const isw_pairs *given,
                                iswi_arena *arena, const void **out, isw_error *error);

/* `no SUBJECT "WRONG"; did you mean "NEAREST"? KNOWN: a, b` for `error`, with ISW_E_CONFIG. `known`
 * ends with NULL. */
isw_status iswi_properties_unknown(const char *subject, const char *wrong, const char *lead,
                                   const char *const *known, isw_error *error);

#endif
