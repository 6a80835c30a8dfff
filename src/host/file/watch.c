/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders that are watched, by inotify(7), and what is told of them. Invariant: a folder is watched
 * before it is read, so that nothing comes in between.
 */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/file/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* The same for all, since two inboxes may be one folder, which has one watch then. */
#define EVENTS                                                                                \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |  \
     IN_MOVE_SELF | IN_ONLYDIR)

enum { DEPTH_MAX = 64, NAME_BYTES = PATH_MAX };

/* -- Watches ----------------------------------------------------------------------------------- */

static iswi_file_watch *find_watch(const iswi_inbox *inbox, int number)
{
    for (size_t i = 0; i < inbox->watch_count; i++)
        if (inbox->watches[i].number == number)
            return &inbox->watches[i];
    return NULL;
}

static bool is_shared(const iswi_inbox *inbox, int number)
{
    for (const iswi_inbox *at = atomic_load(&inbox->files->inboxes); at; at = at->next)
        if (at != inbox && find_watch(at, number))
            return true;
    return false;
}

/* It is over, by itself or since it is not wanted. */
static void drop(iswi_inbox *inbox, iswi_file_watch *watch, bool wanted)
{
    if (!wanted && !is_shared(inbox, watch->number))
        inotify_rm_watch(inbox->files->notify, watch->number);
    iswi_free(watch->name);
    *watch = inbox->watches[--inbox->watch_count];
}

void iswi_inbox_unwatch(iswi_inbox *inbox)
{
    while (inbox->watch_count)
        drop(inbox, &inbox->watches[inbox->watch_count - 1], false);
    iswi_free(inbox->watches);
    inbox->watches = NULL;
    inbox->watch_capacity = 0;
}

/* False with errno. */
static bool add(iswi_inbox *inbox, const char *name)
{
    char path[2 * PATH_MAX];
    char *copy;
    int number;

    snprintf(path, sizeof path, "%s%s%s", inbox->path, *name ? "/" : "", name);
    number = inotify_add_watch(inbox->files->notify, path, EVENTS);
    if (number < 0)
        return false;
    if (find_watch(inbox, number))
        return true;
    copy = iswi_strdup(name);
    if (!copy || !iswi_grow(&inbox->watches, &inbox->watch_capacity, inbox->watch_count,
                            sizeof *inbox->watches)) {
        iswi_free(copy);
        errno = ENOMEM;
        return false;
    }
    inbox->watches[inbox->watch_count++] = (iswi_file_watch){ number, copy };
    return true;
}

/* -- Reading folders --------------------------------------------------------------------------- */

static void say_left_out(const iswi_inbox *inbox, const char *name, const char *why)
{
    iswi_function_say(inbox->entry->function, ISW_LOG_WARNING, "", isw_str_of(NULL),
                      "folder %s/%s is left out: %s", inbox->path, name, why);
}

/* "a" and "b" to "a/b". False: no path can be so long. */
static bool join(const char *folder, const char *name, char out[NAME_BYTES])
{
    return snprintf(out, NAME_BYTES, "%s%s%s", folder, *folder ? "/" : "", name) < NAME_BYTES;
}

static unsigned depth_of(const char *name)
{
    unsigned depth = 0;

    for (; *name; name++)
        depth += *name == '/';
    return depth;
}

/* Whether a folder of that name is an inbox's own part, rather than where it puts what is done. */
static bool is_part(const iswi_inbox *inbox, const char *name)
{
    char path[2 * PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", inbox->path, name);
    return inbox->properties->recursive && !(inbox->done && strcmp(path, inbox->done) == 0);
}

static bool watch(iswi_inbox *inbox, const char *name, int64_t now_ns);

static void enter(iswi_inbox *inbox, const char *name, int64_t now_ns)
{
    if (!is_part(inbox, name))
        return;
    if (depth_of(name) >= DEPTH_MAX)
        say_left_out(inbox, name, "it lies too deep");
    else if (!watch(inbox, name, now_ns) && errno != ENOENT && errno != ENOTDIR)
        say_left_out(inbox, name, strerror(errno));
}

static bool is_folder(const iswi_inbox *inbox, const char *name, unsigned char type)
{
    char path[2 * PATH_MAX];
    struct stat status;

    if (type != DT_UNKNOWN)
        return type == DT_DIR;
    snprintf(path, sizeof path, "%s/%s", inbox->path, name);
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* False with errno. */
static bool read_folder(iswi_inbox *inbox, const char *name, int64_t now_ns)
{
    char path[2 * PATH_MAX];
    const struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof path, "%s%s%s", inbox->path, *name ? "/" : "", name);
    folder = opendir(path);
    if (!folder)
        return false;
    while ((entry = readdir(folder)) != NULL) {
        char below[NAME_BYTES];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            !join(name, entry->d_name, below))
            continue;
        if (!is_folder(inbox, below, entry->d_type))
            iswi_inbox_look(inbox, below, false, now_ns);
        else
            enter(inbox, below, now_ns);
    }
    closedir(folder);
    return true;
}

/* False with errno. */
static bool watch(iswi_inbox *inbox, const char *name, int64_t now_ns)
{
    return add(inbox, name) && read_folder(inbox, name, now_ns);
}

/* What is known and was not found is there no more. */
static void forget_missing(iswi_inbox *inbox)
{
    iswi_known_file *next;

    for (iswi_known_file *at = iswi_known_next(&inbox->known, NULL); at; at = next) {
        next = iswi_known_next(&inbox->known, at);
        if (at->seen != inbox->scans) {
            char name[NAME_BYTES];

            snprintf(name, sizeof name, "%s", at->name);
            iswi_inbox_forget(inbox, name);
        }
    }
}

bool iswi_inbox_scan(iswi_inbox *inbox, int64_t now_ns)
{
    inbox->scans++;
    if (!watch(inbox, "", now_ns))
        return false;
    forget_missing(inbox);
    return true;
}

/* -- What is told ------------------------------------------------------------------------------ */

static bool is_below(const char *name, const char *folder)
{
    size_t size = strlen(folder);

    return strncmp(name, folder, size) == 0 && (name[size] == '/' || !name[size]);
}

/* A folder went elsewhere, with all that is in it. */
static void leave(iswi_inbox *inbox, const char *name)
{
    iswi_known_file *next;

    for (size_t i = inbox->watch_count; i-- > 0;)
        if (is_below(inbox->watches[i].name, name))
            drop(inbox, &inbox->watches[i], false);
    for (iswi_known_file *at = iswi_known_next(&inbox->known, NULL); at; at = next) {
        next = iswi_known_next(&inbox->known, at);
        if (is_below(at->name, name)) {
            char gone[NAME_BYTES];

            snprintf(gone, sizeof gone, "%s", at->name);
            iswi_inbox_forget(inbox, gone);
        }
    }
}

static void on_folder(iswi_inbox *inbox, const char *name, uint32_t mask, int64_t now_ns)
{
    if (mask & IN_MOVED_FROM)
        leave(inbox, name);
    else if (mask & (IN_CREATE | IN_MOVED_TO))
        enter(inbox, name, now_ns);
}

/* One that is made has still to be written, unless it is one more name of another. */
static void on_file(iswi_inbox *inbox, const char *name, uint32_t mask, int64_t now_ns)
{
    char path[2 * PATH_MAX];
    struct stat status;

    if (mask & (IN_DELETE | IN_MOVED_FROM)) {
        iswi_inbox_forget(inbox, name);
    } else if (mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) {
        iswi_inbox_look(inbox, name, true, now_ns);
    } else if (mask & IN_CREATE) {
        snprintf(path, sizeof path, "%s/%s", inbox->path, name);
        if (lstat(path, &status) == 0 && status.st_nlink > 1)
            iswi_inbox_look(inbox, name, false, now_ns);
    }
}

/* Of a watched folder itself. */
static void on_self(iswi_inbox *inbox, iswi_file_watch *watch, uint32_t mask)
{
    const uint32_t ends = IN_IGNORED | IN_MOVE_SELF | IN_DELETE_SELF;

    inbox->lost = inbox->lost || (!*watch->name && mask & ends);
    if (mask & IN_IGNORED)
        drop(inbox, watch, true);
}

void iswi_inbox_event(iswi_inbox *inbox, const struct inotify_event *event, int64_t now_ns)
{
    iswi_file_watch *watch = find_watch(inbox, event->wd);
    char name[NAME_BYTES];

    if (!watch)
        return;
    if (!event->len)
        on_self(inbox, watch, event->mask);
    else if (!join(watch->name, event->name, name))
        return;
    else if (event->mask & IN_ISDIR)
        on_folder(inbox, name, event->mask, now_ns);
    else
        on_file(inbox, name, event->mask, now_ns);
}
