/* SPDX-License-Identifier: Apache-2.0 */
/* Finding what is called of libpq: by the loader, when it is wanted. */
#include "broker/postgresql/calls.h"

#include "base/library.h"

#include <assert.h>

static_assert(sizeof(iswi_pq_calls) % sizeof(void *) == 0, "all members are pointers");

#define PLACE(name) { "PQ" #name, offsetof(iswi_pq_calls, name) },

static const iswi_library_symbol symbols[] = { ISWI_PQ_CALLS(PLACE) };

isw_status iswi_pq_load(iswi_pq_calls *out, isw_error *error)
{
    const char *why = iswi_library_load("libpq.so.5", symbols, sizeof symbols / sizeof symbols[0], out);

    if (!why)
        return ISW_OK;
    return isw_error_set(error, ISW_E_UNSUPPORTED,
                         "queues in PostgreSQL need libpq, which cannot be loaded (%s); on Debian: "
                         "apt-get install libpq5", why);
}
