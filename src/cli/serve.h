/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_SERVE_H
#define ISWI_CLI_SERVE_H

/* What the commands share that are a host until they are told to end. */
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

#include <isoworker/host.h>

typedef struct iswi_cli_serving {
    isw_host_options *options;  /* its `fault` and `user` are set here */
    iswi_trigger_list triggers; /* NULL: those that come with a host */
    iswi_sink_list sinks;       /* likewise */
    void (*failed)(void *user, const isw_error *error); /* it did not start, or ended by this; NULL:
                                                           nobody else has to hear of it */
    void *user;
} iswi_cli_serving;

/* Run a host with these options until SIGINT or SIGTERM, and read all anew at SIGHUP. Says on
 * standard error what is wrong; returns the exit status of sysexits.h. Once in a program. */
int iswi_cli_serve(const iswi_cli_serving *serving);

/* A connection is a descriptor, and the limit that programs begin with is for those that call
 * select(): 1,024. A host may have as many as it is let. */
void iswi_cli_raise_limits(void);

#endif
