/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SETTINGS_REFUSED_H
#define ISWI_HOST_SETTINGS_REFUSED_H

/* Options that a kind of worker cannot have: nothing of host.yaml that would not hold is dropped in
 * silence. Inside the settings. */
#include "host/settings/settings.h"

typedef struct iswi_refused {
    const char *option;
    const char *inner; /* one of its group; NULL: the option itself */
    const char *why;   /* and what to do, where that is more than to leave it out */
} iswi_refused;

/* A kind of worker, in the words of a refusal. */
typedef struct iswi_refused_of {
    const char *is;  /* "has isolation: none" */
    const char *or_; /* what else can be done: ", or write isolation: process"; may be "" */
    const iswi_refused *rows;
    size_t count;
} iswi_refused_of;

/* Refuse `what` of the worker at its place. */
isw_status iswi_refuse_option(iswi_config *config, const iswi_worker_settings *worker,
                              const iswi_refused_of *kind, const iswi_node *at, const char *what,
                              const char *why, isw_error *error);

/* Refuse those of its rows that stand in `node`, all of them if the config has faults. */
isw_status iswi_refused_check(iswi_config *config, const iswi_worker_settings *worker,
                              const iswi_refused_of *kind, const iswi_node *node,
                              isw_error *error);

#endif
