/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in which group. Invariant: a limit that only a group can hold either holds for each
 * process, or the log and the status say that it does not, and why.
 */
#include "host/engine/groups.h"

#include "host/engine/engine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

/* Who debugs a worker has it where its debugger is. */
static bool wants_groups(const iswi_host *host)
{
    bool some = false;

    for (size_t i = 0; i < host->pool_count; i++)
        some = some || (iswi_launcher_is_parent(&host->pools[i].launcher) && !host->pools[i].debugged);
    return some && host->settings->host.cgroups != ISWI_CGROUPS_OFF;
}

static bool open_them(iswi_host *host)
{
    char command[PATH_MAX];
    isw_error own = { ISW_OK, "" };

    if (iswi_confine_find(command, &own) == ISW_OK)
        return iswi_cgroups_open(&host->groups_v2.own, host->groups_v2.why);
    snprintf(host->groups_v2.why, sizeof host->groups_v2.why, "%s", own.message);
    return false;
}

isw_status iswi_groups_open(iswi_host *host, isw_error *error)
{
    iswi_groups *groups = &host->groups_v2;
    const iswi_node *node;

    if (!wants_groups(host)) {
        snprintf(groups->why, sizeof groups->why, "host.cgroups is off");
    } else if (open_them(host)) {
        groups->why[0] = '\0';
        iswi_say(host, ISW_LOG_INFO, "processes of workers are in groups of their own, in %s",
                 groups->own.folder);
    } else if (host->settings->host.cgroups == ISWI_CGROUPS_REQUIRED) {
        node = iswi_node_find(iswi_node_find(iswi_config_root(host->config), "host"), "cgroups");
        return isw_error_set(error, ISW_E_CONFIG, "%s: no cgroups, which are required: %s",
                             iswi_config_where(host->config, node), groups->why);
    } else {
        iswi_say(host, ISW_LOG_DEBUG, "no cgroups: %s", groups->why);
    }
    for (size_t i = 0; i < host->pool_count; i++)
        iswi_groups_say(host, &host->pools[i]);
    return ISW_OK;
}

/* The guard is gone, and has removed what was left of groups. */
void iswi_groups_close(iswi_host *host)
{
    iswi_cgroups_close(&host->groups_v2.own);
}

/* -- What holds -------------------------------------------------------------------------------- */

bool iswi_groups_lack(const iswi_host *host, const iswi_pool *pool,
                      char text[ISWI_GROUPS_LACK_BYTES])
{
    const iswi_worker_settings *settings = pool->settings;
    unsigned has = host->groups_v2.own.controllers;
    bool cpu = settings->cpu_limit > 0 && !(has & ISWI_CGROUP_CPU);
    bool pids = settings->pids_limit > 0 && !(has & ISWI_CGROUP_PIDS);
    const char *why = host->groups_v2.why;

    if (!iswi_launcher_is_parent(&pool->launcher) || pool->debugged || (!cpu && !pids))
        return false;
    if (!*why)
        why = "this system has no such controller for it";
    snprintf(text, ISWI_GROUPS_LACK_BYTES, "worker %s: %s not hold, for want of a cgroup: %s",
             settings->name,
             !pids  ? "cpu_limit does"
             : !cpu ? "pids_limit does"
                    : "cpu_limit and pids_limit do",
             why);
    return true;
}

void iswi_groups_say(iswi_host *host, const iswi_pool *pool)
{
    char text[ISWI_GROUPS_LACK_BYTES];

    if (iswi_groups_lack(host, pool, text))
        iswi_say(host, ISW_LOG_WARNING, "%s", text);
}

unsigned iswi_host_worker_groups(const iswi_host *host, size_t worker)
{
    const iswi_pool *pool = &host->pools[worker];

    return iswi_launcher_is_parent(&pool->launcher) && !pool->debugged ? host->groups_v2.own.controllers : 0;
}

/* -- One process ------------------------------------------------------------------------------- */

void iswi_group_begin(iswi_process *process)
{
    const iswi_worker_settings *settings = process->pool->settings;
    iswi_cgroups *own = &process->host->groups_v2.own;
    unsigned has = own->controllers;
    const iswi_cgroup_limits limits = {
        .memory_bytes = has & ISWI_CGROUP_MEMORY ? settings->memory_limit : 0,
        .cpus = has & ISWI_CGROUP_CPU ? settings->cpu_limit : 0,
        .pids = has & ISWI_CGROUP_PIDS ? settings->pids_limit : 0,
    };

    if (!has || !iswi_launcher_is_parent(&process->pool->launcher) || process->pool->debugged)
        return;
    if (!iswi_cgroup_make(own, process->label, &limits, &process->group))
        iswi_say(process->host, ISW_LOG_WARNING,
                 "worker %s: a process starts without a cgroup, and is held to no limit by one: %s",
                 process->label, strerror(errno));
}

bool iswi_group_end(iswi_process *process)
{
    iswi_cgroup_kill(&process->group);
    return iswi_cgroup_remove(&process->group);
}
