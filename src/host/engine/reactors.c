/* SPDX-License-Identifier: Apache-2.0 */
/* Starting reactors, and which process is on which: in turn, as they begin. */
#include "host/engine/reactors.h"

#include "host/engine/engine.h"

#include <stdlib.h>

/* How long they stay awake: as workers' links are to, the longest of all. */
static int64_t spin_us_of(const iswi_host *host)
{
    const iswi_worker_settings *workers = host->settings->workers.items;
    int64_t longest = 0;

    for (size_t i = 0; i < host->settings->workers.count; i++) {
        const char *text = workers[i].link.spin_us;
        int64_t spin_us = strcmp(text, "auto") == 0 ? -1 : atoi(text);

        if (spin_us < 0)
            return spin_us;
        if (spin_us > longest)
            longest = spin_us;
    }
    return longest;
}

isw_status iswi_host_reactor(iswi_host *host, unsigned number, iswi_reactor **out,
                             isw_error *error)
{
    iswi_reactors *all = &host->reactors;
    iswi_reactor_options options = { .spin_us = spin_us_of(host) };

    while (all->count <= number) {
        if (iswi_reactor_start(&options, &all->list[all->count], error) != ISW_OK)
            return error->status;
        all->count++;
    }
    *out = all->list[number];
    return ISW_OK;
}

unsigned iswi_host_reactor_count(const iswi_host *host)
{
    return host->reactors.count;
}

iswi_reactor *iswi_reactors_of(const iswi_host *host, const iswi_process *process)
{
    return host->reactors.list[(process->pool->number + process->index) % host->reactors.count];
}

void iswi_reactors_stop(iswi_reactors *reactors)
{
    while (reactors->count)
        iswi_reactor_stop(reactors->list[--reactors->count]);
}
