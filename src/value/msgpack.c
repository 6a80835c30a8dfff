/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack: read by the bounded cursor of the wire, written by msgpack-c. */
#include "value/value.h"

#include "base/text.h"
#include "wire/cursor.h"

#include <msgpack.h>

/* -- Reading ----------------------------------------------------------------------------------- */

typedef struct reader {
    iswi_cursor in;
    iswi_arena *arena;
    isw_error *error;
} reader;

static isw_status refuse(reader *r, const char *what)
{
    return isw_error_set(r->error, ISW_E_INVALID, "MessagePack: %s (at byte %zu)", what,
                         (size_t)(r->in.at - r->in.start));
}

static isw_status no_memory(isw_error *error)
{
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for MessagePack");
}

static isw_status get(reader *r, unsigned depth, isw_value *out);

/* Memory for `count` items of which each has at least one byte: the cursor has seen to that. */
static void *room(reader *r, size_t count, size_t size)
{
    return iswi_arena_calloc(r->arena, count, size);
}

static isw_status get_array(reader *r, size_t count, unsigned depth, isw_value *out)
{
    isw_value *items = room(r, count, sizeof *items);
    isw_status status = items ? ISW_OK : no_memory(r->error);

    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = get(r, depth, &items[i]);
    *out = isw_value_array(items, count);
    return status;
}

static isw_status get_map(reader *r, size_t count, unsigned depth, isw_value *out)
{
    isw_named_value *items = room(r, count, sizeof *items);
    isw_status status = items ? ISW_OK : no_memory(r->error);

    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        isw_value key;

        status = get(r, depth, &key);
        if (status == ISW_OK && key.type != ISW_VALUE_STRING)
            status = refuse(r, "a key of a map is no text");
        if (status != ISW_OK)
            return status;
        items[i].name = key.as.string;
        status = get(r, depth, &items[i].value);
    }
    *out = isw_value_map(items, count);
    return status;
}

static isw_status get_text(reader *r, const iswi_token *token, isw_value *out)
{
    *out = isw_value_text((isw_str){ token->data, token->size });
    return iswi_utf8_valid(token->data, token->size) ? ISW_OK : refuse(r, "text is not UTF-8");
}

static isw_status get(reader *r, unsigned depth, isw_value *out)
{
    iswi_token token;

    if (!iswi_cursor_next(&r->in, &token))
        return refuse(r, "cut short or malformed");
    if ((token.type == ISWI_TOKEN_ARRAY || token.type == ISWI_TOKEN_MAP) &&
        depth == ISW_CONVERT_MAX_DEPTH)
        return refuse(r, "nested too deep");
    switch (token.type) {
    case ISWI_TOKEN_NIL:
        *out = isw_value_none();
        return ISW_OK;
    case ISWI_TOKEN_BOOL:
        *out = isw_value_bool(token.as.boolean);
        return ISW_OK;
    case ISWI_TOKEN_UINT:
        *out = isw_value_int((int64_t)token.as.u);
        return token.as.u <= INT64_MAX ? ISW_OK : refuse(r, "an integer is beyond 64 bits");
    case ISWI_TOKEN_INT:
        *out = isw_value_int(token.as.i);
        return ISW_OK;
    case ISWI_TOKEN_DOUBLE:
        *out = isw_value_double(token.as.real);
        return ISW_OK;
    case ISWI_TOKEN_STR:
        return get_text(r, &token, out);
    case ISWI_TOKEN_BIN:
        *out = isw_value_bytes(token.data, token.size);
        return ISW_OK;
    case ISWI_TOKEN_ARRAY:
        return get_array(r, token.size, depth + 1, out);
    case ISWI_TOKEN_MAP:
        return get_map(r, token.size, depth + 1, out);
    case ISWI_TOKEN_EXT:
        break;
    }
    return refuse(r, "extension types are not taken");
}

isw_status iswi_msgpack_parse(iswi_arena *arena, isw_bytes bytes, isw_value *out, isw_error *error)
{
    const unsigned char *start = bytes.size ? bytes.data : (const unsigned char *)"";
    reader r = { { .start = start, .at = start, .end = start + bytes.size }, arena, error };
    isw_value value;
    isw_status status = get(&r, 0, &value);

    if (status == ISW_OK && r.in.at != r.in.end)
        status = refuse(&r, "more follows the value");
    if (status == ISW_OK)
        *out = value;
    return status;
}

/* -- Writing ----------------------------------------------------------------------------------- */

typedef struct writer {
    iswi_buffer out;
    msgpack_packer packer;
    isw_error *error;
} writer;

static int append(void *user, const char *bytes, size_t size)
{
    return iswi_buffer_append(user, bytes, size) ? 0 : -1;
}

static isw_status put(writer *w, const isw_value *value, unsigned depth);

static isw_status put_text(writer *w, isw_str text)
{
    if (!iswi_utf8_valid(text.data, text.size))
        return isw_error_set(w->error, ISW_E_INVALID, "text that is not UTF-8 cannot be a str");
    msgpack_pack_str(&w->packer, text.size);
    msgpack_pack_str_body(&w->packer, text.data, text.size);
    return ISW_OK;
}

static isw_status put_nested(writer *w, const isw_value *value, unsigned depth)
{
    isw_status status = ISW_OK;

    if (depth == ISW_CONVERT_MAX_DEPTH)
        return isw_error_set(w->error, ISW_E_INVALID, "nested deeper than %d levels",
                             ISW_CONVERT_MAX_DEPTH);
    if (value->type == ISW_VALUE_ARRAY) {
        msgpack_pack_array(&w->packer, value->as.array.count);
        for (size_t i = 0; status == ISW_OK && i < value->as.array.count; i++)
            status = put(w, &value->as.array.items[i], depth + 1);
        return status;
    }
    msgpack_pack_map(&w->packer, value->as.map.count);
    for (size_t i = 0; status == ISW_OK && i < value->as.map.count; i++) {
        status = put_text(w, value->as.map.items[i].name);
        if (status == ISW_OK)
            status = put(w, &value->as.map.items[i].value, depth + 1);
    }
    return status;
}

static isw_status put(writer *w, const isw_value *value, unsigned depth)
{
    switch (value->type) {
    case ISW_VALUE_NONE:
        msgpack_pack_nil(&w->packer);
        return ISW_OK;
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        return put_text(w, value->as.string);
    case ISW_VALUE_BYTES:
        msgpack_pack_bin(&w->packer, value->as.bytes.size);
        msgpack_pack_bin_body(&w->packer, value->as.bytes.data, value->as.bytes.size);
        return ISW_OK;
    case ISW_VALUE_INT:
        msgpack_pack_int64(&w->packer, value->as.integer);
        return ISW_OK;
    case ISW_VALUE_DOUBLE:
        msgpack_pack_double(&w->packer, value->as.real);
        return ISW_OK;
    case ISW_VALUE_BOOL:
        if (value->as.boolean)
            msgpack_pack_true(&w->packer);
        else
            msgpack_pack_false(&w->packer);
        return ISW_OK;
    case ISW_VALUE_ARRAY:
    case ISW_VALUE_MAP:
        return put_nested(w, value, depth);
    default:
        return isw_error_set(w->error, ISW_E_INVALID, "%s cannot be MessagePack",
                             isw_value_type_name(value->type));
    }
}

isw_status iswi_msgpack_write(iswi_arena *arena, const isw_value *value, isw_bytes *out,
                              isw_error *error)
{
    writer w = { .error = error };
    isw_bytes bytes;
    isw_status status;

    msgpack_packer_init(&w.packer, &w.out, append);
    status = put(&w, value, 0);
    bytes.size = w.out.size;
    bytes.data = NULL;
    if (status == ISW_OK && !w.out.failed)
        bytes.data = iswi_arena_strndup(arena, (const char *)w.out.data, w.out.size);
    iswi_buffer_fini(&w.out);
    if (status != ISW_OK)
        return status;
    if (!bytes.data)
        return no_memory(error);
    *out = bytes;
    return ISW_OK;
}
