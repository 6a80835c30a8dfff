/* SPDX-License-Identifier: Apache-2.0 */
#include "host/engine/match.h"

#include "base/buffer.h"
#include "base/text.h"
#include "config/message.h"

/* -- What there is ----------------------------------------------------------------------------- */

static void add(iswi_match *match, iswi_names_kind kind, const char *name,
                const iswi_settings_group *group)
{
    iswi_matched *one = iswi_arena_calloc(match->arena, 1, sizeof *one);

    if (!one || !name) {
        match->failed = true;
        return;
    }
    *one = (iswi_matched){ name, group, match->first[kind] };
    match->first[kind] = one;
    match->counts[kind]++;
}

void iswi_match_function(iswi_match *match, const iswi_entry *entry)
{
    add(match, ISWI_NAMES_FUNCTIONS, entry->name, NULL);
    if (entry->trigger && entry->trigger->queue && entry->properties)
        add(match, ISWI_NAMES_QUEUES, entry->trigger->queue(entry, match->arena), NULL);
}

void iswi_match_output(iswi_match *match, const iswi_sink_place *place, const char *type,
                       const isw_pairs *given)
{
    const iswi_sink *sink = iswi_sinks_find(match->sinks, type, NULL);
    const void *properties = NULL;

    if (sink && sink->settings)
        add(match, ISWI_NAMES_OUTPUTS,
            iswi_arena_printf(match->arena, "%s.%s", place->function, place->output),
            sink->settings);
    if (sink && sink->queue &&
        iswi_sink_properties(sink, given, match->arena, &properties, NULL) == ISW_OK)
        add(match, ISWI_NAMES_QUEUES, sink->queue(place, properties, match->arena), NULL);
}

/* -- What is named ----------------------------------------------------------------------------- */

typedef struct search {
    iswi_match *match;
    iswi_config *config;
    const iswi_settings_group *group; /* of outputs */
    void (*tell)(void *user, const char *sentence);
    void *user;
} search;

static bool is_for(const search *s, const iswi_matched *one)
{
    return !s->group || !one->group || one->group == s->group;
}

static bool is_matched(const search *s, iswi_names_kind kind, const char *pattern)
{
    for (const iswi_matched *at = s->match->first[kind]; at; at = at->next)
        if (is_for(s, at) && iswi_glob_match(pattern, at->name))
            return true;
    return false;
}

static const char *nearest(const search *s, iswi_names_kind kind, const char *pattern)
{
    const char **names =
        iswi_arena_calloc(s->match->arena, s->match->counts[kind] + 1, sizeof *names);
    size_t count = 0;

    for (const iswi_matched *at = s->match->first[kind]; names && at; at = at->next)
        if (is_for(s, at))
            names[count++] = at->name;
    return names ? iswi_config_nearest(pattern, names) : NULL;
}

/* The types whose outputs are meant, so that nobody looks for one of another. */
static void append_types(const search *s, iswi_buffer *out)
{
    const char *lead = " of the type ";

    for (iswi_sink_list at = s->match->sinks; *at; at++)
        if ((*at)->settings == s->group) {
            iswi_buffer_printf(out, "%s%s", lead, (*at)->type);
            lead = " or ";
        }
}

static void tell(const search *s, iswi_names_kind kind, const iswi_node *node)
{
    const char *meant = nearest(s, kind, node->text);
    iswi_buffer text = { 0 };

    iswi_buffer_printf(&text, "%s: no ", iswi_config_where(s->config, node));
    if (kind == ISWI_NAMES_OUTPUTS) {
        iswi_buffer_append_text(&text, "output");
        append_types(s, &text);
    } else {
        iswi_buffer_append_text(&text, kind == ISWI_NAMES_QUEUES ? "queue of a function or output"
                                                                 : "function");
    }
    iswi_buffer_append_text(&text, " of any worker matches \"");
    iswi_terminal_text(&text, isw_str_of(node->text));
    iswi_buffer_append_text(&text, "\"");
    if (meant)
        iswi_buffer_printf(&text, "; did you mean \"%s\"?", meant);
    if (iswi_buffer_text(&text))
        s->tell(s->user, iswi_buffer_text(&text));
    iswi_buffer_fini(&text);
}

static void look_at(const search *s, iswi_names_kind kind, const iswi_node *around,
                    const char *option)
{
    const iswi_node *node =
        around && around->type == ISWI_NODE_MAP ? iswi_node_find(around, option) : NULL;

    if (node && node->type == ISWI_NODE_SCALAR && !is_matched(s, kind, node->text))
        tell(s, kind, node);
}

/* Of a list, or of the group alone. */
static void look_at_all(const search *s, const iswi_node *group, const iswi_settings_names *names)
{
    bool is_there = group && group->type == ISWI_NODE_MAP;
    const iswi_node *list = names->list && is_there ? iswi_node_find(group, names->list) : NULL;

    if (!names->list)
        look_at(s, names->kind, group, names->option);
    for (size_t i = 0; list && list->type == ISWI_NODE_LIST && i < list->child_count; i++)
        look_at(s, names->kind, &list->children[i], names->option);
}

static bool has_outputs(iswi_sink_list sinks, const iswi_settings_group *group)
{
    for (; *sinks; sinks++)
        if ((*sinks)->settings == group)
            return true;
    return false;
}

static bool has_queues(iswi_sink_list sinks)
{
    for (; *sinks; sinks++)
        if ((*sinks)->queue)
            return true;
    return false;
}

void iswi_match_tell(iswi_match *match, iswi_config *config, const iswi_settings_groups *groups,
                     void (*tell_fn)(void *user, const char *sentence), void *user)
{
    static const iswi_settings_names functions = { ISWI_NAMES_FUNCTIONS, "functions", "name" };
    static const iswi_settings_names queues = { ISWI_NAMES_QUEUES, "named", "name" };
    const iswi_node *root = iswi_config_root(config);
    search s = { match, config, NULL, tell_fn, user };

    if (match->failed)
        return;
    look_at_all(&s, root, &functions);
    if (has_queues(match->sinks))
        look_at_all(&s, iswi_node_find(root, "queues"), &queues);
    for (size_t i = 0; i < groups->count; i++) {
        const iswi_settings_names *names = groups->items[i]->names;

        s.group = groups->items[i];
        for (; names && names->option; names++)
            if (names->kind != ISWI_NAMES_OUTPUTS || has_outputs(match->sinks, s.group))
                look_at_all(&s, iswi_node_find(root, s.group->name), names);
    }
}
