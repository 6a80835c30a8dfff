/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_WORKER_H
#define ISWI_HOST_AZURE_WORKER_H

/*
 * A host that is a language worker of the Azure Functions host: that has started this program,
 * sends it invocations by FunctionRpc, a protocol of its own over gRPC, and gets their answers.
 * Made before the host proper, whose triggers and sinks it brings, and freed behind it.
 */
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

typedef struct iswi_azure iswi_azure;

typedef struct iswi_azure_options {
    const char *server;           /* where the Azure Functions host listens: "127.0.0.1:41234" */
    const char *setting;          /* what that is called in messages */
    const char *worker, *request; /* what it calls this process, and its start; the second may be
                                     NULL */
    uint64_t message_max; /* bytes that it takes and sends at most in one; 0: as much as it likes */
    bool forwards; /* HTTP comes to a port of our own, as its client sent it */
    iswi_trigger_list others; /* beside those of functions here; NULL: none */
} iswi_azure_options;

/* Connect, and say who is here; texts are borrowed until the end. *out is the caller's to close.
 * Errors: ISW_E_CONFIG for the address, ISW_E_UNAVAILABLE where nobody answers, ISW_E_NO_MEMORY. */
isw_status iswi_azure_open(const iswi_azure_options *options, iswi_azure **out, isw_error *error);

/* Wait, as a placeholder, to be told which app this process is to be of: its variables are those
 * of this process from then on. *folder is the app's, until the end; NULL: none was told.
 * Blocks, before there are threads. Errors: ISW_E_UNAVAILABLE when the Azure Functions host
 * leaves before that. */
isw_status iswi_azure_wait(iswi_azure *azure, const char **folder, isw_error *error);

/* Whether it was told to end. */
bool iswi_azure_is_dismissed(const iswi_azure *azure);

/* What a host is to be made with; they live until the close. */
iswi_trigger_list iswi_azure_triggers(iswi_azure *azure);
iswi_sink_list iswi_azure_sinks(iswi_azure *azure);

/* Free it; NULL is allowed. There is no host any more. False, with why in `error`: the Azure
 * Functions host had left before it asked this process to end. */
bool iswi_azure_close(iswi_azure *azure, isw_error *error);

#endif
