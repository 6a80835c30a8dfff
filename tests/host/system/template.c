/* SPDX-License-Identifier: Apache-2.0 */
/* What a host makes of what a template answers, which may be anything. What one that is a worker
 * does is in integration/warm.py. */
#include "support/main.h"

#include "host/system/template.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct scripted {
    int ends[2]; /* the host's, and the template's */
    const char *answer; /* NULL: it closes */
    int pid_fd;         /* that goes along; -1: none */
    char asked[1024];
    int handed[16]; /* it was handed them */
    size_t count;
    pthread_t thread;
} scripted;

typedef union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(16 * sizeof(int))];
} control;

static void hear(scripted *s)
{
    control handed;
    struct iovec into = { s->asked, sizeof s->asked - 1 };
    struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = handed.bytes,
                              .msg_controllen = sizeof handed.bytes };
    ssize_t got = recvmsg(s->ends[1], &message, 0);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    s->asked[got > 0 ? got : 0] = '\0';
    s->count = head ? (head->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    if (head)
        memcpy(s->handed, CMSG_DATA(head), s->count * sizeof(int));
}

static void say(const scripted *s)
{
    control given = { .bytes = { 0 } };
    struct iovec from = { (void *)s->answer, strlen(s->answer) };
    struct msghdr message = { .msg_iov = &from, .msg_iovlen = 1 };

    if (s->pid_fd >= 0) {
        message.msg_control = given.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int));
        given.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&given.head), &s->pid_fd, sizeof s->pid_fd);
    }
    sendmsg(s->ends[1], &message, MSG_NOSIGNAL);
}

static void *be_template(void *user)
{
    scripted *s = user;

    hear(s);
    if (s->answer && *s->answer)
        say(s);
    else if (!s->answer)
        shutdown(s->ends[1], SHUT_RDWR);
    return NULL;
}

static const iswi_spawn_options options = { .url = "ipc:///tmp/x/1", .token = "secret",
                                            .token_bytes = 6, .ring = -1, .arena = -1, .bell = -1,
                                            .crash = -1, .metrics = 2, .store = -1 };

static iswi_fork ask_with(scripted *s, const iswi_spawn_options *with, const char *answer,
                          int pid_fd, iswi_spawned *out, isw_error *error)
{
    iswi_fork done;

    *s = (scripted){ .answer = answer, .pid_fd = pid_fd };
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s->ends), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, be_template, s), 0);
    done = iswi_template_fork(s->ends[0], with, out, error);
    pthread_join(s->thread, NULL);
    close(s->ends[0]);
    close(s->ends[1]);
    return done;
}

static iswi_fork ask(scripted *s, const char *answer, int pid_fd, iswi_spawned *out,
                     isw_error *error)
{
    return ask_with(s, &options, answer, pid_fd, out, error);
}

static void let_go(scripted *s)
{
    while (s->count)
        close(s->handed[--s->count]);
}

static void answer_is(const char *answer, int pid_fd, iswi_fork awaited, const char *why)
{
    isw_error error = { 0 };
    iswi_spawned os = { .pid = 0 };
    char byte;
    scripted s;

    assert_int_equal(ask(&s, answer, pid_fd, &os, &error), awaited);
    if (!strstr(error.message, why))
        fail_msg("\"%s\" has no \"%s\"", error.message, why);
    assert_int_equal(s.count, 4);
    assert_int_equal(read(s.handed[2], &byte, 1), 0); /* there is no token for whoever may be there */
    let_go(&s);
}

static void what_it_says_instead_of_a_process_is_told(void **state)
{
    (void)state;
    answer_is("refused it has 3 threads", -1, ISWI_FORK_REFUSED, "it has 3 threads");
    answer_is("failed Resource temporarily unavailable", -1, ISWI_FORK_FAILED, "temporarily");
    answer_is("hello", -1, ISWI_FORK_LOST, "not understood");
    answer_is("forked", -1, ISWI_FORK_LOST, "not understood");
    answer_is(NULL, -1, ISWI_FORK_LOST, "it has ended");
}

static void one_that_says_nothing_is_waited_for_a_second(void **state)
{
    (void)state;
    answer_is("", -1, ISWI_FORK_LOST, "does not answer");
}

static void a_process_that_is_no_child_of_ours_is_none(void **state)
{
    int parent = (int)syscall(SYS_pidfd_open, getppid(), 0);

    (void)state;
    assert_true(parent >= 0);
    answer_is("forked", parent, ISWI_FORK_LOST, "not understood");
    close(parent);
}

static void a_child_gets_its_token_and_is_known_by_the_kernels_word(void **state)
{
    isw_error error = { 0 };
    iswi_spawned os = { .pid = 0 };
    pid_t child = fork();
    char token[16] = "";
    int is_subreaper = 1;
    int pid_fd;
    scripted s;

    (void)state;
    if (child == 0)
        pause();
    pid_fd = (int)syscall(SYS_pidfd_open, child, 0);
    assert_int_equal(ask(&s, "forked", pid_fd, &os, &error), ISWI_FORK_DONE);
    assert_int_equal(os.pid, child);
    assert_string_equal(s.asked, "fork\nISOWORKER_URL=ipc:///tmp/x/1\nISOWORKER_TOKEN_FD=2\n"
                                 "ISOWORKER_METRICS_FD=3\n");
    assert_int_equal(read(s.handed[2], token, sizeof token), 6);
    assert_memory_equal(token, "secret", 6);
    assert_int_equal(write(s.handed[0], "out", 3), 3);
    assert_int_equal(read(os.output, token, sizeof token), 3);
    assert_int_equal(prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper), 0);
    assert_int_equal(is_subreaper, 0); /* orphans are others' again */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(os.pid, NULL, 0), child);
    let_go(&s);
    close(pid_fd);
    close(os.pid_fd);
    close(os.output);
    close(os.errors);
}

/* A folder of an ordinary file stands for a group. */
static void a_child_is_in_its_group_before_it_has_its_token(void **state)
{
    char folder[] = "/tmp/isw-template-XXXXXX";
    char path[64];
    char text[16] = "";
    char number[16];
    iswi_spawn_options with = options;
    isw_error error = { 0 };
    iswi_spawned os = { .pid = 0 };
    pid_t child = fork();
    int pid_fd;
    int file;
    scripted s;

    (void)state;
    if (child == 0)
        pause();
    pid_fd = (int)syscall(SYS_pidfd_open, child, 0);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/cgroup.procs", folder);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    with.cgroup = folder;
    assert_int_equal(ask_with(&s, &with, "forked", pid_fd, &os, &error), ISWI_FORK_DONE);
    assert_true(pread(file, text, sizeof text - 1, 0) > 0);
    snprintf(number, sizeof number, "%ld", (long)child);
    assert_string_equal(text, number);
    let_go(&s);
    close(os.pid_fd);
    close(os.output);
    close(os.errors);
    unlink(path);
    assert_int_equal(ask_with(&s, &with, "forked", pid_fd, &os, &error), ISWI_FORK_FAILED);
    assert_non_null(strstr(error.message, "cannot enter its cgroup"));
    assert_int_equal(waitpid(child, NULL, 0), -1); /* it was ended, and waited for */
    let_go(&s);
    close(file);
    close(pid_fd);
    rmdir(folder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_it_says_instead_of_a_process_is_told),
    cmocka_unit_test(one_that_says_nothing_is_waited_for_a_second),
    cmocka_unit_test(a_process_that_is_no_child_of_ours_is_none),
    cmocka_unit_test(a_child_gets_its_token_and_is_known_by_the_kernels_word),
    cmocka_unit_test(a_child_is_in_its_group_before_it_has_its_token),
};

ISW_TEST_MAIN(tests)
