/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables cannot say of bounds on a worker's processes. */
#include "host/settings/settings.h"

#include "base/alloc.h"
#include "config/scalar.h"
#include "host/system/identity.h"
#include "host/system/spawn.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static isw_status check_memory(iswi_config *config, const iswi_worker_settings *worker,
                               const iswi_node *node, isw_error *error)
{
    const iswi_node *recycle = iswi_node_find(node, "recycle_after");

    if (!worker->memory_limit || worker->recycle_after.memory < worker->memory_limit)
        return ISW_OK;
    return iswi_config_refuse(config, iswi_node_find(recycle, "memory"), error,
                              "worker \"%s\": recycle_after.memory is not below memory_limit, at "
                              "which the process is killed; write less, or leave it out: at nine "
                              "tenths of the limit another process takes over", worker->name);
}

static isw_status check_cpu(iswi_config *config, const iswi_worker_settings *worker,
                            const iswi_node *node, isw_error *error)
{
    const iswi_node *named = iswi_node_find(node, "cpu_limit");

    if (!named || (worker->cpu_limit >= 0.01 && worker->cpu_limit <= 1024))
        return ISW_OK;
    return iswi_config_refuse(config, named, error,
                              "worker \"%s\": cpu_limit takes processors, such as 0.5 or 2: at least "
                              "0.01, at most 1024; leave it out for all that there are",
                              worker->name);
}

/* -- Limits ------------------------------------------------------------------------------------ */

typedef struct row {
    const char *name;
    size_t offset;
} row;

#define ROW(name) { #name, offsetof(iswi_rlimits_settings, name) }

static const row rows[] = { ROW(as),      ROW(core),   ROW(cpu),   ROW(data), ROW(fsize),
                            ROW(memlock), ROW(nofile), ROW(nproc), ROW(stack) };

static const char *text_of(const iswi_worker_settings *worker, const row *of)
{
    return *(const char *const *)((const char *)&worker->rlimits + of->offset);
}

/* NULL, or what is wrong with it. */
static const char *read_limit(const row *of, const char *text, rlim_t *out)
{
    int64_t value = 0;
    bool is_time = strcmp(of->name, "cpu") == 0;
    const char *why;

    *out = RLIM_INFINITY;
    if (strcmp(text, "unlimited") == 0)
        return NULL;
    why = is_time ? iswi_scalar_duration(text, &value) : iswi_scalar_size(text, &value);
    if (!why && is_time && (value % 1000 || !value))
        why = "it takes whole seconds, at least one";
    *out = (rlim_t)(is_time ? value / 1000 : value);
    return why;
}

static isw_status check_limit(iswi_config *config, const iswi_worker_settings *worker,
                              const row *of, const iswi_node *node, isw_error *error)
{
    const char *text = text_of(worker, of);
    struct rlimit own = { 0, 0 };
    rlim_t value;
    const char *why = text ? read_limit(of, text, &value) : NULL;

    if (!text)
        return ISW_OK;
    node = iswi_node_find(iswi_node_find(node, "rlimits"), of->name);
    if (why)
        return iswi_config_refuse(config, node, error, "worker \"%s\": rlimits.%s \"%s\": %s; or "
                                  "write unlimited", worker->name, of->name, text, why);
    getrlimit((__rlimit_resource_t)iswi_confine_limit(of->name), &own);
    if (value <= own.rlim_max || geteuid() == 0)
        return ISW_OK;
    return iswi_config_refuse(config, node, error, "worker \"%s\": rlimits.%s %s is above the limit "
                              "of the host itself, %llu; write no more, or start the host with more",
                              worker->name, of->name, text, (unsigned long long)own.rlim_max);
}

static isw_status check_nice(iswi_config *config, const iswi_worker_settings *worker,
                             const iswi_node *node, isw_error *error)
{
    const int own = getpriority(PRIO_PROCESS, 0);

    if (!worker->nice || worker->nice >= own || geteuid() == 0)
        return ISW_OK;
    return iswi_config_refuse(config, iswi_node_find(node, "nice"), error,
                              "worker \"%s\": nice %lld is below the host's own, %d, which only root "
                              "may give; write no less, or have root start the host", worker->name,
                              (long long)worker->nice, own);
}

/* -- Users ------------------------------------------------------------------------------------- */

static isw_status check_file(iswi_config *config, const iswi_worker_settings *worker,
                             const iswi_identity *identity, const char *path, int mode,
                             const iswi_node *node, isw_error *error)
{
    const char *why = iswi_identity_may_not(identity, path, mode);

    if (!why)
        return ISW_OK;
    return iswi_config_refuse(config, node, error, "worker \"%s\": its user (%u, group %u) cannot "
                              "%s %s: %s; give it the right to, also to the folders above",
                              worker->name, identity->uid, identity->gid,
                              mode == R_OK ? "read" : "enter or execute", path, why);
}

/* What it needs to begin at all. */
static isw_status check_rights(iswi_config *config, const iswi_worker_settings *worker,
                               const char *folder, const iswi_identity *identity,
                               const iswi_node *node, isw_error *error)
{
    const char *directory = worker->directory ? worker->directory : folder;
    isw_status status = check_file(config, worker, identity, directory, X_OK, node, error);
    char *program = NULL;

    if (status == ISW_OK && worker->config)
        status = check_file(config, worker, identity, worker->config, R_OK, node, error);
    if (status == ISW_OK && worker->command.count &&
        iswi_spawn_find(worker->command.items[0], directory, &program, NULL) == ISW_OK)
        status = check_file(config, worker, identity, program, X_OK, node, error);
    iswi_free(program);
    return status;
}

static isw_status check_user(iswi_config *config, const iswi_worker_settings *worker,
                             const char *folder, const iswi_node *node, isw_error *error)
{
    const char *name = worker->user ? "user" : "group";
    const iswi_node *named = iswi_node_find(node, name);
    iswi_identity identity;
    const char *why;

    if (!worker->user && !worker->group)
        return ISW_OK;
    if (geteuid() != 0)
        return iswi_config_refuse(config, named, error, "worker \"%s\" has a %s, which only a host "
                                  "that root starts can give it; start it so, or leave it out: its "
                                  "processes are then who the host is (uid %u)", worker->name, name,
                                  geteuid());
    why = iswi_identity_find(worker->user, worker->group, &identity);
    if (why)
        return iswi_config_refuse(config, named, error, "worker \"%s\": %s \"%s\": %s", worker->name,
                                  name, worker->user ? worker->user : worker->group, why);
    if (identity.uid != geteuid() && worker->link.lane == ISWI_LANE_MESSAGE)
        return iswi_config_refuse(config, named, error, "worker \"%s\" has a user and link.lane: "
                                  "message, on which a worker speaks with a host of its own user "
                                  "alone; write lane: auto", worker->name);
    return check_rights(config, worker, folder, &identity, named, error);
}

/* -- All of it --------------------------------------------------------------------------------- */

isw_status iswi_bounds_check(iswi_config *config, const iswi_worker_settings *worker,
                             const char *folder, const iswi_node *node, isw_error *error)
{
    iswi_faults *faults = iswi_config_faults(config);
    isw_status all = ISW_OK;
    bool on = iswi_faults_go_on(faults, check_memory(config, worker, node, error), &all) &&
              iswi_faults_go_on(faults, check_cpu(config, worker, node, error), &all) &&
              iswi_faults_go_on(faults, check_nice(config, worker, node, error), &all);

    if (worker->isolation == ISWI_ISOLATION_NONE)
        return all; /* the rest is refused there */
    for (size_t i = 0; on && i < sizeof rows / sizeof rows[0]; i++)
        on = iswi_faults_go_on(faults, check_limit(config, worker, &rows[i], node, error), &all);
    if (on)
        iswi_faults_go_on(faults, check_user(config, worker, folder, node, error), &all);
    return all;
}

void iswi_worker_confine(const iswi_worker_settings *worker, iswi_confinement *out)
{
    char value[ISWI_CONFINE_WORD_BYTES];
    iswi_identity identity;
    rlim_t most;

    *out = (iswi_confinement){ .count = 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = text_of(worker, &rows[i]);

        if (!text || read_limit(&rows[i], text, &most))
            continue;
        snprintf(value, sizeof value, "%llu", (unsigned long long)most);
        iswi_confine_add(out, rows[i].name, most == RLIM_INFINITY ? "unlimited" : value);
    }
    snprintf(value, sizeof value, "%lld", (long long)worker->nice);
    if (worker->nice)
        iswi_confine_add(out, "nice", value);
    if ((!worker->user && !worker->group) ||
        iswi_identity_find(worker->user, worker->group, &identity))
        return;
    snprintf(value, sizeof value, "%u:%u", identity.uid, identity.gid);
    iswi_confine_add(out, "user", value);
    out->has_user = true;
    out->uid = identity.uid;
    out->gid = identity.gid;
}
