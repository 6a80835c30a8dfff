/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_WORKER_SUPPORT_H
#define ISW_TESTS_WORKER_SUPPORT_H

/* One function behind a chain from YAML, run in the test's own thread. */
#include "support/main.h"

#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>

#define AROUND "middleware: [around]\n"

/* What the middleware `around` of the YAML does; set by a test. */
extern isw_status (*around)(isw_context *ctx, const isw_next *next);

/* A worker that knows `around`, has `functions` and reads `yaml` from a file that is gone again
 * when this returns. Not yet destroyed, whatever the status. */
isw_status make_worker(const isw_function *functions, const char *yaml, isw_worker **out,
                       isw_error *error);

/* Why this YAML is refused, without the file's path in front. Static text. */
const char *refusal_of(const char *yaml);

typedef struct run {
    isw_worker *worker;
    isw_function functions[2]; /* one, "sample" */
    isw_invocation result;
    char log[2048]; /* of run_captured */
} run;

/* Run `handler` as the function "sample", by default of the trigger "timer"; for an HTTP trigger
 * set `trigger` first. run_fini ends what each of the others began. */
void run_function(run *r, isw_handler_fn handler, const char *yaml, const isw_value *input);
void run_http(run *r, isw_handler_fn handler, const char *yaml, const isw_http *request);
void run_fini(run *r);

/* Run `function` and catch what it logs, one line each: "level category: message name=value". A
 * duration is written as "*". */
void run_captured(run *r, const isw_function *function, const char *yaml, const isw_value *input,
                  isw_log_level threshold);

/* The reply of an HTTP run: status and body, and the value of a header or "". */
void assert_reply(const run *r, int status, const char *body);
const char *reply_header(const run *r, const char *name);

isw_value http_data(const isw_http *http);

#endif
