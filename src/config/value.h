/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_VALUE_H
#define ISWI_CONFIG_VALUE_H

/* One scalar to its plain form (check.h says what that is). */
#include "base/buffer.h"
#include "config/document.h"

enum { ISWI_CONFIG_MAX_SECRET_BYTES = 64 * 1024 }; /* of a file that a secret refers to */

/* Check the value of a row whose type is a scalar, and append its plain form to `out`. Errors:
 * ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_check_scalar(iswi_config *config, const isw_option *row, const iswi_node *node,
                             iswi_buffer *out, isw_error *error);

#endif
