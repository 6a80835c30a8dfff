/* SPDX-License-Identifier: Apache-2.0 */
/* What the host tells of the connection that a request came by: a face on the trigger's
 * metadata. */
#include "worker/context/context.h"

#include <isoworker/http.h>

const char *isw_http_scheme(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    const isw_value *scheme = isw_context_trigger_metadata(ctx, "scheme");

    return scheme && scheme->type == ISW_VALUE_STRING &&
                   isw_str_equal(scheme->as.string, isw_str_of("https"))
               ? "https"
               : "http";
}

/* -- The client's certificate ------------------------------------------------------------------ */

/* NULL: there is none of that name and type. */
static const isw_value *member(const isw_map *map, const char *name, isw_value_type type)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->items[i].value.type == type &&
            isw_str_equal(map->items[i].name, isw_str_of(name)))
            return &map->items[i].value;
    return NULL;
}

static isw_str text(const isw_map *map, const char *name)
{
    const isw_value *value = member(map, name, ISW_VALUE_STRING);

    return value ? value->as.string : isw_str_of("");
}

static bool read_names(isw_context *ctx, const isw_value *array, isw_client_certificate *out)
{
    const size_t count = array ? array->as.array.count : 0;
    isw_str *names = isw_context_alloc(ctx, (count + 1) * sizeof *names);

    out->names = names;
    for (size_t i = 0; names && i < count; i++)
        if (array->as.array.items[i].type == ISW_VALUE_STRING)
            names[out->name_count++] = array->as.array.items[i].as.string;
    return names != NULL;
}

const isw_client_certificate *isw_http_client_certificate(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    const isw_value *value = isw_context_trigger_metadata(ctx, "client_certificate");
    const isw_value *expires;
    isw_client_certificate *out;

    if (!value || value->type != ISW_VALUE_MAP ||
        !(out = isw_context_alloc(ctx, sizeof *out)))
        return NULL;
    expires = member(&value->as.map, "expires", ISW_VALUE_INT);
    *out = (isw_client_certificate){
        .subject = text(&value->as.map, "subject"),
        .issuer = text(&value->as.map, "issuer"),
        .sha256 = text(&value->as.map, "sha256"),
        .expires_s = expires ? expires->as.integer : 0,
    };
    return read_names(ctx, member(&value->as.map, "names", ISW_VALUE_ARRAY), out) ? out : NULL;
}
