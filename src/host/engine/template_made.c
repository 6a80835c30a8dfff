/* SPDX-License-Identifier: Apache-2.0 */
#include "host/engine/template_made.h"

#include "host/engine/engine.h"

#include <unistd.h>

void iswi_template_note_made(iswi_pool *pool)
{
    iswi_template_made *made = &pool->template.made;

    iswi_parts_forget(&made->parts);
    made->settings = pool->settings;
    made->reloads = pool->reload.count;
    made->edition = pool->roll.edition;
    iswi_parts_find(&made->parts, pool);
    if (pool->reload.file)
        iswi_parts_add(&made->parts, "", pool->reload.file, false);
}

bool iswi_template_is_outdated(const iswi_pool *pool)
{
    const iswi_template_made *made = &pool->template.made;

    return made->settings != pool->settings || made->reloads != pool->reload.count ||
           made->edition != pool->roll.edition;
}

/* -- Forks -------------------------------------------------------------------------------------- */

/* A template is no more to be trusted than a worker is: it cannot give out another process of ours
 * for one of its own. */
static bool is_ours_already(const iswi_host *host, pid_t pid)
{
    bool is = pid == host->guard.pid;

    for (size_t i = 0; i < host->pool_count; i++) {
        is = is || pid == host->pools[i].template.now.pid;
        for (unsigned j = 0; j < host->pools[i].count; j++)
            is = is || (host->pools[i].processes[j].running &&
                        pid == host->pools[i].processes[j].os.pid);
    }
    return is;
}

static void close_all(const iswi_spawned *os)
{
    close(os->pid_fd);
    close(os->output);
    close(os->errors);
}

iswi_fork iswi_template_ask(iswi_pool *pool, const iswi_spawn_options *options, iswi_spawned *os,
                            isw_error *error)
{
    iswi_fork done = iswi_template_fork(pool->template.socket, options, os, error);

    if (done != ISWI_FORK_DONE || !is_ours_already(pool->processes->host, os->pid))
        return done;
    close_all(os);
    isw_error_set(error, ISW_E_PROTOCOL, "it gives out a process that is not its own");
    return ISWI_FORK_LOST;
}
