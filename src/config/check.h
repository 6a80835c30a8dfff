/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_CHECK_H
#define ISWI_CONFIG_CHECK_H

/* From the tree and a table to one plain text that libcyaml cannot misread: defaults filled in,
 * numbers as decimal integers, secrets fetched, paths resolved, entries of named lists as mappings
 * of one key, all of it flow style with quoted strings. */
#include "base/buffer.h"
#include "config/document.h"

/* Check the document against `table` and append the plain text to `out`. Errors: ISW_E_CONFIG,
 * ISW_E_NO_MEMORY. */
isw_status iswi_check(iswi_config *config, const isw_option *table, iswi_buffer *out,
                      isw_error *error);

#endif
