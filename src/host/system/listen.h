/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_LISTEN_H
#define ISWI_HOST_SYSTEM_LISTEN_H

/* Listening sockets for HTTP: from addresses to descriptors, and to what reaches them. */
#include "host/system/address.h"
#include "host/system/legacy.h"
#include "host/system/unix_socket.h"

#include <isoworker/value.h>

enum { ISWI_LISTEN_URL_BYTES = ISWI_UNIX_PATH_BYTES + 8, ISWI_LISTEN_ASKED_BYTES = 128 };

/* One that is open. */
typedef struct iswi_listener {
    int fd;                          /* non-blocking; -1: it is closed */
    bool local;                      /* peers have no address of their own */
    bool secure;                     /* over TLS */
    char url[ISWI_LISTEN_URL_BYTES]; /* "http://127.0.0.1:7071", or https, with the port in use,
                                        for an any-address the loopback's; "unix:/run/app.sock" */
    iswi_unix_socket file;           /* listener -1: it lies at no path of ours */
    char asked[ISWI_LISTEN_ASKED_BYTES]; /* for what it was opened: "127.0.0.1:0", "systemd" */
} iswi_listener;

typedef struct iswi_listeners {
    iswi_listener *items;
    size_t count;
} iswi_listeners;

typedef struct iswi_listen_options {
    const char *setting; /* what the addresses are called in messages: "http.listen" */
    const char *folder;  /* of relative paths; NULL: the current one */
    unsigned mode;       /* permissions of sockets at paths */
    iswi_legacy *legacy; /* of the host before, whose sockets are taken where they are at these
                            addresses, and lent until iswi_listen_own; NULL: there was none */
} iswi_listen_options;

/* Open all of them, or none. *out is the caller's to close. ISW_E_CONFIG for an address that is not
 * of this machine or was not passed, ISW_E_CONFLICT if it is taken, with the process that has it
 * where the system tells; ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_listen_open(const iswi_address *addresses, size_t count,
                            const iswi_listen_options *options, iswi_listeners *out,
                            isw_error *error);

/* Those that were lent are ours now. */
void iswi_listen_own(iswi_listeners *all);

/* Add duplicates of all that are open, as those of `setting`. False: no memory. */
bool iswi_listen_give(const iswi_listeners *all, const char *setting, iswi_legacy *legacy);

/* Close one, and remove what lies at its path, unless that is left to who listens there, too. */
void iswi_listen_end(iswi_listener *one, bool leave);

/* Close them, and remove what lies at paths; the URLs stay to be read. Again does nothing. */
void iswi_listen_close(iswi_listeners *all);

/* Close them, and leave what lies at paths to the host that listens there, too. */
void iswi_listen_leave(iswi_listeners *all);

/* Close and free. */
void iswi_listen_fini(iswi_listeners *all);

#endif
