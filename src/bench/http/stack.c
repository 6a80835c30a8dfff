/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, killing and stopping stacks. Invariant: all that belongs to one is below the processes
 * that this one started, which end when it does, and in a folder that is removed. */
#include "bench/http/stack.h"

#include "bench/clock.h"
#include "bench/http/client.h"
#include "bench/http/config.h"
#include "bench/http/floor.h"
#include "bench/http/socket.h"
#include "bench/process.h"
#include "bench/setup.h"
#include "cli/helper.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ATTEMPTS = 3, READY_S = 20, LOOK_AGAIN_NS = 200000, IN_FLIGHT = 2048 };

#define OURS ISWI_BENCH_OURS, ISWI_BENCH_OUR_WORKER
const iswi_bench_stack_kind iswi_bench_stacks[] = {
    { "isoworker", "isoworker run, one worker process", OURS, 1 },
    { "isoworker-two", "the same with two worker processes", OURS, 2 },
    { "nginx-fastcgi", "nginx, a FastCGI worker in C, kept connections", ISWI_BENCH_NGINX_FASTCGI,
      ISWI_BENCH_FASTCGI, 1 },
    { "haproxy-mhd", "haproxy, a libmicrohttpd worker", ISWI_BENCH_HAPROXY, ISWI_BENCH_MICROHTTPD,
      1 },
    { "nginx-mhd", "nginx, a libmicrohttpd worker", ISWI_BENCH_NGINX_PROXY, ISWI_BENCH_MICROHTTPD,
      1 },
    { "microhttpd", "bare libmicrohttpd: no front", ISWI_BENCH_NO_FRONT, ISWI_BENCH_MICROHTTPD,
      1 },
    { "epoll", "bare epoll: no front, no library", ISWI_BENCH_NO_FRONT, ISWI_BENCH_EPOLL, 1 },
};
const unsigned iswi_bench_stack_count = sizeof iswi_bench_stacks / sizeof iswi_bench_stacks[0];

/* -- What is there ----------------------------------------------------------------------------- */

/* Where `name` is: in PATH, or where administrators have theirs. */
static bool find_program(const char *name, char found[PATH_MAX])
{
    const char *path = getenv("PATH");
    char folders[PATH_MAX];
    char *rest = folders;

    snprintf(folders, sizeof folders, "%s:/usr/sbin:/usr/local/sbin:/sbin", path ? path : "");
    for (char *at = strsep(&rest, ":"); at; at = strsep(&rest, ":")) {
        int size = snprintf(found, PATH_MAX, "%s/%s", at, name);

        if (size < PATH_MAX && access(found, X_OK) == 0)
            return true;
    }
    return false;
}

const char *iswi_bench_stack_missing(const iswi_bench_stack_kind *kind)
{
    char path[PATH_MAX];

    if (kind->front == ISWI_BENCH_OURS && !iswi_cli_find_command(path))
        return "the command isoworker is not where it belongs";
    if (kind->behind == ISWI_BENCH_MICROHTTPD &&
        !iswi_cli_find_helper(iswi_bench_microhttpd, path))
        return "its worker is not built (Debian: libmicrohttpd-dev)";
    if ((kind->front == ISWI_BENCH_NGINX_FASTCGI || kind->front == ISWI_BENCH_NGINX_PROXY) &&
        !find_program("nginx", path))
        return "not installed (Debian: nginx)";
    if (kind->front == ISWI_BENCH_HAPROXY && !find_program("haproxy", path))
        return "not installed (Debian: haproxy)";
    return NULL;
}

const char *iswi_bench_unit_missing(void)
{
    char path[PATH_MAX];

    if (find_program("unitd", path))
        return "not measured, its worker in C needs libunit, which this build does not have";
    return "not installed (not in Debian: https://unit.nginx.org)";
}

/* -- Starting ---------------------------------------------------------------------------------- */

static pid_t start_worker(const iswi_bench_stack *s)
{
    bool epoll = s->kind->behind == ISWI_BENCH_EPOLL;
    char own[16];

    if (s->kind->behind == ISWI_BENCH_MICROHTTPD)
        return iswi_bench_start_microhttpd(s->listener, s->payload);
    snprintf(own, sizeof own, "%ld", (long)getpid());
    return iswi_bench_spawn_peer(epoll ? "echo-http" : "echo-fastcgi", own, s->listener, -1);
}

static bool write_ours(const iswi_bench_stack *s, FILE *host)
{
    FILE *worker = fopen(s->second, "we");
    iswi_bench_setup setup;
    char text[80];

    if (!worker)
        return false;
    snprintf(text, sizeof text, "ring+chain,http=1,in_flight=%d,workers=%u,port=%u", IN_FLIGHT,
             s->kind->processes, s->port);
    if (iswi_bench_parse_setup(text, &setup)) {
        setup.program = s->command;
        iswi_bench_write_host_yaml(&setup, host);
        iswi_bench_write_worker_yaml(&setup, worker);
    }
    return fclose(worker) == 0;
}

static bool write_config(iswi_bench_stack *s)
{
    bool ours = s->kind->front == ISWI_BENCH_OURS;
    iswi_bench_front_config config = { s->folder, s->socket, s->port };
    bool ok = true;
    FILE *file;

    snprintf(s->config, sizeof s->config, "%s/%s", s->folder, ours ? "host.yaml" : "front.conf");
    snprintf(s->second, sizeof s->second, "%s/worker.yaml", s->folder);
    file = fopen(s->config, "we");
    if (!file)
        return false;
    if (ours)
        ok = write_ours(s, file);
    else if (s->kind->front == ISWI_BENCH_HAPROXY)
        iswi_bench_write_haproxy(&config, file);
    else
        iswi_bench_write_nginx(&config, s->kind->front == ISWI_BENCH_NGINX_FASTCGI, file);
    return fclose(file) == 0 && ok;
}

/* In the foreground, what it says into a file of its folder. */
static pid_t start_front(const iswi_bench_stack *s)
{
    bool ours = s->kind->front == ISWI_BENCH_OURS;
    bool haproxy = s->kind->front == ISWI_BENCH_HAPROXY;
    char path[PATH_MAX];
    char own[16];
    char said[64];
    char *argv[] = { (char *)"isoworker-bench", (char *)"peer", (char *)"become", own, path,
                     (char *)(ours ? "run" : haproxy ? "-f" : "-c"),
                     (char *)(ours ? s->folder : s->config),
                     haproxy ? (char *)"-db" : NULL, NULL };
    pid_t pid = 0;
    int fd;

    snprintf(own, sizeof own, "%ld", (long)getpid());
    snprintf(said, sizeof said, "%s/said", s->folder);
    fd = open(said, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;
    if (ours ? iswi_cli_find_command(path) : find_program(haproxy ? "haproxy" : "nginx", path))
        pid = iswi_bench_spawn("/proc/self/exe", argv, -1, fd);
    close(fd);
    return pid;
}

static bool start_processes(iswi_bench_stack *s)
{
    bool fronted = s->kind->front != ISWI_BENCH_NO_FRONT;

    snprintf(s->socket, sizeof s->socket, "%s/worker", s->folder);
    if (s->kind->behind != ISWI_BENCH_OUR_WORKER) {
        s->listener = fronted ? iswi_bench_listen_at(s->socket) : iswi_bench_listen(&s->port);
        s->worker = s->listener >= 0 ? start_worker(s) : 0;
        if (!s->worker)
            return false;
    }
    if (!fronted)
        return true;
    s->port = iswi_bench_free_port();
    s->front = s->port && write_config(s) ? start_front(s) : 0;
    return s->front > 0;
}

/* Whether its front has ended, as it does when somebody else took its port meanwhile. */
static bool has_ended(iswi_bench_stack *s)
{
    if (!s->front || waitpid(s->front, NULL, WNOHANG) == 0)
        return false;
    s->front = 0;
    return true;
}

/* Whether it answers with a 2xx; a connection that is refused, or another answer, does not. */
static bool answers(unsigned port)
{
    static iswi_bench_samples samples;
    iswi_bench_load load = { .port = port, .connections = 1 };
    iswi_bench_client *client = iswi_bench_client_open(&load);
    iswi_bench_tally tally = { 0 };

    iswi_bench_begin(&samples, ISWI_BENCH_BACK_TO_BACK, 0, 1);
    samples.most = 1;
    if (client)
        iswi_bench_client_run(client, &samples, 0, &tally);
    iswi_bench_client_close(client);
    return tally.answered == 1;
}

static void show_what_it_said(const iswi_bench_stack *s)
{
    char text[2048];
    char said[64];
    FILE *file;
    size_t size;

    snprintf(said, sizeof said, "%s/said", s->folder);
    file = fopen(said, "re");
    size = file ? fread(text, 1, sizeof text, file) : 0;
    fprintf(stderr, "%s: %s\n%.*s", s->kind->name,
            s->front || s->worker ? "no answer in time" : "cannot be started", (int)size, text);
    if (file)
        fclose(file);
}

/* Until its first answer. False when it ends before that, or none comes in time. */
static bool await_answer(iswi_bench_stack *s, int64_t began_ns)
{
    while (!answers(s->port)) {
        if (has_ended(s) || iswi_bench_is_over(began_ns + READY_S * 1000000000LL))
            return false;
        iswi_bench_sleep_ns(LOOK_AGAIN_NS);
    }
    s->first_ms = (double)(iswi_bench_now_ns() - began_ns) / 1e6;
    return true;
}

bool iswi_bench_stack_start(iswi_bench_stack *s, const iswi_bench_stack_kind *kind,
                            uint32_t payload, const char *command)
{
    for (int attempt = 1;; attempt++) {
        int64_t began_ns;

        *s = (iswi_bench_stack){ .kind = kind, .folder = "/tmp/isoworker-bench-XXXXXX",
                                 .listener = -1, .payload = payload, .command = command };
        if (!mkdtemp(s->folder)) {
            s->folder[0] = '\0';
            return false;
        }
        began_ns = iswi_bench_now_ns();
        if (start_processes(s) && await_answer(s, began_ns))
            return true;
        if (s->front || attempt == ATTEMPTS || iswi_bench_is_over(INT64_MAX))
            break;
        iswi_bench_stack_stop(s);
    }
    if (!iswi_bench_is_over(INT64_MAX))
        show_what_it_said(s);
    return false;
}

/* -- While it runs, and at its end ------------------------------------------------------------- */

iswi_bench_tree iswi_bench_stack_tree(const iswi_bench_stack *s)
{
    iswi_bench_tree tree = { .count = 0 };

    iswi_bench_tree_add(&tree, s->worker);
    iswi_bench_tree_add(&tree, s->front);
    return tree;
}

void iswi_bench_stack_kill_worker(iswi_bench_stack *s)
{
    iswi_bench_tree tree = { .count = 0 };
    pid_t other;

    if (s->worker) {
        iswi_bench_end(s->worker);
        s->worker = start_worker(s);
        s->killed++;
        return;
    }
    iswi_bench_tree_add(&tree, s->front);
    other = iswi_bench_tree_other(&tree); /* the host has a guard of its own program, too */
    s->killed += other && kill(other, SIGKILL) == 0;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    (void)stat;
    (void)kind;
    (void)where;
    return remove(path);
}

void iswi_bench_stack_stop(iswi_bench_stack *s)
{
    iswi_bench_ask_to_end(s->front);
    iswi_bench_end(s->worker);
    if (s->listener >= 0)
        close(s->listener);
    if (s->folder[0])
        nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
