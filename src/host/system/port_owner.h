/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_PORT_OWNER_H
#define ISWI_HOST_SYSTEM_PORT_OWNER_H

/* Who listens, for the message that says an address is taken. Linux only. */
#include <isoworker/value.h>
#include <sys/types.h>

/* Write "process 4242 (nginx)" to `out`, or leave it if the system does not tell who has a TCP
 * port: processes of other users keep it to themselves. */
void iswi_port_owner(unsigned port, char *out, size_t size);

/* The same of a process that is known; without a name where it has none any more. */
void iswi_process_text(pid_t pid, char *out, size_t size);

#endif
