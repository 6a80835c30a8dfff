/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two structs that were loaded by the same table say the same. */
#include "config/config.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_strings(const isw_option_strings *a, const isw_option_strings *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->items[i], b->items[i]);
    return same;
}

static bool same_list(const isw_option *row, const isw_option_list *a, const isw_option_list *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = iswi_config_equal(row->group, (const char *)a->items + i * row->group_size,
                                 (const char *)b->items + i * row->group_size);
    return same;
}

static bool same_value(const isw_option *row, const void *a, const void *b)
{
    switch ((int)row->type) {
    case ISW_OPTION_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case ISW_OPTION_INT:
    case ISW_OPTION_ENUM:
    case ISW_OPTION_DURATION:
    case ISW_OPTION_SIZE:
        return *(const int64_t *)a == *(const int64_t *)b;
    case ISW_OPTION_DOUBLE:
        return *(const double *)a == *(const double *)b;
    case ISW_OPTION_STRING:
    case ISW_OPTION_SECRET:
    case ISW_OPTION_PATH:
        return same_text(*(const char *const *)a, *(const char *const *)b);
    case ISW_OPTION_STRINGS:
    case ISW_OPTION_PROPERTIES:
    case (int)ISWI_OPTION_VARIABLES:
    case (int)ISWI_OPTION_TEXTS:
        return same_strings(a, b);
    case ISW_OPTION_GROUP:
    case (int)ISWI_OPTION_SHORT_GROUP:
        return iswi_config_equal(row->group, a, b);
    case ISW_OPTION_GROUP_LIST:
        return same_list(row, a, b);
    }
    return false;
}

bool iswi_config_equal(const isw_option *table, const void *a, const void *b)
{
    bool same = true;

    for (const isw_option *row = table; same && row && row->name; row++)
        same = same_value(row, (const char *)a + row->offset, (const char *)b + row->offset);
    return same;
}
