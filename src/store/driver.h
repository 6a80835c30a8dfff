/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_STORE_DRIVER_H
#define ISWI_STORE_DRIVER_H

/* What whoever keeps entries can do: the functions of sys/store.h, by a place where stores are, and
 * a space there, which is one store. */
#include <isoworker/sys/store.h>

typedef struct iswi_store_driver {
    /* `name` is that of the entry of the YAML: letters, digits, '_' and ':'. */
    isw_status (*open)(void *place, const char *name, const isw_store_options *options, void **out,
                       isw_error *error);
    void (*close)(void *space);
    int64_t (*now_us)(void *space);
    isw_status (*get)(void *space, isw_store_key key, void *value, size_t room, size_t *size,
                      isw_error *error);
    /* As isw_store_replace; `always`: as isw_store_set or isw_store_delete, `was` does not count. */
    isw_status (*replace)(void *space, isw_store_key key, const isw_store_change *change,
                          bool always, isw_error *error);
    isw_status (*add)(void *space, isw_store_key key, const isw_store_step *step, int64_t *value,
                      isw_error *error);
} iswi_store_driver;

#endif
