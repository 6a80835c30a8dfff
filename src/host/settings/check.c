/* SPDX-License-Identifier: Apache-2.0 */
/* What the option tables of host.yaml cannot say: names that must differ, and what must be there on
 * this machine. Each refusal stands at the place of what is wrong, and all are told. */
#include "host/settings/settings.h"
#include "host/system/address.h"
#include "host/system/cgroup.h"
#include "host/system/spawn.h"

#include "base/alloc.h"
#include "wire/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct checker {
    iswi_config *config;
    const char *folder; /* of host.yaml */
    isw_error *error;
} checker;

/* The value of `name` in `map`, or the map itself where that was left out. */
static const iswi_node *child_of(const iswi_node *map, const char *name)
{
    const iswi_node *child = iswi_node_find(map, name);

    return child ? child : map;
}

#define REFUSE(c, node, ...) iswi_config_refuse((c)->config, (node), (c)->error, __VA_ARGS__)

/* -- Workers ----------------------------------------------------------------------------------- */

/* NULL, or why `path` is none. */
static const char *not_a_folder(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return strerror(errno);
    if (!S_ISDIR(info.st_mode))
        return "it is not a folder";
    return access(path, X_OK) == 0 ? NULL : strerror(errno);
}

static const char *not_a_file(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return strerror(errno);
    if (S_ISDIR(info.st_mode))
        return "it is a folder";
    if (!S_ISREG(info.st_mode))
        return "it is not a regular file";
    return access(path, R_OK) == 0 ? NULL : strerror(errno);
}

static isw_status check_name(const checker *c, const iswi_worker_settings *workers, size_t at,
                             const iswi_node *node)
{
    const char *name = workers[at].name;

    if (!*name || strlen(name) > ISWI_NAME_MAX)
        return REFUSE(c, child_of(node, "name"), "the name of a worker has 1 to %d bytes",
                      ISWI_NAME_MAX);
    for (size_t i = 0; i < at; i++)
        if (strcmp(name, workers[i].name) == 0)
            return REFUSE(c, child_of(node, "name"), "there are two workers named \"%s\"", name);
    return ISW_OK;
}

static isw_status check_command(const checker *c, const iswi_worker_settings *worker,
                                const iswi_node *node)
{
    const iswi_node *command = child_of(node, "command");
    isw_error own = { ISW_OK, "" };
    char *program = NULL;

    if (iswi_worker_is_remote(worker))
        return ISW_OK; /* remote.c */
    if (worker->command.count == 0 || !*worker->command.items[0])
        return REFUSE(c, command, "worker \"%s\" has no program", worker->name);
    if (worker->directory && not_a_folder(worker->directory))
        return ISW_OK; /* that is told */
    if (iswi_spawn_find(worker->command.items[0],
                        worker->directory ? worker->directory : c->folder, &program, &own) !=
        ISW_OK)
        return REFUSE(c, command, "worker \"%s\": %s", worker->name, own.message);
    iswi_free(program);
    return ISW_OK;
}

static isw_status check_files(const checker *c, const iswi_worker_settings *worker,
                              const iswi_node *node)
{
    const char *why = worker->directory ? not_a_folder(worker->directory) : NULL;

    if (why)
        return REFUSE(c, child_of(node, "directory"), "worker \"%s\" cannot run in %s: %s",
                      worker->name, worker->directory, why);
    why = worker->config ? not_a_file(worker->config) : NULL;
    if (why)
        return REFUSE(c, child_of(node, "config"), "worker \"%s\": %s cannot be read: %s",
                      worker->name, worker->config, why);
    return ISW_OK;
}

static isw_status check_link(const checker *c, const iswi_worker_settings *worker,
                             const iswi_node *node)
{
    const char *spin = worker->link.spin_us;

    if (strcmp(spin, "auto") == 0 ||
        (*spin && strlen(spin) <= 6 && !spin[strspn(spin, "0123456789")]))
        return ISW_OK;
    return REFUSE(c, child_of(child_of(node, "link"), "spin_us"),
                  "spin_us takes auto or microseconds, at most 999999");
}

static isw_status check_delays(const checker *c, const iswi_worker_settings *worker,
                               const iswi_node *node)
{
    const iswi_node *named = iswi_node_find(node, "restart_delay");

    if (!named || worker->restart_delay_ms <= worker->restart_delay_max_ms)
        return ISW_OK; /* a default that is above the maximum is cut to it */
    return REFUSE(c, named, "restart_delay is above restart_delay_max, which it never exceeds");
}

static isw_status check_processes(const checker *c, const iswi_host_settings *settings,
                                  size_t worker, const iswi_node *node)
{
    const iswi_worker_settings *workers = settings->workers.items;
    const iswi_processes_settings *own = &workers[worker].processes;
    const iswi_node *group = iswi_node_find(node, "processes");
    const iswi_node *count = group ? iswi_node_find(group, "count") : NULL;

    if (!group || group->type != ISWI_NODE_MAP)
        return ISW_OK;
    if (count && own->max)
        return REFUSE(c, count, "processes has either a count or a max; leave out one of them");
    if (!own->max && !count)
        return REFUSE(c, group, "processes has no max; write how many there may be, such as "
                      "{min: 0, max: 8}, or a number alone");
    if (own->max && own->min > own->max)
        return REFUSE(c, iswi_node_find(group, "min"), "min is above max");
    if (!(own->target > 0 && own->target <= 1))
        return REFUSE(c, iswi_node_find(group, "target"), "target is a part of what the processes "
                      "take: above 0, at most 1");
    if (own->max && own->min == 0 && iswi_worker_queue(c->config, settings, worker).limit == 0)
        return REFUSE(c, group, "with min 0 calls wait for a process to start, and queue.limit 0 "
                      "lets none wait; write min: 1, or let some wait");
    return ISW_OK;
}

static isw_status check_isolation(const checker *c, const iswi_worker_settings *worker,
                                  const iswi_node *node)
{
    if (worker->isolation != ISWI_ISOLATION_NONE)
        return ISW_OK;
    return iswi_isolation_check(c->config, worker, c->folder, node, c->error);
}

static isw_status check_remote(const checker *c, const iswi_worker_settings *worker,
                               const iswi_node *node)
{
    return iswi_worker_is_remote(worker) ? iswi_remote_check(c->config, worker, node, c->error)
                                         : ISW_OK;
}

static isw_status check_workers(const checker *c, const iswi_host_settings *settings)
{
    const iswi_node *list = iswi_node_find(iswi_config_root(c->config), "workers");
    const iswi_worker_settings *workers = settings->workers.items;
    iswi_faults *faults = iswi_config_faults(c->config);
    isw_status all = ISW_OK;
    bool on = true;

    if (settings->workers.count == 0)
        return REFUSE(c, list, "no worker is named; nothing would run");
    for (size_t i = 0; on && i < settings->workers.count; i++) {
        const iswi_node *node = &list->children[i];

        on = iswi_faults_go_on(faults, check_name(c, workers, i, node), &all) &&
             iswi_faults_go_on(faults, check_command(c, &workers[i], node), &all) &&
             iswi_faults_go_on(faults, check_files(c, &workers[i], node), &all) &&
             iswi_faults_go_on(faults, check_processes(c, settings, i, node), &all) &&
             iswi_faults_go_on(faults, check_link(c, &workers[i], node), &all) &&
             iswi_faults_go_on(faults, iswi_bounds_check(c->config, &workers[i], c->folder, node,
                                                         c->error), &all) &&
             iswi_faults_go_on(faults, check_isolation(c, &workers[i], node), &all) &&
             iswi_faults_go_on(faults, check_remote(c, &workers[i], node), &all) &&
             iswi_faults_go_on(faults, check_delays(c, &workers[i], node), &all);
    }
    return all;
}

/* -- Addresses --------------------------------------------------------------------------------- */

/* Where the text stands that has that index: as an entry of a list, or alone. */
static const iswi_node *listen_node(iswi_config *config, const char *group, size_t index)
{
    const iswi_node *node = child_of(child_of(iswi_config_root(config), group), "listen");

    return node->type == ISWI_NODE_LIST && index < node->child_count ? &node->children[index]
                                                                     : node;
}

static isw_status check_address(const char *const *texts, size_t at, const char *setting,
                                isw_error *error)
{
    iswi_address own;
    iswi_address other;
    isw_status status = iswi_address_read(texts[at], setting, &own, error);

    for (size_t i = 0; status == ISW_OK && i < at; i++)
        if (iswi_address_read(texts[i], setting, &other, NULL) == ISW_OK &&
            iswi_address_same(&own, &other))
            status = isw_error_set(error, ISW_E_CONFIG, "%s: \"%s\" is there as \"%s\" already",
                                   setting, texts[at], texts[i]);
    return status;
}

/* Whether a socket at a path can be made where it is to be. */
static isw_status check_folder(iswi_config *config, const char *text, const char *setting,
                               isw_error *error)
{
    char folder[PATH_MAX];
    iswi_address address;
    const char *path;
    const char *why;
    char *slash;

    if (iswi_address_read(text, setting, &address, NULL) != ISW_OK ||
        address.kind != ISWI_ADDRESS_UNIX || !(path = iswi_config_path(config, address.name)))
        return ISW_OK;
    snprintf(folder, sizeof folder, "./%s", path);
    if (path[0] == '/')
        snprintf(folder, sizeof folder, "%s", path);
    slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    why = not_a_folder(folder);
    if (!why && access(folder, W_OK) != 0)
        why = strerror(errno);
    return why ? isw_error_set(error, ISW_E_CONFIG,
                               "%s: no socket can be made in %s for \"%s\": %s; make the folder, "
                               "or name another", setting, folder, text, why)
               : ISW_OK;
}

isw_status iswi_host_settings_listen(iswi_config *config, const char *group,
                                     const char *const *texts, size_t count, isw_error *error)
{
    iswi_faults *faults = iswi_config_faults(config);
    isw_status all = ISW_OK;
    char setting[32];
    bool on = true;

    snprintf(setting, sizeof setting, "%s.listen", group);
    for (size_t i = 0; on && i < count; i++) {
        isw_error own = { ISW_OK, "" };

        if (check_address(texts, i, setting, &own) != ISW_OK ||
            check_folder(config, texts[i], setting, &own) != ISW_OK)
            on = iswi_faults_go_on(faults,
                                   iswi_config_refuse(config, listen_node(config, group, i), error,
                                                      "%s", own.message), &all);
    }
    return all;
}

static isw_status check_admin(const checker *c, const iswi_host_settings *settings,
                              const iswi_node *group)
{
    const char *listen = settings->admin.listen;
    iswi_address address;

    if (!listen)
        return ISW_OK;
    if (iswi_host_settings_listen(c->config, "admin", &listen, 1, c->error) != ISW_OK)
        return ISW_E_CONFIG;
    iswi_address_read(listen, "admin.listen", &address, NULL);
    if (address.secure)
        return REFUSE(c, child_of(group, "listen"), "admin.listen has no TLS; write \"%s\" "
                      "without https://, or put a proxy before it", listen);
    if (!settings->admin.open && iswi_address_reach(&address) == ISWI_REACH_OTHERS)
        return REFUSE(c, child_of(group, "listen"),
                      "other machines could reach \"%s\", where nobody is asked for a "
                      "password; write 127.0.0.1:PORT, or open: true beside it so that "
                      "they may read", listen);
    return ISW_OK;
}

/* -- Groups of others -------------------------------------------------------------------------- */

static isw_status check_groups(const checker *c, const iswi_settings_groups *groups,
                               const iswi_host_settings *settings)
{
    iswi_faults *faults = iswi_config_faults(c->config);
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; on && i < groups->count; i++) {
        const iswi_settings_group *group = groups->items[i];

        if (group->check)
            on = iswi_faults_go_on(faults,
                                   group->check(c->config, settings,
                                                iswi_host_settings_group(settings, groups, group),
                                                c->error), &all);
    }
    return all;
}

/* -- The control socket ------------------------------------------------------------------------ */

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && !isw_str_equal_nocase(isw_str_of(text), isw_str_of(*words)))
        words++;
    return *words != NULL;
}

const char *iswi_host_control_path(const iswi_host_options *options)
{
    return strpbrk(options->control, "/.") ? options->control : NULL;
}

/* As YAML's own booleans are written. */
bool iswi_host_has_control(const iswi_host_options *options)
{
    static const char *const yes[] = { "true", "yes", "on", "enable", "enabled", "1", NULL };

    return iswi_host_control_path(options) || is_one_of(options->control, yes);
}

static isw_status check_control(const checker *c, const iswi_host_options *options,
                                const iswi_node *group)
{
    static const char *const no[] = { "false", "no", "off", "disable", "disabled", "0", NULL };
    const char *path = iswi_host_control_path(options);
    char folder[PATH_MAX];
    const char *fault;

    if (!path && (iswi_host_has_control(options) || is_one_of(options->control, no)))
        return ISW_OK;
    if (!path)
        return REFUSE(c, child_of(group, "control"), "control takes true, false, or the path of a "
                      "socket, such as ./control.sock, not \"%s\"", options->control);
    snprintf(folder, sizeof folder, "%s%s%s", *path == '/' ? "" : c->folder,
             *path == '/' ? "" : "/", path);
    strrchr(folder, '/')[folder == strrchr(folder, '/')] = '\0';
    fault = not_a_folder(folder);
    return fault ? REFUSE(c, child_of(group, "control"), "no socket can be made in %s: %s", folder,
                          fault)
                 : ISW_OK;
}

static isw_status check_cgroups(const checker *c, const iswi_host_options *host,
                                const iswi_node *group)
{
    char why[ISWI_CGROUPS_WHY_BYTES];

    if (host->cgroups != ISWI_CGROUPS_REQUIRED || iswi_cgroups_may_open(why))
        return ISW_OK;
    return REFUSE(c, child_of(group, "cgroups"), "no cgroups, which are required: %s", why);
}

isw_status iswi_host_settings_check(iswi_config *config, const char *folder,
                                    const iswi_settings_groups *groups,
                                    const iswi_host_settings *settings, isw_error *error)
{
    const checker c = { config, folder, error };
    const iswi_node *root = iswi_config_root(config);
    iswi_faults *faults = iswi_config_faults(config);
    isw_status all = ISW_OK;

    if (iswi_faults_go_on(faults, check_groups(&c, groups, settings), &all) &&
        iswi_faults_go_on(faults, check_admin(&c, settings, child_of(root, "admin")), &all) &&
        (groups->confined ||
         iswi_faults_go_on(faults, check_control(&c, &settings->host, child_of(root, "host")), &all)) &&
        iswi_faults_go_on(faults, check_cgroups(&c, &settings->host, child_of(root, "host")), &all) &&
        iswi_faults_go_on(faults, iswi_queues_check(config, &settings->queues, folder, error), &all))
        iswi_faults_go_on(faults, check_workers(&c, settings), &all);
    return all;
}
