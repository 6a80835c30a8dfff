/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

static const char *why_not(const char *library)
{
    const char *why = dlerror();

    return why ? why : library;
}

const char *iswi_library_load(const char *library, const iswi_library_symbol *symbols, size_t count,
                              void *out)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE); /* never closed */
    const char *why = handle ? NULL : why_not(library);

    for (size_t i = 0; !why && i < count; i++)
        if (!dlsym(handle, symbols[i].name))
            why = why_not(library);
    for (size_t i = 0; !why && i < count; i++) {
        void *address = dlsym(handle, symbols[i].name);

        memcpy((char *)out + symbols[i].offset, &address, sizeof address);
    }
    return why;
}
