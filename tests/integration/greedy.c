/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that takes what it can get: memory that it never gives back, time of a processor,
 * descriptors, and children; and that says what it may. */
#include <isoworker/isoworker.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static size_t number_of(isw_context *ctx, const char *name)
{
    const char *text = isw_http_query(ctx, name);

    return text ? strtoul(text, NULL, 10) : 0;
}

static isw_status who(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%ld", (long)getpid());
}

/* Keep so many MiB, one after the other. */
static isw_status leak(isw_context *ctx)
{
    for (size_t i = 0; i < number_of(ctx, "mib"); i++) {
        char *memory = malloc(1 << 20);

        if (memory)
            memset(memory, 'x', 1 << 20);
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
    return who(ctx);
}

static isw_status burn(isw_context *ctx)
{
    clock_t until = clock() + (clock_t)number_of(ctx, "ms") * (CLOCKS_PER_SEC / 1000);

    while (clock() < until)
        continue;
    return who(ctx);
}

static isw_status leave(isw_context *ctx)
{
    if (number_of(ctx, "signal"))
        raise((int)number_of(ctx, "signal"));
    exit((int)number_of(ctx, "status"));
}

/* What it may: limits, niceness, and who it is. */
static isw_status may(isw_context *ctx)
{
    static const struct {
        const char *name;
        int number;
    } limits[] = { { "nofile", RLIMIT_NOFILE }, { "core", RLIMIT_CORE }, { "data", RLIMIT_DATA },
                   { "cpu", RLIMIT_CPU }, { "as", RLIMIT_AS }, { "nproc", RLIMIT_NPROC } };
    gid_t groups[64];
    int count = getgroups(64, groups);
    const char *text = isw_context_printf(ctx, "nice %d user %u %u group %u %u groups",
                                          getpriority(PRIO_PROCESS, 0), getuid(), geteuid(),
                                          getgid(), getegid());

    for (int i = 0; i < count; i++)
        text = isw_context_printf(ctx, "%s %u", text, groups[i]);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit limit;

        getrlimit(limits[i].number, &limit);
        text = isw_context_printf(ctx, "%s %s %lld %lld", text, limits[i].name,
                                  (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
    return isw_http_reply(ctx, 200, "text/plain", "%s", text);
}

/* How many files can be open at once, beyond those that are. */
static isw_status open_files(isw_context *ctx)
{
    int opened[4096];
    int count = 0;

    while (count < 4096 && (opened[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(opened[i]);
    return isw_http_reply(ctx, 200, "text/plain", "%d", count);
}

/* A child that has so many MiB, of which it is ready; "daemon": one that has left its parents and
 * their group. */
static isw_status child(isw_context *ctx)
{
    extern char **environ;
    const char *kind = isw_http_query(ctx, "kind");
    char mib[32];
    char pid[32] = "";
    char *arguments[] = { (char *)"hold", (char *)(kind ? kind : "child"), mib, NULL };
    posix_spawn_file_actions_t files;
    int ends[2];
    pid_t started;
    int failed;

    snprintf(mib, sizeof mib, "%zu", number_of(ctx, "mib"));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ISW_E_IO;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], 1);
    failed = posix_spawn(&started, "/proc/self/exe", &files, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    if (!failed)
        failed = read(ends[0], pid, sizeof pid - 1) <= 0;
    close(ends[0]);
    return isw_http_reply(ctx, failed ? 500 : 200, "text/plain", "%s", failed ? "no child" : pid);
}

/* A child that goes on in the memory of its parent, and changes nothing there. */
static isw_status copy(isw_context *ctx)
{
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    return isw_http_reply(ctx, 200, "text/plain", "%ld", (long)pid);
}

static int hold(char **arguments)
{
    size_t size = strtoul(arguments[2], NULL, 10) << 20;
    char *volatile memory;

    if (strcmp(arguments[1], "daemon") == 0 && (fork() != 0 || setsid() < 0))
        _exit(0);
    memory = malloc(size + 1);
    if (memory)
        memset(memory, 'x', size);
    dprintf(1, "%ld", (long)getpid());
    close(1);
    for (;;)
        pause();
}

static const isw_function functions[] = {
    { .name = "who", .trigger = ISW_HTTP("GET", "who"), .handler = who },
    { .name = "child", .trigger = ISW_HTTP("GET", "child"), .handler = child },
    { .name = "copy", .trigger = ISW_HTTP("GET", "copy"), .handler = copy },
    { .name = "leak", .trigger = ISW_HTTP("GET", "leak"), .handler = leak },
    { .name = "burn", .trigger = ISW_HTTP("GET", "burn"), .handler = burn },
    { .name = "leave", .trigger = ISW_HTTP("GET", "leave"), .handler = leave },
    { .name = "may", .trigger = ISW_HTTP("GET", "may"), .handler = may },
    { .name = "open_files", .trigger = ISW_HTTP("GET", "open_files"), .handler = open_files },
    { 0 },
};

int main(int argc, char **argv)
{
    const char *mib = getenv("TEST_LEAK"); /* from the start */
    size_t size = mib ? strtoul(mib, NULL, 10) << 20 : 0;
    char *volatile memory = size ? malloc(size) : NULL;

    if (strcmp(argv[0], "hold") == 0)
        return hold(argv);
    if (memory)
        memset(memory, 'x', size);
    return isw_main(argc, argv, functions);
}
