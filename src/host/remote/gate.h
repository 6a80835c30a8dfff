/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_REMOTE_GATE_H
#define ISWI_HOST_REMOTE_GATE_H

/* The gate of one remote worker, and who comes to it. Inside this room. */
#include "host/engine/look.h"
#include "host/system/listen.h"
#include "host/tls/session.h"
#include "reactor/reactor.h"

#include <stdatomic.h>

enum {
    ISWI_GATE_USED = 2 * ISWI_WORKER_PROCESSES_MAX,
    ISWI_GATE_SETTING_BYTES = ISWI_NAME_MAX + 32
};

typedef struct iswi_visitor iswi_visitor;

typedef struct iswi_gate {
    iswi_host *host;
    const char *worker; /* its name, which lives as long as the host, */
    const char *listen; /* and what host.yaml says */
    char setting[ISWI_GATE_SETTING_BYTES]; /* what its sockets are called where they are left */
    iswi_reactor *reactor;
    iswi_listeners listeners;
    iswi_tls *tls; /* NULL: plain, which is meant */
    iswi_tls_options options; /* which the above keeps to */
    bool prepared;            /* and not in force yet */
    bool shut;                /* its worker is left out: who is here finishes */
    atomic_uint count;        /* of visitors */
    /* The reactor's: */
    iswi_watch watch;
    bool open;
    iswi_visitor *visitors;
    unsigned strangers; /* of them, that have not proved who they are */
    unsigned long long used[ISWI_GATE_USED]; /* sockets that were connected to, by number: a ring */
    unsigned used_at;
    int64_t said_ns;        /* when the lines of those who were refused were counted anew, */
    unsigned said, unsaid;  /* how many there were since, and who had none */
} iswi_gate;

/* Listen, and take nobody in yet. Errors: as iswi_remote_attach. The supervisor's thread, or before
 * the host runs, as of the next two. */
isw_status iswi_gate_create(iswi_host *host, const iswi_worker_settings *settings,
                            iswi_legacy *legacy, iswi_gate **out, isw_error *error);
void iswi_gate_open(iswi_gate *gate); /* say where, and take in who comes */
void iswi_gate_shut(iswi_gate *gate); /* nobody else may come */
void iswi_gate_destroy(iswi_gate *gate); /* with all who came; NULL is allowed */

/* -- The reactor's thread -- */

/* place.c: a connection to the socket at which a process is waited for; -1: none is. */
int iswi_gate_find_place(iswi_gate *gate);

/* Somebody is not let in: said, but not each time. */
void iswi_gate_refuse(iswi_gate *gate, const char *who, const char *why);

/* visitor.c: somebody has connected, whose socket it owns; and the end of one. */
void iswi_visitor_come(iswi_gate *gate, int fd, const char *who);
void iswi_visitor_end(iswi_visitor *visitor);

#endif
