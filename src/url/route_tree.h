/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_ROUTE_TREE_H
#define ISWI_URL_ROUTE_TREE_H

/* The tree behind iswi_routes, shared by routes.c, which builds it, and route_match.c, which reads
 * it. One level for each path segment; a node's literal children are sorted, so that a step costs
 * a binary search however many routes there are. Invariant: the routes of one list have no method
 * in common, so that at most one of them answers a request. */
#include "url/route_pattern.h"
#include "url/routes.h"

typedef struct iswi_route {
    struct iswi_route *older;
    char *pattern;
    char *methods; /* "" for any */
    void *target;
    iswi_route_pattern parsed; /* views into pattern */
} iswi_route;

typedef struct iswi_route_list {
    iswi_route **items;
    size_t count;
    size_t capacity;
} iswi_route_list;

typedef struct iswi_route_node {
    isw_str text; /* of a literal: a view into the pattern of the route that made it */
    struct iswi_route_node **literals; /* sorted by iswi_text_compare */
    size_t literal_count;
    size_t literal_capacity;
    struct iswi_route_node *parameter;
    iswi_route_list here;      /* routes that end at this node */
    iswi_route_list catch_all; /* routes whose catch-all begins below this node */
} iswi_route_node;

struct iswi_routes {
    iswi_route_node root;
    iswi_route *newest;
    void *rival; /* of the last conflict */
};

/* The place of `text` among the literals of `node`, or where it belongs. */
size_t iswi_route_literal(const iswi_route_node *node, isw_str text, bool *found);

#endif
