/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that are watched. Whoever builds one writes it in many pieces, or puts a new file in the
 * place of the old; so it is taken only once nothing has happened to it for a while and it is there
 * as a whole. What cannot serve even so changes nothing: see roll.c.
 */
#include "host/engine/rebuilt.h"

#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/system/file_whole.h"

#define MS INT64_C(1000000)

enum {
    QUIET_MS = 300,  /* without a change, a file counts as written */
    AGAIN_MS = 100,  /* one that is not whole yet is looked at again */
    GIVE_UP_MS = 10000 /* and for so long; then it takes another change */
};

/* -- What is watched --------------------------------------------------------------------------- */

void iswi_rebuilt_follow(iswi_host *host, iswi_pool *pool)
{
    iswi_parts *parts = &pool->watch.parts;
    unsigned before = parts->count;

    iswi_parts_find(parts, pool);
    for (unsigned i = before; i < parts->count; i++)
        iswi_reload_watch_path(host, parts->items[i].path);
}

void iswi_rebuilt_begin(iswi_host *host)
{
    for (size_t i = 0; host->watches && i < host->pool_count; i++)
        iswi_rebuilt_follow(host, &host->pools[i]);
}

void iswi_rebuilt_forget(iswi_pool *pool)
{
    iswi_parts_forget(&pool->watch.parts);
    pool->watch.changed = NULL;
}

/* -- Changes ----------------------------------------------------------------------------------- */

/* True: something has changed since the last time. */
static bool look(iswi_rebuilt *watch)
{
    const char *changed = iswi_parts_look(&watch->parts);

    if (changed)
        watch->changed = changed;
    return changed != NULL;
}

static bool all_are_whole(const iswi_rebuilt *watch)
{
    for (unsigned i = 0; i < watch->parts.count; i++)
        if (!iswi_file_is_whole(watch->parts.items[i].path, watch->parts.items[i].executed))
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
    iswi_rebuilt_follow(host, pool); /* its YAML may name others now */
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
