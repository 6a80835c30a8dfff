/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a host's sockets. Invariant: a folder whose file `lock` is not locked belongs to a
 * dead host, since that name is given to the file only once it is locked; and so does one that has no
 * such file long after it was made.
 */
#include "host/system/runtime_folder.h"

#include "base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BASES = 5, BASE_MOST = 72, MADE_WITHIN_S = 60 };

static const char template[] = "isoworker-XXXXXX";

/* -- Where ------------------------------------------------------------------------------------- */

/* Why `path` cannot be a base; NULL if it can. */
static const char *fault_of(const char *path, size_t most, bool own)
{
    struct stat found;

    if (*path != '/')
        return "it is not an absolute path";
    if (strlen(path) > most)
        return "it is too long for sockets";
    if (stat(path, &found) != 0)
        return strerror(errno);
    if (!S_ISDIR(found.st_mode))
        return "it is no folder";
    if (own && found.st_uid != geteuid())
        return "it belongs to another user";
    return access(path, W_OK | X_OK) == 0 ? NULL : strerror(errno);
}

const char *iswi_runtime_own(size_t most, const char **why)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    const char *fault = base && *base ? fault_of(base, most, true) : NULL;

    if (why)
        *why = fault;
    return base && *base && !fault ? base : NULL;
}

/* -- What dead hosts left ---------------------------------------------------------------------- */

static void empty(int folder)
{
    int copy = dup(folder);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;

    while (entries && (entry = readdir(entries)) != NULL)
        unlinkat(folder, entry->d_name, 0); /* never a folder */
    if (entries)
        closedir(entries);
    else if (copy >= 0)
        close(copy);
}

/* Whether its host is dead: then *lock is ours, or it died before there was one, or when there was
 * none any more. */
static bool is_left(int folder, int *lock)
{
    struct stat found;

    *lock = -1;
    if (fstat(folder, &found) != 0 || found.st_uid != geteuid() || (found.st_mode & 066))
        return false;
    *lock = openat(folder, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (*lock < 0)
        return errno == ENOENT && time(NULL) - found.st_mtime > MADE_WITHIN_S;
    return flock(*lock, LOCK_EX | LOCK_NB) == 0;
}

static void sweep(const char *path)
{
    DIR *base = opendir(path);
    struct dirent *entry;

    while (base && (entry = readdir(base)) != NULL) {
        int folder = -1;
        int lock = -1;

        if (strncmp(entry->d_name, template, 10) == 0 &&
            strlen(entry->d_name) == sizeof template - 1)
            folder = openat(dirfd(base), entry->d_name,
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder >= 0 && is_left(folder, &lock)) {
            empty(folder);
            unlinkat(dirfd(base), entry->d_name, AT_REMOVEDIR);
        }
        if (lock >= 0)
            close(lock);
        if (folder >= 0)
            close(folder);
    }
    if (base)
        closedir(base);
}

/* -- Making one -------------------------------------------------------------------------------- */

static int lock_in(const char *folder)
{
    char first[ISWI_RUNTIME_FOLDER_BYTES + 8];
    char last[ISWI_RUNTIME_FOLDER_BYTES + 8];
    int lock;

    snprintf(first, sizeof first, "%s/new", folder);
    snprintf(last, sizeof last, "%s/lock", folder);
    lock = open(first, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 && rename(first, last) == 0)
        return lock;
    if (lock >= 0)
        close(lock);
    unlink(first);
    return -1;
}

/* NULL, or why there is none at `base`. */
static const char *make_at(const char *base, char *out, int *lock)
{
    const char *fault;

    sweep(base);
    snprintf(out, ISWI_RUNTIME_FOLDER_BYTES, "%s/%s", base, template);
    if (!mkdtemp(out)) /* mode 0700 */
        return strerror(errno);
    *lock = lock_in(out);
    if (*lock >= 0)
        return NULL;
    fault = strerror(errno);
    rmdir(out);
    return fault;
}

isw_status iswi_runtime_make(char out[ISWI_RUNTIME_FOLDER_BYTES], int *lock, isw_error *error)
{
    const char *const bases[BASES] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp",
                                       "/dev/shm", "/var/tmp" };
    iswi_buffer tried = { 0 };

    for (int i = 0; i < BASES; i++) {
        const char *fault;

        if (!bases[i] || !*bases[i])
            continue;
        fault = fault_of(bases[i], BASE_MOST, i == 0);
        if (!fault)
            fault = make_at(bases[i], out, lock);
        if (!fault) {
            iswi_buffer_fini(&tried);
            return ISW_OK;
        }
        iswi_buffer_printf(&tried, "%s%s%s: %s", tried.size ? "; " : "",
                           i == 0 ? "XDG_RUNTIME_DIR " : i == 1 ? "TMPDIR " : "", bases[i], fault);
    }
    *out = '\0';
    isw_error_set(error, ISW_E_IO, "no folder for the host's sockets can be made (%s). Set "
                  "XDG_RUNTIME_DIR to a folder of this user's that it can write, of at most %d "
                  "bytes", iswi_buffer_text(&tried) ? iswi_buffer_text(&tried) : "", BASE_MOST);
    iswi_buffer_fini(&tried);
    return ISW_E_IO;
}

void iswi_runtime_remove(const char *folder, int lock)
{
    int open_one = *folder ? open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

    if (open_one >= 0) {
        empty(open_one);
        close(open_one);
        rmdir(folder);
    }
    if (lock >= 0)
        close(lock);
}
