/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn with a token on an inherited pipe and the output on two others. */
#include "host/system/spawn.h"

#include "host/system/cgroup.h"
#include "host/system/command.h"
#include "host/system/pipes.h"

#include "base/alloc.h"
#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The descriptors on which every worker finds its token, the ring, its bell and its arenas if there
 * are any, where to write the report of a crash, where to count, and what all of
 * the worker share. */
enum {
    TOKEN_FD = 3,
    RING_FD = 4,
    CRASH_FD = 5,
    BELL_FD = 6,
    ARENA_FD = 7,
    METRICS_FD = 8,
    STORE_FD = 9,
    SPARE_FD = 10
};

/* -- Finding the program ----------------------------------------------------------------------- */

static bool is_program(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* What `path` is instead. */
static const char *why_no_program(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISREG(info.st_mode))
        return S_ISDIR(info.st_mode) ? "it is a folder" : "it is not a file";
    return "it may not be executed; chmod +x lets it be";
}

static bool find_beside_us(const char *command, char *path)
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *slash;

    if (size <= 0)
        return false;
    path[size] = '\0';
    slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) + strlen(command) + 2 > PATH_MAX)
        return false;
    strcpy(slash + 1, command);
    return is_program(path);
}

static bool find_in_path(const char *command, char *path)
{
    const char *list = getenv("PATH");

    while (list && *list) {
        int size = (int)strcspn(list, ":");

        if (size && snprintf(path, PATH_MAX, "%.*s/%s", size, list, command) < PATH_MAX &&
            is_program(path))
            return true;
        list += size;
        list += *list == ':';
    }
    return false;
}

isw_status iswi_spawn_find(const char *command, const char *directory, char **out,
                           isw_error *error)
{
    char path[PATH_MAX];
    bool is_path = strchr(command, '/') != NULL;

    if (is_path)
        snprintf(path, sizeof path, "%s%s%s", *command == '/' ? "" : directory,
                 *command == '/' ? "" : "/", command);
    if (is_path && !is_program(path)) {
        const char *why = why_no_program(path);

        return isw_error_set(error, ISW_E_NOT_FOUND, "there is no program %s%s%s", path,
                             why ? ": " : "", why ? why : "");
    }
    if (!is_path && !find_beside_us(command, path) && !find_in_path(command, path) &&
        !iswi_command_beside_library(command, path))
        return isw_error_set(error, ISW_E_NOT_FOUND,
                             "there is no program \"%s\", neither beside %s nor in PATH; "
                             "build it, or give its path with a '/'", command,
                             program_invocation_short_name);
    *out = iswi_strdup(path);
    return *out ? ISW_OK : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a path");
}

/* -- Environment and arguments ----------------------------------------------------------------- */

/* What was set for this process alone: by us for each worker, by a service manager for the host. */
static bool is_ours(const char *variable)
{
    static const char *const names[] = {
        "ISOWORKER_URL", "ISOWORKER_TOKEN_FD", "ISOWORKER_RING_FD", "ISOWORKER_BELL_FD",
        "ISOWORKER_ARENA_FD", "ISOWORKER_SPIN_US", "ISOWORKER_CRASH_FD", "ISOWORKER_DEBUG",
        "ISOWORKER_DEBUG_FUNCTION", "ISOWORKER_CONFIG", "ISOWORKER_METRICS_FD",
        "ISOWORKER_STORE_FD", "ISOWORKER_TEMPLATE_FD", "ISOWORKER_REAPER",
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM",
        "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID",
    };
    size_t size = strcspn(variable, "=");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == size && strncmp(variable, names[i], size) == 0)
            return true;
    return false;
}

/* Of a template: what it needs to wait; the rest comes with what it forks. */
static size_t variables_of_template(char **list, iswi_arena *arena)
{
    list[0] = iswi_arena_printf(arena, "ISOWORKER_TEMPLATE_FD=%d", TOKEN_FD);
    return 1;
}

static size_t variables_of_worker(const iswi_spawn_options *options, char **list,
                                  iswi_arena *arena)
{
    size_t count = 0;

    list[count++] = iswi_arena_printf(arena, "ISOWORKER_URL=%s", options->url);
    list[count++] = iswi_arena_printf(arena, "ISOWORKER_TOKEN_FD=%d", TOKEN_FD);
    if (options->ring >= 0)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_RING_FD=%d", RING_FD);
    if (options->bell >= 0)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_BELL_FD=%d", BELL_FD);
    if (options->arena >= 0)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_ARENA_FD=%d", ARENA_FD);
    if (options->ring >= 0 && options->spin_us)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_SPIN_US=%s", options->spin_us);
    if (options->endless)
        list[count++] = (char *)"ISOWORKER_DEBUG=1";
    if (options->debugged)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_DEBUG_FUNCTION=%s", options->debugged);
    if (options->crash >= 0)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_CRASH_FD=%d", CRASH_FD);
    if (options->metrics >= 0)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_METRICS_FD=%d", METRICS_FD);
    return count;
}

/* Ours first, then the worker's own, then what we inherited: getenv takes the first. */
static char **environment_of(const iswi_spawn_options *options, iswi_arena *arena)
{
    size_t own = options->environment ? options->environment->count : 0;
    size_t inherited = 0;
    size_t count;
    char **list;

    while (environ[inherited])
        inherited++;
    list = iswi_arena_calloc(arena, own + inherited + 13, sizeof *list);
    if (!list)
        return NULL;
    count = options->template_end ? variables_of_template(list, arena)
                                  : variables_of_worker(options, list, arena);
    if (options->store >= 0)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_STORE_FD=%d", STORE_FD);
    if (options->config)
        list[count++] = iswi_arena_printf(arena, "ISOWORKER_CONFIG=%s", options->config);
    for (size_t i = 0; i < own; i++)
        list[count++] = (char *)options->environment->items[i];
    for (size_t i = 0; i < inherited; i++)
        if (!is_ours(environ[i]))
            list[count++] = environ[i];
    return list;
}

static bool is_confined(const iswi_spawn_options *options)
{
    return options->confinement && options->confinement->count && !options->debugged;
}

/* Of one that is confined those of the command that does it are before them. */
static char **arguments_of(const iswi_spawn_options *options, iswi_arena *arena)
{
    size_t own = options->arguments->count;
    char **list = iswi_arena_calloc(arena, own + ISWI_CONFINE_WORDS + 6, sizeof *list);
    size_t count = 0;

    if (list && is_confined(options)) {
        list[count++] = (char *)"isoworker";
        list[count++] = (char *)"confine";
        if (options->cgroup)
            list[count++] = iswi_arena_printf(arena, "cgroup=%s", options->cgroup);
        for (unsigned i = 0; i < options->confinement->count; i++)
            list[count++] = (char *)options->confinement->words[i];
        list[count++] = (char *)"--";
        list[count++] = (char *)options->program;
    }
    for (size_t i = 0; list && i < own; i++)
        list[count++] = (char *)options->arguments->items[i];
    return list;
}

/* -- Starting ---------------------------------------------------------------------------------- */

/* Input from nowhere, output to our pipes. */
static int plan_output(posix_spawn_file_actions_t *files, const iswi_pipes *p)
{
    int failed = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

    if (!failed)
        failed = posix_spawn_file_actions_adddup2(files, p->output[1], 1);
    return failed ? failed : posix_spawn_file_actions_adddup2(files, p->errors[1], 2);
}

/* For a debugger: our terminal, which is then its own. The pipes stay open, since their end would
 * be taken for the worker's. */
static int plan_terminal(posix_spawn_file_actions_t *files, const iswi_pipes *p)
{
    int failed = posix_spawn_file_actions_adddup2(files, p->output[1], SPARE_FD);

    if (!failed)
        failed = posix_spawn_file_actions_adddup2(files, p->errors[1], SPARE_FD + 1);
    if (!failed && isatty(STDIN_FILENO))
        failed = posix_spawn_file_actions_addtcsetpgrp_np(files, STDIN_FILENO);
    return failed;
}

static int plan_one(posix_spawn_file_actions_t *files, int fd, int number)
{
    return fd >= 0 ? posix_spawn_file_actions_adddup2(files, fd, number)
                   : posix_spawn_file_actions_addclose(files, number);
}

/* In the child: where input comes from and output goes to, the token (of a template, the socket) on
 * its number, nothing else. */
static int plan_files(posix_spawn_file_actions_t *files, const iswi_pipes *p,
                      const iswi_spawn_options *options)
{
    int failed = options->debugged ? plan_terminal(files, p) : plan_output(files, p);

    if (!failed)
        failed = posix_spawn_file_actions_adddup2(
            files, options->template_end ? *options->template_end : p->token[0], TOKEN_FD);
    if (!failed)
        failed = plan_one(files, options->ring, RING_FD);
    if (!failed)
        failed = plan_one(files, options->crash, CRASH_FD);
    if (!failed)
        failed = plan_one(files, options->bell, BELL_FD);
    if (!failed)
        failed = plan_one(files, options->arena, ARENA_FD);
    if (!failed)
        failed = plan_one(files, options->metrics, METRICS_FD);
    if (!failed)
        failed = plan_one(files, options->store, STORE_FD);
    if (!failed)
        failed = posix_spawn_file_actions_addclosefrom_np(
            files, options->debugged ? SPARE_FD + 2 : SPARE_FD);
    if (!failed)
        failed = posix_spawn_file_actions_addchdir_np(files, options->directory);
    return failed;
}

static int plan_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    int failed;

    sigemptyset(&none);
    sigfillset(&all);
    failed = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF);
    if (!failed)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (!failed)
        failed = posix_spawnattr_setsigmask(attributes, &none);
    return failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
}

static int start(const iswi_spawn_options *options, const char *program, const iswi_pipes *p,
                 iswi_arena *arena, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char **arguments = arguments_of(options, arena);
    char **environment = environment_of(options, arena);
    int failed;

    if (!arguments || !environment)
        return ENOMEM;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    failed = plan_files(&files, p, options);
    if (!failed)
        failed = plan_attributes(&attributes);
    if (!failed)
        failed = posix_spawn(pid, program, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* Whether another try would fail alike. What is not listed, as too many processes, may pass. */
static bool is_for_good(int failed)
{
    return failed == ENOENT || failed == EACCES || failed == ENOEXEC || failed == ENOTDIR ||
           failed == EISDIR || failed == ELOOP || failed == E2BIG || failed == EPERM;
}

static isw_status refuse_start(const iswi_spawn_options *options, int failed, isw_error *error)
{
    const char *hint = "";

    if (failed == ENOENT && is_program(options->program))
        hint = " (the folder to run in, or the interpreter that it names, is missing)";
    return isw_error_set(error,
                         failed == ENOMEM      ? ISW_E_NO_MEMORY
                         : is_for_good(failed) ? ISW_E_CONFIG
                                               : ISW_E_IO,
                         "%s could not be started: %s%s", options->program, strerror(failed), hint);
}

/* Into its group without the command that would do it first, whose start takes longer than all else:
 * until it has its token it does nothing for us. One that has ended already is in none. */
static bool place(const iswi_spawn_options *options, iswi_pipes *p, pid_t pid)
{
    int failed;

    if ((iswi_cgroup_place(options->cgroup, pid) || errno == ESRCH) &&
        (options->template_end ||
         iswi_pipes_give_token(p, options->token, options->token_bytes)))
        return true;
    failed = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = failed;
    return false;
}

isw_status iswi_spawn(const iswi_spawn_options *options, iswi_spawned *out, isw_error *error)
{
    const char *program = options->program;
    bool placed = options->cgroup && !options->debugged && !is_confined(options);
    char confine[PATH_MAX];
    iswi_arena arena;
    iswi_pipes p;
    int failed;

    if (is_confined(options) && iswi_confine_find(confine, error) != ISW_OK)
        return error->status;
    if (is_confined(options))
        program = confine;
    failed = iswi_pipes_open(&p) &&
                     (options->template_end || placed ||
                      iswi_pipes_give_token(&p, options->token, options->token_bytes))
                 ? 0
                 : errno;

    iswi_arena_init(&arena, 4096);
    if (!failed)
        failed = start(options, program, &p, &arena, &out->pid);
    iswi_arena_fini(&arena);
    if (!failed && placed && !place(options, &p, out->pid))
        failed = errno;
    if (failed) {
        iswi_pipes_close(&p);
        return refuse_start(options, failed, error);
    }
    iswi_pipes_keep(&p, &out->output, &out->errors);
    out->pid_fd = (int)syscall(SYS_pidfd_open, out->pid, 0);
    return ISW_OK;
}
