/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers' configurations that are read again: when somebody asks, or when the file has changed. A
 * pool counts how often; each of its processes that is ready catches up with the count, one step at
 * a time, and a process that starts begins with it.
 */
#include "host/engine/engine.h"
#include "host/system/links.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- Files ------------------------------------------------------------------------------------- */

static bool is_link(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* The file that the pool's workers will read, as src/worker/registry/settings.c finds it. */
static const char *config_of(iswi_host *host, const iswi_pool *pool)
{
    const iswi_worker_settings *settings = pool->settings;

    if (settings->config)
        return settings->config; /* which stay */
    return iswi_arena_printf(&host->arena, "%s/worker.yaml",
                             settings->directory ? settings->directory : host->folder);
}

static bool watch_folder(void *user, const char *folder)
{
    const iswi_host *host = user;

    return inotify_add_watch(host->reload.changes, folder,
                             IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MOVED_FROM | IN_DELETE |
                                 IN_ONLYDIR) >= 0;
}

/* Folders are watched, since most editors put a new file in the place of the old one; and those of
 * all links, since who changes a link changes the file. To watch one again changes nothing. */
static bool watch_file(iswi_host *host, iswi_pool *pool)
{
    return iswi_links_folders(pool->reload.file, watch_folder, host, &pool->reload.linked);
}

void iswi_reload_watch_path(iswi_host *host, const char *path)
{
    bool linked;

    if (host->reload.changes < 0 || !iswi_links_folders(path, watch_folder, host, &linked))
        iswi_say(host, ISW_LOG_WARNING, "changes of %s will not be seen (%s)", path,
                 strerror(errno));
}

static void set_file(iswi_host *host, iswi_pool *pool)
{
    iswi_reloadable *reload = &pool->reload;

    atomic_store(&reload->file, config_of(host, pool));
    reload->look = iswi_file_look_at(reload->file);
    reload->there = reload->look.changed_ns || pool->settings->config;
    atomic_store(&reload->gone, false);
}

void iswi_reload_follow(iswi_host *host, iswi_pool *pool)
{
    const char *before = pool->reload.file;

    set_file(host, pool);
    if (pool->reload.file && (!before || strcmp(before, pool->reload.file) != 0))
        iswi_reload_watch_path(host, pool->reload.file);
}

void iswi_reload_watch(iswi_host *host)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = ISWI_KEY_CHANGES };
    bool watched;

    host->reload.changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    watched = host->reload.changes >= 0 &&
              epoll_ctl(host->loop.epoll, EPOLL_CTL_ADD, host->reload.changes, &event) == 0;
    for (size_t i = 0; i < host->pool_count; i++) {
        iswi_pool *pool = &host->pools[i];

        set_file(host, pool);
        watched = watched && pool->reload.file && watch_file(host, pool);
    }
    watched = watched && watch_folder(host, host->folder);
    if (!watched)
        iswi_say(host, ISW_LOG_WARNING,
                 "changes of workers' configurations will not be seen (%s); SIGHUP has "
                 "them read", strerror(errno));
}

void iswi_reload_unwatch(iswi_host *host)
{
    if (host->reload.changes >= 0)
        close(host->reload.changes);
    host->reload.changes = -1;
}

/* What has happened. That a file was made is nothing yet, as it is being written; that a link was
 * is all that is told of it. */
static uint32_t read_events(const iswi_host *host)
{
    char block[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    uint32_t seen = 0;
    ssize_t got;

    while ((got = read(host->reload.changes, block, sizeof block)) > 0)
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(block + at);

            seen |= event->mask;
            at += (ssize_t)(sizeof *event + event->len);
        }
    return seen;
}

/* Each process of the pool is to read it, also those that could not begin with what was there. */
static void have_read(iswi_pool *pool)
{
    pool->reload.count++;
    for (unsigned i = 0; i < pool->count; i++)
        iswi_process_retry(&pool->processes[i]);
}

/* Without it workers would run without their middleware, with nobody to say so. */
static void lose_file(iswi_host *host, iswi_pool *pool)
{
    if (!pool->reload.look.changed_ns)
        return;
    pool->reload.look = (iswi_file_look){ 0 };
    atomic_store(&pool->reload.gone, true);
    iswi_say(host, ISW_LOG_ERROR,
             "%s is gone: what runs keeps its configuration, and nothing is started until "
             "it is back; to run without one, write {} into it", pool->reload.file);
}

static void find_file(iswi_pool *pool, iswi_file_look now)
{
    pool->reload.look = now;
    pool->reload.there = true;
    atomic_store(&pool->reload.gone, false);
}

/* Whether more has happened than that files were made. */
static bool look_at_files(iswi_host *host)
{
    const uint32_t seen = read_events(host);

    for (size_t i = 0; i < host->pool_count; i++) {
        iswi_pool *pool = &host->pools[i];
        iswi_file_look now = { 0 };

        if (!iswi_pool_is(pool, ISWI_POOL_HERE))
            continue;
        now = iswi_file_look_at(pool->reload.file);
        if (pool->reload.linked || is_link(pool->reload.file))
            watch_file(host, pool); /* which may lie in other folders now */
        if (!now.changed_ns)
            lose_file(host, pool);
        if (!now.changed_ns || iswi_file_look_same(&now, &pool->reload.look))
            continue;
        if (!(seen & ~(uint32_t)IN_CREATE) && !pool->reload.linked)
            continue;
        find_file(pool, now);
        atomic_store(&pool->reload.quiet, false);
        iswi_say(host, ISW_LOG_INFO, "%s has changed", pool->reload.file);
        have_read(pool);
    }
    return seen & ~(uint32_t)IN_CREATE;
}

bool iswi_reload_look(iswi_host *host)
{
    return look_at_files(host);
}

void iswi_reload_heed(iswi_host *host)
{
    unsigned asked = atomic_load(&host->reload.asked);

    if (asked == host->reload.seen)
        return;
    host->reload.seen = asked;
    iswi_say(host, ISW_LOG_INFO, "workers are to read their configurations");
    for (size_t i = 0; i < host->pool_count; i++) {
        iswi_pool *pool = &host->pools[i];
        iswi_file_look now = { 0 };

        if (!iswi_pool_is(pool, ISWI_POOL_HERE))
            continue;
        now = iswi_file_look_at(pool->reload.file);
        atomic_store(&pool->reload.quiet, iswi_file_look_same(&now, &pool->reload.look));
        if (now.changed_ns)
            find_file(pool, now);
        else
            lose_file(host, pool);
        have_read(pool);
    }
}

const char *iswi_reload_config(const iswi_pool *pool)
{
    if (pool->settings->config)
        return pool->settings->config;
    return pool->reload.there ? "worker.yaml" : NULL; /* in the folder where it is started */
}

/* -- Processes --------------------------------------------------------------------------------- */

bool iswi_reload_answered(iswi_process *process, const iswi_reloaded *answer)
{
    bool refused = answer->status.code != 0;

    if (process->reload.step != ISWI_RELOAD_ASKED)
        return false;
    process->reload.step = refused ? ISWI_RELOAD_NONE : ISWI_RELOAD_TAKEN;
    if (refused)
        atomic_fetch_sub(&process->host->reload.unread, 1);
    iswi_attention_configured(process, answer);
    iswi_host_wake(process->host);
    return true;
}

/* The next step, if there is one. With the lock. */
static void go_on(iswi_process *process)
{
    iswi_frame frame = { .kind = ISWI_RELOAD, .id = 1, .as.reload.configuration = true };

    if (process->reload.step == ISWI_RELOAD_TAKEN) {
        process->reload.step = ISWI_RELOAD_READING;
        process->metadata_asked = true;
        iswi_process_send(process, &(iswi_frame){ .kind = ISWI_METADATA_REQUEST, .id = 2 });
    } else if (process->reload.step == ISWI_RELOAD_NONE &&
               process->reload.seen != process->pool->reload.count) {
        process->reload.seen = process->pool->reload.count;
        if (!process->can_reload) {
            iswi_attention_cannot_read(process);
            return;
        }
        process->reload.step = ISWI_RELOAD_ASKED;
        atomic_fetch_add(&process->host->reload.unread, 1);
        iswi_process_send(process, &frame);
    }
}

/* Whoever has a log file turned asks as well, and wants no line for each process that is as it was. */
static isw_log_level level_of(const iswi_process *process, unsigned changed)
{
    return atomic_load(&process->pool->reload.quiet) && !changed ? ISW_LOG_DEBUG : ISW_LOG_INFO;
}

static void take_over(iswi_process *process, isw_bytes bytes)
{
    isw_error error = { ISW_OK, "" };
    isw_status status;
    unsigned changed;

    status = iswi_functions_take(process, bytes, &changed, &error);
    atomic_fetch_sub(&process->host->reload.unread, 1); /* whoever reads the line may count on it */
    if (status == ISW_OK)
        iswi_say(process->host, level_of(process, changed),
                 "worker %s has read its configuration again and runs by it; %u function%s other "
                 "middleware in %s chain, or in another order", process->label, changed,
                 changed == 1 ? " has" : "s have", changed == 1 ? "its" : "their");
    else
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s has read its configuration again, but "
                 "what it says of its functions cannot be taken: %s", process->label,
                 error.message);
}

void iswi_reload_begin(iswi_process *process)
{
    if (process->reload.step != ISWI_RELOAD_NONE)
        atomic_fetch_sub(&process->host->reload.unread, 1);
    process->reload = (iswi_reloading){ ISWI_RELOAD_NONE, process->pool->reload.count };
}

void iswi_reload_tend(iswi_process *process)
{
    iswi_message *metadata = NULL;
    isw_bytes bytes;

    pthread_mutex_lock(&process->lock);
    if (process->state == ISWI_PROCESS_READY)
        go_on(process);
    if (process->reload.step == ISWI_RELOAD_READING && process->metadata) {
        metadata = process->metadata;
        process->metadata = NULL;
        process->reload.step = ISWI_RELOAD_NONE;
    }
    bytes = process->metadata_frame;
    pthread_mutex_unlock(&process->lock);
    if (metadata)
        take_over(process, bytes);
    iswi_message_release(metadata);
}
