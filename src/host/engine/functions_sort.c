/* SPDX-License-Identifier: Apache-2.0 */
/* Functions by their names, as a worker told them. */
#include "base/alloc.h"
#include "base/text.h"
#include "host/engine/engine.h"

#include <stdlib.h>

static int compare_names(const void *a, const void *b)
{
    return iswi_text_compare(((const iswi_wire_function *)a)->name,
                             ((const iswi_wire_function *)b)->name);
}

iswi_wire_function *iswi_functions_sort(const iswi_metadata *metadata, isw_error *error)
{
    size_t count = metadata->functions.count;
    iswi_wire_function *sorted = iswi_calloc(count + 1, sizeof *sorted);

    if (!sorted) {
        isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its functions");
        return NULL;
    }
    if (count)
        memcpy(sorted, metadata->functions.items, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < count; i++) {
        isw_str name = sorted[i].name;
        bool valid = iswi_function_name(name);

        if (valid && (!i || !isw_str_equal(name, sorted[i - 1].name)))
            continue;
        isw_error_set(error, ISW_E_PROTOCOL,
                      valid ? "there are two functions named \"%.*s\""
                            : "\"%.*s\" is no name for a function: a letter, then letters, "
                              "digits, '_' or '-'", (int)name.size, name.data);
        iswi_free(sorted);
        return NULL;
    }
    return sorted;
}

const iswi_wire_function *iswi_functions_among(const iswi_wire_function *sorted, size_t count,
                                               isw_str name)
{
    iswi_wire_function key = { .name = name };

    return bsearch(&key, sorted, count, sizeof *sorted, compare_names);
}
