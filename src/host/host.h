/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HOST_H
#define ISWI_HOST_HOST_H

/*
 * The host engine as its public face (library/) and the bench use it: made from host.yaml, run in
 * one thread, stopped from any.
 */
#include "host/engine/log.h"
#include "host/engine/steer.h"
#include "host/settings/settings.h"

#include <stdbool.h>

typedef struct iswi_trigger iswi_trigger; /* engine/trigger.h */
typedef struct iswi_sink iswi_sink;       /* engine/sink.h */

typedef struct iswi_host_overrides {
    const char *listen;  /* instead of http.listen; NULL: as configured */
    int port;            /* instead of its port; -1: as configured */
    int json;            /* instead of logging.format; -1: as configured */
    const char *debugged; /* function whose worker is to run under gdb; NULL: none */
    const char *record;  /* folder for recorded invocations; NULL: none */
    const char *control; /* path of the control socket, instead of host.control; NULL: that */
    bool debug;          /* no heartbeats and no timeouts: somebody is at a breakpoint */
    bool color;
    int output;          /* descriptor of the console; -1: none */
    struct iswi_faults *faults; /* gets all that is wrong with host.yaml, or keeps all workers from
                                   serving; lives as long as the host; may be NULL */
    const iswi_trigger *const *triggers; /* ends with NULL, and lives as long as the
                                             host; NULL: those that come with it */
    const iswi_sink *const *sinks; /* likewise */
    iswi_log_sink listener; /* gets all lines, too; no `write`: nobody */
    /* What was read already, instead of host.yaml; the settings live as long as the host, which has
     * the document from here on, also if it fails. NULL: it is read. */
    iswi_config *config;
    const iswi_host_settings *settings;
    bool hidden;    /* no control socket, unless `control` asks for one */
    bool from_text; /* and not from host.yaml, whose changes mean nothing */
} iswi_host_overrides;

/* Read `folder`/host.yaml and prepare. The process may have threads.
 * *out is the caller's to destroy. Errors: ISW_E_CONFIG with file:line:column, ISW_E_CONFLICT for a
 * port in use, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_host_create(const char *folder, const iswi_host_overrides *overrides,
                            iswi_host **out, isw_error *error);

void iswi_host_destroy(iswi_host *host); /* NULL is allowed */

#endif
