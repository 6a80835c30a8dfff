/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_PIPELINE_INSTANCE_H
#define ISWI_PIPELINE_INSTANCE_H

/* What a pipeline is made of, for the files of this folder. */
#include "pipeline/chain.h"
#include "pipeline/store.h"

#include <stdatomic.h>

/* One that has started. Its options lie in `config`, which it holds. */
struct isw_instance {
    const isw_middleware *middleware;
    const void *options;
    void *state;
    const char *where;
    iswi_config *config;
    const iswi_store_place *stores; /* NULL: there is no place for them */
    char store_name[ISWI_STORE_NAME_BYTES];
    atomic_uint users; /* pipelines that have it; the last one stops it */
};

typedef struct iswi_when iswi_when;

/* An entry of the YAML's list. */
typedef struct iswi_member {
    isw_instance *instance;
    const iswi_when *when; /* in the pipeline's own document */
    const char *where;     /* likewise */
} iswi_member;

struct iswi_pipeline {
    iswi_config *config;
    const iswi_store_place *stores;
    iswi_member *members;
    size_t count;
};

/* when.c: the two parts of what an entry was loaded into. */
const iswi_when *iswi_entry_when(const iswi_named_entry *entry);
const void *iswi_entry_options(const iswi_named_entry *entry);

/* Whether a function's chain has the entry, whatever the request; and the header that a request
 * must have besides, or NULL. */
bool iswi_member_admits(const iswi_member *member, const isw_function *function);
const char *iswi_member_header(const iswi_member *member);

/* Whether it may be meant for functions that are not there yet. */
bool iswi_when_may_wait(const iswi_when *when);

#endif
