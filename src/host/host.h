/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HOST_H
#define ISWI_HOST_HOST_H

/*
 * The host engine as its public face (library/) and the bench use it: made from host.yaml, run in
 * one thread, stopped from any.
 */
#include "host/engine/make.h"
#include "host/engine/steer.h"
#include "host/operate/operate.h"
#include "host/settings/settings.h"

#include <stdbool.h>

typedef struct iswi_host_overrides {
    const char *const *listen; /* instead of http.listen, ends with NULL; NULL: as configured */
    int port;            /* instead of its port; -1: as configured */
    int json;            /* instead of logging.format; -1: as configured */
    const char *debugged; /* function whose worker is to run under gdb; NULL: none */
    const char *const *wait_for; /* workers whose process a person starts, ends with NULL; NULL:
                                    none */
    const char *record;  /* folder for recorded invocations; NULL: none */
    const char *control; /* path of the control socket, instead of host.control; NULL: that */
    bool watch;          /* restart workers whose program changes */
    bool debug;          /* no heartbeats and no timeouts: somebody is at a breakpoint */
    bool color;
    int output;          /* descriptor of the console; -1: none */
    struct iswi_faults *faults; /* gets all that is wrong with host.yaml, or keeps all workers from
                                   serving; lives as long as the host; may be NULL */
    iswi_trigger_list triggers; /* lives as long as the host; NULL: those that come with it */
    iswi_sink_list sinks;       /* likewise */
    iswi_log_sink listener; /* gets all lines, too; no `write`: nobody */
    /* As iswi_host_make has them: */
    iswi_config *config;
    const iswi_host_settings *settings;
    bool from_text;
    bool service; /* tell the service manager how the host is */
    bool hidden; /* no control socket, unless `control` asks for one */
    iswi_takeover *takeover; /* of the host whose place this one takes; lives as long as this one;
                                NULL: none */
    iswi_succession_options succession; /* how another one may take its */
} iswi_host_overrides;

/* Read `folder`/host.yaml and prepare. The process may have threads.
 * *out is the caller's to destroy. Errors: ISW_E_CONFIG with file:line:column, ISW_E_CONFLICT for a
 * port in use, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_host_create(const char *folder, const iswi_host_overrides *overrides,
                            iswi_host **out, isw_error *error);

#endif
