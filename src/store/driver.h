/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_STORE_DRIVER_H
#define ISWI_STORE_DRIVER_H

/* What whoever keeps entries can do: the functions of sys/store.h, by a place where stores are, and
 * a space there, which is one store. */
#include <isoworker/sys/store.h>

typedef struct iswi_store_driver {
    /* `name` is that of the entry of the YAML: letters, digits, '_' and ':'. Nothing is waited for:
     * what is elsewhere is asked at the first use. */
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

/* -- Elsewhere --------------------------------------------------------------------------------- */

/* Where stores are that are not in memory, as the YAML has it. */
typedef struct iswi_store_settings {
    const char *url; /* NULL: they are in memory */
    const char *prefix;
    const char *user, *password, *ca_file; /* NULL: none */
    int64_t timeout_ms;
} iswi_store_settings;

/* What a shared object has that can keep stores elsewhere, under the name ISWI_STORE_KEEPER. */
typedef struct iswi_store_keeper {
    const char *version; /* ISW_VERSION_STRING */
    const iswi_store_driver *driver;
    /* The place that `settings` tell, which are copied. Connects to nothing. Errors: ISW_E_CONFIG,
     * ISW_E_UNSUPPORTED, ISW_E_NO_MEMORY. */
    isw_status (*begin)(const iswi_store_settings *settings, void **place, isw_error *error);
    void (*end)(void *place); /* when its stores are closed; NULL is allowed */
} iswi_store_keeper;

#define ISWI_STORE_KEEPER "iswi_store_keeper_redis"

#endif
