/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SETTINGS_CHANGE_H
#define ISWI_HOST_SETTINGS_CHANGE_H

/*
 * What another host.yaml changes, and what of that a host takes while it runs: options that are
 * read where they are used, and workers and their processes, which others can succeed. What it
 * takes is a row of change.c; the manual has the same table.
 */
#include "base/arena.h"
#include "host/settings/settings.h"

/* A host.yaml that was read, or that is in force. */
typedef struct iswi_host_document {
    iswi_config *config;
    const iswi_host_settings *settings;
} iswi_host_document;

/* A worker that is to be there. */
typedef struct iswi_worker_change {
    size_t before; /* its place in what was in force; ISWI_WORKER_NEW: it has none */
    iswi_queue_settings queue;
    bool rolls; /* it is to have other processes */
} iswi_worker_change;

#define ISWI_WORKER_NEW SIZE_MAX

typedef struct iswi_changes {
    /* What holds from now on: that of before, with whatever can be taken. Its workers are those
     * that the file names now, and behind them those that cannot be left out. */
    iswi_host_settings *settings;
    iswi_worker_change *workers; /* in their order; who is not among them is left out */
    bool any;                    /* something is taken */
    iswi_buffer taken;   /* "queue.limit 1000 -> 50, worker orders: command" */
    iswi_buffer waiting; /* "host.yaml:3:5: http.threads", with ", " between */
} iswi_changes;

/* Compare `now` with what is in force, whose settings may be another's `settings`, and whose
 * workers' queues are `queues`, in their order. All but the buffers, which iswi_changes_fini frees, is in the
 * arena, and what it points to in the two documents. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_changes_find(const iswi_settings_groups *groups, const iswi_host_document *before,
                             const iswi_queue_settings *queues, const iswi_host_document *now,
                             iswi_arena *arena, iswi_changes *out);
void iswi_changes_fini(iswi_changes *changes);

#endif
