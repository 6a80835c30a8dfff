/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_PARSE_H
#define ISWI_CONFIG_PARSE_H

/* The one document of a text. */
#include "config/document.h"

/* Parse `text` into a tree in the document's arena; its top is a mapping. Errors: ISW_E_CONFIG,
 * ISW_E_NO_MEMORY. */
isw_status iswi_config_parse(iswi_config *config, const char *text, size_t size,
                             const iswi_node **out, isw_error *error);

#endif
