/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_OPERATE_H
#define ISWI_HOST_OPERATE_OPERATE_H

/*
 * What operators have of a host: its console, the journal of its last lines, the control socket,
 * the admin endpoints and the metrics. It is an observer of the engine, which owns it; made before
 * anything is logged, and gone after everything else.
 */
#include "host/engine/log.h"
#include "host/http/front.h"
#include "host/operate/console.h"

#include <stdatomic.h>
#include "host/operate/service.h"

typedef struct iswi_host iswi_host;
typedef struct iswi_control iswi_control;
typedef struct iswi_takeover iswi_takeover;
typedef struct iswi_scrape iswi_scrape;

/* How this host may be succeeded by another one. */
typedef struct iswi_succession_options {
    const char *const *command; /* that starts this program anew, ends with NULL; the path of our
                                   control socket comes behind its last word. NULL: there is none */
    bool watched; /* somebody looks after this process: no other may take its place */
    void (*replaced)(void *user, int64_t pid); /* one has taken it; may be NULL */
    void *user;
} iswi_succession_options;

typedef struct iswi_operate {
    iswi_host *host;
    bool hidden; /* no control socket unless its path is given */
    bool tells;  /* the service manager, if there is one */
    bool settled; /* as the hook of that name says; the supervisor's thread */
    iswi_succession_options succession_options;
    iswi_console console;
    iswi_journal *journal; /* NULL: nobody can ask for lines */
    iswi_control *control; /* NULL: nobody can ask for anything */
    iswi_http *admin;      /* NULL: not over HTTP */
    iswi_http_doors *admin_doors; /* that are prepared; NULL: it stays where it is */
    bool format_is_said;          /* by a command, whatever host.yaml says */
    bool next_json;               /* that is prepared */
    iswi_journal_room *next_room; /* likewise; NULL: it has as much as before */
    iswi_routes *admin_routes;
    atomic_bool *served;  /* by worker: whether a process of it was ready once */
    atomic_ullong probed_turn; /* of the host's loop, when a probe woke it last, */
    atomic_llong probed_ns;    /* and when that was */
    iswi_scrape *metrics; /* NULL: nobody can ask for them */
    iswi_service *service; /* NULL: no service manager wants to hear anything */
    struct iswi_succession *succession; /* with `control` */
    struct iswi_takeover *takeover; /* of another host's place; NULL: it takes none */
} iswi_operate;

typedef struct iswi_operate_options {
    int output; /* descriptor of the console; -1: none */
    bool json, color;
    bool format_is_said; /* by a command, whatever host.yaml says */
    bool hidden; /* no control socket unless its path is given */
    bool service; /* tell the service manager how the host is */
    isw_log_level level;
    struct iswi_takeover *takeover; /* lives as long as the host; NULL: it takes nobody's place */
    iswi_succession_options succession; /* what it points to lives as long as the host */
} iswi_operate_options;

/* Make it, so that lines are shown from now on. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_operate_attach(iswi_host *host, const iswi_operate_options *options,
                               iswi_log_sink *log, iswi_operate **out, isw_error *error);

/* Open what was asked for: the service manager, and by host.yaml the control socket, at `path` if
 * that is not NULL, and the admin endpoints. Errors: as iswi_http_start; ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_operate_open(iswi_operate *operate, const char *path, isw_error *error);

/* greeting.c: the table of functions that a person sees at the start, and where they are. The
 * supervisor's thread. */
void iswi_greeting_show(iswi_operate *operate);

#endif
