/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SETTINGS_CHANGE_H
#define ISWI_HOST_SETTINGS_CHANGE_H

/*
 * What another host.yaml changes, and what of that a host takes while it runs: options that are read
 * where they are used, and those of a worker's processes, which others can succeed. What it takes is
 * a row of change.c; the manual has the same table.
 */
#include "base/arena.h"
#include "host/settings/settings.h"

/* A host.yaml that was read, or that is in force. */
typedef struct iswi_host_document {
    iswi_config *config;
    const iswi_host_settings *settings;
} iswi_host_document;

typedef struct iswi_changes {
    /* What holds from now on: that of before, with whatever can be taken. Workers stay those of
     * before, in their order. */
    iswi_host_settings *settings;
    iswi_queue_settings *queues; /* of these workers */
    bool *rolls;                 /* which of them are to have other processes */
    bool any;                    /* something is taken */
    iswi_buffer taken;   /* "queue.limit 1000 -> 50, worker orders: command" */
    iswi_buffer waiting; /* "host.yaml:3:5: http.listen", with ", " between */
} iswi_changes;

/* Compare `now` with what is in force, whose settings may be another's `settings` and whose queues
 * are `queues`. All but the buffers, which iswi_changes_fini frees, is in the arena, and what it
 * points to in the two documents. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_changes_find(const iswi_settings_groups *groups, const iswi_host_document *before,
                             const iswi_queue_settings *queues, const iswi_host_document *now,
                             iswi_arena *arena, iswi_changes *out);
void iswi_changes_fini(iswi_changes *changes);

#endif
