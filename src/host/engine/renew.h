/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_RENEW_H
#define ISWI_HOST_ENGINE_RENEW_H

/*
 * host.yaml that is read again while the host runs: at SIGHUP, or when the file has changed and
 * nothing has happened to it for a moment. It is read and checked as a whole first; one that is wrong
 * changes nothing. What was in force before stays in memory as long as the host, since calls and
 * other threads may look at it. Inside the engine; written by renew.c alone. The supervisor's thread.
 */
#include "host/settings/settings.h"
#include "host/system/file_look.h"

#include <isoworker/status.h>

typedef struct iswi_host iswi_host;

/* A document that was in force. */
typedef struct iswi_outlived {
    iswi_config *config;
    struct iswi_outlived *before;
} iswi_outlived;

/* Part of a host. */
typedef struct iswi_renewal {
    iswi_file_look look; /* of the file when it was read last */
    iswi_file_look seen; /* and as it changes now */
    unsigned heeded;     /* wishes, of those of reload.h */
    int64_t read_at_ns;  /* when it is to be read, unless it changes again; 0: it is not */
    iswi_outlived *outlived;
    iswi_config *latest; /* as it is on disk, if nothing of its changes could be taken; or NULL */
} iswi_renewal;

void iswi_renew_begin(iswi_host *host); /* host.yaml is as it was read */
void iswi_renew_look(iswi_host *host);  /* it may have changed */

/* Read it if that is due, or if somebody asked and it has changed. Sets *next_ns to when it wants to be called again, if that is sooner. */
void iswi_renew_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns);

/* Close what was in force before; at the end of the host. */
void iswi_renew_forget(iswi_host *host);

#endif
