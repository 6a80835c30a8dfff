/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LIBRARY_LIBRARY_H
#define ISWI_HOST_LIBRARY_LIBRARY_H

/* What an isw_host is made of. It stands around the host proper, which it makes when it is started,
 * and hears of it as an observer. */
#include "base/arena.h"
#include "base/faults.h"
#include "host/host.h"
#include "host/operate/takeover.h"
#include "host/settings/settings.h"

#include <isoworker/host.h>

#include <pthread.h>
#include <stdatomic.h>

/* calls.c: one call of a function. */
typedef struct iswi_library_call iswi_library_call;

struct isw_host {
    isw_host_options options; /* texts in the arena, those of addresses in these: */
    const char **addresses;   /* ends with NULL; NULL: as settings say */
    iswi_trigger_list triggers; /* that it is made with */
    iswi_sink_list sinks;       /* likewise; NULL: those that come with a host */
    iswi_arena arena;
    char *folder;        /* absolute */
    iswi_buffer workers; /* workers.c: those that were added, as YAML */
    const char **names;  /* theirs */
    size_t name_count, name_capacity;
    iswi_faults faults;
    iswi_config *config; /* as far as it was read; the host proper has it from its start on */
    const iswi_host_settings *settings;
    bool hidden; /* no control socket, unless the options ask for one */
    iswi_takeover *takeover; /* of another host's place; NULL: none */
    bool begun, joined;
    pthread_t thread;
    isw_error end; /* how it ended; written by `thread` */

    _Atomic(iswi_host *) engine; /* NULL: not started */
    atomic_int stops;            /* how often isw_host_stop was called */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t turned;
    uint64_t turn; /* something may have changed since */
    bool ended;    /* nothing waits any more */
    iswi_library_call *waiting, **waiting_end; /* calls of functions that are not known
                                                  yet, in their order */
};

/* workers.c */
/* Read what the host is to be: host.yaml, or the options with the workers that were added. Errors:
 * ISW_E_CONFIG, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_library_read(isw_host *host, isw_error *error);

/* events.c */
/* Hear of the host proper, which was just made. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_library_observe(isw_host *host, iswi_host *engine, isw_error *error);

/* Of each line, from before there are threads. */
struct iswi_log_sink;
void iswi_library_listen(isw_host *host, struct iswi_log_sink *out);

/* calls.c */
/* Look at the calls that wait; on the supervisor's thread. */
void iswi_library_tend(isw_host *host, int64_t now_ns, int64_t *next_ns);

/* The host has ended: answer what waits. From here on nothing does. */
void iswi_library_end(isw_host *host);

/* ready.c */
/* Fill `error` with why worker number `worker` takes no calls. */
void iswi_library_explain(iswi_host *engine, size_t worker, isw_error *error);

/* Whether all its processes were given up. */
bool iswi_library_is_given_up(iswi_host *engine, size_t worker);

#endif
