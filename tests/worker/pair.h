/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_WORKER_PAIR_H
#define ISW_TESTS_WORKER_PAIR_H

/* A struct and its table, for tests that read values into one. */
#include <isoworker/bind.h>

typedef struct pair {
    const char *name;
    int64_t count;
} pair;

static const isw_field pair_fields[] = {
    { ISW_FIELD(STRING, pair, name), .required = true },
    { ISW_FIELD(INT, pair, count), .min = 1, .max = 9 },
    { 0 },
};

#endif
