/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two host.yaml compared, option by option. Invariant: an option that differs is either taken, and
 * then `settings` has the new value, or told as one that waits, and then it has the old one.
 */
#include "host/settings/change.h"

#include <stdio.h>
#include <string.h>

/* -- What is taken ----------------------------------------------------------------------------- */

/* Read where they are used, or told to processes when they begin. */
static const char *const taken[] = {
    "host.heartbeat",     "host.function_timeout", "host.cancel_grace", "host.shutdown_grace",
    "admin.open",         "record.body_limit",     "record.redact",     "logging.format",
    "logging.level",      "logging.levels",        "queue.limit",       "queue.wait",
    "functions",          "host.log_lines",        NULL,
};

/* The same of a worker; `queue` is looked at apart, since what it leaves out is as for all. */
static const char *const taken_of_worker[] = {
    "processes", "start", "start_timeout", "stop_timeout", "restart_delay", "restart_delay_max",
    "give_up_after", NULL,
};

/* What its processes begin with, so that others are to succeed them. */
static const char *const rolling[] = {
    "command", "config", "directory", "link", "environment", "memory_limit", "cpu_limit",
    "pids_limit",
    "recycle_after", "health", "rlimits", "nice", "user", "group", NULL,
};

/* Workers hear of these when they begin. */
static const char *const told[] = { "logging.level", "logging.levels", "host.heartbeat", NULL };

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* -- Telling ----------------------------------------------------------------------------------- */

typedef struct comparison {
    iswi_config *config; /* the new one */
    const iswi_settings_groups *groups;
    const iswi_host_settings *before;
    iswi_changes *out;
} comparison;

/* Where a group or a list stands in both files; NULL: it does not. */
typedef struct place {
    const iswi_node *before, *now;
    const iswi_node *around; /* the nearest that is there in the new one */
} place;

static const iswi_node *find(const iswi_node *map, const char *key)
{
    return map && map->type == ISWI_NODE_MAP ? iswi_node_find(map, key) : NULL;
}

static place inside(const place *outer, const char *key)
{
    place inner = { find(outer->before, key), find(outer->now, key), NULL };

    inner.around = inner.now ? inner.now : outer->around;
    return inner;
}

static bool is_short(const isw_option *row)
{
    return row->type == ISW_OPTION_BOOL || row->type == ISW_OPTION_INT ||
           row->type == ISW_OPTION_ENUM || row->type == ISW_OPTION_DURATION ||
           row->type == ISW_OPTION_SIZE || row->type == ISWI_OPTION_SHORT_GROUP;
}

static const char *text_of(const isw_option *row, const iswi_node *node)
{
    if (node && node->type == ISWI_NODE_SCALAR)
        return node->text;
    if (row->type == ISWI_OPTION_SHORT_GROUP)
        return node ? "{...}" : row->group->default_value;
    return row->default_value ? row->default_value : "left out";
}

static void tell_taken(const comparison *c, const char *name, const isw_option *row,
                       const place *at)
{
    iswi_buffer *text = &c->out->taken;

    iswi_buffer_printf(text, "%s%s", text->size ? ", " : "", name);
    if (row && is_short(row))
        iswi_buffer_printf(text, " %s -> %s", text_of(row, at->before), text_of(row, at->now));
    c->out->any = true;
}

static void tell_waiting(const comparison *c, const char *name, const iswi_node *around)
{
    iswi_buffer *text = &c->out->waiting;

    iswi_buffer_printf(text, "%s%s: %s", text->size ? ", " : "",
                       iswi_config_where(c->config, around), name);
}

/* -- Options ----------------------------------------------------------------------------------- */

static bool is_same(const isw_option *row, const void *before, const void *now)
{
    const isw_option one[2] = { *row };

    return iswi_config_equal(one, before, now);
}

static void take(const isw_option *row, void *to, const void *now)
{
    memcpy((char *)to + row->offset, (const char *)now + row->offset, iswi_option_bytes(row));
}

/* A group of the whole, or a list. `to` holds what is in force. */
static void compare_option(const comparison *c, const char *name, const isw_option *row,
                           const place *at, void *to, const void *now, bool takes)
{
    if (is_same(row, to, now))
        return;
    if (!takes) {
        tell_waiting(c, name, at->around);
        return;
    }
    take(row, to, now);
    tell_taken(c, name, row, at);
}

static bool has_some_inside(const iswi_host_settings *settings)
{
    const iswi_worker_settings *workers = settings->workers.items;
    bool some = false;

    for (size_t i = 0; i < settings->workers.count; i++)
        some = some || workers[i].isolation == ISWI_ISOLATION_NONE;
    return some;
}

/* Whether whoever brings the group takes that option of it. */
static bool is_renewed(const comparison *c, const char *group, const char *option)
{
    for (size_t i = 0; i < c->groups->count; i++)
        if (strcmp(c->groups->items[i]->name, group) == 0)
            return c->groups->items[i]->renewed &&
                   is_one_of(option, c->groups->items[i]->renewed);
    return false;
}

/* The admin endpoints go elsewhere; to have them at all is decided at the start alone. */
static bool moves_admin(const comparison *c, const char *name, const void *now)
{
    const iswi_admin_settings *admin = now;

    return strcmp(name, "admin.listen") == 0 && c->before->admin.listen && admin->listen;
}

static void compare_group(const comparison *c, const isw_option *group, const place *root,
                          const void *now)
{
    char *to = (char *)c->out->settings + group->offset;
    const char *own = (const char *)now + group->offset;
    const place outer = inside(root, group->name);

    for (const isw_option *row = group->group; row->name; row++) {
        const place at = inside(&outer, row->name);
        char name[128];
        bool takes;

        snprintf(name, sizeof name, "%s.%s", group->name, row->name);
        takes = is_one_of(name, taken) || moves_admin(c, name, own) ||
                is_renewed(c, group->name, row->name);
        takes = takes && !(is_one_of(name, told) && has_some_inside(c->before));
        compare_option(c, name, row, &at, to, own, takes);
    }
}

/* -- Workers ----------------------------------------------------------------------------------- */

static size_t find_worker(const iswi_host_settings *settings, const char *name)
{
    const iswi_worker_settings *workers = settings->workers.items;

    for (size_t i = 0; i < settings->workers.count; i++)
        if (strcmp(workers[i].name, name) == 0)
            return i;
    return ISWI_WORKER_NEW;
}

/* The one of that name in a list of workers; NULL: there is none. */
static const iswi_node *worker_node(const iswi_node *list, const char *name)
{
    for (size_t i = 0; list && i < list->child_count; i++) {
        const iswi_node *own = find(&list->children[i], "name");

        if (own && own->type == ISWI_NODE_SCALAR && strcmp(own->text, name) == 0)
            return &list->children[i];
    }
    return NULL;
}

/* By what holds in the end, and not by what stands there. */
static void compare_queue(const comparison *c, const char *worker, iswi_queue_settings *to,
                          const iswi_queue_settings *now, const place *at)
{
    char name[ISW_ERROR_MESSAGE_BYTES];

    if (to->limit == now->limit && to->wait_ms == now->wait_ms)
        return;
    *to = *now;
    c->out->any = true;
    snprintf(name, sizeof name, "worker %s: queue", worker);
    if (at->before || at->now)
        tell_taken(c, name, NULL, at);
}

/* One that stays: `to` is what is in force of it. True: it is to have other processes. */
static bool compare_worker(const comparison *c, const isw_option *rows, const place *outer,
                           iswi_worker_settings *to, const iswi_worker_settings *now)
{
    bool stays = to->isolation == ISWI_ISOLATION_NONE || to->isolation != now->isolation ||
                 iswi_worker_is_remote(to) != iswi_worker_is_remote(now);
    bool some = false;

    for (const isw_option *row = rows; row->name; row++) {
        const place at = inside(outer, row->name);
        bool rolls = is_one_of(row->name, rolling);
        char name[ISW_ERROR_MESSAGE_BYTES];

        if (strcmp(row->name, "queue") == 0 || is_same(row, to, now))
            continue;
        snprintf(name, sizeof name, "worker %s: %s", to->name, row->name);
        compare_option(c, name, row, &at, to, now,
                       !stays && (rolls || is_one_of(row->name, taken_of_worker)));
        some = some || (rolls && !stays);
    }
    return some;
}

/* The two files, and what was in force. */
typedef struct both {
    const iswi_host_settings *before, *now;
    const iswi_queue_settings *queues;
    place list;
} both;

static void take_worker(const comparison *c, const isw_option *rows, const both *files,
                        size_t index)
{
    const iswi_worker_settings *now =
        (const iswi_worker_settings *)files->now->workers.items + index;
    iswi_worker_settings *to = (iswi_worker_settings *)c->out->settings->workers.items + index;
    iswi_worker_change *change = &c->out->workers[index];
    place at = { worker_node(files->list.before, now->name),
                 worker_node(files->list.now, now->name), NULL };
    iswi_queue_settings queue = iswi_worker_queue(c->config, files->now, index);
    char name[ISW_ERROR_MESSAGE_BYTES];

    *change = (iswi_worker_change){ find_worker(files->before, now->name), queue, false };
    *to = *now;
    if (change->before == ISWI_WORKER_NEW) {
        snprintf(name, sizeof name, "worker %s is added", now->name);
        tell_taken(c, name, NULL, &at);
        return;
    }
    *to = ((const iswi_worker_settings *)files->before->workers.items)[change->before];
    change->queue = files->queues[change->before];
    at.around = at.now;
    change->rolls = compare_worker(c, rows, &at, to, now);
    at = inside(&at, "queue");
    compare_queue(c, to->name, &change->queue, &queue, &at);
}

/* One that the file does not name any more goes, unless it cannot. */
static void leave_out(const comparison *c, const both *files, size_t index)
{
    const iswi_worker_settings *before =
        (const iswi_worker_settings *)files->before->workers.items + index;
    iswi_host_settings *settings = c->out->settings;
    char name[ISW_ERROR_MESSAGE_BYTES];

    if (before->isolation == ISWI_ISOLATION_PROCESS) {
        snprintf(name, sizeof name, "worker %s is left out", before->name);
        tell_taken(c, name, NULL, &files->list);
        return;
    }
    snprintf(name, sizeof name, "worker %s, which is left out and runs inside the host",
             before->name);
    tell_waiting(c, name, files->list.around);
    ((iswi_worker_settings *)settings->workers.items)[settings->workers.count] = *before;
    c->out->workers[settings->workers.count++] =
        (iswi_worker_change){ index, files->queues[index], false };
}

static void compare_workers(const comparison *c, const isw_option *group, const both *files)
{
    const iswi_worker_settings *before = files->before->workers.items;

    for (size_t i = 0; i < files->now->workers.count; i++)
        take_worker(c, group->group, files, i);
    for (size_t i = 0; i < files->before->workers.count; i++)
        if (find_worker(files->now, before[i].name) == ISWI_WORKER_NEW)
            leave_out(c, files, i);
}

/* -- All of it --------------------------------------------------------------------------------- */

/* What is in force, to be written over, with room for the workers of both. False: no memory. */
static bool copy(const iswi_host_settings *before, size_t size, const iswi_host_settings *now,
                 iswi_arena *arena, iswi_changes *out)
{
    size_t most = before->workers.count + now->workers.count;

    out->settings = iswi_arena_calloc(arena, 1, size);
    out->workers = iswi_arena_calloc(arena, most, sizeof *out->workers);
    if (!out->workers || !out->settings)
        return false;
    memcpy(out->settings, before, size);
    out->settings->workers.items = iswi_arena_calloc(arena, most, sizeof(iswi_worker_settings));
    out->settings->workers.count = now->workers.count;
    return out->settings->workers.items != NULL;
}

isw_status iswi_changes_find(const iswi_settings_groups *groups, const iswi_host_document *before,
                             const iswi_queue_settings *queues, const iswi_host_document *now,
                             iswi_arena *arena, iswi_changes *out)
{
    const iswi_node *top = iswi_config_root(now->config);
    const place root = { iswi_config_root(before->config), top, top };
    const comparison c = { now->config, groups, before->settings, out };
    iswi_settings_table table;

    *out = (iswi_changes){ .any = false };
    iswi_host_settings_table(groups, &table);
    if (!copy(before->settings, table.size, now->settings, arena, out))
        return ISW_E_NO_MEMORY;
    for (const isw_option *row = table.rows; row->name; row++) {
        const place at = inside(&root, row->name);

        if (strcmp(row->name, "workers") == 0)
            compare_workers(&c, row, &(both){ before->settings, now->settings, queues, at });
        else if (row->type == ISW_OPTION_GROUP)
            compare_group(&c, row, &root, now->settings);
        else
            compare_option(&c, row->name, row, &at, out->settings, now->settings,
                           is_one_of(row->name, taken));
    }
    if (!out->taken.failed && !out->waiting.failed)
        return ISW_OK;
    iswi_changes_fini(out);
    return ISW_E_NO_MEMORY;
}

void iswi_changes_fini(iswi_changes *changes)
{
    iswi_buffer_fini(&changes->taken);
    iswi_buffer_fini(&changes->waiting);
}
