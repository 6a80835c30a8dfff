/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose file it is. The rule is that of OpenSSH for authorized_keys (safe_path in its misc.c, see
 * StrictModes in sshd_config(5)): links are resolved first, then the file and every folder up to
 * the root are looked at, since whoever may write a folder can replace what is in it. It is
 * stricter in that it does not stop at the home folder, and milder for sticky folders (trusted.h).
 * An access control list that lets somebody write shows in the group's bits (acl(5)).
 *
 * Invariant: a path that was accepted cannot be made to lead elsewhere by anybody but root and us;
 * so it may be opened by its name afterwards.
 */
#include "pipeline/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is looked at: the path as it was given, and how far of what it leads to. */
typedef struct part {
    const char *path;
    const char *real;
    int fd;
} part;

static isw_status check_part(const part *p, isw_error *error)
{
    struct stat info;
    bool sticky;

    if (p->fd < 0 || fstat(p->fd, &info) != 0)
        return isw_error_set(error, ISW_E_CONFIG, "module %s: %s: %s", p->path, p->real,
                             strerror(errno));
    sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX);
    if (info.st_uid != 0 && info.st_uid != geteuid())
        return isw_error_set(error, ISW_E_CONFIG,
                             "module %s is refused: %s belongs to uid %u, who could change it; it "
                             "must belong to root or to uid %u, who loads it",
                             p->path, p->real, (unsigned)info.st_uid, (unsigned)geteuid());
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
        return isw_error_set(error, ISW_E_CONFIG,
                             "module %s is refused: %s may be written by others; chmod go-w %s",
                             p->path, p->real, p->real);
    return ISW_OK;
}

/* From the root down, each part opened in the one that was looked at before. */
static isw_status check_parts(const char *path, char *real, isw_error *error)
{
    part p = { path, "/", open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) };
    isw_status status = check_part(&p, error);
    char *slash = real;

    p.real = real;
    while (status == ISW_OK && slash) {
        char *end = strchr(slash + 1, '/');
        int next;

        if (end)
            *end = '\0';
        next = openat(p.fd, slash + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        close(p.fd);
        p.fd = next;
        status = check_part(&p, error);
        if (end)
            *end = '/';
        slash = end;
    }
    if (p.fd >= 0)
        close(p.fd);
    return status;
}

isw_status iswi_trusted_path(const char *path, char real[PATH_MAX], isw_error *error)
{
    struct stat info;

    if (!realpath(path, real) || stat(real, &info) != 0)
        return isw_error_set(error, ISW_E_CONFIG, "module %s: %s", path,
                             errno == ENOENT ? "no such file" : strerror(errno));
    if (!S_ISREG(info.st_mode))
        return isw_error_set(error, ISW_E_CONFIG, "module %s: not a file", path);
    return check_parts(path, real, error);
}
