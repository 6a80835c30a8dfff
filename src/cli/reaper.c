/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host as the first process of a container. Orphans of workers become children of process 1 (or
 * of a subreaper, PR_SET_CHILD_SUBREAPER), and stay as zombies unless that one waits for them. So
 * there are two of us then: this one waits for whatever ends, and hands signals on; the host is its
 * child, and nobody takes the ends of its own children from it. When another host takes the place of
 * that one, which has started it, it becomes our child with the end of the first, and is the host from
 * then on.
 */
#include "cli/cli.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* The pid of this one, for the hosts. */
static const char variable[] = "ISOWORKER_REAPER";

static bool gets_orphans(void)
{
    int is_subreaper = 0;

    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper) == 0 && is_subreaper);
}

/* What a service manager meant for the program (src/host/system/passed.h, manager.h) is for the one
 * of us that is the host. */
static void take_over(const char *name, pid_t parent)
{
    const char *whose = getenv(name);
    char own[24];

    if (!whose || strtol(whose, NULL, 10) != (long)parent)
        return;
    snprintf(own, sizeof own, "%ld", (long)getpid());
    setenv(name, own, 1);
}

/* In a group of its own, so that what a terminal or a shell sends to a group reaches the host
 * once. */
static void become_host(pid_t parent)
{
    char self[24];
    bool in_front = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();

    setpgid(0, 0);
    if (in_front) {
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(STDIN_FILENO, getpid());
        signal(SIGTTOU, SIG_DFL);
    }
    snprintf(self, sizeof self, "%ld", (long)parent);
    setenv(variable, self, 1);
    take_over("LISTEN_PID", parent);
    take_over("WATCHDOG_PID", parent);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it has ended meanwhile */
        exit(EX_UNAVAILABLE);
}

/* Returns whether the host has ended, and how. */
static bool reap(pid_t host, int *code)
{
    bool ended = false;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != host)
            continue;
        ended = true;
        *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return ended;
}

/* All that can be waited for, but for what the kernel sends to somebody at fault. */
static void fill(sigset_t *signals)
{
    static const int left_out[] = { SIGSEGV, SIGBUS,  SIGFPE,  SIGILL, SIGABRT,
                                    SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU };

    sigfillset(signals);
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
        sigdelset(signals, left_out[i]);
}

/* Whether a signal is the host's word of the one that takes its place, which is the host then. */
static bool is_succession(const siginfo_t *signal, pid_t *host)
{
    if (signal->si_signo != SIGUSR2 || signal->si_code != SI_QUEUE || signal->si_pid != *host ||
        signal->si_value.sival_int <= 0)
        return false;
    *host = signal->si_value.sival_int;
    return true;
}

static pid_t reaper(void)
{
    const char *text = getenv(variable);

    return text ? (pid_t)strtol(text, NULL, 10) : 0;
}

bool iswi_cli_is_reaped(void)
{
    return reaper() > 0;
}

void iswi_cli_tell_reaper(long successor)
{
    if (reaper() > 0)
        sigqueue(reaper(), SIGUSR2, (union sigval){ .sival_int = (int)successor });
}

int iswi_cli_reap_orphans(void)
{
    pid_t self = getpid();
    sigset_t before;
    sigset_t all;
    siginfo_t signal_of;
    pid_t host;
    int number;
    int code = EX_OSERR;

    if (!gets_orphans())
        return ISWI_CLI_GO_ON;
    signal(SIGCHLD, SIG_DFL);
    fill(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    host = fork();
    if (host <= 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    if (host < 0)
        return ISWI_CLI_GO_ON; /* the host may do without */
    if (host == 0) {
        become_host(self);
        return ISWI_CLI_GO_ON;
    }
    for (;;) {
        if (reap(host, &code))
            return code;
        number = sigwaitinfo(&all, &signal_of);
        if (number > 0 && number != SIGCHLD && !is_succession(&signal_of, &host))
            kill(host, number);
    }
}
