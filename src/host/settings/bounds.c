/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables cannot say of bounds on a worker's processes. */
#include "host/settings/settings.h"

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

isw_status iswi_bounds_check(iswi_config *config, const iswi_worker_settings *worker,
                             const iswi_node *node, isw_error *error)
{
    return check_memory(config, worker, node, error);
}
