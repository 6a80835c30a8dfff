/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_INIT_H
#define ISWI_HOST_AZURE_INIT_H

/* The files by which the Azure Functions host finds an application: host.json, and for a custom
 * handler a function.json for each function, made from what the workers' programs say of themselves;
 * for a language worker worker.config.json. */
#include "base/faults.h"
#include "host/engine/trigger.h"

typedef struct iswi_azure_init {
    const char *folder; /* of host.yaml, and of these files */
    bool forwarding;    /* requests are to come as they are */
    bool force;         /* files that say otherwise are overwritten */
    bool worker;        /* as a language worker: functions tell of themselves when it runs */
    iswi_trigger_list others; /* as iswi_azure_custom_create has them */
} iswi_azure_init;

/* Write them, and local.settings.json where there is none. The programs are asked with --describe
 * --json, which serves nothing; this blocks as long as they take. Files that say the same already
 * are left. `written` gets the path of each that was written, with a line feed. False: something is
 * wrong, which `faults` says, and what follows from that is not written. `notes` has what is to be
 * known besides, such as functions for which there is no trigger there. */
bool iswi_azure_init_files(const iswi_azure_init *init, iswi_faults *faults, iswi_faults *notes,
                            iswi_buffer *written);

#endif
