/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file is one that the function has not had. One that somebody has closed, or moved there,
 * is whole; of one that is only there nobody knows it, so that it is taken once it has not changed
 * for a while.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "host/engine/log.h"
#include "host/file/internal.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define S_NS INT64_C(1000000000)
#define MS_NS INT64_C(1000000)

/* -- What is to be done ------------------------------------------------------------------------ */

static iswi_file_task *add_task(iswi_inbox *inbox, const char *name)
{
    size_t size = strlen(name) + 1;
    iswi_file_task *task = iswi_calloc(1, sizeof *task + size);

    if (!task)
        return NULL;
    memcpy(task->name, name, size);
    *inbox->last_task = task;
    inbox->last_task = &task->next;
    return task;
}

static void take(iswi_inbox *inbox, const char *name, const iswi_file_identity *identity)
{
    iswi_known_file *file = iswi_known_add(&inbox->known, name);
    iswi_file_task *task = file ? add_task(inbox, name) : NULL;

    if (!task) {
        iswi_function_say(inbox->entry->function, ISW_LOG_CRITICAL, "", isw_str_of(NULL),
                          "no memory for file %s; it is found when the host starts again", name);
        return;
    }
    file->identity = task->identity = *identity;
    file->seen = inbox->scans;
    atomic_fetch_add(&inbox->found, 1);
}

/* -- Those that may not be whole --------------------------------------------------------------- */

static void wait_for(iswi_inbox *inbox, const char *name, const iswi_file_identity *identity,
                     int64_t now_ns)
{
    iswi_known_file *young = iswi_known_add(&inbox->young, name);

    if (!young)
        return; /* it is found when it is closed, or the folder is read again */
    young->identity = *identity;
    young->at_ns = now_ns + inbox->properties->quiet_ms * MS_NS;
    if (!inbox->young_ns || young->at_ns < inbox->young_ns)
        inbox->young_ns = young->at_ns;
}

/* Whether it was changed so lately, by the clock of files, or that clock was set. */
static bool is_fresh(const iswi_inbox *inbox, const iswi_file_identity *identity)
{
    int64_t age_ns = iswi_wall_us() * 1000 - identity->modified_ns;

    return age_ns < inbox->properties->quiet_ms * MS_NS;
}

/* False: it is looked at again. */
static bool is_whole(iswi_inbox *inbox, const char *name, const iswi_file_identity *identity,
                     bool closed, int64_t now_ns)
{
    const iswi_known_file *young = iswi_known_find(&inbox->young, name);
    bool same = young && iswi_file_same(&young->identity, identity);

    if (closed || (same && now_ns >= young->at_ns) || (!young && !is_fresh(inbox, identity)))
        return true;
    if (!same)
        wait_for(inbox, name, identity, now_ns);
    return false;
}

void iswi_inbox_look_at_young(iswi_inbox *inbox, int64_t now_ns, int64_t *next_ns)
{
    iswi_known_file *at = now_ns >= inbox->young_ns ? iswi_known_next(&inbox->young, NULL) : NULL;

    if (at)
        inbox->young_ns = 0;
    while (at) {
        iswi_known_file *next = iswi_known_next(&inbox->young, at); /* `at` may go */
        char name[PATH_MAX];

        snprintf(name, sizeof name, "%s", at->name);
        if (now_ns >= at->at_ns)
            iswi_inbox_look(inbox, name, false, now_ns);
        at = iswi_known_find(&inbox->young, name);
        if (at && (!inbox->young_ns || at->at_ns < inbox->young_ns))
            inbox->young_ns = at->at_ns;
        at = next;
    }
    if (inbox->young_ns && inbox->young_ns < *next_ns)
        *next_ns = inbox->young_ns;
}

/* -- Looking ----------------------------------------------------------------------------------- */

static bool matches(const iswi_inbox *inbox, const char *name)
{
    const char *slash = strrchr(name, '/');

    return fnmatch(inbox->properties->pattern, slash ? slash + 1 : name, FNM_PERIOD) == 0;
}

/* False: there is no such file. */
static bool identify(const iswi_inbox *inbox, const char *name, iswi_file_identity *out)
{
    char path[2 * PATH_MAX];
    struct stat status;

    snprintf(path, sizeof path, "%s/%s", inbox->path, name);
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    *out = (iswi_file_identity){ .inode = status.st_ino,
                                 .size = status.st_size,
                                 .modified_ns = (int64_t)status.st_mtim.tv_sec * S_NS +
                                                status.st_mtim.tv_nsec };
    return true;
}

/* Messages and records are text. */
static bool is_text(const iswi_inbox *inbox, const char *name)
{
    iswi_buffer shown = { 0 };

    if (iswi_utf8_valid(name, strlen(name)))
        return true;
    iswi_terminal_text(&shown, isw_str_of(name));
    iswi_function_say(inbox->entry->function, ISW_LOG_WARNING, "", isw_str_of(NULL),
                      "file %s is left alone: its name is not UTF-8; rename it",
                      iswi_buffer_text(&shown) ? (const char *)shown.data : "");
    iswi_buffer_fini(&shown);
    return false;
}

void iswi_inbox_look(iswi_inbox *inbox, const char *name, bool closed, int64_t now_ns)
{
    iswi_known_file *file;
    iswi_file_identity identity;

    if (!matches(inbox, name))
        return;
    if (!identify(inbox, name, &identity)) {
        iswi_inbox_forget(inbox, name);
        return;
    }
    file = iswi_known_find(&inbox->known, name);
    if (file)
        file->seen = inbox->scans;
    if (file && iswi_file_same(&file->identity, &identity)) {
        iswi_known_remove(&inbox->young, name);
    } else if (is_text(inbox, name) && is_whole(inbox, name, &identity, closed, now_ns)) {
        iswi_known_remove(&inbox->young, name);
        take(inbox, name, &identity);
    }
}

void iswi_inbox_forget(iswi_inbox *inbox, const char *name)
{
    iswi_known_file *file = iswi_known_find(&inbox->known, name);
    iswi_file_task *task;

    iswi_known_remove(&inbox->young, name);
    if (!file)
        return;
    if (file->version && (task = add_task(inbox, name)) != NULL) {
        task->gone = true;
        task->version = file->version;
    }
    iswi_known_remove(&inbox->known, name);
}
