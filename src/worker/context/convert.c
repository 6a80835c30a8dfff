/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, MessagePack and structs with the invocation's memory; src/value does the work. */
#include "value/value.h"
#include "worker/context/failure.h"

#include <isoworker/bind.h>
#include <isoworker/convert.h>

/* Record what came of a conversion. */
static isw_status done(isw_context *ctx, isw_status status, const isw_error *error)
{
    return status == ISW_OK ? ISW_OK : iswi_fail(ctx, status, "%s", error->message);
}

/* The same of what the function gives. */
static isw_status written(isw_context *ctx, isw_status status, const isw_error *error)
{
    return status == ISW_E_INVALID ? iswi_misuse(ctx, status, "%s", error->message)
                                   : done(ctx, status, error);
}

isw_status isw_json_parse(isw_context *ctx, isw_str text, isw_value *out)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };

    return done(ctx, iswi_json_parse(&ctx->arena, text, out, &error), &error);
}

isw_status isw_json_write(isw_context *ctx, const isw_value *value, isw_str *out)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };

    if (!value)
        return iswi_needs(ctx, __func__, "value", value);
    return written(ctx, iswi_json_write(&ctx->arena, value, out, &error), &error);
}

isw_status isw_msgpack_parse(isw_context *ctx, isw_bytes bytes, isw_value *out)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };

    return done(ctx, iswi_msgpack_parse(&ctx->arena, bytes, out, &error), &error);
}

isw_status isw_msgpack_write(isw_context *ctx, const isw_value *value, isw_bytes *out)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };

    if (!value)
        return iswi_needs(ctx, __func__, "value", value);
    return written(ctx, iswi_msgpack_write(&ctx->arena, value, out, &error), &error);
}

/* -- Structs ----------------------------------------------------------------------------------- */

isw_status isw_bind(isw_context *ctx, const isw_value *from, const char *root,
                    const isw_field *fields, void *out)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };

    if (!from)
        return iswi_needs(ctx, __func__, "value to read from", from);
    return done(ctx, iswi_bind(&ctx->arena, from, root, fields, false, out, &error), &error);
}

isw_status isw_bind_pairs(isw_context *ctx, const isw_pairs *from, const char *root,
                          const isw_field *fields, void *out)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };
    const isw_value *map;

    if (!from)
        return iswi_needs(ctx, __func__, "pairs to read from", from);
    map = iswi_bind_pairs_value(&ctx->arena, from, fields);
    if (!map)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a struct");
    return done(ctx, iswi_bind(&ctx->arena, map, root, fields, true, out, &error), &error);
}

isw_status isw_unbind(isw_context *ctx, const isw_field *fields, const void *in, isw_value *out)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };

    return written(ctx, iswi_unbind(&ctx->arena, fields, in, out, &error), &error);
}
