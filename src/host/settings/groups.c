/* SPDX-License-Identifier: Apache-2.0 */
/* Where the groups of others lie: one behind the other, behind the host's own. And what of a group
 * holds for one worker. */
#include "host/settings/settings.h"

#include <stddef.h>

static size_t aligned(size_t offset)
{
    size_t unit = _Alignof(max_align_t);

    return (offset + unit - 1) / unit * unit;
}

size_t iswi_host_settings_offset(const iswi_settings_groups *groups, size_t index)
{
    size_t offset = aligned(sizeof(iswi_host_settings));

    for (size_t i = 0; i < index; i++)
        offset += aligned(groups->items[i]->size);
    return offset;
}

const void *iswi_host_settings_group(const iswi_host_settings *settings,
                                     const iswi_settings_groups *groups,
                                     const iswi_settings_group *group)
{
    size_t index = 0;

    while (groups->items[index] != group)
        index++;
    return (const char *)settings + iswi_host_settings_offset(groups, index);
}

iswi_queue_settings iswi_worker_queue(const iswi_config *config, const iswi_host_settings *settings,
                                      size_t worker)
{
    const iswi_node *list = iswi_node_find(iswi_config_root(config), "workers");
    const iswi_node *own = iswi_node_find(&list->children[worker], "queue");
    const iswi_worker_settings *workers = settings->workers.items;
    iswi_queue_settings queue = workers[worker].queue;

    if (!own || !iswi_node_find(own, "limit"))
        queue.limit = settings->queue.limit;
    if (!own || !iswi_node_find(own, "wait"))
        queue.wait_ms = settings->queue.wait_ms;
    return queue;
}
