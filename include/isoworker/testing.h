/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_TESTING_H
#define ISOWORKER_TESTING_H

/*
 * isw_test: an application's functions in its own unit tests. An invocation of any trigger runs
 * through its function's real chain in the calling thread, with no host, no process and no socket;
 * the test looks at what came of it. It goes with any test framework.
 *
 *     isw_test_create(worker, &test, &error);
 *     isw_test_header(test, "x-api-key", "secret");
 *     result = isw_test_http(test, "GET", "/hello/World");
 *     assert(result->http_status == 200 && strcmp(result->body, "Hello, World!\n") == 0);
 *
 * Time stands still while an isw_test lives, for the whole process: isw_context_sleep returns at
 * once and moves the clock instead, and isw_test_advance_ms moves it, too. So one isw_test at a
 * time, and one thread. Out of memory ends the program: a test has no use for less.
 */
#include <isoworker/context.h>
#include <isoworker/export.h>
#include <isoworker/log.h>
#include <isoworker/status.h>
#include <isoworker/value.h>
#include <isoworker/worker.h>

ISW_BEGIN_DECLS

typedef struct isw_test isw_test;

/* Configure `worker` (functions, services and middleware added; services replaced as the test
 * likes), make its eager services, and begin a test of it. The worker moves to the test on success.
 * Its YAML is the application's own, or what isw_worker_options.config_text says.
 * Errors: those of isw_worker_configure, and of a service that cannot be made. */
ISW_API isw_status isw_test_create(isw_worker *worker, isw_test **out, isw_error *error);

/* End it and destroy its worker. The clock runs again. NULL is allowed. */
ISW_API void isw_test_destroy(isw_test *test);

/* -- What the next invocation brings ----------------------------------------------------------- */

/* Each holds for the next invocation alone; texts and data are copied. */

/* A header of the request; names may repeat. */
ISW_API void isw_test_header(isw_test *test, const char *name, const char *value);

/* The request's body, and its content-type unless that is NULL. */
ISW_API void isw_test_body(isw_test *test, const char *content_type, const void *body,
                           size_t size);

/* An input binding, or something else that the trigger tells. What every host tells of a timer's
 * turn (due now), of a message (its first delivery, or as isw_test_retry says) and of an event is
 * there without, and can be told otherwise. */
ISW_API void isw_test_input(isw_test *test, const char *name, const isw_value *value);
ISW_API void isw_test_trigger_metadata(isw_test *test, const char *name, const isw_value *value);

/* Which try it is, and W3C Trace Context as a caller would send it. */
ISW_API void isw_test_retry(isw_test *test, uint32_t count, uint32_t max, const char *last_error);
ISW_API void isw_test_trace(isw_test *test, const char *parent, const char *state);

/* The time it has; 0: as much as the function says. */
ISW_API void isw_test_timeout_ms(isw_test *test, uint32_t timeout_ms);

/* The caller leaves when the clock has moved so far; 0: before it begins. */
ISW_API void isw_test_cancel_after_ms(isw_test *test, uint32_t ms);

/* The same of a host that stops: cancel.h says what becomes of the failure of who obeys. */
ISW_API void isw_test_stop_after_ms(isw_test *test, uint32_t ms);

/* -- Invocations ------------------------------------------------------------------------------- */

typedef struct isw_test_line {
    isw_log_level level;
    const char *category;
    const char *message;
    isw_map fields; /* those of enclosing scopes first */
} isw_test_line;

/* One step of the chain, as it ran; the last one is the handler. */
typedef struct isw_test_span {
    const char *name;    /* of the middleware; "handler" */
    unsigned depth;      /* 0 for the outermost */
    int64_t start_us;    /* since the invocation began, by the test's clock */
    int64_t duration_us;
    isw_status status;   /* what it returned */
} isw_test_span;

/* What came of an invocation, and all that it points to, lives until the next one of this test. */
typedef struct isw_test_result {
    isw_outcome outcome;
    uint32_t retry_after_ms;    /* with ISW_OUTCOME_RETRY_LATER */
    const isw_failure *failure; /* NULL if it did not fail */
    isw_value result;
    isw_map outputs; /* those that were emitted on the way first */
    int http_status; /* as the caller of an HTTP function sees it; 0 for other triggers */
    const char *body; /* the reply's, or the result's text; ends with a NUL */
    size_t body_size; /* without that NUL */
    const isw_test_line *lines; /* all levels, whatever the host's choice would be */
    size_t line_count;
    const isw_test_span *spans; /* in the order in which they began */
    size_t span_count;
    int64_t duration_us; /* by the test's clock */
} isw_test_result;

/* Send an HTTP request. `url` is a path as in a route, with or without a '/' in front, without the
 * host's prefix, with or without a query; it finds its function as under the host. A request that
 * no function answers gives 404, 405 or 400, as it would there. A function that events trigger is
 * sent one by POST in binary mode: its attributes are headers (ce-specversion, ce-id, ce-source,
 * ce-type, and others), its data is the body. Where one of these four lacks it is 400, and nothing
 * else of an event is checked. Never NULL. */
ISW_API const isw_test_result *isw_test_http(isw_test *test, const char *method, const char *url);

/* Invoke `function`, whatever its trigger, with the trigger's data (NULL for none). A name that
 * the worker does not have gives a result that failed with ISW_E_NOT_FOUND. Never NULL. */
ISW_API const isw_test_result *isw_test_invoke(isw_test *test, const char *function,
                                               const isw_value *trigger);

/* Make the application's health checks, as a host has it do. NULL where all could be made, else why
 * not, as the host is told; it lives as long as a result. */
ISW_API const char *isw_test_health(isw_test *test);

/* Run an invocation that a host has recorded (`isoworker run --record DIR`) through the chain of
 * today, with its own id and no deadline. *difference (may be NULL) is NULL where what comes of it
 * is what came of it, secrets aside, else a text that says how it differs, or why the file cannot
 * be read; it lives as long as the result. Never NULL. */
ISW_API const isw_test_result *isw_test_replay(isw_test *test, const char *path,
                                               const char **difference);

/* -- Looking at a result ----------------------------------------------------------------------- */

/* The first header of that name in the reply, or NULL; letter case ignored. */
ISW_API const char *isw_test_reply_header(const isw_test_result *result, const char *name);

/* The output `name`, or NULL; of one that was emitted several times the last. */
ISW_API const isw_value *isw_test_output(const isw_test_result *result, const char *name);

/* The first line that contains `text` in its message, or NULL. */
ISW_API const isw_test_line *isw_test_logged(const isw_test_result *result, const char *text);

/* Move the clock between invocations, as a cache or a limit in the chain will see. */
ISW_API void isw_test_advance_ms(isw_test *test, int64_t ms);

ISW_END_DECLS

#endif
