/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn, as for workers: other threads run. */
#include "host/system/replacement.h"

#include "base/arena.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* Sockets that were passed to this process are handed over in another way, and a watchdog that names
 * no process is for whoever speaks to the service manager. */
static bool is_ours_alone(const char *variable)
{
    static const char *const names[] = { "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
                                         "LISTEN_FDNAMES" };
    size_t size = strcspn(variable, "=");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == size && strncmp(variable, names[i], size) == 0)
            return true;
    return false;
}

static char **environment(iswi_arena *arena)
{
    size_t count = 0;
    char **list;

    while (environ[count])
        count++;
    list = iswi_arena_calloc(arena, count + 1, sizeof *list);
    count = 0;
    for (size_t i = 0; list && environ[i]; i++)
        if (!is_ours_alone(environ[i]))
            list[count++] = environ[i];
    return list;
}

static char **arguments(const char *const *command, const char *text, iswi_arena *arena)
{
    size_t count = 0;
    char **list;

    while (command[count])
        count++;
    list = iswi_arena_calloc(arena, count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        list[i] = (char *)command[i];
    if (list && !(list[count - 1] = iswi_arena_printf(arena, "%s%s", command[count - 1], text)))
        return NULL;
    return list;
}

/* No signal is held back or passed over there that was not before we began. */
static int spawn(char **words, char **variables, pid_t *out)
{
    posix_spawnattr_t how;
    sigset_t none;
    sigset_t pipe;
    int cause;

    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &pipe);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    cause = posix_spawnp(out, words[0], NULL, &how, words, variables);
    posix_spawnattr_destroy(&how);
    return cause;
}

isw_status iswi_replacement_start(const char *const *command, const char *text, pid_t *out,
                                  isw_error *error)
{
    iswi_arena arena;
    char **variables;
    char **words;
    int cause;

    iswi_arena_init(&arena, 4096);
    variables = environment(&arena);
    words = arguments(command, text, &arena);
    if (!variables || !words) {
        isw_error_set(error, ISW_E_NO_MEMORY, "no memory to start %s", command[0]);
    } else {
        cause = spawn(words, variables, out);
        if (cause)
            isw_error_set(error, ISW_E_IO, "%s cannot be started: %s", command[0],
                          strerror(cause));
    }
    iswi_arena_fini(&arena);
    return error->status;
}

bool iswi_replacement_is_in_front(void)
{
    return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}
