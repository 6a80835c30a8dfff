/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that are watched. Whoever builds one writes it in many pieces, or puts a new file in the
 * place of the old; so it is taken only once nothing has happened to it for a while and it is there
 * as a whole. What cannot serve even so changes nothing: see roll.c.
 */
#include "host/engine/rebuilt.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "config/config.h"
#include "host/engine/engine.h"
#include "host/system/file_whole.h"

#include <limits.h>
#include <stdio.h>

#define MS INT64_C(1000000)

enum {
    QUIET_MS = 300,  /* without a change, a file counts as written */
    AGAIN_MS = 100,  /* one that is not whole yet is looked at again */
    GIVE_UP_MS = 10000 /* and for so long; then it takes another change */
};

/* -- What a worker is made of ------------------------------------------------------------------ */

static void add(iswi_pool *pool, const char *folder, const char *file, bool executed)
{
    iswi_rebuilt *watch = &pool->watch;
    char path[PATH_MAX];

    if (*file == '/')
        snprintf(path, sizeof path, "%s", file);
    else
        snprintf(path, sizeof path, "%s/%s", folder, file);
    for (unsigned i = 0; i < watch->count; i++)
        if (strcmp(watch->files[i].path, path) == 0)
            return;
    if (watch->count == ISWI_REBUILT_MAX)
        return;
    watch->files[watch->count].path = iswi_strdup(path);
    if (!watch->files[watch->count].path)
        return;
    watch->files[watch->count].executed = executed;
    watch->files[watch->count].look = iswi_file_look_at(path);
    watch->count++;
    iswi_reload_watch_path(pool->processes->host, path);
}

static bool is_object(const char *word)
{
    size_t size = strlen(word);

    return size > 3 && strcmp(word + size - 3, ".so") == 0;
}

static void add_text(iswi_pool *pool, const char *folder, const iswi_node *node)
{
    if (node && node->type == ISWI_NODE_SCALAR && *node->text)
        add(pool, folder, node->text, false);
}

/* The shared objects that its YAML names: `modules`, and `plugin` of its middleware. */
static void add_modules(iswi_pool *pool)
{
    const char *file = pool->reload.file;
    isw_error ignored = { ISW_OK, "" }; /* its processes say what is wrong with it */
    const iswi_node *root;
    const iswi_node *list;
    iswi_config *config = NULL;
    char folder[PATH_MAX];

    if (!file || iswi_config_open(file, NULL, &config, &ignored) != ISW_OK)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file, '/') - file), file);
    root = iswi_config_root(config);
    list = iswi_node_find(root, "modules");
    for (size_t i = 0; list && i < list->child_count; i++)
        add_text(pool, folder, &list->children[i]);
    list = iswi_node_find(root, "middleware");
    for (size_t i = 0; list && i < list->child_count; i++)
        if (list->children[i].type == ISWI_NODE_MAP && list->children[i].child_count == 1)
            add_text(pool, folder, iswi_node_find(list->children[i].children, "plugin"));
    iswi_config_close(config);
}

void iswi_rebuilt_follow(iswi_host *host, iswi_pool *pool)
{
    const iswi_worker_settings *settings = pool->settings;
    const char *folder = settings->directory ? settings->directory : host->folder;

    add(pool, folder, pool->program, true);
    for (size_t i = 1; i < settings->command.count; i++)
        if (is_object(settings->command.items[i]))
            add(pool, folder, settings->command.items[i], false);
    add_modules(pool);
}

void iswi_rebuilt_begin(iswi_host *host)
{
    for (size_t i = 0; host->watches && i < host->pool_count; i++)
        iswi_rebuilt_follow(host, &host->pools[i]);
}

void iswi_rebuilt_forget(iswi_pool *pool)
{
    iswi_rebuilt *watch = &pool->watch;

    while (watch->count)
        iswi_free(watch->files[--watch->count].path);
    watch->changed = NULL;
}

/* -- Changes ----------------------------------------------------------------------------------- */

/* True: something has changed since the last time. */
static bool look(iswi_rebuilt *watch)
{
    bool changed = false;

    for (unsigned i = 0; i < watch->count; i++) {
        iswi_rebuilt_file *file = &watch->files[i];
        iswi_file_look now = iswi_file_look_at(file->path);

        if (iswi_file_look_same(&now, &file->look))
            continue;
        file->look = now;
        watch->changed = file->path;
        changed = true;
    }
    return changed;
}

static bool all_are_whole(const iswi_rebuilt *watch)
{
    for (unsigned i = 0; i < watch->count; i++)
        if (!iswi_file_is_whole(watch->files[i].path, watch->files[i].executed))
            return false;
    return true;
}

static void note(iswi_rebuilt *watch, int64_t now_ns)
{
    watch->since_ns = now_ns;
    watch->look_ns = now_ns + QUIET_MS * MS;
}

void iswi_rebuilt_look(iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        if (look(&host->pools[i].watch))
            note(&host->pools[i].watch, iswi_now_ns());
}

static void restart(iswi_host *host, size_t worker)
{
    iswi_pool *pool = &host->pools[worker];
    isw_error error = { ISW_OK, "" };
    unsigned id;

    iswi_say(host, ISW_LOG_INFO, "worker %s: %s has changed", pool->settings->name,
             pool->watch.changed);
    pool->watch.changed = NULL;
    if (iswi_host_restart(host, worker, &id, &error) != ISW_OK)
        iswi_say(host, ISW_LOG_WARNING, "%s", error.message);
    add_modules(pool); /* its YAML may name others now */
}

static void settle(iswi_host *host, size_t worker, int64_t now_ns)
{
    iswi_rebuilt *watch = &host->pools[worker].watch;

    if (look(watch)) {
        note(watch, now_ns);
    } else if (all_are_whole(watch)) {
        restart(host, worker);
    } else if (now_ns - watch->since_ns > GIVE_UP_MS * MS) {
        iswi_say(host, ISW_LOG_WARNING,
                 "worker %s: %s has changed and is not whole, or cannot be executed; the worker "
                 "goes on as it was until it changes again", host->pools[worker].settings->name,
                 watch->changed);
        watch->changed = NULL;
    } else {
        watch->look_ns = now_ns + AGAIN_MS * MS;
    }
}

void iswi_rebuilt_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    for (size_t i = 0; host->watches && i < host->pool_count; i++) {
        const iswi_rebuilt *watch = &host->pools[i].watch;

        if (watch->changed && now_ns >= watch->look_ns)
            settle(host, i, now_ns);
        if (watch->changed && watch->look_ns < *next_ns)
            *next_ns = watch->look_ns;
    }
}
