/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_ROUTE_PATTERN_H
#define ISWI_URL_ROUTE_PATTERN_H

/* The route pattern of an HTTP trigger, taken apart and checked: "orders/{id}", "list/{page?}",
 * "files/{*path}". Segments are views into the pattern's text. Pure; any thread. */
#include "base/buffer.h"

#include <isoworker/value.h>
#include <isoworker/status.h>

typedef enum iswi_segment_kind {
    ISWI_SEGMENT_LITERAL,   /* orders */
    ISWI_SEGMENT_PARAMETER, /* {id}: exactly one segment */
    ISWI_SEGMENT_OPTIONAL,  /* {page?}: one segment or none; last only */
    ISWI_SEGMENT_CATCH_ALL  /* {*path}: any number of segments, also none; last only */
} iswi_segment_kind;

typedef struct iswi_segment {
    iswi_segment_kind kind;
    isw_str text; /* the literal, or the name of the parameter */
} iswi_segment;

enum { ISWI_ROUTE_SEGMENTS_MAX = 32 };

typedef struct iswi_route_pattern {
    iswi_segment segments[ISWI_ROUTE_SEGMENTS_MAX];
    size_t count;
} iswi_route_pattern;

/* Take `text` apart; one '/' at its begin is ignored. ISW_E_CONFIG with the reason and the remedy
 * in `error` if it is not a pattern; `out` is then undefined. */
isw_status iswi_route_pattern_parse(const char *text, iswi_route_pattern *out, isw_error *error);

/* The name of the first parameter that a path cannot do without and `params` does not have; empty:
 * they have all. */
isw_str iswi_route_pattern_lacks(const iswi_route_pattern *pattern, const isw_pairs *params);

/* Append the path that leads to these parameters, without a '/' in front. */
void iswi_route_pattern_path(const iswi_route_pattern *pattern, const isw_pairs *params,
                             iswi_buffer *out);

/* Check a list of methods ("GET POST", "GET,POST"; NULL or "" for any). ISW_E_CONFIG likewise. */
isw_status iswi_route_methods_check(const char *methods, const char *pattern, isw_error *error);

#endif
