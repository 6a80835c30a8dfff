/* SPDX-License-Identifier: Apache-2.0 */
/* Events to nodes. Every limit is applied before the memory is taken: libyaml is quadratic in the
 * depth of nested flow, and an alias multiplies all that its anchor holds, so depth, nodes and
 * bytes are counted as the events come. */
#include "config/tree.h"

#include "config/expand.h"

#include <stdlib.h>

enum { MAX_ANCHORS = 256 };

/* A node that aliases may repeat, and what each repetition costs. */
typedef struct anchor {
    struct anchor *older;
    const char *name;
    const iswi_node *node; /* NULL until it is complete */
    size_t nodes, bytes;
    unsigned height; /* levels of collections in it */
} anchor;

typedef struct builder {
    iswi_yaml_reader *reader;
    iswi_config *config;
    isw_error *error;
    anchor *anchors; /* the newest first: a name may be given again */
    size_t anchor_count;
    size_t nodes, bytes; /* so far, with aliases followed */
    unsigned deepest;    /* level since the last anchor began */
} builder;

typedef struct cell {
    struct cell *next;
    iswi_node node;
} cell;

static isw_status read_value(builder *b, const yaml_event_t *event, unsigned depth, iswi_node *out);

/* What is wrong with one value, and no syntax: it is told with the rest when the document is loaded
 * (config->wrong), so whoever reads goes on. The node counts for nothing. */
static isw_status excuse(iswi_node *node, isw_status status)
{
    if (status != ISW_E_CONFIG)
        return status;
    node->wrong = true;
    if (!node->text)
        node->text = "";
    return ISW_OK;
}

/* -- Limits ------------------------------------------------------------------------------------ */

static isw_status take(builder *b, iswi_place place, size_t nodes, size_t bytes)
{
    if (nodes > ISWI_CONFIG_MAX_NODES - b->nodes)
        return iswi_config_refuse_at(b->config, place, b->error,
                                     "more than %d values with aliases followed",
                                     ISWI_CONFIG_MAX_NODES);
    if (bytes > ISWI_CONFIG_MAX_BYTES - b->bytes)
        return iswi_config_refuse_at(b->config, place, b->error,
                                     "more than %d bytes with variables and aliases followed",
                                     ISWI_CONFIG_MAX_BYTES);
    b->nodes += nodes;
    b->bytes += bytes;
    return ISW_OK;
}

static isw_status enter(builder *b, iswi_place place, unsigned depth)
{
    if (depth > ISWI_CONFIG_MAX_DEPTH)
        return iswi_config_refuse_at(b->config, place, b->error, "nested deeper than %d levels",
                                     ISWI_CONFIG_MAX_DEPTH);
    if (depth > b->deepest)
        b->deepest = depth;
    return ISW_OK;
}

/* -- Anchors and aliases ----------------------------------------------------------------------- */

static const char *anchor_of(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return (const char *)event->data.scalar.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return (const char *)event->data.sequence_start.anchor;
    return (const char *)event->data.mapping_start.anchor;
}

static const char *tag_of(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return (const char *)event->data.scalar.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return (const char *)event->data.sequence_start.tag;
    return (const char *)event->data.mapping_start.tag;
}

static isw_status add_anchor(builder *b, iswi_place place, const char *name, anchor **out)
{
    anchor *a;

    if (++b->anchor_count > MAX_ANCHORS)
        return iswi_config_refuse_at(b->config, place, b->error, "more than %d anchors",
                                     MAX_ANCHORS);
    a = iswi_arena_calloc(&b->config->arena, 1, sizeof *a);
    if (a)
        a->name = iswi_arena_strndup(&b->config->arena, name, strlen(name));
    if (!a || !a->name)
        return iswi_config_no_memory(b->config, b->error);
    a->older = b->anchors;
    b->anchors = a;
    *out = a;
    return ISW_OK;
}

static isw_status follow_alias(builder *b, const yaml_event_t *event, unsigned depth,
                               iswi_node *out)
{
    const char *name = (const char *)event->data.alias.anchor;
    iswi_place place = iswi_yaml_place(event->start_mark);
    const iswi_node at = *out;
    isw_status status;
    anchor *a = b->anchors;

    while (a && strcmp(a->name, name) != 0)
        a = a->older;
    if (!a)
        return excuse(out, iswi_config_refuse_at(b->config, place, &b->config->wrong,
                                                 "alias \"*%s\" has no anchor \"&%s\" before it",
                                                 name, name));
    if (!a->node)
        return excuse(out, iswi_config_refuse_at(b->config, place, &b->config->wrong,
                                                 "alias \"*%s\" stands inside its own anchor",
                                                 name));
    status = take(b, place, a->nodes, a->bytes);
    if (status == ISW_OK && a->height)
        status = enter(b, place, depth + a->height - 1);
    if (status != ISW_OK)
        return status;
    *out = *a->node;
    out->key = at.key;
    out->key_line = at.key_line;
    out->key_column = at.key_column;
    out->wrong = out->wrong || at.wrong;
    return ISW_OK;
}

/* -- Values ------------------------------------------------------------------------------------ */

static isw_status read_scalar(builder *b, const yaml_event_t *event, iswi_node *out)
{
    const char *text = (const char *)event->data.scalar.value;
    iswi_place place = iswi_yaml_place(event->start_mark);
    isw_error own = { ISW_OK, "" };
    bool changed = false;
    isw_status status;

    if (strlen(text) != event->data.scalar.length)
        status = iswi_config_refuse_at(b->config, place, &b->config->wrong,
                                       "a NUL character in a value");
    else
        status = iswi_config_expand(b->config, place, text, &out->text, &changed, &own);
    if (own.status == ISW_E_CONFIG)
        isw_error_set(&b->config->wrong, own.status, "%s", own.message);
    status = excuse(out, status);
    if (status == ISW_E_NO_MEMORY)
        iswi_config_no_memory(b->config, b->error);
    if (status == ISW_OK)
        status = take(b, place, 1, strlen(out->text));
    if (status != ISW_OK)
        return status;
    out->type = ISWI_NODE_SCALAR;
    out->quoted = changed || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!changed) {
        out->text = iswi_arena_strndup(&b->config->arena, text, event->data.scalar.length);
        if (!out->text)
            return iswi_config_no_memory(b->config, b->error);
    }
    return ISW_OK;
}

/* What a key that is a text may not be. */
static isw_status check_key(builder *b, const yaml_event_t *event, iswi_place place)
{
    const char *text = (const char *)event->data.scalar.value;
    isw_error *error = &b->config->wrong;

    if (anchor_of(event) || tag_of(event))
        return iswi_config_refuse_at(b->config, place, error,
                                     "a key cannot have an anchor or a tag");
    if (strlen(text) != event->data.scalar.length)
        return iswi_config_refuse_at(b->config, place, error, "a NUL character in a key");
    if (strcmp(text, ISWI_MERGE_KEY) == 0)
        return iswi_config_refuse_at(b->config, place, error,
                                     "merge keys (\"<<\") are not supported; write the options "
                                     "out, or use an alias for a whole value");
    return ISW_OK;
}

/* The key of the next pair: a plain text, and not one that only looks like an option. */
static isw_status read_key(builder *b, const yaml_event_t *event, iswi_node *out)
{
    iswi_place place = iswi_yaml_place(event->start_mark);
    const char *text = (const char *)event->data.scalar.value;

    if (event->type != YAML_SCALAR_EVENT)
        return iswi_config_refuse_at(b->config, place, b->error, "a key must be a plain name");
    excuse(out, check_key(b, event, place));
    out->key = iswi_arena_strndup(&b->config->arena, text, strlen(text));
    out->key_line = place.line;
    out->key_column = place.column;
    return out->key ? take(b, place, 0, strlen(text)) : iswi_config_no_memory(b->config, b->error);
}

static isw_status read_pair(builder *b, const yaml_event_t *key, unsigned depth, iswi_node *out)
{
    isw_status status = read_key(b, key, out);
    yaml_event_t value;

    if (status == ISW_OK)
        status = iswi_yaml_next(b->reader, &value);
    if (status != ISW_OK)
        return status;
    status = read_value(b, &value, depth, out);
    yaml_event_delete(&value);
    return status;
}

static int by_key(const void *a, const void *b)
{
    const iswi_node *const *x = a;
    const iswi_node *const *y = b;
    int order = strcmp((*x)->key, (*y)->key);

    return order ? order : (*x > *y) - (*x < *y);
}

/* ISW_OK, or memory is out. */
static isw_status refuse_duplicates(builder *b, const iswi_node *map)
{
    const iswi_node **sorted =
        iswi_arena_alloc(&b->config->arena, map->child_count * sizeof *sorted);

    if (!sorted)
        return iswi_config_no_memory(b->config, b->error);
    for (size_t i = 0; i < map->child_count; i++)
        sorted[i] = &map->children[i];
    qsort(sorted, map->child_count, sizeof *sorted, by_key);
    for (size_t i = 1; i < map->child_count; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            iswi_config_refuse_at(
                b->config, iswi_node_key_place(sorted[i]), &b->config->wrong,
                "%s is given twice; it already stands at line %u, column %u",
                iswi_config_quote(b->config, sorted[i]->key), sorted[i - 1]->key_line,
                sorted[i - 1]->key_column);
    return ISW_OK;
}

/* Events up to the end of the list or map as links, then as one array. */
static isw_status read_children(builder *b, unsigned depth, iswi_node *out)
{
    bool map = out->type == ISWI_NODE_MAP;
    cell *first = NULL;
    cell **end = &first;
    iswi_node *children;
    isw_status status;

    for (;;) {
        yaml_event_t event;

        status = iswi_yaml_next(b->reader, &event);
        if (status != ISW_OK)
            return status;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        *end = iswi_arena_calloc(&b->config->arena, 1, sizeof **end);
        if (!*end)
            status = iswi_config_no_memory(b->config, b->error);
        else
            status = (map ? read_pair : read_value)(b, &event, depth + 1, &(*end)->node);
        yaml_event_delete(&event);
        if (status != ISW_OK)
            return status;
        end = &(*end)->next;
        out->child_count++;
    }
    children = iswi_arena_alloc(&b->config->arena, out->child_count * sizeof *children);
    if (!children)
        return iswi_config_no_memory(b->config, b->error);
    out->children = children;
    for (; first; first = first->next)
        *children++ = first->node;
    return map ? refuse_duplicates(b, out) : ISW_OK;
}

static isw_status read_collection(builder *b, const yaml_event_t *event, unsigned depth,
                                  iswi_node *out)
{
    iswi_place place = iswi_yaml_place(event->start_mark);
    isw_status status = enter(b, place, depth);

    if (status == ISW_OK)
        status = take(b, place, 1, 0);
    if (status != ISW_OK)
        return status;
    out->type = event->type == YAML_MAPPING_START_EVENT ? ISWI_NODE_MAP : ISWI_NODE_LIST;
    out->text = "";
    return read_children(b, depth, out);
}

static isw_status read_plain(builder *b, const yaml_event_t *event, unsigned depth, iswi_node *out)
{
    return event->type == YAML_SCALAR_EVENT ? read_scalar(b, event, out)
                                            : read_collection(b, event, depth, out);
}

static isw_status read_anchored(builder *b, const yaml_event_t *event, unsigned depth,
                                iswi_node *out)
{
    size_t nodes = b->nodes;
    size_t bytes = b->bytes;
    unsigned deepest = b->deepest;
    anchor *a = NULL;
    isw_status status = add_anchor(b, iswi_yaml_place(event->start_mark), anchor_of(event), &a);
    iswi_node *copy;

    if (status != ISW_OK)
        return status;
    b->deepest = depth - 1;
    status = read_plain(b, event, depth, out);
    if (status != ISW_OK)
        return status;
    copy = iswi_arena_alloc(&b->config->arena, sizeof *copy);
    if (!copy)
        return iswi_config_no_memory(b->config, b->error);
    *copy = *out;
    a->node = copy;
    a->nodes = b->nodes - nodes;
    a->bytes = b->bytes - bytes;
    a->height = b->deepest - (depth - 1);
    b->deepest = deepest > b->deepest ? deepest : b->deepest;
    return ISW_OK;
}

/* The value that starts with `event`, at nesting level `depth`. `out` is zeroed but for its key. */
static isw_status read_value(builder *b, const yaml_event_t *event, unsigned depth, iswi_node *out)
{
    iswi_place place = iswi_yaml_place(event->start_mark);

    if (event->type == YAML_ALIAS_EVENT)
        return follow_alias(b, event, depth, out);
    if (tag_of(event))
        excuse(out, iswi_config_refuse_at(b->config, place, &b->config->wrong,
                                          "tags such as \"!!str\" are not supported"));
    out->line = place.line;
    out->column = place.column;
    return anchor_of(event) ? read_anchored(b, event, depth, out)
                            : read_plain(b, event, depth, out);
}

isw_status iswi_yaml_read(iswi_yaml_reader *r, iswi_node *out)
{
    builder b = { .reader = r, .config = r->config, .error = r->error };
    yaml_event_t event;
    isw_status status = iswi_yaml_next(r, &event);

    if (status != ISW_OK)
        return status;
    status = read_value(&b, &event, 1, out);
    yaml_event_delete(&event);
    return status;
}
