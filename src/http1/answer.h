/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HTTP1_ANSWER_H
#define ISWI_HTTP1_ANSWER_H

/*
 * The head of an answer, for those who ask a server. Strict as the head of a request is (head.h);
 * what follows it is read by body.h. Pure; one thread at a time.
 */
#include "http1/body.h"

typedef struct iswi_http1_answer {
    size_t size;         /* of the head; the body begins there */
    int status;          /* 200 to 599: what stands before it, such as 100, is passed over */
    isw_pairs fields;    /* in the order of arrival, in the arena: views of the bytes, names in small
                            letters, values without the white space around them */
    bool keep_alive;     /* whether another request may follow on the connection */
    iswi_http1_head body; /* for iswi_http1_body_begin: how its end is found. ISWI_HTTP1_NO_BODY for
                             a length of 0, and also where neither a length nor chunks say; then
                             keep_alive is false, since such a body ends with the connection */
} iswi_http1_answer;

/*
 * Read it from all that came so far, `bytes`, where the names of fields are made small; at most
 * ISWI_HTTP1_HEAD_BYTES.
 * REFUSED: it is no answer; *what is a sentence without its full stop, static.
 */
iswi_http1_result iswi_http1_answer_read(char *bytes, size_t size, iswi_arena *arena,
                                         iswi_http1_answer *out, const char **what);

#endif
