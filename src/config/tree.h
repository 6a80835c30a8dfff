/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_TREE_H
#define ISWI_CONFIG_TREE_H

/* Events to nodes, in the document's arena. */
#include "config/reader.h"

/* Read the next value, with all that is in it, into `out`, which is zeroed. Errors: ISW_E_CONFIG,
 * ISW_E_NO_MEMORY. */
isw_status iswi_yaml_read(iswi_yaml_reader *r, iswi_node *out);

#endif
