/* SPDX-License-Identifier: Apache-2.0 */
/* The place of control sockets. Invariant: one that nobody named lies in a folder which only its
 * user can enter. */
#include "host/operate/control_path.h"

#include "host/system/runtime_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BASE_MAX = 40, CONNECT_S = 5, SWEPT_MOST = 500 /* at a start */ };

/* -- Names ------------------------------------------------------------------------------------- */

/* FNV-1a: a name for a path, no secret. */
static uint64_t hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325u;

    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 0x100000001b3u;
    return value;
}

static void name_folder(const char *base, uid_t uid, char out[ISWI_UNIX_PATH_BYTES])
{
    snprintf(out, ISWI_UNIX_PATH_BYTES, "%.*s/isoworker-%lu", BASE_MAX, base,
             (unsigned long)uid);
}

static void name_file(const char *base, uid_t uid, const char *folder, char *out)
{
    snprintf(out, ISWI_UNIX_PATH_BYTES, "%.*s/isoworker-%lu/%016" PRIx64 ".sock", BASE_MAX, base,
             (unsigned long)uid, hash(folder));
}

/* The user's own folder for such things, or the first of those for all that can be written. */
static const char *own_base(void)
{
    const char *base = iswi_runtime_own(BASE_MAX, NULL);

    if (!base)
        base = access("/tmp", W_OK | X_OK) == 0 ? "/tmp" : "/dev/shm";
    return base;
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

/* What hosts have left in that folder that were killed. */
static void sweep(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int swept = 0;

    while (folder && swept < SWEPT_MOST && (entry = readdir(folder)) != NULL) {
        const char *end = strrchr(entry->d_name, '.');
        char file[ISWI_UNIX_PATH_BYTES + sizeof entry->d_name];

        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (end && strcmp(end, ".sock") == 0)
            swept += iswi_unix_sweep(file);
    }
    if (folder)
        closedir(folder);
}

/* By itself: in a folder of this user's. */
static isw_status place_by_itself(const char *folder, char out[ISWI_UNIX_PATH_BYTES],
                                  isw_error *error)
{
    const char *base = own_base();
    char own[ISWI_UNIX_PATH_BYTES];

    name_folder(base, geteuid(), own);
    name_file(base, geteuid(), folder, out);
    if (make_folder(own, error) != ISW_OK)
        return error->status;
    sweep(own);
    return ISW_OK;
}

isw_status iswi_control_place(const char *folder, const char *path,
                              char out[ISWI_UNIX_PATH_BYTES], isw_error *error)
{
    if (!path)
        return place_by_itself(folder, out, error);
    snprintf(out, ISWI_UNIX_PATH_BYTES, "%s", path);
    return ISW_OK;
}

isw_status iswi_control_listen(const char *folder, const char *path, iswi_unix_socket *out,
                               isw_error *error)
{
    char own[ISWI_UNIX_PATH_BYTES];
    isw_error why = { ISW_OK, "" };
    isw_status status = path ? ISW_OK : place_by_itself(folder, own, error);

    out->listener = -1;
    if (status != ISW_OK)
        return status;
    if (iswi_unix_listen(path ? path : own, 0600, out, &why) == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, why.status, "%s%s%s%s",
                         why.status == ISW_E_CONFLICT && !path ? "another host serves " : "",
                         why.status == ISW_E_CONFLICT && !path ? folder : "",
                         why.status == ISW_E_CONFLICT && !path ? ": " : "", why.message);
}

/* -- The other end ----------------------------------------------------------------------------- */

/* Only a socket in a folder of that user's, which nobody else could have put there. */
static bool is_safe(const char *base, uid_t uid)
{
    char own[ISWI_UNIX_PATH_BYTES];
    struct stat found;

    name_folder(base, uid, own);
    return lstat(own, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == uid;
}

static bool dial(const char *path, int *fd)
{
    struct sockaddr_un address = address_of(path);
    struct timeval patience = { .tv_sec = CONNECT_S };

    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd >= 0) /* a host whose queue is full makes others wait */
        setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return *fd >= 0 && connect(*fd, (struct sockaddr *)&address, sizeof address) == 0;
}

typedef struct search {
    const char *folder;
    int *fd;
    int cause; /* why one that is there could not be asked */
} search;

static bool try_base(search *s, const char *base, uid_t uid)
{
    char path[ISWI_UNIX_PATH_BYTES];

    if (!is_safe(base, uid))
        return false;
    name_file(base, uid, s->folder, path);
    if (dial(path, s->fd) && iswi_control_trusts(*s->fd, uid))
        return true;
    if (errno != ENOENT && errno != ECONNREFUSED)
        s->cause = errno;
    else if (errno == ECONNREFUSED && uid == geteuid())
        iswi_unix_sweep(path);
    if (*s->fd >= 0)
        close(*s->fd);
    return false;
}

/* The last one is that of services: src/cli/service/. */
static const char *const shared_bases[] = { "/tmp", "/dev/shm", "/run/isoworker" };
enum { SHARED_BASES = 3 };

/* The bases where a host of `uid` may have put it, whatever its environment was. */
static bool try_user(search *s, uid_t uid)
{
    char run[32];
    const char *own = getenv("XDG_RUNTIME_DIR");
    bool found;

    snprintf(run, sizeof run, "/run/user/%lu", (unsigned long)uid);
    found = (own && *own == '/' && strlen(own) <= BASE_MAX && try_base(s, own, uid)) ||
            try_base(s, run, uid);
    for (int i = 0; i < SHARED_BASES && !found; i++)
        found = try_base(s, shared_bases[i], uid);
    return found;
}

/* Every user that `path` has a folder of, by a name that `prefix` and the user's number make. */
static bool try_all_in(search *s, const char *path, const char *prefix)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool found = false;

    while (folder && !found && (entry = readdir(folder)) != NULL) {
        const char *digits = entry->d_name + strlen(prefix);

        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && *digits &&
            digits[strspn(digits, "0123456789")] == '\0')
            found = try_user(s, (uid_t)strtoul(digits, NULL, 10));
    }
    if (folder)
        closedir(folder);
    return found;
}

/* Only root can enter them all. */
static bool try_everybody(search *s)
{
    bool found = try_all_in(s, "/run/user", "");

    for (int i = 0; i < SHARED_BASES && !found; i++)
        found = try_all_in(s, shared_bases[i], "isoworker-");
    return found;
}

isw_status iswi_control_connect(const char *folder, int *fd, isw_error *error)
{
    search s = { folder, fd, 0 };
    struct stat found;

    if (try_user(&s, geteuid()))
        return ISW_OK;
    if (stat(folder, &found) != 0)
        return isw_error_set(error, ISW_E_IO, "%s: %s", folder, strerror(errno));
    if (geteuid() == 0 && (try_user(&s, found.st_uid) || try_everybody(&s)))
        return ISW_OK;
    if (s.cause)
        return isw_error_set(error, ISW_E_IO, "the host of %s cannot be asked: %s", folder,
                             strerror(s.cause));
    return isw_error_set(error, ISW_E_NOT_FOUND,
                         "no host of this user runs in %s; `isoworker run %s` starts one. One of "
                         "another user is found by root; one with a /tmp or an XDG_RUNTIME_DIR of "
                         "its own is found where its host.yaml says `host: { control: PATH }`, or "
                         "by --control PATH", folder, folder);
}

isw_status iswi_control_connect_at(const char *path, int *fd, isw_error *error)
{
    struct stat found;
    int cause;

    if (strlen(path) >= ISWI_UNIX_PATH_BYTES)
        return isw_error_set(error, ISW_E_IO, "%s: a socket's path has at most %d bytes", path,
                             ISWI_UNIX_PATH_BYTES - 1);
    if (dial(path, fd))
        return ISW_OK;
    cause = errno;
    if (*fd >= 0)
        close(*fd);
    if (cause == ENOENT || cause == ECONNREFUSED)
        return isw_error_set(error, ISW_E_NOT_FOUND, "no host answers at %s: %s", path,
                             cause == ENOENT ? "there is nothing" : "the one that did has ended");
    if (cause == EACCES && stat(path, &found) == 0)
        return isw_error_set(error, ISW_E_IO, "the host at %s runs as user %lu: ask it as that "
                             "user, or as root", path, (unsigned long)found.st_uid);
    return isw_error_set(error, ISW_E_IO, "the host at %s cannot be asked: %s", path,
                         strerror(cause));
}
