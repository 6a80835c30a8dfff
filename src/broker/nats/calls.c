/* SPDX-License-Identifier: Apache-2.0 */
/* Finding what is called of libnats: by the loader, when it is wanted. */
#include "broker/nats/calls.h"

#include <assert.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static_assert(sizeof(iswi_nats_calls) % sizeof(void *) == 0, "all members are pointers");

#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

/* The library changes its name with each version: the one whose header this was built with. */
static const char LIBRARY[] =
    "libnats.so." TEXT_OF(NATS_VERSION_MAJOR) "." TEXT_OF(NATS_VERSION_MINOR);

#define PLACE(name) { #name, offsetof(iswi_nats_calls, name) },

static const iswi_nats_symbol places[] = { ISWI_NATS_CALLS(PLACE) };

static isw_status refuse(isw_error *error)
{
    const char *why = dlerror();

    return isw_error_set(error, ISW_E_UNSUPPORTED,
                         "queues on NATS need libnats, which cannot be loaded (%s); on Debian: "
                         "apt-get install libnats%d.%d",
                         why ? why : LIBRARY, NATS_VERSION_MAJOR, NATS_VERSION_MINOR);
}

isw_status iswi_nats_find(const iswi_nats_symbol *symbols, size_t count, void *out,
                          isw_error *error)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (!handle)
        return refuse(error);
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(handle, symbols[i].name);

        if (!address) {
            refuse(error);
            dlclose(handle);
            return error->status;
        }
        memcpy((char *)out + symbols[i].offset, &address, sizeof address);
    }
    dlclose(handle); /* it stays, see RTLD_NODELETE */
    return ISW_OK;
}

isw_status iswi_nats_load(iswi_nats_calls *out, isw_error *error)
{
    iswi_nats_calls calls;
    const isw_status status =
        iswi_nats_find(places, sizeof places / sizeof places[0], &calls, error);

    if (status == ISW_OK)
        *out = calls;
    return status;
}
