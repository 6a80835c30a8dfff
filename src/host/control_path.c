/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place of control sockets. Invariant: only who holds the lock binds or removes the socket
 * beside it, and a lock file that was removed is never taken for the one that lies there now.
 */
#include "host/control_path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BASE_MAX = 40, BACKLOG = 16, CONNECT_S = 5 };

/* -- Names ------------------------------------------------------------------------------------- */

/* FNV-1a: a name for a path, no secret. */
static uint64_t hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325u;

    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 0x100000001b3u;
    return value;
}

static void name_folder(const char *base, uid_t uid, char out[ISWI_CONTROL_PATH_BYTES])
{
    snprintf(out, ISWI_CONTROL_PATH_BYTES, "%.*s/isoworker-%lu", BASE_MAX, base,
             (unsigned long)uid);
}

static void name_file(const char *base, uid_t uid, const char *folder, const char *end,
                      char out[ISWI_CONTROL_PATH_BYTES])
{
    snprintf(out, ISWI_CONTROL_PATH_BYTES, "%.*s/isoworker-%lu/%016" PRIx64 ".%s", BASE_MAX, base,
             (unsigned long)uid, hash(folder), end);
}

/* The user's own folder for such things, if it is there and short enough. */
static const char *own_base(void)
{
    const char *base = getenv("XDG_RUNTIME_DIR");

    return base && *base == '/' && strlen(base) <= BASE_MAX && access(base, W_OK) == 0 ? base
                                                                                       : "/tmp";
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

bool iswi_control_trusts(int fd, uid_t uid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    return peer.uid == uid || peer.uid == geteuid() || peer.uid == 0;
}

/* -- The host's end ---------------------------------------------------------------------------- */

/* Somebody else's folder of that name, or one that others can enter, is not ours to use. */
static isw_status make_folder(const char *path, isw_error *error)
{
    struct stat found;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return isw_error_set(error, ISW_E_IO, "%s: %s", path, strerror(errno));
    if (lstat(path, &found) != 0)
        return isw_error_set(error, ISW_E_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(found.st_mode) && found.st_uid == geteuid() && (found.st_mode & 077) == 0)
        return ISW_OK;
    return isw_error_set(error, ISW_E_IO, "%s is not a folder that only this user can enter; "
                         "remove it", path);
}

static long pid_in(int lock)
{
    char text[24] = "";

    return pread(lock, text, sizeof text - 1, 0) > 0 ? atol(text) : 0;
}

static bool lies_there(int lock, const char *path)
{
    struct stat open_one;
    struct stat there;

    return fstat(lock, &open_one) == 0 && stat(path, &there) == 0 &&
           open_one.st_ino == there.st_ino && open_one.st_dev == there.st_dev;
}

/* The lock, which whoever held it may have removed between our open and our lock. */
static isw_status take_lock(const char *path, const char *folder, int *out, isw_error *error)
{
    for (;;) {
        int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        char pid[24];

        if (lock < 0)
            return isw_error_set(error, ISW_E_IO, "%s: %s", path, strerror(errno));
        if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
            isw_error_set(error, ISW_E_CONFLICT, "the host with pid %ld serves %s already, too",
                          pid_in(lock), folder);
            close(lock);
            return ISW_E_CONFLICT;
        }
        if (lies_there(lock, path)) {
            int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

            *out = lock;
            if (ftruncate(lock, 0) == 0 && write(lock, pid, (size_t)size) == size)
                return ISW_OK;
            return ISW_OK; /* the pid is only for a message */
        }
        close(lock);
    }
}

static isw_status listen_at(const char *path, int *out, isw_error *error)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(path); /* of a dead host: we have its lock */
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        chmod(path, 0600) == 0 && listen(fd, BACKLOG) == 0) {
        *out = fd;
        return ISW_OK;
    }
    isw_error_set(error, ISW_E_IO, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ISW_E_IO;
}

isw_status iswi_control_listen(const char *folder, iswi_control_socket *out, isw_error *error)
{
    const char *base = own_base();
    char own[ISWI_CONTROL_PATH_BYTES];
    isw_status status;

    out->listener = out->lock = -1;
    name_folder(base, geteuid(), own);
    name_file(base, geteuid(), folder, "sock", out->path);
    name_file(base, geteuid(), folder, "lock", out->lock_path);
    status = make_folder(own, error);
    if (status == ISW_OK)
        status = take_lock(out->lock_path, folder, &out->lock, error);
    if (status == ISW_OK)
        status = listen_at(out->path, &out->listener, error);
    if (status != ISW_OK && out->lock >= 0) {
        unlink(out->lock_path);
        close(out->lock);
    }
    return status;
}

void iswi_control_unlisten(iswi_control_socket *control)
{
    if (control->listener < 0)
        return;
    close(control->listener);
    unlink(control->path);
    unlink(control->lock_path);
    close(control->lock); /* last: the next host finds all of it gone */
    control->listener = -1;
}

/* -- The other end ----------------------------------------------------------------------------- */

/* Only a socket in a folder of that user's, which nobody else could have put there. */
static bool is_safe(const char *base, uid_t uid)
{
    char own[ISWI_CONTROL_PATH_BYTES];
    struct stat found;

    name_folder(base, uid, own);
    return lstat(own, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == uid;
}

static bool try_connect(const char *base, uid_t uid, const char *folder, int *fd, int *cause)
{
    char path[ISWI_CONTROL_PATH_BYTES];
    struct timeval patience = { .tv_sec = CONNECT_S };
    struct sockaddr_un address;

    if (!is_safe(base, uid))
        return false;
    name_file(base, uid, folder, "sock", path);
    address = address_of(path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd >= 0) /* a host whose queue is full makes others wait */
        setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (*fd >= 0 && connect(*fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        iswi_control_trusts(*fd, uid))
        return true;
    if (errno != ENOENT && errno != ECONNREFUSED)
        *cause = errno;
    if (*fd >= 0)
        close(*fd);
    return false;
}

/* The bases where a host of `uid` may have put it, whatever its environment was. */
static bool try_user(uid_t uid, const char *folder, int *fd, int *cause)
{
    char run[32];
    const char *own = getenv("XDG_RUNTIME_DIR");

    snprintf(run, sizeof run, "/run/user/%lu", (unsigned long)uid);
    return (own && *own == '/' && strlen(own) <= BASE_MAX &&
            try_connect(own, uid, folder, fd, cause)) ||
           try_connect(run, uid, folder, fd, cause) || try_connect("/tmp", uid, folder, fd, cause);
}

isw_status iswi_control_connect(const char *folder, int *fd, isw_error *error)
{
    struct stat found;
    int cause = 0;

    if (try_user(geteuid(), folder, fd, &cause))
        return ISW_OK;
    if (stat(folder, &found) != 0)
        return isw_error_set(error, ISW_E_IO, "%s: %s", folder, strerror(errno));
    if (geteuid() == 0 && found.st_uid != 0 && try_user(found.st_uid, folder, fd, &cause))
        return ISW_OK;
    if (cause)
        return isw_error_set(error, ISW_E_IO, "the host of %s cannot be asked: %s", folder,
                             strerror(cause));
    return isw_error_set(error, ISW_E_NOT_FOUND,
                         "no host of this user runs in %s; `isoworker run %s` starts one", folder,
                         folder);
}
