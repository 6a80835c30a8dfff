/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: only who holds the lock binds or removes the socket beside it, and a lock file that
 * was removed is never taken for the one that lies there now. */
#include "host/system/unix_socket.h"

#include "host/system/port_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { OWNER_BYTES = 64, SWEEP_MS = 50 /* that one may take, on a busy machine */ };

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static isw_status refuse(const char *path, pid_t owner, isw_error *error)
{
    char text[OWNER_BYTES] = "another program";

    if (owner > 0)
        iswi_process_text(owner, text, sizeof text);
    return isw_error_set(error, ISW_E_CONFLICT, "%s listens at %s already", text, path);
}

/* -- The lock ---------------------------------------------------------------------------------- */

static pid_t pid_in(int lock)
{
    char text[24] = "";

    return pread(lock, text, sizeof text - 1, 0) > 0 ? (pid_t)atol(text) : 0;
}

static bool lies_there(int lock, const char *path)
{
    struct stat open_one;
    struct stat there;

    return fstat(lock, &open_one) == 0 && stat(path, &there) == 0 &&
           open_one.st_ino == there.st_ino && open_one.st_dev == there.st_dev;
}

/* Only for a message: that it is not written loses nothing but a name. */
static void write_pid(int lock)
{
    char pid[24];
    int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

    if (ftruncate(lock, 0) == 0)
        (void)!pwrite(lock, pid, (size_t)size, 0); /* it may have been another's */
}

/* Whoever sweeps has the lock for a moment, and writes no pid: that of a dead owner is there. */
static bool is_swept(int lock)
{
    pid_t owner = pid_in(lock);

    return owner > 0 && kill(owner, 0) != 0 && errno == ESRCH;
}

/* The lock, which whoever held it may have removed between our open and our lock. */
static isw_status hold_lock(iswi_unix_socket *out, int patience_ms, isw_error *error)
{
    for (int tries = 0;;) {
        int lock = open(out->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        bool held;

        if (lock < 0)
            return isw_error_set(error, ISW_E_IO, "%s: %s", out->lock_path, strerror(errno));
        held = flock(lock, LOCK_EX | LOCK_NB) != 0;
        if (held && (!is_swept(lock) || tries++ >= patience_ms)) {
            refuse(out->path, pid_in(lock), error);
            close(lock);
            return ISW_E_CONFLICT;
        }
        if (!held && lies_there(lock, out->lock_path)) {
            out->lock = lock;
            return ISW_OK;
        }
        close(lock);
        if (held)
            usleep(1000);
    }
}

static void give_lock_back(iswi_unix_socket *out)
{
    unlink(out->lock_path);
    close(out->lock); /* last: the next owner finds all of it gone */
    out->lock = -1;
}

/* -- The socket -------------------------------------------------------------------------------- */

/* Who listens at a path that is not ours: programs of others know nothing of the lock. A socket
 * that refuses has nobody behind it; all else is no proof of that. */
static isw_status ask_who_lives(const char *path, isw_error *error)
{
    struct sockaddr_un address = address_of(path);
    struct ucred peer = { .pid = 0 };
    socklen_t size = sizeof peer;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    isw_status status = ISW_OK;

    if (fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ||
                    (errno != ECONNREFUSED && errno != ENOENT))) {
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        status = refuse(path, peer.pid, error);
    }
    if (fd >= 0)
        close(fd);
    return status;
}

/* With the lock. What is there is a dead one's. */
static isw_status bind_there(iswi_unix_socket *out, mode_t mode, isw_error *error)
{
    struct sockaddr_un address = address_of(out->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(out->path);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        chmod(out->path, mode) == 0 && listen(fd, SOMAXCONN) == 0) {
        out->listener = fd;
        return ISW_OK;
    }
    isw_error_set(error, ISW_E_IO, "%s: %s", out->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ISW_E_IO;
}

/* What is removed there must not be anything but a socket. */
static isw_status place_at(const char *path, iswi_unix_socket *out, isw_error *error)
{
    struct stat found;

    *out = (iswi_unix_socket){ .listener = -1, .lock = -1 };
    if (strlen(path) >= sizeof out->path)
        return isw_error_set(error, ISW_E_IO, "%s: a socket's path has at most %zu bytes", path,
                             sizeof out->path - 1);
    if (lstat(path, &found) == 0 && !S_ISSOCK(found.st_mode))
        return isw_error_set(error, ISW_E_IO, "%s is there and is no socket", path);
    snprintf(out->path, sizeof out->path, "%s", path);
    snprintf(out->lock_path, sizeof out->lock_path, "%s.lock", path);
    return ISW_OK;
}

isw_status iswi_unix_listen(const char *path, mode_t mode, iswi_unix_socket *out, isw_error *error)
{
    isw_status status = place_at(path, out, error);

    if (status == ISW_OK)
        status = hold_lock(out, SWEEP_MS, error);
    if (status == ISW_OK) {
        write_pid(out->lock);
        status = ask_who_lives(path, error);
    }
    if (status == ISW_OK)
        status = bind_there(out, mode, error);
    if (status != ISW_OK && out->lock >= 0)
        give_lock_back(out);
    return status;
}

bool iswi_unix_sweep(const char *path)
{
    iswi_unix_socket dead;
    bool removed;

    if (place_at(path, &dead, NULL) != ISW_OK || hold_lock(&dead, 0, NULL) != ISW_OK)
        return false;
    removed = ask_who_lives(path, NULL) == ISW_OK && unlink(path) == 0;
    give_lock_back(&dead);
    return removed;
}

void iswi_unix_leave(iswi_unix_socket *socket)
{
    if (socket->listener >= 0)
        close(socket->listener);
    if (socket->lock >= 0)
        close(socket->lock); /* which stays locked as long as another process has it open */
    socket->listener = socket->lock = -1;
}

void iswi_unix_unlisten(iswi_unix_socket *socket)
{
    if (socket->listener < 0)
        return;
    if (socket->lent) {
        iswi_unix_leave(socket);
        return;
    }
    close(socket->listener);
    socket->listener = -1;
    unlink(socket->path);
    give_lock_back(socket);
}

void iswi_unix_adopt(const char *path, int listener, int lock, mode_t lent, iswi_unix_socket *out)
{
    *out = (iswi_unix_socket){ .listener = listener, .lock = lock, .lent = lent };
    snprintf(out->path, sizeof out->path, "%s", path);
    snprintf(out->lock_path, sizeof out->lock_path, "%s.lock", path);
}

void iswi_unix_own(iswi_unix_socket *socket)
{
    if (!socket->lent)
        return;
    (void)!chmod(socket->path, socket->lent); /* it is ours, or was removed under us */
    (void)!listen(socket->listener, SOMAXCONN); /* whom SO_PEERCRED tells clients of */
    write_pid(socket->lock);
    socket->lent = 0;
}
