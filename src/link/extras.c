/* SPDX-License-Identifier: Apache-2.0 */
#include "link/extras.h"

static const struct {
    const char *name;
    unsigned extra;
} all[ISWI_LINK_EXTRAS] = { { "apart", ISWI_LINK_APART },
                             { "arena", ISWI_LINK_WIDE },
                             { "begun", ISWI_LINK_BEGUN } };

unsigned iswi_link_extras_in(const isw_pairs *capabilities)
{
    unsigned extras = 0;

    for (unsigned i = 0; i < ISWI_LINK_EXTRAS; i++)
        if (isw_pairs_find(capabilities, all[i].name))
            extras |= all[i].extra;
    return extras;
}

size_t iswi_link_extras_name(unsigned extras, isw_pair *out)
{
    size_t count = 0;

    for (unsigned i = 0; i < ISWI_LINK_EXTRAS; i++)
        if (extras & all[i].extra)
            out[count++] = (isw_pair){ isw_str_of(all[i].name), isw_str_of("1") };
    return count;
}
