/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_ANSWER_H
#define ISWI_BENCH_HOSTS_ANSWER_H

/* What a minimal language worker of the Azure Functions host says, as messages in memory of its own:
 * part of the bench's program on gRPC, so it is C++, too. Any thread. */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Its first message. Returns its size; 0: no memory. *out is to be given to free(). */
size_t iswi_bench_first_message(unsigned char **out);

/* The answer to a message; `url` is of its own HTTP server, NULL: it has none. 0: there is none. */
size_t iswi_bench_answer_message(const void *message, size_t size, const char *url,
                                 unsigned char **out);

#ifdef __cplusplus
}
#endif

#endif
