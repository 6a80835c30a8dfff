/* SPDX-License-Identifier: Apache-2.0 */
/* Cancellation as a handler learns of it, what runs after the answer, and a context that is used
 * too late. */
#include "worker/support.h"

#include "worker/context/limit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static char trace[256];

static void note(const char *text)
{
    strcat(trace, text);
}

static void note_call(void *user)
{
    note(user);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };

    return poll(&one, 1, timeout_ms) == 1;
}

/* Cancelled from outside while it runs, as a session does. */
static isw_status is_told(isw_context *ctx)
{
    int fd = isw_context_cancel_fd(ctx);

    assert_true(fd >= 0);
    assert_int_equal(isw_context_cancel_fd(ctx), fd);
    assert_int_equal(isw_context_on_cancel(ctx, note_call, "first "), ISW_OK);
    assert_int_equal(isw_context_on_cancel(ctx, note_call, "second "), ISW_OK);
    assert_int_equal(isw_context_cancel_reason(ctx), ISW_CANCEL_NONE);
    assert_false(is_readable(fd, 0));
    iswi_context_cancel(ctx, ISW_CANCEL_CALLER);
    iswi_context_cancel(ctx, ISW_CANCEL_SHUTDOWN);
    assert_true(isw_context_cancelled(ctx));
    assert_int_equal(isw_context_cancel_reason(ctx), ISW_CANCEL_CALLER);
    assert_true(is_readable(fd, 1000));
    note("then ");
    assert_int_equal(isw_context_on_cancel(ctx, note_call, "late"), ISW_OK);
    return ISW_OK;
}

static void a_handler_is_told_by_flag_call_and_descriptor(void **state)
{
    run r;

    (void)state;
    trace[0] = '\0';
    run_function(&r, is_told, NULL, NULL);
    assert_string_equal(trace, "second first then late");
    run_fini(&r);
}

static isw_status only_listens(isw_context *ctx)
{
    return isw_context_on_cancel(ctx, note_call, "never");
}

static void nobody_is_told_after_the_end(void **state)
{
    isw_context *ctx;
    run r;

    (void)state;
    trace[0] = '\0';
    run_function(&r, only_listens, NULL, NULL);
    ctx = r.result.opaque;
    iswi_cancel_end(ctx);
    iswi_context_cancel(ctx, ISW_CANCEL_CALLER);
    assert_string_equal(trace, "");
    run_fini(&r);
}

static isw_status polls_for_its_deadline(isw_context *ctx)
{
    int fd = isw_context_cancel_fd(ctx);

    assert_true(is_readable(fd, 10000));
    assert_true(isw_context_cancelled(ctx));
    assert_int_equal(isw_context_cancel_reason(ctx), ISW_CANCEL_DEADLINE);
    return isw_fail(ctx, ISW_E_CANCELLED, "time is up");
}

static void a_deadline_makes_the_descriptor_readable(void **state)
{
    const isw_function functions[] = { { .name = "f", .trigger = ISW_TRIGGER("timer", NULL),
                                         .handler = polls_for_its_deadline, .timeout_ms = 20 },
                                       { 0 } };
    isw_invocation result;
    isw_worker *worker;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(make_worker(functions, "worker: {}\n", &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_invoke(worker, "f", NULL, &result, &error), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_CANCELLED);
    isw_invocation_free(&result);
    isw_worker_destroy(worker);
}

/* -- What its failure is called ---------------------------------------------------------------- */

static isw_status obeys(isw_context *ctx, isw_cancel_reason reason)
{
    iswi_context_cancel(ctx, reason);
    return isw_fail(ctx, ISW_E_CANCELLED, "told to stop");
}

static isw_status obeys_a_deadline(isw_context *ctx)
{
    return obeys(ctx, ISW_CANCEL_DEADLINE);
}

static isw_status obeys_a_shutdown(isw_context *ctx)
{
    return obeys(ctx, ISW_CANCEL_SHUTDOWN);
}

static isw_status obeys_its_caller(isw_context *ctx)
{
    return obeys(ctx, ISW_CANCEL_CALLER);
}

static isw_status obeys_in_a_word(isw_context *ctx)
{
    iswi_context_cancel(ctx, ISW_CANCEL_SHUTDOWN);
    return ISW_E_CANCELLED;
}

static isw_status stops_by_itself(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_CANCELLED, "had enough");
}

static void the_status_follows_the_reason(void **state)
{
    static const struct {
        isw_handler_fn handler;
        isw_status status;
        bool retriable;
    } cases[] = {
        { obeys_a_deadline, ISW_E_TIMEOUT, true },
        { obeys_a_shutdown, ISW_E_UNAVAILABLE, true },
        { obeys_in_a_word, ISW_E_UNAVAILABLE, true },
        { obeys_its_caller, ISW_E_CANCELLED, false },
        { stops_by_itself, ISW_E_CANCELLED, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run r;

        run_function(&r, cases[i].handler, NULL, NULL);
        assert_int_equal(r.result.outcome, ISW_OUTCOME_CANCELLED);
        assert_int_equal(r.result.failure.status, cases[i].status);
        assert_int_equal(r.result.failure.retriable, cases[i].retriable);
        run_fini(&r);
    }
}

static isw_status is_interrupted(isw_context *ctx)
{
    iswi_context_cancel(ctx, ISW_CANCEL_DEADLINE);
    return isw_fail(ctx, ISW_E_IO, "the query was interrupted");
}

static isw_status finds_a_fault(isw_context *ctx)
{
    iswi_context_cancel(ctx, ISW_CANCEL_DEADLINE);
    return isw_fail(ctx, ISW_E_INVALID, "no such order");
}

static void what_broke_off_because_of_it_is_its_cause(void **state)
{
    run r;

    (void)state;
    run_function(&r, is_interrupted, NULL, NULL);
    assert_int_equal(r.result.failure.status, ISW_E_TIMEOUT);
    assert_int_equal(r.result.failure.cause->status, ISW_E_IO);
    run_fini(&r);
    run_function(&r, finds_a_fault, NULL, NULL); /* which it would have in time, too */
    assert_int_equal(r.result.failure.status, ISW_E_INVALID);
    run_fini(&r);
}

/* -- After the answer -------------------------------------------------------------------------- */

static void note_after(isw_context *ctx, void *user)
{
    isw_value value = isw_value_int(1);

    note(user);
    isw_log(ctx, ISW_LOG_INFO, "after %s", (const char *)user);
    assert_int_equal(isw_context_set_result(ctx, &value), ISW_E_CONFLICT);
    assert_int_equal(isw_http_reply(ctx, 200, NULL, "x"), ISW_E_CONFLICT);
}

static isw_status leaves_work(isw_context *ctx)
{
    isw_value value = isw_value_string("done");

    assert_int_equal(isw_context_after(ctx, note_after, "one"), ISW_OK);
    assert_int_equal(isw_context_after(ctx, note_after, "two "), ISW_OK);
    note("handler ");
    return isw_context_set_result(ctx, &value);
}

static void what_is_left_for_after_the_answer_runs_last_first(void **state)
{
    run r;

    (void)state;
    trace[0] = '\0';
    run_function(&r, leaves_work, NULL, NULL);
    assert_string_equal(trace, "handler two one");
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    assert_true(isw_str_equal(r.result.result.as.string, isw_str_of("done")));
    run_fini(&r);
}

/* -- Too late ---------------------------------------------------------------------------------- */

static isw_context *kept;

static isw_status keeps_its_context(isw_context *ctx)
{
    kept = ctx;
    return ISW_OK;
}

#ifndef NDEBUG
/* What a job of the pool is after its invocation: the context is there, its invocation is not. */
static void use_after_the_end(void)
{
    run r;

    run_function(&r, keeps_its_context, NULL, NULL);
    iswi_context_end(kept);
    if (!freopen("/dev/null", "w", stderr))
        _exit(1);
    isw_context_alloc(kept, 1);
    _exit(0);
}
#endif

static void a_context_used_after_its_invocation_ends_the_program(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip(); /* only debug builds look */
#else
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        use_after_the_end();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
#endif
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_handler_is_told_by_flag_call_and_descriptor),
    cmocka_unit_test(nobody_is_told_after_the_end),
    cmocka_unit_test(a_deadline_makes_the_descriptor_readable),
    cmocka_unit_test(the_status_follows_the_reason),
    cmocka_unit_test(what_broke_off_because_of_it_is_its_cause),
    cmocka_unit_test(what_is_left_for_after_the_answer_runs_last_first),
    cmocka_unit_test(a_context_used_after_its_invocation_ends_the_program),
};

ISW_TEST_MAIN(tests)
