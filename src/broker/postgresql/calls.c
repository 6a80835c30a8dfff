/* SPDX-License-Identifier: Apache-2.0 */
/* Finding what is called of libpq: by the loader, when it is wanted. */
#include "broker/postgresql/calls.h"

#include <assert.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static_assert(sizeof(iswi_pq_calls) % sizeof(void *) == 0, "all members are pointers");

static const char LIBRARY[] = "libpq.so.5";

#define PLACE(name) { "PQ" #name, offsetof(iswi_pq_calls, name) },

static const struct {
    const char *symbol;
    size_t offset;
} places[] = { ISWI_PQ_CALLS(PLACE) };

static isw_status refuse(isw_error *error)
{
    const char *why = dlerror();

    return isw_error_set(error, ISW_E_UNSUPPORTED,
                         "queues in PostgreSQL need libpq, which cannot be loaded (%s); on Debian: "
                         "apt-get install libpq5",
                         why ? why : LIBRARY);
}

isw_status iswi_pq_load(iswi_pq_calls *out, isw_error *error)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    iswi_pq_calls calls;

    if (!handle)
        return refuse(error);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        void *address = dlsym(handle, places[i].symbol);

        if (!address) {
            refuse(error);
            dlclose(handle);
            return error->status;
        }
        memcpy((char *)&calls + places[i].offset, &address, sizeof address);
    }
    dlclose(handle); /* it stays, see RTLD_NODELETE */
    *out = calls;
    return ISW_OK;
}
