/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker of `isoworker bench`: one function that reads what it got and gives it back. With
 * `in-process SLICE_MS PAYLOADS CONFIG` it measures the same function and chain, called in a loop
 * in this process, and writes the samples to standard output.
 */
#include "cli/bench_samples.h"

#include <isoworker/isoworker.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>

/* Reads each byte once, as a function does that looks at what it got. */
static uint64_t sum_of(isw_bytes bytes)
{
    const unsigned char *at = bytes.data;
    uint64_t sum = 0;

    for (size_t i = 0; i < bytes.size; i++)
        sum += at[i];
    return sum;
}

static isw_status echo(isw_context *ctx)
{
    isw_bytes bytes = isw_data_payload(isw_context_trigger_data(ctx));
    isw_data result = isw_data_bytes(bytes.data, bytes.size);

    if (sum_of(bytes) != 0)
        return isw_fail(ctx, ISW_E_INVALID, "the bench sends zeros");
    return isw_context_set_result(ctx, &result);
}

static const isw_function functions[] = {
    { .name = "echo", .trigger = ISW_TRIGGER("bench", NULL), .handler = echo,
      .summary = "gives back what it got" },
    { 0 },
};

/* -- In process -------------------------------------------------------------------------------- */

typedef struct local {
    isw_worker *worker;
    unsigned char *bytes;
    isw_error error;
} local;

static bool invoke(local *l, uint32_t payload)
{
    isw_data input = isw_data_bytes(l->bytes, payload);
    isw_invocation invocation;
    bool right;

    if (isw_worker_invoke(l->worker, "echo", &input, &invocation, &l->error) != ISW_OK)
        return false;
    right = invocation.outcome == ISW_OUTCOME_SUCCESS;
    isw_invocation_free(&invocation);
    return right;
}

static bool run(void *user, iswi_bench_samples *samples, int64_t ns)
{
    int64_t began = iswi_bench_now_ns();

    while (!iswi_bench_is_over(began + ns)) {
        int64_t started = iswi_bench_now_ns();

        if (!invoke(user, samples->payload))
            return false;
        iswi_bench_note(samples, iswi_bench_now_ns() - started);
        if (samples->mode == ISWI_BENCH_SILENCE)
            iswi_bench_sleep_ns(ISWI_BENCH_SILENCE_NS);
    }
    samples->elapsed_ns = iswi_bench_now_ns() - began;
    return true;
}

static uint32_t window(uint32_t payload)
{
    (void)payload;
    return 1; /* a call has ended when it returns */
}

static int measure(char **argv)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    iswi_bench_plan plan = { .slice_ms = strtol(argv[2], NULL, 10) };
    local l = { .bytes = calloc(1, ISWI_BENCH_PAYLOAD_MAX) };
    bool ok;

    options.config_path = argv[4];
    iswi_bench_catch_signals();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    ok = l.bytes && iswi_bench_parse_payloads(argv[3], &plan) &&
         isw_worker_create(&options, &l.worker, &l.error) == ISW_OK &&
         isw_worker_add_function(l.worker, &functions[0], &l.error) == ISW_OK &&
         iswi_bench_carry_out(&plan, run, &l, window);
    if (!ok)
        fprintf(stderr, "isoworker-bench-worker: %s\n", l.error.message);
    isw_worker_destroy(l.worker);
    free(l.bytes);
    return ok ? EX_OK : EX_UNAVAILABLE;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "in-process") == 0)
        return measure(argv);
    return isw_main(argc, argv, functions);
}
