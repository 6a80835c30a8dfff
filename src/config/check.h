/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_CHECK_H
#define ISWI_CONFIG_CHECK_H

/* From the tree and a table to one plain text that libcyaml cannot misread: defaults filled in,
 * numbers as decimal integers, secrets fetched, paths resolved, entries of named lists as mappings
 * of one key, all of it flow style with quoted strings. */
#include "base/buffer.h"
#include "config/document.h"

/* Check the document against `table` and append the plain text to `out` (check.c). Errors:
 * ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_check(iswi_config *config, const isw_option *table, iswi_buffer *out,
                      isw_error *error);

/* The same for the value of a row whose type is a scalar (value.c). */
isw_status iswi_check_scalar(iswi_config *config, const isw_option *row, const iswi_node *node,
                             iswi_buffer *out, isw_error *error);

/* The same for a row of type ISWI_OPTION_VARIABLES (variables.c). */
isw_status iswi_check_variables(iswi_config *config, const isw_option *row, const iswi_node *node,
                                iswi_buffer *out, isw_error *error);

/* What a value of this row must be, as in "must be ...": with range and choices (reference.c). */
void iswi_option_describe(const isw_option *row, iswi_buffer *out);

/* The largest value that a row of type INT, DURATION or SIZE takes. */
int64_t iswi_option_max(const isw_option *row);

#endif
