/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_CONDITIONS_H
#define ISWI_HOST_HTTP_CONDITIONS_H

/*
 * What comes of `http` of host.yaml for a front: whose word counts, where requests are logged,
 * which certificates are shown. Made when the trigger starts, and each time that host.yaml is another;
 * those of before stay until the trigger's end, since connections and requests go on by them.
 * Inside the room.
 */
#include "host/http/front.h"
#include "host/http/settings.h"

typedef struct iswi_http_conditions {
    const iswi_http_settings *settings; /* lives as long as the host */
    iswi_http_trust trust;
    iswi_access_log *access_log; /* NULL: nobody asks for it */
    iswi_tls *tls;               /* NULL: there is none */
    bool owns_log, owns_tls;     /* else those of before go on */
    bool awaits; /* functions of a worker that somebody starts by hand */
    struct iswi_http_conditions *before;
} iswi_http_conditions;

/* Those of the settings; what has not changed since `before`, which may be NULL, is shared with it.
 * `secure`: connections may be, so that certificates are wanted. May block on files. Errors: as iswi_access_log_open and iswi_tls_create. */
isw_status iswi_http_conditions_make(iswi_host *host, const iswi_http_settings *settings,
                                     const iswi_http_conditions *before, bool secure,
                                     iswi_http_conditions **out, isw_error *error);
void iswi_http_conditions_free(iswi_http_conditions *conditions); /* may be NULL */

/* The options of a front by them, but for its addresses and its events. */
iswi_http_options iswi_http_conditions_options(const iswi_http_conditions *conditions,
                                               const iswi_host_settings *all);

#endif
