/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_NODE_H
#define ISWI_CONFIG_NODE_H

/* The look of a node (config.h), and where it stands. Pure. */
#include "config/config.h"

#define ISWI_MERGE_KEY "<<"

typedef struct iswi_place {
    unsigned line, column; /* from 1 */
} iswi_place;

/* Where the value stands; where its key stands, or the value itself if it has none. */
iswi_place iswi_node_place(const iswi_node *node);
iswi_place iswi_node_key_place(const iswi_node *node);

/* Whether a value was left out, as in `key:`, `key: ~` or `key: null`. */
bool iswi_node_is_empty(const iswi_node *node);

#endif
