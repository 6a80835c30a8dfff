/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_SINK_H
#define ISWI_HOST_ENGINE_SINK_H

/*
 * The table of a sink: where values go that functions put out. One file, one const table, one line
 * in a list (src/host/sinks/sinks.c). A host opens an instance for each output that a function
 * declares with its type, when it hears of the function, and closes it at its own end. What cannot
 * be opened is told at the start and in the status, and calls that put anything there fail.
 */
#include "base/arena.h"
#include "host/settings/settings.h"

#include <isoworker/sys/middleware.h>
#include <isoworker/value.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_outbox iswi_outbox;

/* Which output of which function; its names live as long as the host. */
typedef struct iswi_sink_place {
    const char *function, *worker, *output;
} iswi_sink_place;

/* What is put out; borrowed until put returns. */
typedef struct iswi_sink_item {
    const char *function, *worker, *invocation_id, *output;
    isw_str trace, request_id; /* traceparent of what caused it, and its caller's name for it, which
                                  may be empty; of keep alone */
    const isw_value *value;
} iswi_sink_item;

/*
 * What one call puts out to sinks that keep it until its end: all of it is put, or nothing. The
 * beginning of a struct of theirs, for which there is one such family in a host.
 */
typedef void (*iswi_outbox_done_fn)(void *user, const isw_error *error);

struct iswi_outbox {
    /* Put it, and call `done` when it is durable, or with what was in the way. Owns the box. Any
     * thread; does not block. */
    void (*put)(iswi_outbox *box, iswi_outbox_done_fn done, void *user);
    void (*drop)(iswi_outbox *box); /* the call failed */
};

/* Before there is a host: what host.yaml says. */
typedef struct iswi_sink_check {
    iswi_sink_place place;
    const iswi_host_settings *settings;
    const iswi_settings_groups *groups; /* that these were read with */
    iswi_arena *arena;                  /* for what is made meanwhile */
} iswi_sink_check;

typedef struct iswi_sink {
    const char *type;             /* as outputs name it: "file"; "*": any that is in no row before */
    const isw_option *properties; /* that an output may give it; checked before the open. NULL: they
                                     are not ours to check, and the open gets none */
    size_t properties_size;

    /* Whether an output may have these, as far as the table cannot say it and no host is needed to;
     * the open does it, too. Errors: ISW_E_CONFIG, in words that end a sentence. NULL: any. */
    isw_status (*check)(const iswi_sink_check *with, const void *properties, isw_error *error);

    /* Make an instance; `properties` live as long as the host. Does not block. Errors: ISW_E_CONFIG
     * for what the table cannot say of them, in words that end a sentence; others. What is put there
     * makes a failure of its call then, since it would be lost. */
    isw_status (*open)(iswi_host *host, const iswi_sink_place *place, const void *properties,
                       void **self, isw_error *error);

    /* Take a value; any thread, several at a time, with no lock held. Whole or not at all: what was
     * not taken is an error, which says why. May block on a local file, not on anybody else. */
    isw_status (*put)(void *self, const iswi_sink_item *item, isw_error *error);

    /* Instead of put: keep a value in *box, which is made if it is NULL, until the call ends. One
     * thread at a time for a call, with its process's lock held. Errors: what is not kept, which
     * makes a failure of the call. */
    isw_status (*keep)(void *self, const iswi_sink_item *item, iswi_outbox **box,
                       isw_error *error);

    /* End an instance; NULL: there is nothing to end. */
    void (*close)(void *self);

    /* What it keeps lies by the names of function and output alone: of functions of one name, those
     * of one worker have it, and the others' are refused. */
    bool by_name;

    /* The group of host.yaml that has settings for its outputs by FUNCTION.OUTPUT; NULL: none. */
    const iswi_settings_group *settings;

    /* The queue of messages in which its values lie, in the arena; NULL: no memory. Pure. NULL:
     * they lie in none. */
    const char *(*queue)(const iswi_sink_place *place, const void *properties, iswi_arena *arena);
} iswi_sink;

/* It ends with NULL. */
typedef const iswi_sink *const *iswi_sink_list;

/* The one for outputs of that type; NULL, and `error`, which says what this host has: ISW_E_CONFIG
 * where it is one of these with a slip, else ISW_E_UNSUPPORTED: another host may have it. Pure. */
const iswi_sink *iswi_sinks_find(iswi_sink_list list, const char *type, isw_error *error);

/* Whether a binding of that name and type can be one: by its name, and for an input by its type, of
 * which a host like this one fills none. Errors in words that end a sentence: ISW_E_CONFIG;
 * ISW_E_UNSUPPORTED for an input that some other host may fill. Pure. */
isw_status iswi_sinks_check_binding(iswi_sink_list list, const char *name, const char *type,
                                    bool is_out, isw_error *error);

/* That it keeps an output of this function by name, as it does that of `rival`, another worker's:
 * ISW_E_CONFLICT in words that end a sentence. Pure. */
isw_status iswi_sink_refuse_namesake(const iswi_sink_place *place, const char *rival,
                                     isw_error *error);

/* The properties that an output gives it, in the arena; NULL where they are not its to check.
 * ISW_E_CONFIG, which names the property and what to write; ISW_E_NO_MEMORY. Pure. */
isw_status iswi_sink_properties(const iswi_sink *sink, const isw_pairs *given, iswi_arena *arena,
                                const void **out, isw_error *error);

#endif
