/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_PIPELINE_STORE_H
#define ISWI_PIPELINE_STORE_H

/* Which store an instance has: the place where a worker's stores are, and a name there. */
#include "config/config.h"
#include "store/driver.h"

typedef struct iswi_store_place {
    const iswi_store_driver *driver;
    void *place;
} iswi_store_place;

enum { ISWI_STORE_NAME_BYTES = 65 };

/* The name of the store of an entry of `middleware`, the one of that number among those which are
 * alike: it says the same in each process whose YAML does. */
void iswi_store_name(const char *middleware, const iswi_node *entry, unsigned number,
                     char out[ISWI_STORE_NAME_BYTES]);

/* And that of a service, which has `what` there. */
void iswi_store_name_of_service(const char *service, const char *what,
                                char out[ISWI_STORE_NAME_BYTES]);

/* The store of that name at `place`; NULL, or one that has not begun: ISW_E_UNSUPPORTED. */
isw_status iswi_store_open(const iswi_store_place *place, const char *name,
                           const isw_store_options *options, isw_store **out, isw_error *error);

#endif
