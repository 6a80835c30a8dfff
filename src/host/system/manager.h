/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_MANAGER_H
#define ISWI_HOST_SYSTEM_MANAGER_H

/*
 * The service manager that started this program, by what it left in the environment: the socket
 * NOTIFY_SOCKET that hears how the program is (sd_notify(3)), WATCHDOG_USEC, within which it wants
 * to hear that again (sd_watchdog_enabled(3)), and JOURNAL_STREAM, its log. A datagram to a socket is
 * all there is to it, so that nothing but this file is needed.
 */
#include <isoworker/status.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct iswi_manager {
    int fd; /* -1: nobody is there */
    struct sockaddr_un address;
    socklen_t address_size;
    int64_t watchdog_ns; /* 0: it does not ask */
} iswi_manager;

/* Find it; it is the caller's to close. Errors, with nobody there: ISW_E_IO for a NOTIFY_SOCKET that
 * is not understood or cannot be had. Before there are other threads that change the environment. */
isw_status iswi_manager_open(iswi_manager *manager, isw_error *error);
void iswi_manager_close(iswi_manager *manager); /* again does nothing */

/* Tell it, "READY=1\nSTATUS=..."; false: nobody is there, or it has no room now. Never blocks. Any
 * thread. */
bool iswi_manager_tell(const iswi_manager *manager, const char *text);

/* Whether that descriptor is its log, which has times itself and reads priorities. */
bool iswi_manager_logs(int fd);

#endif
