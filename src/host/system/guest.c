/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests. Nothing is started, signalled or waited for: the token is laid out, and a descriptor
 * stands for the process, which has ended for us when its session is over. Invariant: the file has
 * the token of a session that can begin, or is not there.
 */
#include "host/system/guest.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define IPC "ipc://"

void iswi_guest_token_path(const char *url, char out[ISWI_GUEST_PATH_BYTES])
{
    snprintf(out, ISWI_GUEST_PATH_BYTES, "%s.token", url + strlen(IPC));
}

/* Whole or not at all, to whoever reads it meanwhile. False with errno. */
static bool lay_out(const char *path, const void *token, size_t size)
{
    char before[ISWI_GUEST_PATH_BYTES + 4];
    bool written;
    int fd;

    snprintf(before, sizeof before, "%s.new", path);
    fd = open(before, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    written = write(fd, token, size) == (ssize_t)size;
    close(fd);
    return written && rename(before, path) == 0;
}

isw_status iswi_guest_read_token(const char *path, unsigned char out[ISWI_GUEST_TOKEN_BYTES],
                                 isw_error *error)
{
    unsigned char bytes[ISWI_GUEST_TOKEN_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info = { .st_mode = 0 };
    ssize_t got = -1;

    if (fd < 0)
        return isw_error_set(error, ISW_E_CONFIG, "%s: %s; make it: head -c 64 /dev/urandom", path,
                             strerror(errno));
    if (fstat(fd, &info) == 0)
        got = read(fd, bytes, sizeof bytes);
    close(fd);
    memcpy(out, bytes, ISWI_GUEST_TOKEN_BYTES);
    explicit_bzero(bytes, sizeof bytes);
    if (info.st_mode & S_IROTH)
        return isw_error_set(error, ISW_E_CONFIG, "%s can be read by every user of this machine: "
                             "chmod o-r it", path);
    if (got != ISWI_GUEST_TOKEN_BYTES)
        return isw_error_set(error, ISW_E_CONFIG, "%s has no token, which is of 64 bytes; make one: "
                             "head -c 64 /dev/urandom", path);
    return ISW_OK;
}

static isw_status begin_far(const iswi_launcher *launcher, const iswi_spawn_options *options,
                            iswi_spawned *out, isw_error *error)
{
    (void)launcher;
    (void)options;
    *out = (iswi_spawned){ .output = -1, .errors = -1 };
    out->pid_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return out->pid_fd >= 0
               ? ISW_OK
               : isw_error_set(error, ISW_E_IO, "no descriptors: %s", strerror(errno));
}

static isw_status begin(const iswi_launcher *launcher, const iswi_spawn_options *options,
                        iswi_spawned *out, isw_error *error)
{
    char path[ISWI_GUEST_PATH_BYTES];

    iswi_guest_token_path(options->url, path);
    if (begin_far(launcher, options, out, error) != ISW_OK)
        return error->status;
    out->run = iswi_strdup(path);
    if (out->run && lay_out(path, options->token, options->token_bytes))
        return ISW_OK;
    isw_error_set(error, ISW_E_IO, "%s: %s", path, strerror(errno));
    close(out->pid_fd);
    iswi_free(out->run);
    return error->status;
}

static void let_go(const iswi_launcher *launcher, const iswi_spawned *os)
{
    const uint64_t one = 1;

    (void)launcher;
    while (write(os->pid_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static int part(const iswi_launcher *launcher, const iswi_spawned *os)
{
    (void)launcher;
    if (os->run)
        unlink(os->run);
    iswi_free(os->run);
    return 0;
}

/* Whoever has the token, in that folder and of that user. */
static bool is_anybody(const iswi_spawned *os, pid_t peer)
{
    (void)os;
    (void)peer;
    return true;
}

const iswi_launcher iswi_launch_guest = {
    .apart = true,
    .guest = true,
    .begin = begin,
    .kill = let_go,
    .reap = part,
    .is = is_anybody,
};

const iswi_launcher iswi_launch_remote = {
    .apart = true,
    .guest = true,
    .begin = begin_far,
    .kill = let_go,
    .reap = part,
    .is = is_anybody,
};
