/* SPDX-License-Identifier: Apache-2.0 */
/* What a target is made of. */
#include "url/target.h"

#include "url/percent.h"

size_t iswi_target_size(isw_str text)
{
    size_t size = 0;

    for (; size < text.size; size++) {
        unsigned char c = (unsigned char)text.data[size];

        if (c <= ' ' || c >= 0x7f || c == '#')
            break;
    }
    return size;
}

bool iswi_target_valid(isw_str text)
{
    return text.size && text.data[0] == '/' && iswi_target_size(text) == text.size &&
           iswi_percent_valid(text);
}
