/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_TESTING_TESTING_H
#define ISWI_WORKER_TESTING_TESTING_H

/* What an isw_test is made of. testing.c has its life, invocations.c what it runs, result.c what is
 * kept of that. */
#include "url/routes.h"
#include "worker/program/replay.h"

#include <isoworker/testing.h>

/* A list that grows in the test's arena. */
typedef struct iswi_test_list {
    void *items;
    size_t count, capacity;
} iswi_test_list;

struct isw_test {
    isw_worker *worker;
    iswi_routes *routes;
    iswi_log_sink sink;
    int64_t now_ns, wall_us;

    /* Of the next invocation, then of the last one. */
    iswi_arena arena;
    bool spent; /* the last invocation's: to be forgotten before the next one is prepared */
    iswi_test_list headers;  /* isw_pair */
    iswi_test_list inputs;   /* isw_named_value */
    iswi_test_list metadata; /* isw_named_value */
    isw_bytes body;
    isw_retry retry;
    isw_trace trace;
    uint32_t timeout_ms;
    int64_t cancel_at_ns; /* INT64_MAX: never */
    isw_cancel_reason cancel_reason;
    isw_context *ctx;
    iswi_replay replay; /* of isw_test_replay, while `replaying` */
    bool replaying;
    iswi_test_list lines; /* isw_test_line */
    iswi_spans spans;
    isw_test_result result;
};

/* testing.c */
/* What the last invocation left is forgotten before the next one brings anything. */
void iswi_test_prepare(isw_test *test);

/* What isw_context_sleep does in a test. */
void iswi_test_sleep_until(isw_context *ctx, int64_t until_ns);

/* keep.c; all of these end the program when memory is out. */
void *iswi_test_must(void *memory);
void *iswi_test_add(isw_test *test, iswi_test_list *list, size_t item_size); /* zeroed */
const char *iswi_test_text(isw_test *test, isw_str text);
isw_str iswi_test_str(isw_test *test, const char *text);
isw_value iswi_test_copy(isw_test *test, const isw_value *value); /* deeply */
isw_map iswi_test_copy_map(isw_test *test, const isw_map *map);

/* result.c */
/* The sink of an invocation's lines; `user` is the test. */
void iswi_test_take_line(void *user, isw_context *ctx, const iswi_log *line);

/* Fill test->result from the context after its chain returned `status`. */
void iswi_test_fill(isw_test *test, isw_status status);

/* The lines so far: those after the answer came after it was filled. */
void iswi_test_take_lines(isw_test *test);

/* Fill it for a request that reached no function. */
void iswi_test_refuse(isw_test *test, isw_status status, int http_status, const char *message);

#endif
