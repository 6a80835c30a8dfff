/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_AUTHOR_H
#define ISWI_HOST_ENGINE_AUTHOR_H

typedef struct iswi_host_function iswi_host_function;

/* An invocation as log lines name it; no function: it is not known. */
typedef struct iswi_author {
    const iswi_host_function *function;
    char invocation_id[33];
} iswi_author;

#endif
