/* SPDX-License-Identifier: Apache-2.0 */
/* Finding what is called of nng: by the linker in a static build, else by the loader, later. */
#include "link/nng_calls.h"

#ifdef ISWI_STATIC

#define ADDRESS(name) .name = nng_##name,

isw_status iswi_nng_load(const char *library, iswi_nng_calls *out, isw_error *error)
{
    (void)library;
    (void)error;
    *out = (iswi_nng_calls){ ISWI_NNG_CALLS(ADDRESS) };
    return ISW_OK;
}

#else

#include <assert.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static_assert(sizeof(iswi_nng_calls) % sizeof(void *) == 0, "all members are pointers");

#define PLACE(name) { "nng_" #name, offsetof(iswi_nng_calls, name) },

static const struct {
    const char *symbol;
    size_t offset;
} places[] = { ISWI_NNG_CALLS(PLACE) };

static isw_status refuse(const char *library, isw_error *error)
{
    const char *why = dlerror();

    return isw_error_set(error, ISW_E_UNAVAILABLE,
                         "without the ring lane a worker needs nng, which cannot be loaded (%s); "
                         "on Debian: apt-get install libnng1",
                         why ? why : library);
}

isw_status iswi_nng_load(const char *library, iswi_nng_calls *out, isw_error *error)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    iswi_nng_calls calls;

    if (!handle)
        return refuse(library, error);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        void *address = dlsym(handle, places[i].symbol);

        if (!address) {
            refuse(library, error);
            dlclose(handle);
            return error->status;
        }
        memcpy((char *)&calls + places[i].offset, &address, sizeof address);
    }
    dlclose(handle); /* it stays, see RTLD_NODELETE */
    *out = calls;
    return ISW_OK;
}

#endif
