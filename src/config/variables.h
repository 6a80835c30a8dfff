/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_VARIABLES_H
#define ISWI_CONFIG_VARIABLES_H

/* Variables of an environment to their plain form, a list of NAME=value. */
#include "base/buffer.h"
#include "config/document.h"

/* Check the value of a row of type ISWI_OPTION_VARIABLES, and append its plain form to `out`.
 * Errors: ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_check_variables(iswi_config *config, const isw_option *row, const iswi_node *node,
                                iswi_buffer *out, isw_error *error);

#endif
