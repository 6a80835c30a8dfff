/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_INSTANCE_H
#define ISWI_HOST_HTTP_INSTANCE_H

/*
 * The HTTP trigger of a host, as its files share it: trigger.c has its life and its sets of routes,
 * renewal.c what another host.yaml changes, told.c what it tells. It has a front unless it is
 * switched off. The supervisor's thread, but for what it tells. Inside the room.
 */
#include "host/engine/trigger.h"
#include "host/http/conditions.h"
#include "host/http/dialect.h"
#include "host/http/front.h"

#include <stdatomic.h>

/* Its methods, "" for any. */
const char *iswi_http_methods_of(const iswi_entry *entry);

/* The path of its function behind the prefix. */
const char *iswi_http_route_of(const iswi_entry *entry);

typedef struct iswi_http_set {
    iswi_routes *routes;
    char *lost; /* whose functions it lacks for good, as a sentence; NULL: nobody's */
    struct iswi_http_set *older; /* that was published before */
} iswi_http_set;

typedef struct iswi_http_instance {
    iswi_host *host;
    const iswi_http_side *side; /* of its front; NULL: none */
    _Atomic(iswi_http_conditions *) now; /* those in force, and those of before behind them */
    iswi_http_conditions *next;          /* that are prepared; NULL: none are */
    iswi_http_terms *terms;              /* likewise */
    iswi_http_doors *doors;              /* likewise, if the addresses are others */
    bool commanded;    /* its addresses are those of a command */
    iswi_http *front;  /* NULL: it is switched off */
    bool secure;       /* some address is over TLS */
    bool plain;        /* none is, whatever host.yaml says: its certificates are not read */
    int64_t look_ns;   /* when files of certificates are to be looked at */
    iswi_http_set *newest; /* of all that were published: requests may still look at an old one */
} iswi_http_instance;

/* renewal.c, as the hooks of trigger.h say. */
isw_status iswi_http_prepare(void *self, const void *settings, const iswi_host_settings *all,
                             isw_error *error);
void iswi_http_renew(void *self, bool taken);

/* made_up.c, likewise. */
isw_status iswi_http_make_up(void *self, const iswi_entry *entry, const iswi_made_up *event,
                             iswi_arena *arena, iswi_call *call, isw_error *error);

/* told.c, likewise. */
const char *iswi_http_address(void *self, size_t index);
void iswi_http_tell_of(void *self, const iswi_entry *entry, iswi_arena *arena,
                       iswi_entry_told *out);
void iswi_http_rows(void *self, iswi_trigger_row_fn row, void *user);
void iswi_http_attend(void *self, iswi_trigger_attend_fn add, void *user);

#endif
