/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CHECK_PROGRAM_H
#define ISWI_HOST_OPERATE_CHECK_PROGRAM_H

/* What a worker's program says of itself when it is asked with --describe --json. */
#include "base/arena.h"
#include "host/settings/settings.h"

typedef struct iswi_told_trigger {
    const char *type;
    const char *methods, *route; /* of HTTP, beside the others; NULL: not told */
    const char *queue, *schedule, *path; /* likewise, of a queue, a timer and files */
    isw_value properties;        /* a map of texts, or none */
} iswi_told_trigger;

/* Properties, a map of texts or none, as pairs in the arena. False: no memory. */
bool iswi_told_pairs(const isw_value *properties, iswi_arena *arena, isw_pairs *out);

/* The same of all that a trigger was told. */
bool iswi_told_properties(const iswi_told_trigger *trigger, iswi_arena *arena, isw_pairs *out);

typedef struct iswi_told_binding {
    const char *name, *type;
    const char *direction; /* "out" */
    isw_value properties;  /* a map of texts, or none */
} iswi_told_binding;

typedef struct iswi_told_function {
    const char *name;
    iswi_told_trigger trigger;
    iswi_told_binding *bindings;
    size_t binding_count;
} iswi_told_function;

typedef struct iswi_told {
    const char *isoworker; /* the version: a program that links the library */
    iswi_told_function *functions;
    size_t function_count;
} iswi_told;

typedef enum iswi_program_told {
    ISWI_PROGRAM_TOLD,  /* *out is filled, in the arena */
    ISWI_PROGRAM_WRONG, /* it cannot start so, or ended before it dialled a host, which is told */
    ISWI_PROGRAM_MUTE   /* it does not know the question */
} iswi_program_told;

/* Run the program of `worker` as a host in `folder` would, and wait until it ends. What it says is
 * wrong goes to `faults`, what it warns of to `notes`. */
iswi_program_told iswi_check_program(const char *folder, const iswi_worker_settings *worker,
                                     iswi_arena *arena, iswi_told *out, iswi_faults *faults,
                                     iswi_faults *notes);

#endif
