/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_SERVICE_H
#define ISWI_HOST_OPERATE_SERVICE_H

/*
 * What the service manager hears that started this program, if it wants to (system/manager.h): READY
 * once all is settled, RELOADING around a reload, a restart of workers and the start of a successor,
 * MAINPID of that, STOPPING, STATUS in one line, that it is to wait
 * longer while the host starts or drains and its loop turns, and WATCHDOG as long as all of its
 * loops turn. All on the supervisor's thread.
 */
#include <isoworker/status.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_service iswi_service;

/* *out is NULL where nobody wants to hear anything, else the caller's to destroy once the host has
 * no threads. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_service_create(iswi_host *host, iswi_service **out, isw_error *error);
void iswi_service_destroy(iswi_service *service); /* may be NULL, as below */

/* As the hooks of that name (engine/observer.h). */
void iswi_service_settled(iswi_service *service);
/* `succeeded`: another host starts, which is to take this one's place. */
void iswi_service_turns(iswi_service *service, bool succeeded, int64_t now_ns, int64_t *next_ns);

/* Another process, which this one started, is the service from now on. Any thread. */
void iswi_service_replaced(iswi_service *service, pid_t by);

#endif
