/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_ANSWER_H
#define ISWI_BENCH_HTTP_ANSWER_H

/* The head of an answer, as far as a client needs it that trusts the server. */
#include <stdbool.h>
#include <stddef.h>

enum { ISWI_BENCH_ANSWER_BYTES = 16384 }; /* of a head, with a body that nobody asked for */

typedef struct iswi_bench_answer {
    size_t head; /* its size; 0: it is not whole */
    size_t body;
    int status;
    bool closes; /* the connection ends after it */
} iswi_bench_answer;

/* Read the first `have` bytes of `in`, which end with a NUL; answer->head stays 0 when more are
 * needed. False for what is no answer, or has no Content-Length. */
bool iswi_bench_answer_read(iswi_bench_answer *answer, const char *in, size_t have);

/* The number behind `name`, such as "content-length: ", in the head at `in`, which ends with an
 * empty line; `fallback` when it is not there. Also of requests. */
size_t iswi_bench_head_number(const char *in, const char *name, size_t fallback);

#endif
