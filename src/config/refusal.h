/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_REFUSAL_H
#define ISWI_CONFIG_REFUSAL_H

/* What a check says of a document that does not fit its table. All return ISW_E_CONFIG, or
 * ISW_E_NO_MEMORY, and add to the faults. */
#include "config/message.h"

#include <isoworker/sys/middleware.h>

/* The way from the top to a mapping. */
typedef struct iswi_scope {
    const struct iswi_scope *outer; /* NULL at the top */
    const char *name;
} iswi_scope;

/* `in "a.b"` or `at the top level`. Lives as long as the document. */
const char *iswi_scope_text(iswi_config *config, const iswi_scope *in);

/* An option or a name (`kind`) that is in no row of `table`. */
isw_status iswi_refuse_unknown(iswi_config *config, const iswi_scope *in, const isw_option *table,
                               const char *kind, const char *wrong, iswi_place place,
                               isw_error *error);

/* What stands at an option, or is an entry of its list, is no `must_be`. */
isw_status iswi_refuse_shape(iswi_config *config, const isw_option *row, const char *must_be,
                             const iswi_node *node, isw_error *error);
isw_status iswi_refuse_entry(iswi_config *config, const isw_option *row, const char *must_be,
                             const iswi_node *node, isw_error *error);

#endif
