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

#include "base/library.h"

#include <assert.h>

static_assert(sizeof(iswi_nng_calls) % sizeof(void *) == 0, "all members are pointers");

#define PLACE(name) { "nng_" #name, offsetof(iswi_nng_calls, name) },

static const iswi_library_symbol symbols[] = { ISWI_NNG_CALLS(PLACE) };

isw_status iswi_nng_load(const char *library, iswi_nng_calls *out, isw_error *error)
{
    const char *why = iswi_library_load(library, symbols, sizeof symbols / sizeof symbols[0], out);

    if (!why)
        return ISW_OK;
    return isw_error_set(error, ISW_E_UNAVAILABLE,
                         "without the ring lane a worker needs nng, which cannot be loaded (%s); "
                         "on Debian: apt-get install libnng1", why);
}

#endif
