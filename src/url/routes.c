/* SPDX-License-Identifier: Apache-2.0 */
/* Building the route table. Invariant: a route that is refused leaves no trace but empty nodes,
 * which match nothing. */
#include "url/route_tree.h"

#include "base/alloc.h"
#include "base/text.h"

iswi_routes *iswi_routes_create(void)
{
    return iswi_calloc(1, sizeof(iswi_routes));
}

static void free_route(iswi_route *r)
{
    iswi_free(r->pattern);
    iswi_free(r->methods);
    iswi_free(r);
}

/* Recursion goes as deep as the longest pattern, ISWI_ROUTE_SEGMENTS_MAX. */
static void clear_node(iswi_route_node *n)
{
    for (size_t i = 0; i < n->literal_count; i++) {
        clear_node(n->literals[i]);
        iswi_free(n->literals[i]);
    }
    if (n->parameter)
        clear_node(n->parameter);
    iswi_free(n->parameter);
    iswi_free(n->literals);
    iswi_free(n->here.items);
    iswi_free(n->catch_all.items);
}

void iswi_routes_destroy(iswi_routes *routes)
{
    if (!routes)
        return;
    clear_node(&routes->root);
    while (routes->newest) {
        iswi_route *older = routes->newest->older;

        free_route(routes->newest);
        routes->newest = older;
    }
    iswi_free(routes);
}

size_t iswi_route_literal(const iswi_route_node *n, isw_str text, bool *found)
{
    size_t low = 0;
    size_t high = n->literal_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = iswi_text_compare(n->literals[middle]->text, text);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static iswi_route_node *literal_child(iswi_route_node *n, isw_str text)
{
    bool found;
    size_t place = iswi_route_literal(n, text, &found);
    iswi_route_node *child;

    if (found)
        return n->literals[place];
    if (!iswi_grow(&n->literals, &n->literal_capacity, n->literal_count, sizeof *n->literals))
        return NULL;
    child = iswi_calloc(1, sizeof *child);
    if (!child)
        return NULL;
    child->text = text;
    memmove(n->literals + place + 1, n->literals + place,
            (n->literal_count - place) * sizeof *n->literals);
    n->literals[place] = child;
    n->literal_count++;
    return child;
}

static iswi_route_node *child_for(iswi_route_node *n, const iswi_segment *segment)
{
    if (segment->kind == ISWI_SEGMENT_LITERAL)
        return literal_child(n, segment->text);
    if (!n->parameter)
        n->parameter = iswi_calloc(1, sizeof *n->parameter);
    return n->parameter;
}

/* The lists that `r` belongs to: one, or two if its last segment is optional; 0 when memory is
 * out. Nodes made on the way refer to r->pattern, so `r` is kept by then. */
static size_t lists_for(iswi_routes *routes, const iswi_route *r, iswi_route_list *lists[2])
{
    iswi_route_node *n = &routes->root;
    size_t count = 0;

    for (size_t i = 0; i < r->parsed.count; i++) {
        const iswi_segment *segment = &r->parsed.segments[i];

        if (segment->kind == ISWI_SEGMENT_CATCH_ALL) {
            lists[0] = &n->catch_all;
            return 1;
        }
        if (segment->kind == ISWI_SEGMENT_OPTIONAL)
            lists[count++] = &n->here;
        n = child_for(n, segment);
        if (!n)
            return 0;
    }
    lists[count++] = &n->here;
    return count;
}

static bool methods_overlap(const char *a, const char *b)
{
    if (!*a || !*b)
        return true;
    while (*a) {
        size_t size = strcspn(a, " ,");

        if (size && iswi_word_in(b, (isw_str){ a, size }))
            return true;
        a += size;
        a += strspn(a, " ,");
    }
    return false;
}

static isw_status check_conflict(iswi_routes *routes, const iswi_route_list *list,
                                 const iswi_route *r, isw_error *error)
{
    for (size_t i = 0; i < list->count; i++) {
        const iswi_route *other = list->items[i];

        if (!methods_overlap(other->methods, r->methods))
            continue;
        routes->rival = other->target;
        return isw_error_set(error, ISW_E_CONFLICT,
                             "routes \"%s %s\" and \"%s %s\" match the same requests; change the "
                             "path or the methods of one of them",
                             *other->methods ? other->methods : "(any method)", other->pattern,
                             *r->methods ? r->methods : "(any method)", r->pattern);
    }
    return ISW_OK;
}

/* Enter `r`, which `routes` owns by now, into its lists. */
static isw_status enter(iswi_routes *routes, iswi_route *r, isw_error *error)
{
    iswi_route_list *lists[2];
    size_t count = lists_for(routes, r, lists);

    if (count == 0)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for route \"%s\"", r->pattern);
    for (size_t i = 0; i < count; i++) {
        isw_status status = check_conflict(routes, lists[i], r, error);

        if (status)
            return status;
        if (!iswi_grow(&lists[i]->items, &lists[i]->capacity, lists[i]->count,
                       sizeof *lists[i]->items))
            return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for route \"%s\"",
                                 r->pattern);
    }
    for (size_t i = 0; i < count; i++)
        lists[i]->items[lists[i]->count++] = r;
    return ISW_OK;
}

void *iswi_routes_rival(const iswi_routes *routes)
{
    return routes->rival;
}

isw_status iswi_routes_add(iswi_routes *routes, const char *methods, const char *pattern,
                           void *target, isw_error *error)
{
    isw_status status = iswi_route_methods_check(methods, pattern, error);
    iswi_route *r;

    if (status)
        return status;
    r = iswi_calloc(1, sizeof *r);
    if (!r)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for route \"%s\"", pattern);
    r->target = target;
    r->pattern = iswi_strdup(pattern);
    methods = methods ? methods : "";
    r->methods = iswi_strdup(methods + strspn(methods, " ,"));
    status = r->pattern && r->methods
                 ? iswi_route_pattern_parse(r->pattern, &r->parsed, error)
                 : isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for route \"%s\"", pattern);
    if (status) {
        free_route(r);
        return status;
    }
    r->older = routes->newest;
    routes->newest = r;
    return enter(routes, r, error);
}
