/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_TRIGGER_H
#define ISWI_HOST_ENGINE_TRIGGER_H

/*
 * The table of a trigger: what makes calls of functions when something comes in. One folder, one
 * const table, one line in a list (src/host/triggers.c); the engine knows none by name. A trigger
 * sees functions by their entries, and calls by call.h alone.
 *
 * A host makes one instance of each, whether functions of its type are known or not, and asks in
 * this order: start, any number of publish and hold, perhaps leave, quiesce, stop. Hooks must not block unless it
 * says so here; each may be NULL but start, arrange, publish and stop.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "host/engine/call.h"
#include "host/settings/settings.h"
#include "host/system/legacy.h"

/* -- Functions as a trigger is given them ------------------------------------------------------ */

/* Lives as long as the host: a function is the same entry in each set, with the same properties. An
 * array of them does not. */
typedef struct iswi_entry {
    const char *name, *worker;
    const struct iswi_trigger *trigger; /* whose type it names */
    const void *properties; /* by the trigger's table */
    iswi_host_function *function; /* for calls; NULL where nothing is served (`isoworker check`) */
} iswi_entry;

/* Whether they are functions of one name of two workers: what lies by their name alone can be that of
 * one of them. Pure. */
bool iswi_entry_is_namesake(const iswi_entry *a, const iswi_entry *b);

/* What helps then, as the end of a sentence. */
#define ISWI_NAMESAKE_REMEDY "give one of the two another name in its program"

/* An entry that cannot be served, beside `rival` or at all (NULL): in a few words for a column, and
 * as the end of a sentence. */
typedef void (*iswi_entry_refuse_fn)(void *user, const iswi_entry *entry, const iswi_entry *rival,
                                     const char *reason, const char *why);

/* -- What it tells ----------------------------------------------------------------------------- */

/* Of a function; all of it in the arena, or NULL. */
typedef struct iswi_entry_told {
    const char *methods; /* that come to it, for the status */
    const char *url;     /* where it is found, likewise */
    const char *text;    /* both for people, in the table at the start */
} iswi_entry_told;

/* How often something was how large: at most as each bound, and above the last one. */
typedef struct iswi_trigger_buckets {
    const double *bounds;
    const uint64_t *counts; /* of each bucket alone, one more than there are bounds */
    size_t bound_count;
} iswi_trigger_buckets;

/* A number of its own, for the status and the metrics. Rows of one name follow each other. */
typedef struct iswi_trigger_row {
    const char *name; /* "requests_total": behind "isoworker_host_"; lives as long as the trigger */
    const char *help; /* a sentence */
    bool counts;      /* it only grows */
    const char *label, *value; /* what tells rows of one name apart; NULL: there is one */
    double number;
    const iswi_trigger_buckets *buckets; /* it is a histogram, of the metrics alone, whose sum is the
                                            number; NULL: it is the number */
} iswi_trigger_row;

typedef void (*iswi_trigger_row_fn)(void *user, const iswi_trigger_row *row);

/* A sentence of what somebody should look at. */
typedef void (*iswi_trigger_attend_fn)(void *user, const char *sentence);

/* -- What an operator asks of it --------------------------------------------------------------- */

/* `isoworker TYPE VERB [NAME]`. */
typedef struct iswi_trigger_command {
    const char *verb, *name; /* name NULL: all, or none */
    bool begun; /* false at first; then the trigger's, while it is asked for again and again */
} iswi_trigger_command;

/* An event that somebody makes up to see what a function does with it: `isoworker invoke`. What is
 * empty was not said. */
typedef struct iswi_made_up {
    isw_value data;                   /* text, JSON, bytes or none */
    isw_str content_type;             /* of that */
    isw_str method;                   /* these are for requests alone */
    isw_pairs params, query, headers;
} iswi_made_up;

/* -- The table --------------------------------------------------------------------------------- */

/* Whether there are functions that are not known yet. */
typedef enum iswi_more {
    ISWI_MORE_NONE,
    ISWI_MORE_SOON, /* of workers that are being started, perhaps once more */
    ISWI_MORE_LOST  /* of workers that were given up, and of no other */
} iswi_more;

enum {
    ISWI_TRIGGER_STREAMS = 1, /* a body may follow its call; where it cannot, functions that ask for
                                 that get theirs whole, which is said at the start */
    ISWI_TRIGGER_LISTENS = 2, /* at an address, which a command may give instead of its settings:
                                 that of the first one of the list */
    ISWI_TRIGGER_WARMS = 4,   /* the engine calls its functions, in each process before others */
    ISWI_TRIGGER_NONE = 8,    /* functions cannot name it: a part of the host that begins, is held and
                                 ends as triggers do, such as who sends what functions put out */
    ISWI_TRIGGER_REQUESTS = 16, /* its events have a method, parameters, a query and headers */
    ISWI_TRIGGER_CONFINES = 32 /* a foreign host has locked this one up: nobody comes to its control
                                  socket, and the folder of host.yaml cannot be written, so that its
                                  own files are below $TMPDIR or /tmp (iswi_host_data_folder) */
};

typedef struct iswi_trigger_start {
    iswi_host *host;
    const struct iswi_trigger *trigger; /* that is started: a table may be a part of what it is for */
    const void *settings; /* its group of host.yaml; NULL: it has none */
    const char *const *listen; /* addresses instead of those of its settings, ends with NULL; NULL:
                                  as they say */
    int port;             /* likewise; -1: as they say */
    iswi_legacy *legacy;  /* of the host that this one takes the place of, for whoever listens; lives
                             until all have started. NULL: there is none */
    bool shut;            /* nothing is to be taken, or begun, before `open` */
} iswi_trigger_start;

typedef struct iswi_trigger {
    const char *type;  /* as functions name it: "http"; "*": any that no other of the list has,
                          whose properties are an isw_pairs of what they give, unchecked */
    const char *title; /* for people: "HTTP" */
    unsigned capabilities;
    const isw_option *properties; /* that functions may give it; checked before it hears of them */
    size_t properties_size;
    /* Another trigger, which serves its functions among its own, and knows them by entry->trigger:
     * they come by the same way, and speak in another. It has no instance then, and none of what
     * follows. That of the list which has the same type does it, as others may come by that way
     * under a foreign host. NULL: it serves them itself. */
    const struct iswi_trigger *within;
    const iswi_settings_group *settings; /* NULL: it has no group in host.yaml */

    /* Make an instance; what it serves is still unknown. What is switched off by its settings
     * starts, and serves nothing. May block. Errors: ISW_E_CONFIG or ISW_E_CONFLICT for its
     * address, others; *self is untouched then. */
    isw_status (*start)(const iswi_trigger_start *with, void **self, isw_error *error);

    /* Make a set of these functions, in this order: which of two that clash is served stays as it
     * is. Refuses those that cannot be. Without an instance, so that it can be asked before there
     * is a host. Errors: ISW_E_NO_MEMORY. */
    isw_status (*arrange)(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **set);
    void (*discard)(void *set); /* one that was not published */

    /* Serve this set from now on, and own it; again each time that functions become known, or that
     * `more` is another. Calls by the one before may be on their way. The supervisor's thread. */
    void (*publish)(void *self, void *set, iswi_more more);

    /* It was started shut: take what comes from now on. NULL: it is held so long, by `hold`. Once, on
     * the supervisor's thread. */
    void (*open)(void *self);

    /* Add the sockets that it listens with, for the host that takes its place. False: no memory.
     * NULL: it has none. Any thread but reactors'. */
    bool (*give)(void *self, iswi_legacy *legacy);

    /* Another host has taken its place, with the same sockets: begin nothing by itself, and let those
     * whose connections are open find it there. NULL: as `quiesce`. The supervisor's thread. */
    void (*leave)(void *self);

    /* Leave, and add connections that the other host may go on with; and that one's end of it, once it
     * is open. NULL: there are none. Any thread but reactors'. */
    void (*hand_on)(void *self, iswi_legacy *legacy);
    void (*adopt)(void *self, iswi_legacy *legacy);

    /* Connections that are open, on which something may still come. NULL: none. Any thread. */
    size_t (*visitors)(void *self);

    /* host.yaml is another: have ready what follows from its group, whose options but for those that
     * are `renewed` are as they were, and from all of it; they live as long as the host. Then take
     * that, or drop it, which cannot fail; nothing comes in between. Both NULL: nothing follows. The
     * first may block on files. Errors: ISW_E_CONFIG or ISW_E_CONFLICT for an address, others; then
     * nothing is ready. The supervisor's thread. */
    isw_status (*prepare)(void *self, const void *settings, const iswi_host_settings *all,
                          isw_error *error);
    void (*renew)(void *self, bool take);

    /* Take nothing new from now on, or again; what came before goes its way. NULL: it goes on while
     * the host drains. Any thread. */
    void (*hold)(void *self, bool on);

    /* The same for good: the host stops. Once or more. The supervisor's thread. */
    void (*quiesce)(void *self);

    /* Do what is to be done at times, and make *next_ns (monotonic) sooner where that is to be again
     * before; it may come at any time. `asked`: somebody had all be read again that is read from
     * files (SIGHUP). May block on files. NULL: there is nothing. The supervisor's thread. */
    void (*tend)(void *self, bool asked, int64_t now_ns, int64_t *next_ns);

    /* What it took and has not seen the end of, from before its calls begin until after their
     * answers. NULL: its calls are all there is. Any thread. */
    size_t (*admitted)(void *self);

    /* End: every call was answered, or will be, for which it may wait. The instance is gone with
     * its sets. */
    void (*stop)(void *self);

    /* Where it is found, for the line at the start and the status; NULL behind the last of them,
     * and at once where that is nowhere. Borrowed until the stop. Any thread. */
    const char *(*address)(void *self, size_t index);

    /* What it has to tell of a function, and of itself. Any thread. */
    void (*tell)(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out);
    void (*rows)(void *self, iswi_trigger_row_fn row, void *user);

    /* Do what an operator asks, and append how it is then as a line of JSON. ISW_E_BUSY: it has
     * begun, and is over later; what is appended says how far it is. Errors: ISW_E_INVALID for
     * another verb, ISW_E_NOT_FOUND, ISW_E_CONFLICT, ISW_E_UNAVAILABLE. NULL: there is nothing to
     * be asked. Any thread. */
    isw_status (*command)(void *self, iswi_trigger_command *command, iswi_buffer *out,
                          isw_error *error);

    /* What is not as it should be, until it is mended, for the status and /ready. Any thread. */
    void (*attend)(void *self, iswi_trigger_attend_fn add, void *user);

    /* Fill the value and what else a call has of an event, as of one that came in: here of one that
     * somebody made up, whom it is kept from nothing by. In the arena, with views into both. NULL:
     * the value is the data. Errors: ISW_E_INVALID, which says what it lacks, or has and cannot;
     * ISW_E_NO_MEMORY. Any thread. */
    isw_status (*make_up)(void *self, const iswi_entry *entry, const iswi_made_up *event,
                          iswi_arena *arena, iswi_call *call, isw_error *error);

    /* The queue of messages that a function takes from, in the arena; NULL: no memory. Pure. NULL:
     * from none. */
    const char *(*queue)(const iswi_entry *entry, iswi_arena *arena);

    /* The verb of its command that runs a function, where it is not called but so: "run". NULL:
     * there is none. */
    const char *run_verb;
} iswi_trigger;

/* -- passive.c: hooks of a table for which nothing comes in ------------------------------------ */

enum { ISWI_PASSIVE_SIZE = 1 };
extern const isw_option iswi_passive_properties[]; /* none, in ISWI_PASSIVE_SIZE */

isw_status iswi_passive_start(const iswi_trigger_start *with, void **self, isw_error *error);
isw_status iswi_passive_arrange(iswi_entry *const *entries, size_t count,
                                iswi_entry_refuse_fn refuse, void *user, void **set);
void iswi_passive_publish(void *self, void *set, iswi_more more);
void iswi_passive_stop(void *self);

/* -- A list of them ---------------------------------------------------------------------------- */

enum { ISWI_TRIGGERS_MAX = ISWI_SETTINGS_GROUPS_MAX };

/* It ends with NULL. */
typedef const iswi_trigger *const *iswi_trigger_list;

/* Their groups of host.yaml. */
iswi_settings_groups iswi_triggers_groups(iswi_trigger_list list);

/* The one of a type; NULL, and ISW_E_CONFIG in `error`, which says what this host has and which of
 * it was perhaps meant. */
const iswi_trigger *iswi_triggers_find(iswi_trigger_list list, const char *type, isw_error *error);

/* The one of the list that serves functions of `trigger`, which is of it, too: itself mostly. */
const iswi_trigger *iswi_trigger_server(iswi_trigger_list list, const iswi_trigger *trigger);

/* The properties that a function gives it, in the arena; of "*" `given` itself.
 * ISW_E_CONFIG, which names the property and
 * what to write; ISW_E_NO_MEMORY. */
isw_status iswi_trigger_properties(const iswi_trigger *trigger, const isw_pairs *given,
                                   iswi_arena *arena, const void **out, isw_error *error);

/* -- Those of a host; any thread, once it is made ---------------------------------------------- */

size_t iswi_host_trigger_count(const iswi_host *host);
const iswi_trigger *iswi_host_trigger(const iswi_host *host, size_t index, void **self);

/* A function's trigger has so many calls more of it to make, and there is no room for them: where processes follow
 * the load, they count with it. Until it is said anew. */
void iswi_function_backlog(iswi_host_function *function, size_t calls);

/* Have them all tended no later than that (monotonic). */
void iswi_host_tend_by(iswi_host *host, int64_t at_ns);

/* A function as its trigger is given it. */
const iswi_entry *iswi_host_entry(const iswi_host_function *function);

/* Fill a call of a function for an event that somebody has made up; `event` and the arena live until
 * its answer. Errors: as make_up; ISW_E_UNSUPPORTED for one that its trigger does not serve, with the
 * reason. */
isw_status iswi_host_make_up(const iswi_host *host, iswi_host_function *function,
                             const iswi_made_up *event, iswi_arena *arena, iswi_call *call,
                             isw_error *error);

/* The type of its trigger and the verb that runs it, where it is run by that alone; NULL: it is
 * called. */
const char *iswi_host_run_verb(const iswi_host_function *function, const char **type);

/* Where the first one is found that is found anywhere; NULL behind the last of its addresses. */
const char *iswi_host_address(const iswi_host *host, size_t index);

/* What its trigger tells of a function; all NULL where that hears nothing of it. */
void iswi_host_tell(const iswi_host *host, const iswi_host_function *function, iswi_arena *arena,
                    iswi_entry_told *out);

#endif
