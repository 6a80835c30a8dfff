/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry of the YAML says beside its middleware's own options: `when`, and `plugin`. */
#include "pipeline/instance.h"

#include "base/text.h"

#include <stddef.h>

struct iswi_when {
    const char *trigger;
    isw_option_strings functions;
    isw_option_strings except;
    isw_option_strings metadata;
    const char *header;
    bool on_request;
};

static const isw_option when_rows[] = {
    { .name = "trigger", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_when, trigger), .help = "only for triggers of this type" },
    { .name = "functions", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(iswi_when, functions),
      .help = "only for functions whose name matches one of these (* and ?)" },
    { .name = "except", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(iswi_when, except), .help = "but not for these" },
    { .name = "metadata", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(iswi_when, metadata),
      .help = "only for functions with all of this metadata: \"name\" or \"name=pattern\"" },
    { .name = "header", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_when, header),
      .help = "only for requests that have this header" },
    { .name = "on_request", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(iswi_when, on_request),
      .help = "only for functions that ask for it (`with`)" },
    { 0 },
};

static const isw_option when_row = { .name = "when", .type = ISW_OPTION_GROUP, .optional = true,
                                     .group = when_rows, .group_size = sizeof(iswi_when),
                                     .help = "which invocations this entry is for" };

/* What the YAML gives for one entry: this, then the middleware's own options. */
typedef union entry_options {
    struct {
        iswi_when when;
        const char *plugin; /* has been loaded when the entry is */
    } own;
    max_align_t align;
} entry_options;

static const isw_option plugin_row = { .name = "plugin", .type = ISW_OPTION_PATH, .optional = true,
                                       .offset = offsetof(entry_options, own.plugin),
                                       .help = "the shared object that the middleware comes from" };

/* -- Rows -------------------------------------------------------------------------------------- */

const isw_option *iswi_pipeline_when_rows(void)
{
    return when_rows;
}

/* One that is linked in takes no `plugin`. */
static const isw_option *entry_rows(const isw_middleware *middleware, bool plugin,
                                    iswi_arena *arena)
{
    size_t count = 0;
    size_t own = 0;
    isw_option *rows;

    while (middleware->options && middleware->options[own].name)
        own++;
    rows = iswi_arena_calloc(arena, own + 3, sizeof *rows);
    if (!rows)
        return NULL;
    rows[count++] = when_row;
    if (plugin)
        rows[count++] = plugin_row;
    for (size_t i = 0; i < own; i++) {
        rows[count] = middleware->options[i];
        rows[count++].offset += sizeof(entry_options);
    }
    return rows;
}

const isw_option *iswi_pipeline_rows(const iswi_registry *registry, iswi_arena *arena)
{
    isw_option *rows = iswi_arena_calloc(arena, registry->count + 1, sizeof *rows);

    for (size_t i = 0; rows && i < registry->count; i++) {
        const isw_middleware *middleware = registry->items[i];

        rows[i] = (isw_option){ .name = middleware->name,
                                .type = ISW_OPTION_GROUP,
                                .group = entry_rows(
                                    middleware, iswi_registry_origin(registry, middleware), arena),
                                .group_size = sizeof(entry_options) + middleware->options_size,
                                .help = middleware->summary };
        if (!rows[i].group)
            return NULL;
    }
    return rows;
}

const iswi_when *iswi_entry_when(const iswi_named_entry *entry)
{
    return &((const entry_options *)entry->options)->own.when;
}

const void *iswi_entry_options(const iswi_named_entry *entry)
{
    return (const char *)entry->options + sizeof(entry_options);
}

/* -- Whom it admits ---------------------------------------------------------------------------- */

static bool matches_any(const isw_option_strings *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (iswi_glob_match(patterns->items[i], name))
            return true;
    return false;
}

/* "name" or "name=pattern". */
static bool has_metadata(const isw_function *function, const char *wanted)
{
    size_t size = strcspn(wanted, "=");

    for (const isw_property *at = function->metadata; at && at->name; at++)
        if (strlen(at->name) == size && strncmp(at->name, wanted, size) == 0)
            return !wanted[size] || iswi_glob_match(wanted + size + 1, at->value);
    return false;
}

static bool is_named(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool iswi_member_admits(const iswi_member *member, const isw_function *function)
{
    const iswi_when *when = member->when;
    const char *name = member->instance->middleware->name;

    if (is_named(function->without, name))
        return false;
    if (when->on_request && !is_named(function->with, name))
        return false;
    if (when->trigger && strcmp(when->trigger, function->trigger.type) != 0)
        return false;
    if (when->functions.count && !matches_any(&when->functions, function->name))
        return false;
    for (size_t i = 0; i < when->metadata.count; i++)
        if (!has_metadata(function, when->metadata.items[i]))
            return false;
    return !matches_any(&when->except, function->name);
}

bool iswi_when_may_wait(const iswi_when *when)
{
    bool waits = when->on_request;

    for (size_t i = 0; !waits && i < when->functions.count; i++)
        waits = strpbrk(when->functions.items[i], "*?") != NULL;
    return waits;
}

const char *iswi_member_header(const iswi_member *member)
{
    return member->when->header;
}
