/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template: waiting, forking, and what a child makes its own. Invariant: a child begins nothing
 * before it has read its token, which the host gives away once it knows that child; so one of which
 * the host has not heard ends, with nothing done.
 *
 * Workers are to be children of the host, whatever becomes of the template: so a process stands
 * between that ends at once, while the host has the orphans of its descendants.
 */
#include "worker/program/template.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REQUEST_BYTES = 4096, HANDED_MAX = 16, OUTPUTS = 2 };

#define FORK "fork\n"

typedef struct template {
    isw_worker *worker;
    int socket;
    pid_t *child; /* shared with the process that stands between */
} template;

/* What the host asks for. */
typedef struct request {
    char text[REQUEST_BYTES + 1]; /* "fork", then a variable a line */
    int handed[HANDED_MAX];       /* the first two are outputs */
    size_t count;
} request;

/* -- The host's socket ------------------------------------------------------------------------- */

/* -1: this process is no template. */
static int take_socket(void)
{
    const char *text = getenv("ISOWORKER_TEMPLATE_FD");
    char *end;
    long fd = text && *text ? strtol(text, &end, 10) : -1;

    if (fd < 0 || fd > 65535 || *end || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    unsetenv("ISOWORKER_TEMPLATE_FD");
    return (int)fd;
}

static void tell(const template *t, const char *format, ...) ISW_PRINTF(2, 3);

/* With a descriptor of the child, by which the host knows it wherever it counts its processes. */
static void tell_child(const template *t, int pid_fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec from = { (void *)"forked", strlen("forked") };
    struct msghdr message = { .msg_iov = &from, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };

    control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.head), &pid_fd, sizeof pid_fd);
    while (sendmsg(t->socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

static void tell(const template *t, const char *format, ...)
{
    char text[ISWI_TEMPLATE_WHY_BYTES + 32];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    while (send(t->socket, text, strlen(text), MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

/* Until the host says something. False: it is to end. */
static bool wait_for_word(const template *t)
{
    struct pollfd fds[2] = { { .fd = t->socket, .events = POLLIN },
                             { .fd = t->worker->wake[0], .events = POLLIN } };

    while (!atomic_load(&t->worker->stop_asked)) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return false;
        if (fds[0].revents & (POLLIN | POLLHUP))
            return true;
    }
    return false;
}

static void take_handed(struct msghdr *message, request *out)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        out->count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(out->handed, CMSG_DATA(at), out->count * sizeof(int));
    }
}

static void close_handed(request *r)
{
    while (r->count)
        close(r->handed[--r->count]);
}

/* False: the host has closed. */
static bool receive(const template *t, request *out)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(HANDED_MAX * sizeof(int))];
    } control;
    struct iovec into = { out->text, REQUEST_BYTES };
    struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t got;

    out->count = 0;
    do
        got = recvmsg(t->socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return false;
    take_handed(&message, out);
    out->text[message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? 0 : got] = '\0';
    return true;
}

/* -- Variables --------------------------------------------------------------------------------- */

/* One that names a descriptor says which of those that were handed. */
static bool is_descriptor(const char *name)
{
    size_t size = strlen(name);

    return size > 3 && strcmp(name + size - 3, "_FD") == 0;
}

/* Cut the line at *at into a name and a value, and go on to the next one. False: it is the end, or
 * no line of ours (*name is NULL). */
static bool next_variable(char **at, char **name, char **value)
{
    char *end = strchr(*at, '\n');

    *name = NULL;
    *value = end ? memchr(*at, '=', (size_t)(end - *at)) : NULL;
    if (!*value || strncmp(*at, "ISOWORKER_", 10) != 0)
        return false;
    *name = *at;
    *(*value)++ = '\0';
    *end = '\0';
    *at = end + 1;
    return true;
}

static bool set_variable(const request *r, const char *name, const char *value)
{
    char number[16];
    char *end;
    unsigned long index;

    if (!is_descriptor(name))
        return setenv(name, value, 1) == 0;
    index = strtoul(value, &end, 10);
    if (*end || end == value || index < OUTPUTS || index >= r->count)
        return false;
    snprintf(number, sizeof number, "%d", r->handed[index]);
    return setenv(name, number, 1) == 0;
}

static bool set_variables(request *r)
{
    char *at = r->text + strlen(FORK);
    char *name;
    char *value;

    while (next_variable(&at, &name, &value))
        if (!set_variable(r, name, value))
            return false;
    return *at == '\0';
}

/* -- The child --------------------------------------------------------------------------------- */

static bool take_outputs(request *r)
{
    for (int i = 0; i < OUTPUTS; i++) {
        if (dup2(r->handed[i], STDOUT_FILENO + i) < 0)
            return false;
        close(r->handed[i]);
    }
    return true;
}

/* What a process has for itself alone, and must not share with the template. */
static isw_status become_worker(template *t, request *r, isw_error *error)
{
    setpgid(0, 0); /* whoever is first: the one between does it, too */
    close(t->socket);
    munmap(t->child, sizeof *t->child);
    if (!take_outputs(r) || !set_variables(r))
        return isw_error_set(error, ISW_E_PROTOCOL, "the host asked for a process in words that "
                             "are not understood");
    return iswi_worker_forked(t->worker, error);
}

/* -- The template ------------------------------------------------------------------------------ */

/* In the child: true. Else *child is it, or the negative of an error. */
static bool fork_worker(const template *t, pid_t *child)
{
    pid_t between;

    fflush(NULL); /* or what is not written yet is, by both */
    *t->child = -EAGAIN;
    between = _Fork();
    if (between == 0) {
        pid_t pid = fork();

        if (pid == 0)
            return true;
        if (pid > 0)
            setpgid(pid, pid); /* before anybody hears of it */
        *t->child = pid < 0 ? -errno : pid;
        _exit(0);
    }
    *child = -errno;
    if (between < 0)
        return false;
    while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
        continue;
    *child = *t->child;
    return false;
}

/* It waits for its token, and if it ends the host alone waits for it: its number stays its own. */
static void tell_of(const template *t, pid_t child)
{
    int pid_fd = child > 0 ? (int)syscall(SYS_pidfd_open, child, 0) : -1;

    if (pid_fd >= 0) {
        tell_child(t, pid_fd);
        close(pid_fd);
    } else {
        tell(t, "failed %s", strerror(child > 0 ? errno : -child));
    }
}

/* Whether it may fork; else it has said why not. Before it is handed anything. */
static bool may_fork(const template *t)
{
    const int known[] = { t->socket, t->worker->wake[0], t->worker->wake[1],
                          iswi_stores_file(&t->worker->stores) };
    char why[ISWI_TEMPLATE_WHY_BYTES];
    bool may = iswi_template_may_fork(known, sizeof known / sizeof known[0], why);

    if (!may)
        tell(t, "refused %s", why);
    return may;
}

/* True: this is the child. */
static bool heed(const template *t, request *r)
{
    pid_t child;

    if (strncmp(r->text, FORK, strlen(FORK)) != 0 || r->count < OUTPUTS)
        tell(t, "refused the host's words are not understood");
    else if (fork_worker(t, &child))
        return true;
    else
        tell_of(t, child);
    close_handed(r);
    return false;
}

/* True: this is a child. */
static bool stand_by(const template *t, request *r)
{
    if (!may_fork(t))
        return false;
    tell(t, "ready");
    while (wait_for_word(t) && may_fork(t) && receive(t, r))
        if (heed(t, r))
            return true;
    return false;
}

isw_status iswi_template_wait(isw_worker *worker, bool *serves, isw_error *error)
{
    template t = { .worker = worker, .socket = take_socket() };
    request r;

    *serves = true;
    if (t.socket < 0)
        return ISW_OK;
    if (iswi_services_preload(worker->shared.services, error) != ISW_OK) {
        close(t.socket);
        return error->status;
    }
    t.child = mmap(NULL, sizeof *t.child, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t.child == MAP_FAILED) {
        close(t.socket);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a template");
    }
    if (stand_by(&t, &r))
        return become_worker(&t, &r, error);
    *serves = false;
    close(t.socket);
    munmap(t.child, sizeof *t.child);
    return ISW_OK;
}
