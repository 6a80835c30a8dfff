/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a template. Invariant: a process that it forked gets its token only once it is known to be
 * a child of ours, and its pid is as the kernel says; so one that is lost on the way does nothing.
 *
 * While a template is asked, this process is one that orphans come to (PR_SET_CHILD_SUBREAPER):
 * what stands between a template and its child ends at once, and leaves the child to us. At other
 * times orphans go where they would without us.
 */
#include "host/system/template.h"

#include "host/system/cgroup.h"
#include "host/system/pipes.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000, HANDED_MAX = 8, TEXT_BYTES = 1024 };

/* A request: text, and descriptors that it names by their places. */
typedef struct request {
    char text[TEXT_BYTES];
    size_t size;
    int handed[HANDED_MAX];
    size_t count;
} request;

typedef union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(HANDED_MAX * sizeof(int))];
} control;

isw_status iswi_template_start(const iswi_spawn_options *options, int *socket_out,
                               iswi_spawned *out, isw_error *error)
{
    iswi_spawn_options own = *options;
    isw_status status;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return isw_error_set(error, ISW_E_IO, "no socket for a template: %s", strerror(errno));
    own.template_end = &ends[1];
    status = iswi_spawn(&own, out, error);
    close(ends[1]);
    if (status == ISW_OK)
        *socket_out = ends[0];
    else
        close(ends[0]);
    return status;
}

/* -- The request ------------------------------------------------------------------------------- */

static void add_text(request *r, const char *name, const char *value)
{
    if (value && r->size < sizeof r->text)
        r->size += (size_t)snprintf(r->text + r->size, sizeof r->text - r->size, "%s=%s\n", name,
                                    value);
}

static void add_descriptor(request *r, const char *name, int fd)
{
    char place[16];

    if (fd < 0)
        return;
    snprintf(place, sizeof place, "%zu", r->count);
    add_text(r, name, place);
    r->handed[r->count++] = fd;
}

/* False: a path is too long for it. */
static bool write_request(request *r, const iswi_spawn_options *options, const iswi_pipes *pipes)
{
    *r = (request){ .handed = { pipes->output[1], pipes->errors[1] }, .count = 2 };
    r->size = (size_t)snprintf(r->text, sizeof r->text, "fork\n");
    add_text(r, "ISOWORKER_URL", options->url);
    add_descriptor(r, "ISOWORKER_TOKEN_FD", pipes->token[0]);
    add_descriptor(r, "ISOWORKER_RING_FD", options->ring);
    add_descriptor(r, "ISOWORKER_BELL_FD", options->bell);
    add_descriptor(r, "ISOWORKER_ARENA_FD", options->arena);
    add_descriptor(r, "ISOWORKER_CRASH_FD", options->crash);
    add_descriptor(r, "ISOWORKER_METRICS_FD", options->metrics);
    add_text(r, "ISOWORKER_SPIN_US", options->ring >= 0 ? options->spin_us : NULL);
    return r->size < sizeof r->text;
}

static bool send_request(int socket, const request *r)
{
    control handed = { .bytes = { 0 } };
    struct iovec from = { (void *)r->text, r->size };
    struct msghdr message = { .msg_iov = &from, .msg_iovlen = 1, .msg_control = handed.bytes,
                              .msg_controllen = CMSG_SPACE(r->count * sizeof(int)) };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    ssize_t sent;

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(r->count * sizeof(int));
    memcpy(CMSG_DATA(head), r->handed, r->count * sizeof(int));
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)r->size;
}

/* -- The answer -------------------------------------------------------------------------------- */

/* *pid_fd is of a process that it has forked; -1: there is none. False: it has ended, or says
 * nothing. */
static bool receive(int socket, char *text, size_t size, int flags, int *pid_fd)
{
    control handed;
    struct iovec into = { text, size - 1 };
    struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = handed.bytes,
                              .msg_controllen = CMSG_SPACE(sizeof(int)) };
    const struct cmsghdr *head;
    ssize_t got;

    do
        got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    text[got > 0 ? got : 0] = '\0';
    *pid_fd = -1;
    head = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(pid_fd, CMSG_DATA(head), sizeof *pid_fd);
    return got > 0;
}

bool iswi_template_hear(int socket, char *text, size_t size)
{
    int pid_fd;
    bool heard = receive(socket, text, size, MSG_DONTWAIT, &pid_fd);

    if (pid_fd >= 0)
        close(pid_fd);
    return heard;
}

static bool wait_for_answer(int socket)
{
    struct pollfd fd = { .fd = socket, .events = POLLIN };
    int ready;

    do
        ready = poll(&fd, 1, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* Of which process it is, as the kernel has it here; 0: of none. */
static pid_t pid_of(int pid_fd)
{
    char path[48];
    char text[512];
    const char *at;
    FILE *file;
    size_t size;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pid_fd);
    file = fopen(path, "re");
    size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = '\0';
    at = strstr(text, "\nPid:");
    return at ? (pid_t)strtol(at + 5, NULL, 10) : 0;
}

static bool is_child(int pid_fd)
{
    siginfo_t info;

    return waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static iswi_fork lose(const char *why, isw_error *error)
{
    isw_error_set(error, ISW_E_IO, "%s", why);
    return ISWI_FORK_LOST;
}

static iswi_fork read_answer(int socket, iswi_spawned *out, isw_error *error)
{
    char text[TEXT_BYTES];

    if (!wait_for_answer(socket))
        return lose("it does not answer", error);
    if (!receive(socket, text, sizeof text, MSG_DONTWAIT, &out->pid_fd))
        return lose("it has ended", error);
    if (strcmp(text, "forked") == 0 && out->pid_fd >= 0 && is_child(out->pid_fd) &&
        (out->pid = pid_of(out->pid_fd)) > 0)
        return ISWI_FORK_DONE;
    if (out->pid_fd >= 0)
        close(out->pid_fd);
    if (strncmp(text, "refused ", 8) == 0) {
        isw_error_set(error, ISW_E_UNSUPPORTED, "%s", text + 8);
        return ISWI_FORK_REFUSED;
    }
    if (strncmp(text, "failed ", 7) != 0)
        return lose("what it answers is not understood", error);
    isw_error_set(error, ISW_E_IO, "it cannot fork: %s", text + 7);
    return ISWI_FORK_FAILED;
}

/* -- Asking ------------------------------------------------------------------------------------ */

/* That orphans come here holds for the whole process, so that one asks at a time. */
static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;

static iswi_fork ask(int socket, const request *r, iswi_spawned *out, isw_error *error)
{
    int before = 0;
    iswi_fork done;

    pthread_mutex_lock(&asking);
    prctl(PR_GET_CHILD_SUBREAPER, &before, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    done = send_request(socket, r) ? read_answer(socket, out, error) : lose("it has ended", error);
    prctl(PR_SET_CHILD_SUBREAPER, before, 0, 0, 0);
    pthread_mutex_unlock(&asking);
    return done;
}

/* It cannot be held to what it is to be held to. It has no token, and so has done nothing. */
static iswi_fork give_up(iswi_spawned *os, isw_error *error)
{
    isw_error_set(error, ISW_E_IO, "its process cannot enter its cgroup: %s", strerror(errno));
    kill(os->pid, SIGKILL);
    while (waitpid(os->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(os->pid_fd);
    return ISWI_FORK_FAILED;
}

iswi_fork iswi_template_fork(int socket, const iswi_spawn_options *options, iswi_spawned *out,
                             isw_error *error)
{
    iswi_fork done = ISWI_FORK_FAILED;
    iswi_pipes pipes;
    request r;

    if (!iswi_pipes_open(&pipes))
        isw_error_set(error, ISW_E_IO, "no pipes: %s", strerror(errno));
    else if (!write_request(&r, options, &pipes))
        isw_error_set(error, ISW_E_IO, "the path of its socket is too long");
    else
        done = ask(socket, &r, out, error);
    if (done != ISWI_FORK_DONE) {
        iswi_pipes_close(&pipes);
        return done;
    }
    if (options->cgroup && !iswi_cgroup_place(options->cgroup, out->pid)) {
        iswi_pipes_close(&pipes);
        return give_up(out, error);
    }
    iswi_pipes_give_token(&pipes, options->token, options->token_bytes);
    iswi_pipes_keep(&pipes, &out->output, &out->errors);
    return done;
}
