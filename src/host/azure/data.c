/* SPDX-License-Identifier: Apache-2.0 */
/* TypedData and values. What the Azure Functions host knows no type for goes to it as JSON,
 * which is what it makes of such things itself. */
#include "host/azure/internal.h"
#include "value/value.h"

/* -- From it ----------------------------------------------------------------------------------- */

static isw_value item_of(uint32_t which, const iswi_proto_list *list, size_t index)
{
    const isw_str *texts = list->items;
    const isw_bytes *bytes = list->items;
    const double *reals = list->items;
    const int64_t *integers = list->items;

    switch (which) {
    case ISWI_RPC_STRING_LIST:
        return isw_value_text(texts[index]);
    case ISWI_RPC_BYTES_LIST:
        return isw_value_bytes(bytes[index].data, bytes[index].size);
    case ISWI_RPC_DOUBLE_LIST:
        return isw_value_double(reals[index]);
    case ISWI_RPC_INT_LIST:
        return isw_value_int(integers[index]);
    default:
        return (isw_value){ .type = ISW_VALUE_MODEL,
                            .as.model = (const isw_model *)list->items + index };
    }
}

static bool array_of(const iswi_rpc_data *data, iswi_arena *arena, isw_value *out)
{
    const iswi_proto_list *list = data->as.list;
    isw_value *items = iswi_arena_calloc(arena, list->count + 1, sizeof *items);

    for (size_t i = 0; items && i < list->count; i++)
        items[i] = item_of(data->which, list, i);
    *out = isw_value_array(items, list->count);
    return items != NULL;
}

bool iswi_azure_value(const iswi_rpc_data *data, iswi_arena *arena, isw_value *out)
{
    *out = isw_value_none();
    switch (data ? data->which : 0) {
    case ISWI_RPC_STRING:
        *out = isw_value_text(data->as.string);
        return true;
    case ISWI_RPC_JSON:
        *out = isw_value_text(data->as.string);
        out->type = ISW_VALUE_JSON;
        return true;
    case ISWI_RPC_BYTES:
    case ISWI_RPC_STREAM:
        *out = isw_value_bytes(data->as.bytes.data, data->as.bytes.size);
        return true;
    case ISWI_RPC_INT:
        *out = isw_value_int(data->as.integer);
        return true;
    case ISWI_RPC_DOUBLE:
        *out = isw_value_double(data->as.real);
        return true;
    case ISWI_RPC_MODEL:
        *out = (isw_value){ .type = ISW_VALUE_MODEL, .as.model = data->as.model };
        return true;
    case 0:
    case ISWI_RPC_HTTP: /* which is no value beside the trigger's */
        return true;
    default:
        return array_of(data, arena, out);
    }
}

/* -- To it ------------------------------------------------------------------------------------- */

isw_status iswi_azure_data(const isw_value *value, iswi_arena *arena, iswi_rpc_data *out,
                           isw_error *error)
{
    *out = (iswi_rpc_data){ .which = 0 };
    switch (value->type) {
    case ISW_VALUE_NONE:
        return ISW_OK;
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        out->which = value->type == ISW_VALUE_JSON ? ISWI_RPC_JSON : ISWI_RPC_STRING;
        out->as.string = value->as.string;
        return ISW_OK;
    case ISW_VALUE_BYTES:
        out->which = ISWI_RPC_BYTES;
        out->as.bytes = value->as.bytes;
        return ISW_OK;
    case ISW_VALUE_INT:
        out->which = ISWI_RPC_INT;
        out->as.integer = value->as.integer;
        return ISW_OK;
    case ISW_VALUE_DOUBLE:
        out->which = ISWI_RPC_DOUBLE;
        out->as.real = value->as.real;
        return ISW_OK;
    default:
        out->which = ISWI_RPC_JSON;
        return iswi_json_write(arena, value, &out->as.string, error);
    }
}
