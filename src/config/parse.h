/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_PARSE_H
#define ISWI_CONFIG_PARSE_H

/* The reader that turns libyaml's events into a tree: parse.c gives it events and the frame around
 * the document, tree.c makes the nodes. */
#include "config/document.h"

#include <yaml.h>

typedef struct iswi_yaml_reader {
    yaml_parser_t yaml;
    iswi_config *config;
    isw_error *error;
    struct iswi_anchor *anchors; /* the newest first: a name may be given again */
    size_t anchor_count;
    size_t nodes, bytes; /* so far, with aliases followed */
    unsigned deepest;    /* level since the last anchor began */
} iswi_yaml_reader;

/* On success the event is the caller's to delete. */
isw_status iswi_yaml_next(iswi_yaml_reader *r, yaml_event_t *event);

/* Where an event begins. */
iswi_place iswi_yaml_place(yaml_mark_t mark);

/* Read the value that starts with `event`, at nesting level `depth`. `out` is zeroed but for its
 * key. */
isw_status iswi_yaml_read(iswi_yaml_reader *r, const yaml_event_t *event, unsigned depth,
                          iswi_node *out);

#endif
