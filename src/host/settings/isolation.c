/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker cannot have that runs in the host's own process (isolation: none). Invariant: what
 * stands in host.yaml and would not hold is refused there; nothing of it is dropped in silence. An
 * option of workers that needs a process of its own gets a row in `refused`.
 */
#include "host/settings/refused.h"

#include "base/alloc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_WORDS = 3 };

static const iswi_refused refused[] = {
    { "environment", NULL, "variables belong to a process, and this one is the host's; set them "
                           "for the host" },
    { "start", NULL, "it begins in the host's" },
    { "restart_delay", NULL, "it is not started again by itself" },
    { "restart_delay_max", NULL, "it is not started again by itself" },
    { "give_up_after", NULL, "it is given up when it ends" },
    { "memory_limit", NULL, "its memory is the host's, which bounds on the host's own process hold" },
    { "cpu_limit", NULL, "its threads are the host's, which a bound on the host's own process holds" },
    { "pids_limit", NULL, "its threads are the host's, which a bound on the host's own process holds" },
    { "rlimits", NULL, "limits belong to a process, and this one is the host's; start the host with "
                       "them" },
    { "nice", NULL, "it runs as nice as the host" },
    { "user", NULL, "it is who the host is" },
    { "group", NULL, "it is who the host is" },
    { "recycle_after", NULL, "no other process can take over from it" },
    { "health", "restart_after", "no other process can take over from it" },
    { "link", "lane", "its frames travel in the host's own memory" },
};

static const iswi_refused_of kind = { "has isolation: none", ", or write isolation: process",
                                      refused, sizeof refused / sizeof refused[0] };

/* -- Options ----------------------------------------------------------------------------------- */

static isw_status check_processes(iswi_config *config, const iswi_worker_settings *worker,
                                  const iswi_node *node, isw_error *error)
{
    const iswi_node *named = iswi_node_find(node, "processes");

    return named && (iswi_worker_most(worker) > 1 || worker->processes.max)
               ? iswi_refuse_option(config, worker, &kind, named, "processes", "it runs once, in the host's; "
                        "`concurrency` in its YAML says on how many threads", error)
               : ISW_OK;
}

/* -- The command ------------------------------------------------------------------------------- */

static bool is_isoworker(const char *word)
{
    const char *slash = strrchr(word, '/');

    return strcmp(slash ? slash + 1 : word, "isoworker") == 0;
}

/* NULL, or why `path` is no shared object. */
static const char *not_an_object(const char *path)
{
    Elf64_Ehdr head = { .e_type = 0 };
    struct stat info;
    const char *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return strerror(errno);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        why = "it is not a file";
    else if (read(fd, &head, sizeof head) != (ssize_t)sizeof head ||
             memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_type != ET_DYN)
        why = "it is no shared object";
    close(fd);
    return why;
}

char *iswi_isolation_module(const iswi_worker_settings *worker, const char *folder)
{
    const char *file = worker->command.items[COMMAND_WORDS - 1];
    char path[PATH_MAX];

    while (strncmp(file, "./", 2) == 0)
        file += 2;
    snprintf(path, sizeof path, "%s%s%s", *file == '/' ? "" : worker->directory
             ? worker->directory : folder, *file == '/' ? "" : "/", file);
    return iswi_strdup(path);
}

static isw_status check_object(iswi_config *config, const iswi_worker_settings *worker,
                               const char *folder, const iswi_node *command, isw_error *error)
{
    char *path = iswi_isolation_module(worker, folder);
    const char *why = path ? not_an_object(path) : "no memory";
    isw_status status = ISW_OK;

    if (why)
        status = iswi_config_refuse(config, command, error,
                                    "worker \"%s\" has isolation: none, and %s cannot be loaded: "
                                    "%s; build it with isoworker_add_module, or write isolation: "
                                    "process", worker->name, path ? path : "it", why);
    iswi_free(path);
    return status;
}

static isw_status check_command(iswi_config *config, const iswi_worker_settings *worker,
                                const char *folder, const iswi_node *node, isw_error *error)
{
    const isw_option_strings *words = &worker->command;
    const iswi_node *command = iswi_node_find(node, "command");

    if (!words->count || !*words->items[0])
        return ISW_OK; /* that is told */
    if (words->count == COMMAND_WORDS && is_isoworker(words->items[0]) &&
        strcmp(words->items[1], "worker") == 0)
        return check_object(config, worker, folder, command, error);
    return iswi_config_refuse(config, command, error,
                              "worker \"%s\" has isolation: none, which takes a shared object and "
                              "no program: [isoworker, worker, FILE.so], with its YAML in "
                              "`config`; or write isolation: process", worker->name);
}

isw_status iswi_isolation_check(iswi_config *config, const iswi_worker_settings *worker,
                                const char *folder, const iswi_node *node, isw_error *error)
{
    iswi_faults *faults = iswi_config_faults(config);
    isw_status all = ISW_OK;
    bool on = iswi_faults_go_on(faults, check_command(config, worker, folder, node, error), &all) &&
              iswi_faults_go_on(faults, check_processes(config, worker, node, error), &all);

    if (on)
        iswi_faults_go_on(faults, iswi_refused_check(config, worker, &kind, node, error), &all);
    return all;
}
