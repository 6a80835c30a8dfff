/* SPDX-License-Identifier: Apache-2.0 */
/* An inbox: from when its folder is watched until it is not. What fails is said once, stands in the
 * status, and is tried again. */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/file/internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* -- Life -------------------------------------------------------------------------------------- */

/* Absolute, and without a '/' at its end. NULL: no memory. */
static char *path_of(const iswi_files *files, const char *path)
{
    const char *folder = *path == '/' ? "" : iswi_host_folder(files->host);
    size_t size = strlen(folder) + 1 + strlen(path) + 1;
    char *whole = iswi_alloc(size);

    if (!whole)
        return NULL;
    snprintf(whole, size, "%s%s%s", folder, *path == '/' ? "" : "/", path);
    for (size = strlen(whole); size > 1 && whole[size - 1] == '/'; size--)
        whole[size - 1] = '\0';
    return whole;
}

iswi_inbox *iswi_inbox_create(iswi_files *files, const iswi_entry *entry)
{
    iswi_inbox *inbox = iswi_calloc(1, sizeof *inbox);

    if (!inbox)
        return NULL;
    inbox->files = files;
    inbox->entry = entry;
    inbox->properties = entry->properties;
    inbox->last_task = &inbox->tasks;
    inbox->group = 1;
    snprintf(inbox->queue, sizeof inbox->queue, ISWI_QUEUE_OF_FILES "%s", entry->name);
    inbox->path = path_of(files, inbox->properties->path);
    if (inbox->properties->done)
        inbox->done = path_of(files, inbox->properties->done);
    if (inbox->path && (inbox->done || !inbox->properties->done))
        return inbox;
    iswi_inbox_destroy(inbox);
    return NULL;
}

static void drop_tasks(iswi_inbox *inbox)
{
    while (inbox->tasks) {
        iswi_file_task *task = inbox->tasks;

        inbox->tasks = task->next;
        iswi_free(task);
    }
    inbox->last_task = &inbox->tasks;
}

void iswi_inbox_destroy(iswi_inbox *inbox)
{
    iswi_inbox_close(inbox);
    iswi_free(inbox->path);
    iswi_free(inbox->done);
    iswi_free(inbox);
}

/* -- What is in its way ------------------------------------------------------------------------ */

static void fail_at(iswi_inbox *inbox, int64_t now_ns, const char *path, const char *why)
{
    char sentence[ISW_ERROR_MESSAGE_BYTES];

    snprintf(sentence, sizeof sentence, "folder %s: %s%s", path, why,
             errno == ENOSPC ? " (fs.inotify.max_user_watches)" : "");
    iswi_inbox_fail(inbox, now_ns, sentence);
}

/* -- Opening ----------------------------------------------------------------------------------- */

/* A folder of the application's own is made where there is none. One that is given by an absolute
 * path is somebody else's, and perhaps mounted later. */
static bool make_folder(const iswi_inbox *inbox, const char *given, const char *path)
{
    if (*given == '/' || mkdir(path, 0777) != 0)
        return *given == '/' || errno == EEXIST;
    iswi_function_say(inbox->entry->function, ISW_LOG_INFO, "", isw_str_of(NULL),
                      "made folder %s", path);
    return true;
}

static bool make_folders(iswi_inbox *inbox, int64_t now_ns)
{
    struct stat status;

    if (!make_folder(inbox, inbox->properties->path, inbox->path)) {
        fail_at(inbox, now_ns, inbox->path, strerror(errno));
        return false;
    }
    if (inbox->done && (!make_folder(inbox, inbox->properties->done, inbox->done) ||
                        stat(inbox->done, &status) != 0)) {
        fail_at(inbox, now_ns, inbox->done, strerror(errno));
        return false;
    }
    return true;
}

void iswi_inbox_open(iswi_inbox *inbox, int64_t now_ns)
{
    isw_error error = { ISW_OK, "" };

    if (!make_folders(inbox, now_ns))
        return;
    if (iswi_inbox_recall(inbox, &error) != ISW_OK) {
        if (error.status != ISW_E_CLOSED) /* the host ends */
            iswi_inbox_fail(inbox, now_ns, error.message);
        return;
    }
    if (!iswi_inbox_scan(inbox, now_ns)) {
        fail_at(inbox, now_ns, inbox->path, strerror(errno));
        iswi_inbox_close(inbox);
        return;
    }
    inbox->open = true;
    if (iswi_inbox_finish_rest(inbox, &error) == ISW_OK) {
        iswi_inbox_fail(inbox, now_ns, NULL);
    } else {
        iswi_inbox_close(inbox);
        iswi_inbox_fail(inbox, now_ns, error.message);
    }
}

void iswi_inbox_close(iswi_inbox *inbox)
{
    inbox->open = inbox->lost = false;
    iswi_inbox_unwatch(inbox);
    drop_tasks(inbox);
    iswi_known_clear(&inbox->known);
    iswi_known_clear(&inbox->young);
    inbox->young_ns = 0;
}

void iswi_inbox_tend(iswi_inbox *inbox, int64_t now_ns, int64_t *next_ns)
{
    if (inbox->lost) {
        iswi_inbox_close(inbox);
        iswi_inbox_fail(inbox, now_ns, "its folder is there no more");
    }
    if (!inbox->open && now_ns >= inbox->again_ns)
        iswi_inbox_open(inbox, now_ns);
    if (inbox->open) {
        iswi_inbox_look_at_young(inbox, now_ns, next_ns);
        iswi_inbox_keep(inbox, now_ns, next_ns);
    }
    if (inbox->again_ns && inbox->again_ns < *next_ns)
        *next_ns = inbox->again_ns;
}
