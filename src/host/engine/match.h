/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_MATCH_H
#define ISWI_HOST_ENGINE_MATCH_H

/*
 * Names and patterns of host.yaml that match nothing: each is for functions, outputs or queues
 * (iswi_settings_names), all of which are gathered first. Before there is a host, or of one that
 * runs. One thread.
 */
#include "base/arena.h"
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

typedef struct iswi_matched {
    const char *name;
    const iswi_settings_group *group; /* of an output: where its settings are */
    struct iswi_matched *next;
} iswi_matched;

typedef struct iswi_match {
    iswi_arena *arena; /* has all that is gathered; the caller's */
    iswi_sink_list sinks;
    iswi_matched *first[ISWI_NAMES_KINDS];
    size_t counts[ISWI_NAMES_KINDS];
    bool failed; /* no memory: nothing is told */
} iswi_match;

/* A function as its trigger is given it; one that is not served has its name alone (`properties`
 * NULL). */
void iswi_match_function(iswi_match *match, const iswi_entry *entry);

/* One of its outputs, with what it gives its sink. */
void iswi_match_output(iswi_match *match, const iswi_sink_place *place, const char *type,
                       const isw_pairs *given);

/* Tell each that matches nothing, in a sentence that begins with its place. Outputs and queues are
 * left out where no sink of the list has any to do with them. */
void iswi_match_tell(iswi_match *match, iswi_config *config, const iswi_settings_groups *groups,
                     void (*tell)(void *user, const char *sentence), void *user);

#endif
