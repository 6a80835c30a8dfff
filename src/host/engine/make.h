/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_MAKE_H
#define ISWI_HOST_ENGINE_MAKE_H

/*
 * How a host comes to be, step by step: begin, log_to, prepare, open, start_triggers. What stands
 * beside the engine is made between the steps that it needs: what shows lines before log_to, what
 * observes processes after prepare (observer.h). One thread, before the host runs.
 */
#include "host/engine/log.h"
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

typedef struct iswi_host_make {
    iswi_trigger_list triggers; /* both live as long as the host */
    iswi_sink_list sinks;
    struct iswi_faults *faults; /* gets all that is wrong with host.yaml, or keeps all workers from
                                   serving; lives as long as the host; may be NULL */
    bool watch; /* restart workers whose program changes */
    bool debug; /* no heartbeats and no timeouts: somebody is at a breakpoint */
    /* What was read already, instead of host.yaml; the settings live as long as the host, which has
     * the document from here on, also if it fails. NULL: it is read. */
    iswi_config *config;
    const iswi_host_settings *settings;
    bool from_text; /* and not from host.yaml, whose changes mean nothing */
    iswi_legacy *legacy; /* of the host whose place it takes: it takes nothing before
                            iswi_host_admit; lives until the triggers have started. NULL: none */
} iswi_host_make;

/* Read `folder`/host.yaml. *out is the caller's to destroy. Errors: ISW_E_CONFIG with
 * file:line:column, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_host_begin(const char *folder, const iswi_host_make *make, iswi_host **out,
                           isw_error *error);

/* From now on lines go to `log`, and to `listener` if that has a `write`. */
void iswi_host_log_to(iswi_host *host, const iswi_log_sink *log, const iswi_log_sink *listener);

/* Make its workers' processes, of which none is started, and the folder of its sockets. Errors:
 * ISW_E_NOT_FOUND for a program, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_host_prepare(iswi_host *host, isw_error *error);
const char *iswi_host_runtime_folder(const iswi_host *host); /* goes with the host */

/* Start the guard and a reactor, and open what the loop waits for. Errors: ISW_E_IO. */
isw_status iswi_host_open(iswi_host *host, isw_error *error);

/* Start an instance of each trigger. `listen` and `port`, if they are not NULL and -1, are for the
 * first one that listens, instead of its settings. Errors: as the triggers'. */
isw_status iswi_host_start_triggers(iswi_host *host, const char *const *listen, int port,
                                    isw_error *error);

/* A failure to listen, told at the place of the address in that group of host.yaml. */
isw_status iswi_host_place_listen(const iswi_host *host, const char *group, const isw_error *own,
                                  isw_error *error);

/* Free it, with its triggers and observers. It does not run. NULL is allowed. */
void iswi_host_destroy(iswi_host *host);

#endif
