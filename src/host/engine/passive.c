/* SPDX-License-Identifier: Apache-2.0 */
/* Triggers for which nothing comes in: others call their functions. */
#include "host/engine/trigger.h"

const isw_option iswi_passive_properties[] = { { 0 } };

isw_status iswi_passive_start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    (void)error;
    *self = with->host;
    return ISW_OK;
}

isw_status iswi_passive_arrange(iswi_entry *const *entries, size_t count,
                                iswi_entry_refuse_fn refuse, void *user, void **set)
{
    (void)entries;
    (void)count;
    (void)refuse;
    (void)user;
    *set = NULL;
    return ISW_OK;
}

void iswi_passive_publish(void *self, void *set, iswi_more more)
{
    (void)self;
    (void)set;
    (void)more;
}

void iswi_passive_stop(void *self)
{
    (void)self;
}
