/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: heads, and bodies where they are wanted. */
#include "wire/decode_body.h"

static isw_status get_head(iswi_decoder *d, uint64_t *kind, uint64_t *id)
{
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_ARRAY, &token);

    if (status == ISW_OK && token.size != 3)
        status = iswi_decoder_refuse(d, "a frame is an array of kind, id and body");
    if (status == ISW_OK)
        status = iswi_decoder_next(d, ISWI_TOKEN_UINT, &token);
    if (status != ISW_OK)
        return status;
    *kind = token.as.u;
    d->frame = iswi_kind_name(*kind);
    status = iswi_decoder_next(d, ISWI_TOKEN_UINT, &token);
    *id = status == ISW_OK ? token.as.u : 0;
    if (status == ISW_OK && *kind <= ISWI_KIND_CORE_MAX && !iswi_table_of_kind(*kind))
        status = isw_error_set(d->error, ISW_E_PROTOCOL, "frame of unknown kind %u",
                               (unsigned)*kind);
    return status;
}

/* Bytes that lie apart belong to the frame that was read. */
static isw_status check_apart(iswi_decoder *d)
{
    return d->in.apart.data ? iswi_decoder_refuse(d, "bytes that lie apart from no bin of it")
                            : ISW_OK;
}

static iswi_decoder decoder_of(isw_bytes bytes, isw_bytes apart, iswi_arena *arena,
                               isw_error *error)
{
    const unsigned char *start = bytes.data;

    return (iswi_decoder){ .in = { start, start, start + bytes.size, apart },
                           .arena = arena,
                           .frame = "frame",
                           .error = error };
}

isw_status iswi_frame_decode_apart(isw_bytes bytes, isw_bytes apart, iswi_arena *arena,
                                   iswi_frame *frame, size_t *used, isw_error *error)
{
    iswi_decoder d = decoder_of(bytes, apart, arena, error);
    const iswi_table *table;
    isw_status status = get_head(&d, &frame->kind, &frame->id);

    if (status != ISW_OK)
        return status;
    table = iswi_table_of_kind(frame->kind);
    memset(&frame->as, 0, table ? table->size : sizeof frame->as);
    if (table)
        status = iswi_decode_struct(&d, table, &frame->as);
    else if (!iswi_cursor_skip(&d.in, ISWI_SKIP_MAX_DEPTH))
        status = iswi_decoder_refuse(&d, "malformed or too deep");
    *used = (size_t)(d.in.at - d.in.start);
    return status == ISW_OK ? check_apart(&d) : status;
}

isw_status iswi_frame_decode(const void *bytes, size_t size, iswi_arena *arena, iswi_frame *frame,
                             size_t *used, isw_error *error)
{
    return iswi_frame_decode_apart((isw_bytes){ bytes, size }, (isw_bytes){ NULL, 0 }, arena, frame,
                                   used, error);
}

isw_status iswi_frame_peek_apart(isw_bytes bytes, isw_bytes apart, uint64_t *kind, uint64_t *id,
                                 size_t *used, isw_error *error)
{
    iswi_decoder d = decoder_of(bytes, apart, NULL, error);
    isw_status status = get_head(&d, kind, id);

    if (status == ISW_OK && !iswi_cursor_skip(&d.in, *kind > ISWI_KIND_CORE_MAX
                                                         ? ISWI_SKIP_MAX_DEPTH
                                                         : ISWI_BODY_MAX_DEPTH))
        status = iswi_decoder_refuse(&d, "malformed or too deep");
    *used = (size_t)(d.in.at - d.in.start);
    return status == ISW_OK ? check_apart(&d) : status;
}

isw_status iswi_frame_peek(const void *bytes, size_t size, uint64_t *kind, uint64_t *id,
                           size_t *used, isw_error *error)
{
    return iswi_frame_peek_apart((isw_bytes){ bytes, size }, (isw_bytes){ NULL, 0 }, kind, id, used,
                                 error);
}
