/* SPDX-License-Identifier: Apache-2.0 */
/* An instance's store: its name, and the way to whoever keeps it. */
#include "pipeline/store.h"

#include "base/alloc.h"
#include "pipeline/instance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct isw_store {
    const iswi_store_driver *driver;
    void *space;
};

/* -- Names ------------------------------------------------------------------------------------- */

#define FNV UINT64_C(14695981039346656037)

static uint64_t add(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (hash ^ 0xff) * UINT64_C(1099511628211);
}

/* `when` and `plugin` are the chain's: what an instance is does not depend on them. */
static bool is_of_chain(const iswi_node *node)
{
    return node->key && (strcmp(node->key, "when") == 0 || strcmp(node->key, "plugin") == 0);
}

static uint64_t add_node(uint64_t hash, const iswi_node *node)
{
    hash = add(add(hash, node->key), node->text);
    for (size_t i = 0; i < node->child_count; i++)
        hash = add_node(hash, &node->children[i]);
    return add(hash, NULL);
}

void iswi_store_name(const char *middleware, const iswi_node *entry, unsigned number,
                     char out[ISWI_STORE_NAME_BYTES])
{
    uint64_t hash = FNV;

    for (size_t i = 0; i < entry->child_count; i++)
        if (!is_of_chain(&entry->children[i]))
            hash = add_node(hash, &entry->children[i]);
    snprintf(out, ISWI_STORE_NAME_BYTES, "%.32s:%016" PRIx64 ":%u", middleware, hash, number);
}

void iswi_store_name_of_service(const char *service, const char *what,
                                char out[ISWI_STORE_NAME_BYTES])
{
    snprintf(out, ISWI_STORE_NAME_BYTES, "service:%016" PRIx64, add(add(FNV, service), what));
}

/* -- For whoever has it ------------------------------------------------------------------------ */

isw_status iswi_store_open(const iswi_store_place *at, const char *name,
                           const isw_store_options *options, isw_store **out, isw_error *error)
{
    isw_store *store;
    isw_status status;

    if (!at || !at->driver)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "there is no place for stores");
    store = iswi_calloc(1, sizeof *store);
    if (!store)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a store");
    store->driver = at->driver;
    status = at->driver->open(at->place, name, options, &store->space, error);
    if (status == ISW_OK)
        *out = store;
    else
        iswi_free(store);
    return status;
}

isw_status isw_store_open(isw_instance *self, const isw_store_options *options, isw_store **out,
                          isw_error *error)
{
    return iswi_store_open(self->stores, self->store_name, options, out, error);
}

void isw_store_close(isw_store *store)
{
    if (!store)
        return;
    store->driver->close(store->space);
    iswi_free(store);
}

int64_t isw_store_now_us(const isw_store *store)
{
    return store->driver->now_us(store->space);
}

isw_status isw_store_get(isw_store *store, isw_store_key key, void *value, size_t room,
                         size_t *size, isw_error *error)
{
    return store->driver->get(store->space, key, value, room, size, error);
}

isw_status isw_store_set(isw_store *store, isw_store_key key, isw_bytes value, int64_t ttl_ms,
                         isw_error *error)
{
    const isw_store_change change = { .value = &value, .ttl_ms = ttl_ms };

    return store->driver->replace(store->space, key, &change, true, error);
}

isw_status isw_store_delete(isw_store *store, isw_store_key key, isw_error *error)
{
    return store->driver->replace(store->space, key, &(isw_store_change){ 0 }, true, error);
}

isw_status isw_store_replace(isw_store *store, isw_store_key key, const isw_store_change *change,
                             isw_error *error)
{
    return store->driver->replace(store->space, key, change, false, error);
}

isw_status isw_store_add(isw_store *store, isw_store_key key, const isw_store_step *step,
                         int64_t *value, isw_error *error)
{
    return store->driver->add(store->space, key, step, value, error);
}
