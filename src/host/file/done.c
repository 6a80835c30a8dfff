/* SPDX-License-Identifier: Apache-2.0 */
/* Files that their function is done with, and that are to lie elsewhere then. */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/file/internal.h"
#include "value/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { NAMES_MAX = 1000 };

/* Folders on the way to `path`, below the first `from` bytes of it. */
static void make_parents(char *path, size_t from)
{
    for (char *slash = strchr(path + from + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
}

/* False with errno. EEXIST: there is one. Where the file system cannot tell that itself, two that
 * look at the same moment could both find none. */
static bool move_to(const char *from, const char *to)
{
    struct stat status;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (lstat(to, &status) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

/* Where there is one of that name already it becomes NAME.1, and so on. */
static void move(const iswi_inbox *inbox, const char *name)
{
    char from[2 * PATH_MAX];
    char to[2 * PATH_MAX];
    bool moved = false;

    snprintf(from, sizeof from, "%s/%s", inbox->path, name);
    snprintf(to, sizeof to, "%s/%s", inbox->done, name);
    make_parents(to, strlen(inbox->done));
    moved = move_to(from, to);
    for (int i = 1; !moved && errno == EEXIST && i < NAMES_MAX; i++) {
        snprintf(to, sizeof to, "%s/%s.%d", inbox->done, name, i);
        moved = move_to(from, to);
    }
    if (!moved && errno != ENOENT)
        iswi_function_say(inbox->entry->function, ISW_LOG_ERROR, "", isw_str_of(NULL),
                          "%s is done, and stays there: it cannot be moved to %s: %s%s", from,
                          inbox->done, strerror(errno),
                          errno == EXDEV ? "; both have to lie on one file system" : "");
}

/* The name in a message, in the arena; NULL: it has none. */
static const char *name_in(isw_str body, iswi_arena *arena)
{
    isw_value value;

    if (iswi_json_parse(arena, body, &value, NULL) != ISW_OK || value.type != ISW_VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < value.as.map.count; i++) {
        const isw_named_value *member = &value.as.map.items[i];

        if (isw_str_equal(member->name, isw_str_of("name")) &&
            member->value.type == ISW_VALUE_STRING)
            return iswi_arena_strndup(arena, member->value.as.string.data,
                                      member->value.as.string.size);
    }
    return NULL;
}

void iswi_inbox_finish(iswi_inbox *inbox, const iswi_file_done *done)
{
    char id[ISWI_MESSAGE_ID_MAX + 1];
    const iswi_known_file *file;
    const char *name;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    name = name_in(done->body, &arena);
    file = name ? iswi_known_find(&inbox->known, name) : NULL;
    if (file)
        iswi_file_id(&file->identity, file->name, id);
    if (file && strcmp(id, done->id) == 0) /* else it is another one by now */
        move(inbox, name);
    iswi_arena_fini(&arena);
}

/* -- Those whose end nobody saw ---------------------------------------------------------------- */

/* Whether there is a message of that id still, dead or alive. */
static isw_status has_message(const iswi_inbox *inbox, const iswi_known_file *file, bool *has,
                              isw_error *error)
{
    char id[ISWI_MESSAGE_ID_MAX + 1];
    iswi_delivery *item = NULL;
    iswi_broker_op op = { .kind = ISWI_BROKER_LIST, .queue = isw_str_of(inbox->queue) };

    iswi_file_id(&file->identity, file->name, id);
    op.as.list.filter.id = isw_str_of(id);
    op.as.list.max = 1;
    op.as.list.items = &item;
    iswi_broker_run(inbox->files->broker, &op);
    *has = op.error.status == ISW_OK && op.as.list.count;
    *error = op.error;
    if (*has)
        iswi_delivery_free(item);
    return error->status;
}

isw_status iswi_inbox_finish_early(iswi_inbox *inbox, const iswi_file_task *task,
                                   isw_error *error)
{
    const iswi_known_file *file = iswi_known_find(&inbox->known, task->name);
    bool has = true;

    if (!inbox->done || task->gone || !file || !iswi_file_same(&file->identity, &task->identity))
        return ISW_OK;
    if (has_message(inbox, file, &has, error) == ISW_OK && !has)
        move(inbox, file->name);
    return error->status;
}

isw_status iswi_inbox_finish_rest(iswi_inbox *inbox, isw_error *error)
{
    if (!inbox->done)
        return ISW_OK;
    for (const iswi_known_file *at = iswi_known_next(&inbox->known, NULL); at;
         at = iswi_known_next(&inbox->known, at)) {
        bool has = true;

        if (at->version && has_message(inbox, at, &has, error) != ISW_OK)
            return error->status;
        if (!has)
            move(inbox, at->name);
    }
    return ISW_OK;
}
