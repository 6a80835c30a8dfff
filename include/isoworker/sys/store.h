/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SYS_STORE_H
#define ISOWORKER_SYS_STORE_H

/*
 * What an instance of middleware shares with itself in the other processes of its worker, so that
 * a limit of ten is ten for all of them: entries with a key, a value and an end. samples/quota is a
 * middleware that has one.
 *
 * A store is opened in `start` and closed in `stop`. It belongs to one entry of the YAML: the same
 * middleware with the same options finds the same entries in each process, after a restart, too;
 * another entry, other options or another worker find others. It lies in memory that the host hands
 * to all processes of a worker; where there is none, as in tests, with other hosts and with
 * `isolation: none`, it is this process's alone. Where the YAML has `store`, it lies in a Redis
 * server, for the workers of all hosts whose YAML has the same server and prefix there.
 *
 * Memory is bounded: what is beyond `entries` or `bytes` takes the place of what was written longest
 * ago. So a store is for what may be forgotten, at a price; it is no database. A process that is
 * killed in the middle of a change loses the entry that it changed, and nothing else. In a server
 * `entries` does not count: what is there ends by its time, or as the server does when it is full.
 *
 * All functions are for any thread. In memory they take a lock for a moment, and no system call
 * unless an entry is held. With a server each is one message there and back, and may fail with
 * ISW_E_UNAVAILABLE: at once while it is known to be gone, else after `timeout` of the YAML. Say in
 * an option `on_error` what your middleware makes of that (open: the invocation passes; closed: it
 * fails), as rate_limit does; nothing else changes.
 */
#include <isoworker/export.h>
#include <isoworker/service.h>
#include <isoworker/status.h>
#include <isoworker/sys/middleware.h>
#include <isoworker/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

ISW_BEGIN_DECLS

typedef struct isw_store isw_store;

enum { ISW_STORE_SMALL = 40 }; /* bytes of a value that an entry has room for itself */

typedef struct isw_store_options {
    size_t size;     /* sizeof(isw_store_options) */
    int64_t entries; /* at most, 1 to 16777216; each takes about 100 bytes once it is used */
    int64_t bytes;   /* at most of all values that are larger than ISW_STORE_SMALL; 0: there are
                        none */
} isw_store_options;

#define ISW_STORE_OPTIONS_INIT { sizeof(isw_store_options), 1024, 0 }

/* A key: some texts, of which none can be taken for a part of the next. In memory 128 bits of a
 * keyed hash stand for it, so that its length costs nothing and nobody can choose two that are
 * alike. */
typedef struct isw_store_key {
    const isw_str *parts;
    size_t count;
} isw_store_key;

/* In `start`, once. *out is the caller's to close; never after `stop`. Errors: ISW_E_NO_MEMORY,
 * ISW_E_INVALID for options that make no sense. */
ISW_API isw_status isw_store_open(isw_instance *self, const isw_store_options *options,
                                  isw_store **out, isw_error *error);

/* The same for a singleton (service.h), in its create, to be closed in its destroy: what it shares
 * with itself in the other processes of its worker. It belongs to the service's name and `what`,
 * which tells the stores of one service apart. Errors: ISW_E_INVALID for what is no singleton, too. */
ISW_API isw_status isw_store_open_for(isw_resolver *from, const char *what,
                                      const isw_store_options *options, isw_store **out,
                                      isw_error *error);

/* Entries stay for the others. NULL is allowed. */
ISW_API void isw_store_close(isw_store *store);

/* Microseconds of a clock that all who share the store have in common, within some milliseconds
 * where they are on several hosts. Compare them with nothing else. */
ISW_API int64_t isw_store_now_us(const isw_store *store);

/* -- Values ------------------------------------------------------------------------------------ */

/* Copy the value to `value` if it fits into `room` bytes; *size is its size in any case. Errors:
 * ISW_E_NOT_FOUND; ISW_E_INTERNAL where its lock is lost and ISW_E_UNAVAILABLE where its server
 * cannot be reached, as with all below. `error` may be NULL. */
ISW_API isw_status isw_store_get(isw_store *store, isw_store_key key, void *value, size_t room,
                                 size_t *size, isw_error *error);

/* Have the entry say `value` for `ttl_ms` from now. Errors: ISW_E_TOO_LARGE; ISW_E_BUSY when all
 * that is there is held (below). */
ISW_API isw_status isw_store_set(isw_store *store, isw_store_key key, isw_bytes value,
                                 int64_t ttl_ms, isw_error *error);

/* No error if there is none. */
ISW_API isw_status isw_store_delete(isw_store *store, isw_store_key key, isw_error *error);

/* One change, made only if nobody was quicker. */
typedef struct isw_store_change {
    const isw_bytes *was;   /* what the entry must say now; NULL: there must be none */
    const isw_bytes *value; /* what it then says; NULL: it goes */
    int64_t ttl_ms;
    bool held; /* it is about something that this process does just now: it gives way to no other
                  entry, and goes with the process at the latest; from a server half a minute after
                  a process that was killed */
} isw_store_change;

/* Errors: ISW_E_CONFLICT where the entry says something else; those of isw_store_set. */
ISW_API isw_status isw_store_replace(isw_store *store, isw_store_key key,
                                     const isw_store_change *change, isw_error *error);

/* -- Counters ---------------------------------------------------------------------------------- */

/* A counter is an entry of 8 bytes, an int64_t, and 0 where there is none. */
typedef struct isw_store_step {
    int64_t by;      /* what is added, */
    int64_t floor;   /* after the counter has been raised to this if it is below; INT64_MIN: no */
    int64_t ceiling; /* unless it came above this then; INT64_MAX: no */
    int64_t ttl_ms;
    bool renews; /* `ttl_ms` begins anew; else it is that of the step that made the counter */
} isw_store_step;

/* *value is what the counter says then; when it was not moved, what it says with `floor`. Errors:
 * ISW_E_BUSY: it would have come above the ceiling, and was not moved; ISW_E_INVALID for an entry
 * that is no counter; those of isw_store_set. */
ISW_API isw_status isw_store_add(isw_store *store, isw_store_key key, const isw_store_step *step,
                                 int64_t *value, isw_error *error);

ISW_END_DECLS

#endif
