/* SPDX-License-Identifier: Apache-2.0 */
/* Options that a kind of worker cannot have. */
#include "host/settings/refused.h"

#include <stdio.h>

isw_status iswi_refuse_option(iswi_config *config, const iswi_worker_settings *worker,
                              const iswi_refused_of *kind, const iswi_node *at, const char *what,
                              const char *why, isw_error *error)
{
    return iswi_config_refuse(config, at, error,
                              "worker \"%s\" %s, which has no %s: %s; leave it out%s", worker->name,
                              kind->is, what, why, kind->or_);
}

static isw_status check_row(iswi_config *config, const iswi_worker_settings *worker,
                            const iswi_refused_of *kind, const iswi_refused *row,
                            const iswi_node *node, isw_error *error)
{
    const iswi_node *named = iswi_node_find(node, row->option);
    char what[64];

    if (named && row->inner)
        named = iswi_node_find(named, row->inner);
    snprintf(what, sizeof what, "%s%s%s", row->option, row->inner ? "." : "",
             row->inner ? row->inner : "");
    return named ? iswi_refuse_option(config, worker, kind, named, what, row->why, error) : ISW_OK;
}

isw_status iswi_refused_check(iswi_config *config, const iswi_worker_settings *worker,
                              const iswi_refused_of *kind, const iswi_node *node,
                              isw_error *error)
{
    iswi_faults *faults = iswi_config_faults(config);
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; on && i < kind->count; i++)
        on = iswi_faults_go_on(faults, check_row(config, worker, kind, &kind->rows[i], node, error),
                               &all);
    return all;
}
