/* SPDX-License-Identifier: Apache-2.0 */
/* What does not fit a table, told with the way to it and what would fit. */
#include "config/refusal.h"

#include "base/buffer.h"

static void write_path(const iswi_scope *in, iswi_buffer *out)
{
    if (!in->outer)
        return;
    write_path(in->outer, out);
    if (out->size && in->name[0] != '[')
        iswi_buffer_append_text(out, ".");
    iswi_buffer_append_text(out, in->name);
}

const char *iswi_scope_text(iswi_config *config, const iswi_scope *in)
{
    iswi_buffer path = { 0 };
    const char *text = NULL;

    if (!in->outer)
        return "at the top level";
    write_path(in, &path);
    if (iswi_buffer_text(&path))
        text = iswi_arena_printf(&config->arena, "in \"%s\"", iswi_buffer_text(&path));
    iswi_buffer_fini(&path);
    return text ? text : "here";
}

static const char **names_of(iswi_config *config, const isw_option *table)
{
    const char **names;
    size_t count = 0;

    while (table && table[count].name)
        count++;
    names = iswi_arena_calloc(&config->arena, count + 1, sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = table[i].name;
    return names;
}

isw_status iswi_refuse_unknown(iswi_config *config, const iswi_scope *in, const isw_option *table,
                               const char *kind, const char *wrong, iswi_place place,
                               isw_error *error)
{
    const char **names = names_of(config, table);
    const char *nearest = names ? iswi_config_nearest(wrong, names) : NULL;
    iswi_buffer allowed = { 0 };
    isw_status status;

    for (size_t i = 0; names && names[i]; i++)
        iswi_buffer_printf(&allowed, "%s%s", i ? ", " : "", names[i]);
    if (!names || !iswi_buffer_text(&allowed))
        status = iswi_config_no_memory(config, error);
    else if (!names[0])
        status = iswi_config_refuse_at(
            config, place, error, "unknown %s %s %s; none is known there", kind,
            iswi_config_quote(config, wrong), iswi_scope_text(config, in));
    else
        status =
            iswi_config_refuse_at(config, place, error, "unknown %s %s %s; %s%s%sallowed: %s", kind,
                                  iswi_config_quote(config, wrong), iswi_scope_text(config, in),
                                  nearest ? "did you mean \"" : "", nearest ? nearest : "",
                                  nearest ? "\"? " : "", iswi_buffer_text(&allowed));
    iswi_buffer_fini(&allowed);
    return status;
}

isw_status iswi_refuse_shape(iswi_config *config, const isw_option *row, const char *must_be,
                             const iswi_node *node, isw_error *error)
{
    return iswi_config_refuse_at(config, iswi_node_place(node), error, "\"%s\" must be %s, not %s",
                                 row->name, must_be, iswi_config_describe(config, node));
}

isw_status iswi_refuse_entry(iswi_config *config, const isw_option *row, const char *must_be,
                             const iswi_node *node, isw_error *error)
{
    return iswi_config_refuse_at(config, iswi_node_place(node), error,
                                 "an entry of \"%s\" must be %s, not %s", row->name, must_be,
                                 iswi_config_describe(config, node));
}
