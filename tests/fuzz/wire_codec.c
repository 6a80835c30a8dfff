/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a frame. What decode takes, encode writes, and what it wrote comes back as the same
 * bytes; peek and msgpack-c read as far as decode did. */
#include "wire/frame.h"

#include <msgpack.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The frame at the start of `bytes` once more; the views of *frame point into them. */
static void write_again(const unsigned char *bytes, size_t size, iswi_arena *arena,
                        iswi_buffer *out)
{
    iswi_frame frame;
    size_t used;

    must(iswi_frame_decode(bytes, size, arena, &frame, &used, NULL) == ISW_OK);
    must(iswi_frame_encode(&frame, out, NULL) == ISW_OK);
}

static void check_round_trip(const iswi_frame *frame, iswi_arena *arena)
{
    iswi_buffer first = { 0 };
    iswi_buffer second = { 0 };

    must(iswi_frame_encode(frame, &first, NULL) == ISW_OK);
    write_again(first.data, first.size, arena, &second);
    must(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    iswi_buffer_fini(&first);
    iswi_buffer_fini(&second);
}

static void check_others(const uint8_t *data, size_t size, const iswi_frame *frame, size_t used)
{
    msgpack_unpacked unpacked;
    uint64_t kind, id;
    size_t offset = 0;
    size_t peeked = 0;

    must(iswi_frame_peek(data, size, &kind, &id, &peeked, NULL) == ISW_OK);
    must(peeked == used && kind == frame->kind && id == frame->id);
    msgpack_unpacked_init(&unpacked);
    must(msgpack_unpack_next(&unpacked, (const char *)data, size, &offset) ==
         MSGPACK_UNPACK_SUCCESS);
    must(offset == used);
    msgpack_unpacked_destroy(&unpacked);
}

/* As the rest of a frame of which a bin lies apart, in memory that must not be looked at: a pointer
 * to nowhere. What is taken has it in the place of a bin that is longer than the rest. */
static void check_apart(const uint8_t *data, size_t size, iswi_arena *arena)
{
    const isw_bytes apart = { (const void *)(uintptr_t)1, 0x10000 };
    const isw_bytes rest = { data, size < apart.size ? size : apart.size - 1 };
    uint64_t kind, id;
    size_t used = 0;
    size_t peeked = 0;
    iswi_frame frame;

    if (iswi_frame_decode_apart(rest, apart, arena, &frame, &used, NULL) != ISW_OK)
        return;
    must(used <= rest.size);
    must(iswi_frame_peek_apart(rest, apart, &kind, &id, &peeked, NULL) == ISW_OK);
    must(peeked == used && kind == frame.kind && id == frame.id);
    if (kind == ISWI_RESPONSE && isw_value_payload(&frame.as.response.result).data == apart.data)
        must(isw_value_payload(&frame.as.response.result).size == apart.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    iswi_arena arena;
    iswi_frame frame;
    isw_error error = { .status = ISW_OK };
    size_t used = 0;
    isw_status status;

    iswi_arena_init(&arena, 4096);
    status = iswi_frame_decode(data, size, &arena, &frame, &used, &error);
    if (status == ISW_OK) {
        must(used <= size);
        check_others(data, size, &frame, used);
        if (frame.kind <= ISWI_KIND_CORE_MAX)
            check_round_trip(&frame, &arena);
    } else {
        must(status == ISW_E_PROTOCOL && error.status == status && error.message[0]);
    }
    check_apart(data, size, &arena);
    iswi_arena_fini(&arena);
    return 0;
}
