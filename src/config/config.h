/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_CONFIG_H
#define ISWI_CONFIG_CONFIG_H

/*
 * YAML to structs. A document is opened (bounded, `${VAR}` expanded, kept as a tree with the place
 * of every node), then loaded by an option table (<isoworker/sys/middleware.h>) into a struct.
 * Tables are the only way in: the same one checks names and values, makes the libcyaml schema that
 * fills the struct, and prints the reference for users. A document owns all that it hands out.
 * One thread at a time, but for hold and close. Every refusal names file:line:column, and for a
 * name the nearest right one and those allowed; an error holds the first one, the faults that a
 * document was opened with hold them all.
 */
#include "base/faults.h"

#include <isoworker/sys/middleware.h>

enum {
    ISWI_CONFIG_MAX_BYTES = 1 << 20, /* of a file */
    ISWI_CONFIG_MAX_DEPTH = 32,      /* of nesting */
    ISWI_CONFIG_MAX_NODES = 100000   /* after aliases are followed */
};

typedef struct iswi_config iswi_config;

/* -- The tree ---------------------------------------------------------------------------------- */

typedef enum iswi_node_type { ISWI_NODE_SCALAR, ISWI_NODE_LIST, ISWI_NODE_MAP } iswi_node_type;

typedef struct iswi_node {
    iswi_node_type type;
    unsigned line, column;         /* from 1 */
    const char *key;               /* NUL-terminated; NULL outside a map */
    unsigned key_line, key_column; /* of the key */
    const char *text;              /* a scalar's value, expanded; "" for an empty one */
    bool wrong;                    /* it was refused already; what it holds counts for nothing */
    bool quoted;                   /* a scalar in quotes or a block, or one with a variable: never
                                      taken for "no value", as a plain `null` or `~` is */
    const struct iswi_node *children; /* of a list or map, in order */
    size_t child_count;
} iswi_node;

/* Read and parse `path`, a regular file. In values, ${VAR}, ${VAR:-default} and $$ (a plain `$`)
 * are replaced; the default also stands in for an empty variable. *out is the caller's to close.
 * An alias is replaced by a copy of what its anchor holds, with the places of the original; merge
 * keys, tags, keys given twice and a second document are refused. So is an empty document, such as
 * an editor leaves for a moment: nothing never stands for all defaults, {} does. Blocks.
 *
 * `faults` (may be NULL) gets all that is refused of it, now and later, until iswi_config_told.
 * What is no syntax, such as a variable that is not set, is refused when the document is loaded, so
 * that all else is told with it. Errors: ISW_E_IO, ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_config_open(const char *path, iswi_faults *faults, iswi_config **out,
                            isw_error *error);

/* The same for text; `name` stands for the file in messages, and its folder for relative paths. */
isw_status iswi_config_open_text(const char *name, const char *text, size_t size,
                                 iswi_faults *faults, iswi_config **out, isw_error *error);

/* The list that it was opened with, for those who find more; NULL once that is to end. */
iswi_faults *iswi_config_faults(const iswi_config *config);
void iswi_config_told(iswi_config *config);

/* What brings some of the names that a named list may have could not be had, which has been
 * refused: names that are not known then are no faults of their own. */
void iswi_config_lacks_names(iswi_config *config);

/* For one who serves nothing, between opening and loading: a secret "env:NAME" whose variable is not
 * set here counts as left out, where its row may be. */
void iswi_config_spare_secrets(iswi_config *config);

/* Let go of it; with the last one who holds it it ends. Both from any thread. */
void iswi_config_close(iswi_config *config);
iswi_config *iswi_config_hold(iswi_config *config);

/* The top mapping. */
const iswi_node *iswi_config_root(const iswi_config *config);

/* The child of a map with this key, or NULL. */
const iswi_node *iswi_node_find(const iswi_node *map, const char *key);

/* "file:line:column" of a node's key (or of the node where it has none); lives as long as the
 * document. */
const char *iswi_config_where(iswi_config *config, const iswi_node *node);

/* `path`, or if it is relative, taken from the folder of the document; lives as long as that. NULL
 * when memory is out. */
const char *iswi_config_path(iswi_config *config, const char *path);

/* -- Loading ----------------------------------------------------------------------------------- */

/* Besides the public option types: a list whose entries are each one name with options, such as
 * `- logging: {level: info}` or just `- logging`. The row's `group` is a table with one row for
 * each known name, of type ISW_OPTION_GROUP; its value is an iswi_named_list. */
#define ISWI_OPTION_NAMED_LIST ((isw_option_type)100)

/* Variables of an environment: a list of "NAME=value", or a mapping of names to values. Its value
 * is an isw_option_strings of "NAME=value", each name once. */
#define ISWI_OPTION_VARIABLES ((isw_option_type)101)

/* One text, or a list of them: an isw_option_strings either way. Its default is one text. */
#define ISWI_OPTION_TEXTS ((isw_option_type)102)

/* A group whose first option, an INT, may stand for all of it: `processes: 2` is
 * `processes: {count: 2}`. */
#define ISWI_OPTION_SHORT_GROUP ((isw_option_type)103)

typedef struct iswi_named_entry {
    const isw_option *row; /* which name */
    const void *options;   /* row->group_size bytes */
    const iswi_node *node; /* the name with its options as children; a scalar for `- name` */
} iswi_named_entry;

typedef struct iswi_named_list {
    const iswi_named_entry *items;
    size_t count;
} iswi_named_list;

/* Check the whole document against `table` (NULL allows no option) and fill a struct of `size`
 * bytes. *out belongs to the document, which may be loaded several times. Errors: ISW_E_CONFIG for
 * the first thing wrong, ISW_E_NO_MEMORY. Reads the files and variables that secrets refer to.
 *
 * A group or list without a value (`key:`) is an empty one; any other option must have a value. A
 * group that is left out is filled with its rows' defaults, or stays all zero if it is optional.
 * Scalars and STRINGS may have a default; a default of STRINGS is a flow list such as "[a, b]".
 * With min >= 0, a max of 0 means no greatest value. */
isw_status iswi_config_load(iswi_config *config, const isw_option *table, size_t size,
                            const void **out, isw_error *error);

/* Whether a table keeps its own rules: names, types, offsets within a struct of `size` bytes and
 * apart from each other, defaults that can be read, groups that end. ISWI_OPTION_NAMED_LIST and
 * ISWI_OPTION_VARIABLES are not known here. Errors: ISW_E_INVALID, which names the option. */
isw_status iswi_option_table_check(const isw_option *table, size_t size, isw_error *error);

/* Whether two structs that `table`, which has no named list, filled say the same; secrets by what
 * they are now. */
bool iswi_config_equal(const isw_option *table, const void *a, const void *b);

/* How many bytes a row's value has in the struct of its table, whatever its type but a named list. */
size_t iswi_option_bytes(const isw_option *row);

/* A refusal about a node that only a later layer can make: fills `error` with
 * "file:line:column: <text>" and returns ISW_E_CONFIG. */
isw_status iswi_config_refuse(iswi_config *config, const iswi_node *node, isw_error *error,
                              const char *format, ...) ISW_PRINTF(4, 5);

/* Append the reference of `table` for people: name, type, default, help, indented by `indent`. */
struct iswi_buffer;
void iswi_config_reference(const isw_option *table, unsigned indent, struct iswi_buffer *out);

#endif
