/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_ADDRESS_H
#define ISWI_HOST_SYSTEM_ADDRESS_H

/*
 * An address to listen at, from the text of host.yaml or of a command line:
 *
 *     127.0.0.1:7071, [::1]:0, localhost:80   IP and port; 0: any free one. No names are looked up
 *     unix:/run/app.sock, unix:app.sock       a socket at a path
 *     systemd, fd:NAME                        sockets that were opened for the program (passed.h):
 *                                             all of them, or those of a name
 *     https://0.0.0.0:8443, https://systemd   any of them, over TLS; http:// says that it is not
 *
 * Pure; any thread.
 */
#include <isoworker/status.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

typedef enum iswi_address_kind {
    ISWI_ADDRESS_IP,
    ISWI_ADDRESS_UNIX,
    ISWI_ADDRESS_PASSED
} iswi_address_kind;

typedef struct iswi_address {
    iswi_address_kind kind;
    const char *text; /* as it was written; borrowed */
    bool secure;      /* over TLS */
    const char *name; /* UNIX: the path; PASSED: the name, NULL: any. Part of the text */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } ip;
} iswi_address;

/* Read `text`, which messages call by `setting`, its key in host.yaml. ISW_E_CONFIG for what is no
 * address, with what is one. */
isw_status iswi_address_read(const char *text, const char *setting, iswi_address *out,
                             isw_error *error);

/* The port of an IP address, and another one for it. */
unsigned iswi_address_port(const iswi_address *address);
void iswi_address_set_port(iswi_address *address, unsigned port);

enum { ISWI_ADDRESS_BYTES = 64 };

/* An IP address as it is now: "127.0.0.1:7071", "[::1]:7071". */
void iswi_address_write(const iswi_address *address, char out[ISWI_ADDRESS_BYTES]);

typedef enum iswi_reach { ISWI_REACH_HERE, ISWI_REACH_OTHERS } iswi_reach;

/* Whether only this machine reaches it, or others may, too. */
iswi_reach iswi_address_reach(const iswi_address *address);

/* Whether two are the same place, so that only one of them can be had; any free port is none. */
bool iswi_address_same(const iswi_address *a, const iswi_address *b);

#endif
