/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker of `isoworker bench`: a function that reads what it got and gives it back, once or
 * many times, and a middleware that does nothing. A user program, of the public interface alone.
 *   serve COUNT        under a host, with so many functions
 *   serve-http COUNT   the same, two more that answer HTTP, and one that is called by its name
 *   repeat COUNT YAML  call the function that answers HTTP so often in this process
 *   in-process SLICE_MS PAYLOADS MODES   measure the same function and the chain of descriptor 3,
 *                      called in a loop in this process; samples to standard output
 */
#include "bench/clock.h"
#include "bench/process.h"
#include "bench/plan.h"

#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static isw_status echo(isw_context *ctx)
{
    isw_bytes bytes = isw_value_payload(isw_context_trigger(ctx));
    isw_value result = isw_value_bytes(bytes.data, bytes.size);

    if (iswi_bench_sum(bytes.data, bytes.size) != 0)
        return isw_fail(ctx, ISW_E_INVALID, "the bench sends zeros");
    return isw_context_set_result(ctx, &result);
}

/* Over our host the same bytes as the bare servers answer to GET. */
static isw_status hello(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Hello, World!\n");
}

static isw_status echo_http(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    if (iswi_bench_sum(body.data, body.size) != 0)
        return isw_fail(ctx, ISW_E_INVALID, "the bench sends zeros");
    return isw_http_reply_bytes(ctx, 200, "application/octet-stream", body.data, body.size);
}

static isw_status pass_on(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    return isw_next_run(next, ctx);
}

static const isw_middleware nothing = {
    .size = sizeof(isw_middleware), .name = "nothing", .summary = "does nothing",
    .invoke = pass_on,
};

static const isw_function http = {
    .name = "http", .trigger = ISW_HTTP("GET", "http"), .handler = hello,
    .summary = "says hello", .idempotent = true,
};

static const isw_function http_echo = {
    .name = "http_echo", .trigger = ISW_HTTP("POST", "http"), .handler = echo_http,
    .summary = "gives back what was posted",
};

static isw_status give_back(isw_context *ctx)
{
    return isw_context_set_result(ctx, isw_context_trigger(ctx));
}

static const isw_function called = {
    .name = "called", .trigger = ISW_TRIGGER("call", NULL), .handler = give_back,
    .summary = "gives back any value",
};

/* -- Functions --------------------------------------------------------------------------------- */

enum { FUNCTIONS_MAX = 16000, NAME_BYTES = 12 };

/* The worker that has them keeps pointing here. */
static struct {
    isw_function functions[FUNCTIONS_MAX];
    char names[FUNCTIONS_MAX][NAME_BYTES];
} made;

/* `count` functions that differ by name alone. */
static isw_status add_functions(isw_worker *worker, unsigned count, isw_error *error)
{
    isw_status status = ISW_OK;

    for (unsigned i = 0; status == ISW_OK && i < count && i < FUNCTIONS_MAX; i++) {
        snprintf(made.names[i], NAME_BYTES, "%c%u", 'a' + i % 26, i);
        made.functions[i] = (isw_function){ .name = made.names[i],
                                            .trigger = ISW_TRIGGER("bench", NULL),
                                            .handler = echo,
                                            .summary = "gives back what it got" };
        status = isw_worker_add_function(worker, &made.functions[i], error);
    }
    return status;
}

static isw_worker *make_worker(const isw_worker_options *options, unsigned count, isw_error *error)
{
    isw_worker *worker = NULL;

    if (isw_worker_create(options, &worker, error) == ISW_OK &&
        isw_worker_add_middleware(worker, &nothing, error) == ISW_OK &&
        add_functions(worker, count, error) == ISW_OK)
        return worker;
    isw_worker_destroy(worker);
    return NULL;
}

static int fail(const isw_error *error)
{
    fprintf(stderr, "isoworker-bench-worker: %s\n", error->message);
    return EX_UNAVAILABLE;
}

static int serve(char **argv)
{
    isw_error error = { ISW_OK, "" };
    isw_worker *worker = make_worker(NULL, (unsigned)strtoul(argv[2], NULL, 10), &error);
    int code;

    if (worker && strcmp(argv[1], "serve-http") == 0 &&
        (isw_worker_add_function(worker, &http, &error) != ISW_OK ||
         isw_worker_add_function(worker, &http_echo, &error) != ISW_OK ||
         isw_worker_add_function(worker, &called, &error) != ISW_OK)) {
        isw_worker_destroy(worker);
        worker = NULL;
    }
    code = worker ? isw_worker_main(worker, 1, argv) : fail(&error);
    isw_worker_destroy(worker);
    return code;
}

/* -- In process -------------------------------------------------------------------------------- */

typedef struct local {
    isw_worker *worker;
    unsigned char *bytes;
    isw_error error;
} local;

static bool invoke(local *l, uint32_t payload)
{
    isw_value input = isw_value_bytes(l->bytes, payload);
    isw_invocation invocation;
    bool right;

    if (isw_worker_invoke(l->worker, made.names[0], &input, &invocation, &l->error) != ISW_OK)
        return false;
    right = invocation.outcome == ISW_OUTCOME_SUCCESS;
    isw_invocation_free(&invocation);
    return right;
}

static bool run(void *user, iswi_bench_samples *samples, int64_t ns)
{
    int64_t began = iswi_bench_now_ns();

    do {
        int64_t started = iswi_bench_now_ns();

        if (!invoke(user, samples->payload))
            return false;
        iswi_bench_note(samples, iswi_bench_now_ns() - started);
        if (samples->mode == ISWI_BENCH_SILENCE)
            iswi_bench_sleep_ns(ISWI_BENCH_SILENCE_NS);
    } while (samples->done < samples->most && !iswi_bench_is_over(began + ns));
    samples->elapsed_ns = iswi_bench_now_ns() - began;
    return true;
}

static uint32_t window(void *user, uint32_t payload)
{
    (void)user;
    (void)payload;
    return 1; /* a call has ended when it returns */
}

static int measure(char **argv)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    iswi_bench_plan plan = { 0 };
    local l = { .bytes = calloc(1, ISWI_BENCH_PAYLOAD_MAX) };
    iswi_bench_subject subject = { .run = run, .window = window, .user = &l,
                                   .started_ns = iswi_bench_now_ns() };
    bool ok;

    options.config_path = "/proc/self/fd/3"; /* ISWI_BENCH_FD */
    iswi_bench_catch_signals();
    iswi_bench_die_with_parent(SIGTERM);
    l.worker = make_worker(&options, 1, &l.error);
    ok = l.bytes && l.worker && iswi_bench_plan_from_words(argv + 2, &plan) &&
         iswi_bench_carry_out(&plan, &subject);
    isw_worker_destroy(l.worker);
    free(l.bytes);
    return ok ? EX_OK : l.error.status ? fail(&l.error) : EX_UNAVAILABLE;
}

/* -- To be counted ----------------------------------------------------------------------------- */

/* A request as a browser's script might send it. */
static isw_http request(void)
{
    static const isw_pair headers[] = {
        { { "accept", 6 }, { "*/*", 3 } },
        { { "accept-encoding", 15 }, { "gzip, br", 8 } },
        { { "host", 4 }, { "api.example", 11 } },
        { { "origin", 6 }, { "https://app.example", 19 } },
        { { "user-agent", 10 }, { "bench", 5 } },
    };

    return (isw_http){ .method = isw_str_of("GET"), .url = isw_str_of("/api/http"),
                       .headers = { headers, sizeof headers / sizeof headers[0] },
                       .client = isw_str_of("127.0.0.1") };
}

static int repeat(char **argv)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    unsigned long times = strtoul(argv[2], NULL, 10);
    isw_http asked = request();
    isw_value input = { .type = ISW_VALUE_HTTP, .as.http = &asked };
    isw_error error = { ISW_OK, "" };
    isw_worker *worker = NULL;
    isw_invocation invocation;
    isw_status status;

    options.config_path = argv[3];
    status = isw_worker_create(&options, &worker, &error);
    if (status == ISW_OK)
        status = isw_worker_add_function(worker, &http, &error);
    while (status == ISW_OK && times-- > 0) {
        status = isw_worker_invoke(worker, http.name, &input, &invocation, &error);
        if (status == ISW_OK)
            isw_invocation_free(&invocation);
    }
    isw_worker_destroy(worker);
    return status == ISW_OK ? EX_OK : fail(&error);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "repeat") == 0)
        return repeat(argv);
    if (argc == 2 + ISWI_BENCH_PLAN_WORDS && strcmp(argv[1], "in-process") == 0)
        return measure(argv);
    if (argc == 3 && strncmp(argv[1], "serve", 5) == 0)
        return serve(argv);
    fprintf(stderr, "isoworker-bench-worker is started by `isoworker bench`\n");
    return EX_USAGE;
}
