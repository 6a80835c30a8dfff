/* SPDX-License-Identifier: Apache-2.0 */
/* The file, and the lock beside it: one host has both, and nobody else. The lock is held by a
 * descriptor, so that whoever was given one of the same (options->lock) holds it, too. */
#include "base/alloc.h"
#include "base/buffer.h"
#include "broker/sqlite/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEME "sqlite:"

isw_status iswi_sqlite_check(const char *place, isw_error *error)
{
    const char *path = place + sizeof SCHEME - 1;
    const size_t size = strlen(path);

    if (size == 0 || path[size - 1] == '/' || strncmp(path, "//", 2) == 0)
        return isw_error_set(error, ISW_E_CONFIG,
                             "\"%s\" names no file: it is sqlite:PATH, such as sqlite:queues.db",
                             place);
    return ISW_OK;
}

/* -- Names ------------------------------------------------------------------------------------- */

static char *text_of(iswi_buffer *buffer)
{
    const char *text = iswi_buffer_text(buffer);
    char *copy = text ? iswi_strdup(text) : NULL;

    iswi_buffer_fini(buffer);
    return copy;
}

static char *path_of(const char *place, const char *folder)
{
    const char *path = place + sizeof SCHEME - 1;
    iswi_buffer buffer = { 0 };

    if (*path != '/')
        iswi_buffer_printf(&buffer, "%s/", folder);
    iswi_buffer_append_text(&buffer, path);
    return text_of(&buffer);
}

/* -- The folder -------------------------------------------------------------------------------- */

/* End a path at the folder that it lies in. */
static void cut_name(char *path)
{
    char *slash = strrchr(path, '/');

    while (slash > path && slash[-1] == '/')
        slash--;
    slash[slash == path] = '\0';
}

/* 0, or why nothing can be made in it. */
static int cannot_write(const char *folder)
{
    struct stat found;

    if (stat(folder, &found) != 0)
        return errno;
    if (!S_ISDIR(found.st_mode))
        return ENOTDIR;
    return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

static const char *remedy(int why)
{
    switch (why) {
    case ENOENT:
        return "make that folder, or name another";
    case EROFS:
        return "name a folder that can be written, or mount that one so";
    case EACCES:
        return "let the host write there, or name another";
    default:
        return "name another";
    }
}

/* The same, and what nobody may make anything in, whatever its permissions say, as /proc. */
static int cannot_make(const char *folder)
{
    iswi_buffer name = { 0 };
    int why = cannot_write(folder);
    char *made;

    if (why)
        return why;
    iswi_buffer_printf(&name, "%s/.isoworker-XXXXXX", folder);
    made = text_of(&name);
    if (!made)
        return ENOMEM;
    if (!mkdtemp(made))
        why = errno == ENOENT ? EPERM : errno;
    else
        rmdir(made);
    iswi_free(made);
    return why;
}

/* -- What lies there --------------------------------------------------------------------------- */

static bool has_head(const char *path)
{
    static const char head[] = "SQLite format 3"; /* with its NUL */
    char found[sizeof head];
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = file < 0 ? -1 : pread(file, found, sizeof found, 0);

    if (file >= 0)
        close(file);
    return got == 0 || (got == sizeof found && memcmp(found, head, sizeof found) == 0);
}

/* In words that follow the place; NULL: it may be opened. */
static const char *cannot_be_opened(const char *path, const struct stat *found)
{
    if (S_ISDIR(found->st_mode))
        return "is a folder";
    if (!S_ISREG(found->st_mode))
        return "is no file";
    if (access(path, R_OK | W_OK) != 0)
        return "cannot be read and written by this user";
    return has_head(path) ? NULL : "is a file, but none of SQLite's";
}

/* The folder of the file is made where it is missing; those above it are none of ours, so that a
 * slip in a path makes no tree. */
isw_status iswi_sqlite_may_be(const char *place, const char *folder, isw_error *error)
{
    char *path = path_of(place, folder);
    const char *wrong = NULL;
    struct stat found;
    bool is_there = path && stat(path, &found) == 0;
    int why = ENOMEM;

    if (is_there)
        wrong = cannot_be_opened(path, &found);
    if (wrong) {
        iswi_free(path);
        return isw_error_set(error, ISW_E_CONFIG, "\"%s\" %s; name another one, or one that is not "
                             "there yet", place, wrong);
    }
    if (path) {
        cut_name(path);
        why = is_there ? cannot_write(path) : cannot_make(path);
    }
    if (why == ENOENT && strcmp(path, "/") != 0) {
        cut_name(path);
        why = cannot_make(path);
    }
    if (why)
        isw_error_set(error, ISW_E_CONFIG,
                      "\"%s\" cannot be made in %s: %s; %s", place, path ? path : folder,
                      strerror(why), remedy(why));
    iswi_free(path);
    return why ? ISW_E_CONFIG : ISW_OK;
}

static bool make_folder(const iswi_sqlite *store, isw_error *error)
{
    const iswi_broker_options *options = store->options;
    char *folder = iswi_strdup(store->path);
    char sentence[ISW_ERROR_MESSAGE_BYTES];
    bool made;

    if (!folder) {
        isw_error_set(error, ISW_E_UNAVAILABLE, "no memory for the name of a folder");
        return false;
    }
    cut_name(folder);
    made = mkdir(folder, 0700) == 0;
    if (!made && errno != EEXIST)
        isw_error_set(error, ISW_E_UNAVAILABLE, "cannot make the folder of %s: %s", store->path,
                      strerror(errno));
    snprintf(sentence, sizeof sentence, "%s is new, and was made for %s", folder, options->place);
    if (made && options->say)
        options->say(options->user, ISW_LOG_WARNING, sentence);
    iswi_free(folder);
    return !error || error->status == ISW_OK;
}

/* -- The lock ---------------------------------------------------------------------------------- */

static long pid_in(int lock)
{
    char text[32] = "";

    return pread(lock, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static void write_pid(int lock)
{
    char text[32];
    const int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (ftruncate(lock, 0) == 0)
        (void)!pwrite(lock, text, (size_t)size, 0);
}

static bool is_anothers(iswi_sqlite *store, isw_error *error)
{
    const long pid = pid_in(store->lock);

    if (pid > 0)
        isw_error_set(error, ISW_E_UNAVAILABLE, "%s is another host's (pid %ld)", store->path, pid);
    else
        isw_error_set(error, ISW_E_UNAVAILABLE, "%s is another host's", store->path);
    return false;
}

static bool take_lock(iswi_sqlite *store, isw_error *error)
{
    iswi_buffer name = { 0 };

    iswi_buffer_printf(&name, "%s-lock", store->path);
    store->lock = iswi_buffer_text(&name)
                      ? open(iswi_buffer_text(&name), O_RDWR | O_CREAT | O_CLOEXEC, 0600)
                      : -1;
    if (store->lock < 0)
        isw_error_set(error, ISW_E_UNAVAILABLE, "cannot open %s-lock: %s", store->path,
                      strerror(errno));
    iswi_buffer_fini(&name);
    if (store->lock < 0)
        return false;
    if (flock(store->lock, LOCK_EX | LOCK_NB) != 0)
        return is_anothers(store, error);
    write_pid(store->lock);
    return true;
}

/* -- The file ---------------------------------------------------------------------------------- */

/* So that it is this user's alone, and there after a power cut. */
static bool make_file(iswi_sqlite *store, isw_error *error)
{
    const int file = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char *slash = strrchr(store->path, '/');
    int folder;

    if (file < 0) {
        isw_error_set(error, ISW_E_UNAVAILABLE, "cannot open %s: %s", store->path, strerror(errno));
        return false;
    }
    close(file);
    *slash = '\0';
    folder = open(*store->path ? store->path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    return true;
}

static int count_pages(void *user, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((iswi_sqlite *)user)->wal_pages = pages;
    return SQLITE_OK;
}

static bool open_database(iswi_sqlite *store, isw_error *error)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(store->path, &store->db, flags, NULL);

    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(store->db, 1);
        sqlite3_busy_timeout(store->db, 500);
        sqlite3_wal_hook(store->db, count_pages, store);
        return true;
    }
    isw_error_set(error, ISW_E_UNAVAILABLE, "cannot open %s: %s", store->path,
                  sqlite3_errstr(code));
    return false;
}

bool iswi_sqlite_take_place(iswi_sqlite *store, isw_error *error)
{
    store->lock = -1;
    store->path = path_of(store->options->place, store->options->folder);
    if (!store->path) {
        isw_error_set(error, ISW_E_UNAVAILABLE, "no memory for the name of a file");
        return false;
    }
    return make_folder(store, error) && take_lock(store, error);
}

void iswi_sqlite_leave_place(iswi_sqlite *store)
{
    if (store->lock >= 0)
        close(store->lock);
    iswi_free(store->path);
}

bool iswi_sqlite_open_file(iswi_sqlite *store, isw_error *error)
{
    return make_file(store, error) && open_database(store, error);
}

void iswi_sqlite_close_file(iswi_sqlite *store)
{
    iswi_sql_finish(store);
    sqlite3_close(store->db);
    store->db = NULL;
}
