/* SPDX-License-Identifier: Apache-2.0 */
/* Finding what is called of libcurl: by the loader, when it is wanted. */
#include "host/webhooks/calls.h"

#include "base/library.h"

#include <assert.h>

static_assert(sizeof(iswi_curl_calls) % sizeof(void *) == 0, "all members are pointers");

#define PLACE(name) { "curl_" #name, offsetof(iswi_curl_calls, name) },

static const iswi_library_symbol symbols[] = { ISWI_CURL_CALLS(PLACE) };

isw_status iswi_curl_load(iswi_curl_calls *out, isw_error *error)
{
    const char *why =
        iswi_library_load("libcurl.so.4", symbols, sizeof symbols / sizeof symbols[0], out);

    if (why)
        return isw_error_set(error, ISW_E_UNSUPPORTED,
                             "requests are sent by libcurl, which cannot be loaded (%s); on Debian: "
                             "apt-get install libcurl4", why);
    if (out->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "libcurl cannot be prepared");
    return ISW_OK;
}
