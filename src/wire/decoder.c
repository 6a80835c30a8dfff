/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: nothing is believed before the cursor has seen it; memory for a list is taken only
 * after its count passed both its limit and the number of bytes that are there, so that a frame
 * takes less than 64 times its size.
 */
#include "wire/decoder.h"

#include "base/text.h"

isw_status iswi_decoder_refuse(iswi_decoder *d, const char *what)
{
    return isw_error_set(d->error, ISW_E_PROTOCOL, "%s%s%s: %s (at byte %zu)", d->frame,
                         d->field ? "." : "", d->field ? d->field->name : "", what,
                         (size_t)(d->in.at - d->in.start));
}

isw_status iswi_decoder_next(iswi_decoder *d, iswi_token_type type, iswi_token *token)
{
    static const char *const expected[] = {
        "nil expected",   "bool expected", "unsigned integer expected", "integer expected",
        "float expected", "str expected",  "bin expected",              "array expected",
        "map expected",   "ext expected",
    };

    if (!iswi_cursor_next(&d->in, token))
        return iswi_decoder_refuse(d, "cut short or malformed");
    return token->type == type ? ISW_OK : iswi_decoder_refuse(d, expected[type]);
}

isw_status iswi_decode_uint(iswi_decoder *d, uint64_t most, uint64_t *value)
{
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_UINT, &token);

    if (status != ISW_OK)
        return status;
    *value = token.as.u;
    return *value <= most ? ISW_OK : iswi_decoder_refuse(d, "number is too large");
}

isw_status iswi_decode_int(iswi_decoder *d, int64_t *value)
{
    iswi_token token;

    if (!iswi_cursor_next(&d->in, &token))
        return iswi_decoder_refuse(d, "cut short or malformed");
    if (token.type == ISWI_TOKEN_INT)
        *value = token.as.i;
    else if (token.type == ISWI_TOKEN_UINT && token.as.u <= INT64_MAX)
        *value = (int64_t)token.as.u;
    else
        return iswi_decoder_refuse(d, "integer of 64 bits expected");
    return ISW_OK;
}

isw_status iswi_decode_str(iswi_decoder *d, size_t limit, isw_str *text)
{
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_STR, &token);

    if (status != ISW_OK)
        return status;
    if (limit && token.size > limit)
        return iswi_decoder_refuse(d, "text is too long");
    if (!iswi_utf8_valid(token.data, token.size))
        return iswi_decoder_refuse(d, "text is not UTF-8");
    *text = (isw_str){ token.data, token.size };
    return ISW_OK;
}

isw_status iswi_decode_bin(iswi_decoder *d, const iswi_field *field, isw_bytes *bytes)
{
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_BIN, &token);

    if (status != ISW_OK)
        return status;
    if (field && field->limit && token.size > field->limit)
        return iswi_decoder_refuse(d, "too many bytes");
    if (field && field->exact && token.size != field->limit)
        return iswi_decoder_refuse(d, "wrong number of bytes");
    *bytes = (isw_bytes){ token.data, token.size };
    return ISW_OK;
}

isw_status iswi_decode_list(iswi_decoder *d, iswi_list_shape shape, void **items, size_t *count)
{
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_ARRAY, &token);

    if (status != ISW_OK)
        return status;
    *count = token.size / shape.elements;
    if (token.size % shape.elements)
        return iswi_decoder_refuse(d, "a value is missing in the list of pairs");
    if (*count > shape.most)
        return iswi_decoder_refuse(d, "too many elements");
    if (*count > (size_t)(d->in.end - d->in.at) / shape.least)
        return iswi_decoder_refuse(d, "cut short or malformed");
    *items = *count ? iswi_arena_calloc(d->arena, *count, shape.size) : NULL;
    if (*count && !*items)
        return isw_error_set(d->error, ISW_E_NO_MEMORY, "no memory to decode %s", d->frame);
    return ISW_OK;
}

isw_status iswi_decode_strs(iswi_decoder *d, iswi_strs *strs)
{
    void *items;
    isw_str *each;
    iswi_list_shape shape = { .elements = 1, .least = 1, .most = ISWI_LIST_MAX,
                              .size = sizeof *each };
    isw_status status = iswi_decode_list(d, shape, &items, &strs->count);

    if (status != ISW_OK)
        return status;
    strs->items = each = items;
    for (size_t i = 0; i < strs->count && status == ISW_OK; i++)
        status = iswi_decode_str(d, 0, &each[i]);
    return status;
}

isw_status iswi_decode_pairs(iswi_decoder *d, isw_pairs *pairs)
{
    void *items;
    isw_pair *each;
    iswi_list_shape shape = { .elements = 2, .least = 2, .most = ISWI_PAIRS_MAX,
                              .size = sizeof *each };
    isw_status status = iswi_decode_list(d, shape, &items, &pairs->count);

    if (status != ISW_OK)
        return status;
    pairs->items = each = items;
    for (size_t i = 0; i < pairs->count && status == ISW_OK; i++) {
        status = iswi_decode_str(d, 0, &each[i].name);
        if (status == ISW_OK)
            status = iswi_decode_str(d, 0, &each[i].value);
    }
    return status;
}
