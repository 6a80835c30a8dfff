/* SPDX-License-Identifier: Apache-2.0 */
/* A host that may be harmed. Invariant: it ends with this process, and its folder goes with it. */
#include "bench/child.h"

#include "bench/clock.h"
#include "bench/http/socket.h"
#include "bench/process.h"
#include "bench/setup.h"
#include "bench/tree.h"
#include "cli/helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 30000, SAID_BYTES = 64 * 1024, LOOK_AGAIN_NS = 1000000 };

static const char *const files[] = { "host.yaml", "worker.yaml", "said", ISWI_BENCH_OBJECT };

/* -- Its folder -------------------------------------------------------------------------------- */

static void path_of(const iswi_bench_child *child, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", child->folder, name);
}

static bool write_text(const iswi_bench_child *child, const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *file;

    path_of(child, name, path);
    file = fopen(path, "we");
    if (!file)
        return false;
    fputs(text, file);
    return fclose(file) == 0;
}

bool iswi_bench_child_make(iswi_bench_child *child, const iswi_bench_child_options *options)
{
    char text[1024];

    *child = (iswi_bench_child){ .folder = "/tmp/isoworker-bench-XXXXXX" };
    snprintf(text, sizeof text,
             "host: {cancel_grace: 200ms, shutdown_grace: 100ms}\n"
             "workers:\n"
             "  - name: bench\n"
             "    isolation: %s\n"
             "    command: [isoworker, worker, ./" ISWI_BENCH_OBJECT "]\n%s",
             options->inside ? "none" : "process", options->worker);
    return mkdtemp(child->folder) && iswi_bench_copy_object(child->folder) &&
           write_text(child, "host.yaml", text) &&
           write_text(child, "worker.yaml", "worker: {concurrency: 2}\n");
}

static void read_said(const iswi_bench_child *child, char said[SAID_BYTES])
{
    char path[PATH_MAX];
    ssize_t got;
    int fd;

    path_of(child, "said", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    got = fd >= 0 ? read(fd, said, SAID_BYTES - 1) : 0;
    said[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

bool iswi_bench_child_says(iswi_bench_child *child, const char *text, int ms)
{
    int64_t until_ns = iswi_bench_now_ns() + ms * 1000000LL;
    static char said[SAID_BYTES];

    do {
        bool over = iswi_bench_child_is_over(child);

        read_said(child, said);
        if (strstr(said, text))
            return true;
        if (over)
            return false;
        iswi_bench_sleep_ns(LOOK_AGAIN_NS);
    } while (!iswi_bench_is_over(until_ns));
    return false;
}

/* -- Its process ------------------------------------------------------------------------------- */

/* `words` in this process's place, what it says into its folder. */
static pid_t start(const iswi_bench_child *child, char *const *words, size_t count)
{
    char *argv[24] = { (char *)"isoworker-bench", (char *)"peer", (char *)"become" };
    char own[16];
    char said[PATH_MAX];
    pid_t pid;
    int fd;

    snprintf(own, sizeof own, "%ld", (long)getpid());
    argv[3] = own;
    memcpy(argv + 4, words, count * sizeof *words);
    path_of(child, "said", said);
    fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    pid = fd >= 0 ? iswi_bench_spawn("/proc/self/exe", argv, -1, fd) : 0;
    if (fd >= 0)
        close(fd);
    return pid;
}

static pid_t start_host(const iswi_bench_child *child, const iswi_bench_child_options *options)
{
    char command[PATH_MAX];
    char *plain[] = { command, (char *)"run", (char *)child->folder, (char *)"--port",
                      (char *)"0" };
    char *apart[] = { command, (char *)"run", (char *)child->folder, (char *)"--port",
                      (char *)"0", (char *)"--debug", (char *)options->debugged };
    char *inside[] = { (char *)"gdb", (char *)"-q", (char *)"-batch", (char *)"-ex",
                       (char *)"set breakpoint pending on", (char *)"-ex",
                       (char *)"break bench_says_hello", (char *)"-ex", (char *)"run",
                       (char *)"--args", command, (char *)"run", (char *)child->folder,
                       (char *)"--port", (char *)"0", (char *)"--debug" };

    if (!iswi_cli_find_command(command))
        return 0;
    if (options->debugged && options->inside)
        return start(child, inside, sizeof inside / sizeof inside[0]);
    if (options->debugged)
        return start(child, apart, sizeof apart / sizeof apart[0]);
    return start(child, plain, sizeof plain / sizeof plain[0]);
}

bool iswi_bench_child_start(iswi_bench_child *child, const iswi_bench_child_options *options)
{
    static char said[SAID_BYTES];
    const char *url;

    child->started_ns = iswi_bench_now_ns();
    child->pid = start_host(child, options);
    if (!child->pid || !iswi_bench_child_says(child, "Ctrl-C ends", START_MS))
        return false;
    read_said(child, said);
    url = strstr(said, "functions at http://127.0.0.1:");
    child->port = url ? (unsigned)strtoul(strrchr(strndupa(url, 40), ':') + 1, NULL, 10) : 0;
    return child->port != 0;
}

bool iswi_bench_child_begin(iswi_bench_child *child, const iswi_bench_child_options *options)
{
    return iswi_bench_child_make(child, options) && iswi_bench_child_start(child, options);
}

bool iswi_bench_child_is_over(iswi_bench_child *child)
{
    if (child->pid && waitpid(child->pid, &child->status, WNOHANG) == child->pid)
        child->pid = 0;
    return !child->pid;
}

void iswi_bench_child_end(iswi_bench_child *child)
{
    char path[PATH_MAX];

    if (!iswi_bench_child_is_over(child))
        iswi_bench_ask_to_end(child->pid);
    child->pid = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        path_of(child, files[i], path);
        unlink(path);
    }
    rmdir(child->folder);
}

int iswi_bench_child_check(const iswi_bench_child *child)
{
    char command[PATH_MAX];
    char *words[] = { command, (char *)"check", (char *)child->folder };
    int status;
    pid_t pid;

    if (!iswi_cli_find_command(command))
        return -1;
    pid = start(child, words, sizeof words / sizeof words[0]);
    return pid && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* -- Requests ---------------------------------------------------------------------------------- */

int iswi_bench_child_ask(const iswi_bench_child *child, const char *path, int ms)
{
    int fd = iswi_bench_connect(child->port, ms);
    char text[128];
    int size = snprintf(text, sizeof text,
                        "GET /api/%s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n", path);

    if (fd >= 0 && send(fd, text, (size_t)size, MSG_NOSIGNAL) == size)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int iswi_bench_child_answer(int fd)
{
    char text[64];
    ssize_t got = fd >= 0 ? recv(fd, text, sizeof text - 1, 0) : -1;

    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
}

int iswi_bench_child_get(const iswi_bench_child *child, const char *path, int ms)
{
    return iswi_bench_child_answer(iswi_bench_child_ask(child, path, ms));
}

bool iswi_bench_child_await(iswi_bench_child *child, const char *path, int status, int ms)
{
    int64_t until_ns = iswi_bench_now_ns() + ms * 1000000LL;

    do {
        if (iswi_bench_child_get(child, path, ms) == status)
            return true;
        if (iswi_bench_child_is_over(child))
            return false;
        iswi_bench_sleep_ns(LOOK_AGAIN_NS);
    } while (!iswi_bench_is_over(until_ns));
    return false;
}

/* -- Its memory -------------------------------------------------------------------------------- */

pid_t iswi_bench_child_worker(const iswi_bench_child *child)
{
    iswi_bench_tree tree = { .count = 0 };

    iswi_bench_tree_add(&tree, child->pid);
    return iswi_bench_tree_other(&tree);
}

double iswi_bench_mib(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
    return (double)iswi_bench_status_field(path, "Pss", 0) / 1024;
}

double iswi_bench_child_mib(const iswi_bench_child *child)
{
    iswi_bench_tree tree = { .count = 0 };
    double all = 0;

    iswi_bench_tree_add(&tree, child->pid);
    for (unsigned i = 0; i < tree.count; i++)
        all += iswi_bench_mib(tree.pids[i]);
    return all;
}
