/* SPDX-License-Identifier: Apache-2.0 */
/* The pool by itself: limits, a lane's thread that helps, and the end. */
#include "support/main.h"

#include "worker/session/dispatch.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

/* Ids that say what the job does, beside 1, which waits at the door. */
enum { NOT_QUICK = UINT16_MAX, IS_PASSED, OPENS_A_STREAM };

typedef struct pool {
    iswi_dispatch dispatch;
    iswi_message *message;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    unsigned begun, done, gathered, sent; /* the last two: how often it began and ended */
    unsigned running, most; /* at the same time */
    bool open;
} pool;

static void run_job(void *user, iswi_job *job)
{
    pool *p = user;

    if (job->id == IS_PASSED && iswi_dispatch_pass(&p->dispatch, job))
        return;
    if (job->id == OPENS_A_STREAM)
        assert_non_null(iswi_dispatch_open_stream(&p->dispatch, job));
    pthread_mutex_lock(&p->lock);
    p->begun++;
    if (++p->running > p->most)
        p->most = p->running;
    pthread_cond_broadcast(&p->changed);
    while (!p->open && (job->id == 1 || job->id > NOT_QUICK))
        pthread_cond_wait(&p->changed, &p->lock);
    if (job->id == NOT_QUICK) {
        pthread_mutex_unlock(&p->lock);
        usleep(300); /* shorter than a watch */
        pthread_mutex_lock(&p->lock);
    }
    p->running--;
    p->done++;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void on_idle(void *user)
{
    (void)user;
}

static void on_gather(void *user, bool on)
{
    pool *p = user;

    pthread_mutex_lock(&p->lock);
    ++*(on ? &p->gathered : &p->sent);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void pool_init(pool *p, unsigned concurrency, unsigned limit)
{
    memset(p, 0, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->message = iswi_message_copy("x", 1);
    assert_int_equal(iswi_dispatch_init(&p->dispatch, concurrency, limit), ISW_OK);
    p->dispatch.run = run_job;
    p->dispatch.on_idle = on_idle;
    p->dispatch.gather = on_gather;
    p->dispatch.user = p;
}

static void pool_fini(pool *p)
{
    iswi_dispatch_stop(&p->dispatch);
    iswi_dispatch_fini(&p->dispatch);
    iswi_message_release(p->message);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
}

static isw_status submit(pool *p, uint64_t id)
{
    isw_status status =
        iswi_dispatch_submit(&p->dispatch, p->message, p->message->bytes, id);

    return status == ISW_OK ? iswi_dispatch_go(&p->dispatch) : status;
}

static void open_door(pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->open = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void wait_for(pool *p, const unsigned *count, unsigned wanted)
{
    pthread_mutex_lock(&p->lock);
    while (*count < wanted)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void no_more_are_unanswered_than_the_limit(void **state)
{
    unsigned running;
    unsigned waiting;
    pool p;

    (void)state;
    pool_init(&p, 1, 2);
    assert_int_equal(submit(&p, 1), ISW_OK);
    assert_int_equal(submit(&p, 2), ISW_OK);
    assert_int_equal(submit(&p, 3), ISW_E_BUSY);
    wait_for(&p, &p.begun, 1);
    iswi_dispatch_count(&p.dispatch, &running, &waiting);
    assert_int_equal(running, 1);
    assert_int_equal(waiting, 1);
    open_door(&p);
    wait_for(&p, &p.done, 2);
    pool_fini(&p);
}

static void what_waits_at_the_end_is_not_begun(void **state)
{
    pool p;

    (void)state;
    pool_init(&p, 1, 8);
    submit(&p, 1);
    wait_for(&p, &p.begun, 1);
    submit(&p, 2);
    pthread_mutex_lock(&p.dispatch.lock);
    p.dispatch.stopping = true; /* before the first can be followed by the second */
    pthread_mutex_unlock(&p.dispatch.lock);
    open_door(&p);
    iswi_dispatch_stop(&p.dispatch);
    assert_int_equal(submit(&p, 3), ISW_OK);
    assert_int_equal(p.begun, 1);
    pool_fini(&p);
}

static void a_cancel_finds_what_runs_and_what_waits(void **state)
{
    pool p;

    (void)state;
    pool_init(&p, 1, 8);
    submit(&p, 1);
    submit(&p, 2);
    wait_for(&p, &p.begun, 1);
    assert_true(iswi_dispatch_cancel(&p.dispatch, 1, ISW_CANCEL_OTHER));
    assert_true(iswi_dispatch_cancel(&p.dispatch, 2, ISW_CANCEL_OTHER));
    assert_true(iswi_dispatch_cancel(&p.dispatch, 0, ISW_CANCEL_OTHER));
    assert_false(iswi_dispatch_cancel(&p.dispatch, 3, ISW_CANCEL_OTHER));
    open_door(&p);
    wait_for(&p, &p.done, 2);
    pool_fini(&p);
}

/* -- A thread that helps ----------------------------------------------------------------------- */

static void *help(void *user)
{
    iswi_dispatch_help(&((pool *)user)->dispatch);
    return NULL;
}

static void one_who_helps_needs_no_pool(void **state)
{
    pool p;

    (void)state;
    pool_init(&p, 4, 8);
    iswi_dispatch_expect_help(&p.dispatch);
    for (uint64_t id = 2; id <= 5; id++)
        assert_int_equal(submit(&p, id), ISW_OK);
    help(&p);
    assert_int_equal(p.done, 4);
    assert_int_equal(p.dispatch.thread_count, 0);
    pool_fini(&p);
}

/* The helping thread takes long, so that the pool is to take over; the pool has no place while it
 * runs, and must be told when it has. */
static void the_pool_takes_what_a_slow_helper_leaves(void **state)
{
    pthread_t helper;
    pool p;

    (void)state;
    pool_init(&p, 1, 8);
    iswi_dispatch_expect_help(&p.dispatch);
    submit(&p, 1);
    submit(&p, 2);
    assert_int_equal(pthread_create(&helper, NULL, help, &p), 0);
    wait_for(&p, &p.begun, 1);
    iswi_dispatch_is_stuck(&p.dispatch);
    assert_true(iswi_dispatch_is_stuck(&p.dispatch));
    open_door(&p);
    pthread_join(helper, NULL);
    wait_for(&p, &p.done, 2);
    pool_fini(&p);
}

static void one_who_helps_hands_on_what_is_not_for_it(void **state)
{
    pool p;

    (void)state;
    pool_init(&p, 2, 8);
    iswi_dispatch_expect_help(&p.dispatch);
    submit(&p, IS_PASSED);
    submit(&p, 2);
    help(&p); /* returns, though the door is closed */
    wait_for(&p, &p.done, 1);
    wait_for(&p, &p.begun, 2);
    open_door(&p);
    wait_for(&p, &p.done, 2);
    pool_fini(&p);
}

/* No watch and no lane says that the helping thread is held up: the function does. */
static void the_pool_takes_over_when_a_function_streams(void **state)
{
    pthread_t helper;
    pool p;

    (void)state;
    pool_init(&p, 2, 8);
    iswi_dispatch_expect_help(&p.dispatch);
    submit(&p, OPENS_A_STREAM);
    submit(&p, 2);
    assert_int_equal(pthread_create(&helper, NULL, help, &p), 0);
    wait_for(&p, &p.done, 1);
    assert_true(iswi_dispatch_is_stuck(&p.dispatch)); /* whoever asks is told so at once */
    open_door(&p);
    pthread_join(helper, NULL);
    wait_for(&p, &p.done, 2);
    pool_fini(&p);
}

static void nothing_comes_for_a_job_that_is_unknown_or_answered(void **state)
{
    iswi_stream *stream = NULL;
    pool p;

    (void)state;
    pool_init(&p, 1, 8);
    submit(&p, 1);
    wait_for(&p, &p.begun, 1);
    assert_int_equal(iswi_dispatch_stream(&p.dispatch, 2, true, &stream), ISW_E_NOT_FOUND);
    assert_int_equal(iswi_dispatch_stream(&p.dispatch, 1, false, &stream), ISW_E_NOT_FOUND);
    assert_int_equal(iswi_dispatch_stream(&p.dispatch, 1, true, &stream), ISW_OK);
    iswi_stream_release(stream);
    iswi_dispatch_answer(&p.dispatch, p.dispatch.jobs);
    assert_int_equal(iswi_dispatch_stream(&p.dispatch, 1, true, &stream), ISW_E_NOT_FOUND);
    open_door(&p);
    wait_for(&p, &p.done, 1);
    pool_fini(&p);
}

/* -- Answers that leave together --------------------------------------------------------------- */

/* Submit what is quick until the leader gathers, which it does once somebody watches it. */
static void make_it_gather(pool *p)
{
    bool gathers = false;

    for (uint64_t id = 2; !gathers; id++) {
        if (submit(p, id) == ISW_E_BUSY)
            sched_yield();
        pthread_mutex_lock(&p->lock);
        gathers = p->gathered > 0;
        pthread_mutex_unlock(&p->lock);
    }
}

static void answers_that_were_gathered_are_sent(void **state)
{
    pool p;

    (void)state;
    pool_init(&p, 4, 64);
    make_it_gather(&p);
    wait_for(&p, &p.sent, 1);
    pool_fini(&p);
    assert_int_equal(p.gathered, p.sent);
}

/* The first function does not end, whether or not others wait behind it. */
static void a_function_that_takes_long_holds_no_answers_back(void **state)
{
    (void)state;
    for (unsigned behind = 0; behind < 2; behind++) {
        unsigned gathered;
        pool p;

        pool_init(&p, 4, 64);
        make_it_gather(&p);
        while (submit(&p, 1) != ISW_OK)
            sched_yield();
        while (behind && submit(&p, 2) != ISW_OK)
            sched_yield();
        pthread_mutex_lock(&p.lock);
        gathered = p.gathered;
        pthread_mutex_unlock(&p.lock);
        wait_for(&p, &p.sent, gathered);
        open_door(&p);
        pool_fini(&p);
        assert_int_equal(p.gathered, p.sent);
    }
}

static void functions_that_are_not_quick_run_beside_each_other(void **state)
{
    (void)state;
    for (int helped = 0; helped < 2; helped++) {
        pool p;

        pool_init(&p, 4, 256);
        if (helped)
            iswi_dispatch_expect_help(&p.dispatch);
        for (unsigned i = 0; i < 200; i++)
            iswi_dispatch_submit(&p.dispatch, p.message, p.message->bytes, NOT_QUICK);
        assert_int_equal(iswi_dispatch_go(&p.dispatch), ISW_OK);
        if (helped)
            help(&p);
        wait_for(&p, &p.done, 200);
        pool_fini(&p);
        assert_in_range(p.most, 2, 4);
    }
}

static void where_nobody_can_watch_nothing_is_gathered(void **state)
{
    pool p;

    (void)state;
    pool_init(&p, 1, 64);
    for (unsigned i = 0; i < 1000; i++)
        while (submit(&p, 2) != ISW_OK)
            sched_yield();
    wait_for(&p, &p.done, 1000);
    pool_fini(&p);
    assert_int_equal(p.gathered, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(answers_that_were_gathered_are_sent),
    cmocka_unit_test(a_function_that_takes_long_holds_no_answers_back),
    cmocka_unit_test(functions_that_are_not_quick_run_beside_each_other),
    cmocka_unit_test(where_nobody_can_watch_nothing_is_gathered),
    cmocka_unit_test(no_more_are_unanswered_than_the_limit),
    cmocka_unit_test(what_waits_at_the_end_is_not_begun),
    cmocka_unit_test(a_cancel_finds_what_runs_and_what_waits),
    cmocka_unit_test(one_who_helps_needs_no_pool),
    cmocka_unit_test(the_pool_takes_what_a_slow_helper_leaves),
    cmocka_unit_test(one_who_helps_hands_on_what_is_not_for_it),
    cmocka_unit_test(the_pool_takes_over_when_a_function_streams),
    cmocka_unit_test(nothing_comes_for_a_job_that_is_unknown_or_answered),
};

ISW_TEST_MAIN(tests)
