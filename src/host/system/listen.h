/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_LISTEN_H
#define ISWI_HOST_SYSTEM_LISTEN_H

/* A listening socket for HTTP: from the text of an address in host.yaml to a descriptor. */
#include <isoworker/value.h>
#include <isoworker/status.h>

enum { ISWI_LISTEN_URL_BYTES = 80 };

/* ISW_E_CONFIG for what is no address. */
isw_status iswi_listen_check(const char *address, const char *setting, isw_error *error);

/* Open a non-blocking socket that listens on `address` ("127.0.0.1:7071", "[::1]:0",
 * "localhost:80"; no names are looked up), and write the URL that reaches it to `url`. Messages
 * call the address by `setting`, its key in host.yaml. ISW_E_CONFIG
 * for an address that is none or not of this machine, ISW_E_CONFLICT if the port is taken, with
 * the process that has it where the system tells, ISW_E_IO. */
isw_status iswi_listen_at(const char *address, const char *setting, int *fd,
                            char url[ISWI_LISTEN_URL_BYTES], isw_error *error);

typedef enum iswi_reach { ISWI_REACH_NONE, ISWI_REACH_HERE, ISWI_REACH_OTHERS } iswi_reach;

/* Whether only this machine reaches such an address, or others, too; NONE for what is no
 * address. */
iswi_reach iswi_listen_reach(const char *address);

#endif
