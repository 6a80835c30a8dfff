/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WIRE_LIMITS_H
#define ISWI_WIRE_LIMITS_H

/* The limits of PROTOCOL.md, section 8, all of them. They are checked before memory is taken. */
enum {
    ISWI_PROTOCOL_MIN = 1,
    ISWI_PROTOCOL_MAX = 1,
    ISWI_MESSAGE_MAX_BYTES = 64 * 1024 * 1024,
    ISWI_MESSAGE_MAX_FRAMES = 65536,
    ISWI_HEAD_MAX_BYTES = 32768, /* of an answer: names, values, and 4 bytes for each header */
    ISWI_LIST_MAX = 16384,
    ISWI_PAIRS_MAX = 4096,
    ISWI_SKIP_MAX_DEPTH = 16,
    ISWI_VALUE_MAX_DEPTH = 12, /* arrays and maps within each other */
    /* A value of that depth within a list, and what is skipped in a structure there. */
    ISWI_BODY_MAX_DEPTH = 5 + 2 * ISWI_VALUE_MAX_DEPTH + ISWI_SKIP_MAX_DEPTH,
    ISWI_WINDOW_BYTES = 256 * 1024, /* of a stream, at its begin */
    ISWI_METRICS_MAX_BYTES = 1024 * 1024, /* of one frame */
    ISWI_METRIC_LABELS_MAX = 8,
    ISWI_METRIC_BOUNDS_MAX = 64,
    ISWI_KEY_MAX = 63,
    ISWI_KIND_CORE_MAX = 63,
    ISWI_CREDIT_MAX = 65535,
    ISWI_TOKEN_BYTES = 32, /* each half */
    ISWI_NAME_MAX = 127,
    ISWI_CATEGORY_MAX = 255,
    ISWI_PRINCIPAL_MAX = 255,
    ISWI_LINE_MAX = 1024,
    ISWI_PATH_MAX = 4095,
    ISWI_TEXT_MAX = 65536
};

#endif
