/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_DOCUMENT_H
#define ISWI_CONFIG_DOCUMENT_H

/* What an iswi_config is made of, and how long it lives. A document knows neither who reads a text
 * into it nor who loads from it: what they hang on it they say how to free. */
#include "base/arena.h"
#include "config/config.h"

#include <stdatomic.h>

/* Something that lives as long as a document and not in its arena. */
typedef struct iswi_kept {
    struct iswi_kept *older;
    void (*free)(struct iswi_kept *kept); /* runs once, before the arena ends */
} iswi_kept;

struct iswi_config {
    atomic_uint users;
    iswi_arena arena; /* the tree, schemas, places: all but what libcyaml allocates */
    const char *name; /* as messages show it */
    const iswi_node *root;
    iswi_faults *faults; /* where refusals go beside their error; may be NULL */
    isw_error wrong;     /* the first thing that was wrong in the text itself */
    bool lacks_names;    /* see iswi_config_lacks_names */
    bool spares_secrets; /* see iswi_config_spare_secrets */
    iswi_kept *kept;     /* the newest first */
};

/* A document without a tree, for one who closes it; NULL when memory is out. */
iswi_config *iswi_config_create(const char *name, iswi_faults *faults);

/* Have `kept` freed when the document ends, before all that was kept earlier. */
void iswi_config_keep(iswi_config *config, iswi_kept *kept);

#endif
