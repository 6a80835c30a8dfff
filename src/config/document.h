/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_DOCUMENT_H
#define ISWI_CONFIG_DOCUMENT_H

/* What an iswi_config is made of, and what the files of this folder share: places, refusals, and
 * the way from text to tree. */
#include "base/arena.h"
#include "config/config.h"

#include <stdatomic.h>

#define ISWI_MERGE_KEY "<<"

enum {
    ISWI_CONFIG_MAX_EXPANDED_BYTES = 64 * 1024, /* of one scalar with variables in it */
    ISWI_CONFIG_MAX_SECRET_BYTES = 64 * 1024    /* of a file that a secret refers to */
};

struct iswi_loaded;

struct iswi_config {
    atomic_uint users;
    iswi_arena arena; /* the tree, schemas, places: all but what libcyaml allocates */
    const char *name; /* as messages show it */
    const iswi_node *root;
    iswi_faults *faults; /* where refusals go beside their error; may be NULL */
    isw_error wrong;     /* the first thing that was wrong in the text itself */
    bool lacks_names;    /* see iswi_config_lacks_names */
    struct iswi_loaded *loaded; /* by iswi_config_load, the newest first */
};

typedef struct iswi_place {
    unsigned line, column; /* from 1 */
} iswi_place;

/* Where the value stands; where its key stands, or the value itself if it has none. */
iswi_place iswi_node_place(const iswi_node *node);
iswi_place iswi_node_key_place(const iswi_node *node);

/* Whether a value was left out, as in `key:`, `key: ~` or `key: null`. */
bool iswi_node_is_empty(const iswi_node *node);

/* Fill `error` with "file:line:column: <text>" and add that to the faults; returns ISW_E_CONFIG. */
isw_status iswi_config_refuse_at(iswi_config *config, iswi_place place, isw_error *error,
                                 const char *format, ...) ISW_PRINTF(4, 5);

/* Fill `error`; returns ISW_E_NO_MEMORY. */
isw_status iswi_config_no_memory(const iswi_config *config, isw_error *error);

/* `text` in double quotes, short and harmless on a terminal, for a message. Lives as long as the
 * document. */
const char *iswi_config_quote(iswi_config *config, const char *text);

/* What stands there, for "must be ..., not %s": its text in quotes, "a list", "a mapping" or
 * "empty". */
const char *iswi_config_describe(iswi_config *config, const iswi_node *node);

/* The one of `names` (ends with NULL) that `wrong` is most likely meant to be, or NULL. */
const char *iswi_config_nearest(const char *wrong, const char *const *names);

/* `path`, or if it is relative, taken from the folder of the document. NULL when memory is out. */
const char *iswi_config_path(iswi_config *config, const char *path);

/* Parse `text` into a tree in the document's arena; its top is a mapping (parse.c, tree.c). */
isw_status iswi_config_parse(iswi_config *config, const char *text, size_t size,
                             const iswi_node **out, isw_error *error);

/* Replace ${VAR}, ${VAR:-default} and $$ in `text`, which stands at `place` (expand.c). Sets
 * *changed if there was any. *out lives as long as the document. */
isw_status iswi_config_expand(iswi_config *config, iswi_place place, const char *text,
                              const char **out, bool *changed, isw_error *error);

/* Whether `name` of `size` bytes can be the name of an environment variable. */
bool iswi_variable_name_valid(const char *name, size_t size);

/* Free what iswi_config_load handed out (load.c). */
void iswi_config_free_loaded(iswi_config *config);

#endif
