/* SPDX-License-Identifier: Apache-2.0 */
/* What one row of a table of fields says. */
#include "value/value.h"

iswi_limits iswi_field_limits(const isw_field *row)
{
    if (row->max || row->min < 0)
        return (iswi_limits){ row->min, row->max };
    return (iswi_limits){ row->min ? row->min : INT64_MIN, INT64_MAX };
}

size_t iswi_field_size(isw_field_type type, const isw_field *row)
{
    switch (type) {
    case ISW_FIELD_BOOL:
        return sizeof(bool);
    case ISW_FIELD_INT:
    case ISW_FIELD_ENUM:
        return sizeof(int64_t);
    case ISW_FIELD_DOUBLE:
        return sizeof(double);
    case ISW_FIELD_STRING:
        return sizeof(const char *);
    case ISW_FIELD_BYTES:
        return sizeof(isw_bytes);
    case ISW_FIELD_VALUE:
        return sizeof(isw_value);
    case ISW_FIELD_STRUCT:
        return row->item_size;
    default:
        return 0;
    }
}
