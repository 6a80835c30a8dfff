/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_WIRE_SUPPORT_H
#define ISW_TESTS_WIRE_SUPPORT_H

/* What the tests of the codec share: the golden files, and decoding with the memory counted. */
#include "support/memory.h"

#include "wire/frame.h"

/* Bytes that end where their memory ends, so that a sanitizer sees one byte too far. */
typedef struct sample {
    char name[64];
    unsigned char *bytes;
    size_t size;
} sample;

/* The frame in golden/<name>.hex. sample_fini frees it. */
sample golden(const char *name);
void sample_fini(sample *frame);

/* Call `visit` for each golden file, and fail if there are fewer than the kinds of frames. */
void golden_each(void (*visit)(const sample *frame));

/* Decode from an exact copy of `bytes` into a fresh arena and release it again: for tests that want
 * to know whether, and at what price. `taken` may be NULL. */
isw_status decode_once(const void *bytes, size_t size, size_t *used, size_t *taken);

/* A frame of `kind` and id 1 whose body is `body`, MessagePack as a string literal's bytes. */
#define FRAME_OF(kind, body) "\x93" kind "\x01" body

/* Whether a frame given as a string literal is decoded. */
#define DECODE(literal) decode_once(literal, sizeof(literal) - 1, &(size_t){ 0 }, NULL)
#define ASSERT_TAKEN(literal) assert_int_equal(DECODE(literal), ISW_OK)
#define ASSERT_REFUSED(literal) assert_int_equal(DECODE(literal), ISW_E_PROTOCOL)

#endif
