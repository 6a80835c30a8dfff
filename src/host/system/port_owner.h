/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_PORT_OWNER_H
#define ISWI_HOST_SYSTEM_PORT_OWNER_H

/* Who listens on a TCP port, for the message that says it is taken. Linux only. */
#include <isoworker/value.h>

/* Write "process 4242 (nginx)" to `out`, or leave it if the system does not tell: processes of
 * other users keep it to themselves. */
void iswi_port_owner(unsigned port, char *out, size_t size);

#endif
