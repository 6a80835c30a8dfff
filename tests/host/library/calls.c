/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that are called by name. */
#include "host/library/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void a_value_comes_back_as_it_went(void **state)
{
    running *r = *state;
    const isw_value items[] = { isw_value_string("a"), isw_value_bool(true), isw_value_double(.5) };
    const isw_named_value members[] = { isw_named("list", isw_value_array(items, 3)),
                                        isw_named("bytes", isw_value_bytes("\0\1", 2)) };
    const isw_value input = isw_value_map(members, 2);
    isw_host_result result;

    assert_int_equal(call(r->host, "echo", &input, &result, NULL), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(strlen(result.invocation_id), 32);
    assert_int_equal(result.result.type, ISW_VALUE_MAP);
    assert_int_equal(result.result.as.map.count, 2);
    assert_int_equal(result.result.as.map.items[0].value.as.array.count, 3);
    assert_memory_equal(result.result.as.map.items[1].value.as.bytes.data, "\0\1", 2);
    isw_host_result_release(&result);
    isw_host_result_release(&result);
    assert_int_equal(call(r->host, "echo", NULL, NULL, NULL), ISW_OK);
}

/* Whether it lies in memory that a worker has, too. */
static bool is_shared(const void *at)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;

    assert_non_null(maps);
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long begin;
        unsigned long end;

        found = sscanf(line, "%lx-%lx", &begin, &end) == 2 && (unsigned long)at >= begin &&
                (unsigned long)at < end && strstr(line, "memfd:isoworker-");
    }
    fclose(maps);
    return found;
}

/* A program may look at them more than once. */
static void long_bytes_of_a_result_are_the_callers_own(void **state)
{
    running *r = *state;
    enum { SIZE = 1024 * 1024 };
    static char bytes[SIZE];
    const isw_value input = isw_value_bytes(bytes, SIZE);
    isw_host_result result;

    memset(bytes, 'x', SIZE);
    assert_int_equal(call(r->host, "echo", &input, &result, NULL), ISW_OK);
    assert_int_equal(result.result.as.bytes.size, SIZE);
    assert_memory_equal(result.result.as.bytes.data, bytes, SIZE);
    assert_false(is_shared(result.result.as.bytes.data));
    isw_host_result_release(&result);
}

static void an_http_function_takes_a_request_and_gives_a_reply(void **state)
{
    running *r = *state;
    const isw_pair query = { { "name", 4 }, { "Ada", 3 } };
    const isw_http request = { .method = isw_str_of("GET"), .url = isw_str_of("/greet?name=Ada"),
                               .query = { &query, 1 } };
    const isw_value input = { .type = ISW_VALUE_HTTP, .as.http = &request };
    isw_host_result result;

    assert_null(isw_host_url(r->host));
    assert_int_equal(call(r->host, "greet", &input, &result, NULL), ISW_OK);
    assert_int_equal(result.result.type, ISW_VALUE_HTTP);
    assert_int_equal(result.result.as.http->status, 200);
    assert_memory_equal(result.result.as.http->body.data, "Hello, Ada!", 11);
    isw_host_result_release(&result);
}

static void an_answer_in_pieces_comes_whole(void **state)
{
    running *r = *state;
    const isw_http request = { .method = isw_str_of("GET"), .url = isw_str_of("/stream") };
    const isw_value input = { .type = ISW_VALUE_HTTP, .as.http = &request };
    isw_host_result result;

    assert_int_equal(call(r->host, "stream", &input, &result, NULL), ISW_OK);
    assert_int_equal(result.result.type, ISW_VALUE_HTTP);
    assert_int_equal(result.result.as.http->body.size, 32 * 64 * 1024);
    assert_non_null(isw_pairs_find(&result.result.as.http->headers, "x-kind"));
    isw_host_result_release(&result);
    assert_echo(r->host);
}

static void a_failure_has_status_and_sentence(void **state)
{
    running *r = *state;
    isw_error error = { ISW_OK, "" };
    isw_host_result result;

    assert_int_equal(call(r->host, "refuse", NULL, &result, &error), ISW_E_CONFLICT);
    assert_int_equal(result.outcome, ISW_OUTCOME_FAILED);
    assert_false(result.retriable);
    assert_message(&error, "there is one already");
    isw_host_result_release(&result);
}

static void an_unknown_function_is_refused_with_the_nearest(void **state)
{
    running *r = *state;
    isw_error error = { ISW_OK, "" };
    isw_error other = { ISW_OK, "" };
    isw_host_result result;

    assert_int_equal(call(r->host, "ecoh", NULL, &result, &error), ISW_E_NOT_FOUND);
    assert_message(&error, "no worker has a function \"ecoh\"; is \"echo\" meant?");
    assert_string_equal(result.invocation_id, "");
    isw_host_result_release(&result);
    assert_int_equal(call(r->host, "something", NULL, NULL, &other), ISW_E_NOT_FOUND);
    assert_null(strstr(other.message, "meant"));
}

static void a_crash_costs_a_call_and_the_next_one_waits(void **state)
{
    running *r = *state;
    isw_error error = { ISW_OK, "" };
    isw_host_result result;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(call(r->host, "crash", NULL, &result, &error), ISW_E_WORKER_LOST);
        assert_true(result.retriable);
        isw_host_result_release(&result);
        assert_echo(r->host);
        await_events(&r->seen, ISW_HOST_WORKER_ENDED, (unsigned)i + 1);
        assert_non_null(strstr(r->seen.why, "was ended by signal 9 (Killed)"));
    }
}

static void the_report_of_a_crash_is_read_by_the_command(void **state)
{
    running *r = *state;

    assert_int_equal(call(r->host, "fault", NULL, NULL, NULL), ISW_E_WORKER_LOST);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* theirs is another report */
    await_line(&r->seen, "plugins: SIGSEGV at address 0x8 in function fault");
#endif
    assert_echo(r->host);
}

static void a_hang_costs_the_time_of_its_call(void **state)
{
    running *r = *state;
    isw_error error = { ISW_OK, "" };

    assert_int_equal(isw_host_invoke(r->host, "hang", NULL, 200, NULL, &error), ISW_E_TIMEOUT);
    assert_message(&error, "the function took too long");
    await_line(&r->seen, "hang took longer than its 200 ms");
    await_events(&r->seen, ISW_HOST_WORKER_ENDED, 1); /* cancelled, and then killed */
    assert_echo(r->host);
}

/* -- Callbacks --------------------------------------------------------------------------------- */

enum { CALLS = 200 };

typedef struct tally {
    pthread_mutex_t lock;
    pthread_cond_t more;
    int of[CALLS]; /* answers of each call */
    int all, good, lost, stopped, other;
} tally;

typedef struct one {
    tally *t;
    int number;
} one;

static void count(void *user, isw_host_result *result)
{
    one *o = user;
    tally *t = o->t;

    pthread_mutex_lock(&t->lock);
    t->of[o->number]++;
    t->all++;
    t->good += result->status == ISW_OK && result->result.as.integer == o->number;
    t->lost += result->status == ISW_E_WORKER_LOST;
    t->stopped += result->status == ISW_E_UNAVAILABLE;
    t->other += result->status != ISW_OK && result->status != ISW_E_WORKER_LOST &&
                result->status != ISW_E_UNAVAILABLE;
    pthread_cond_signal(&t->more);
    pthread_mutex_unlock(&t->lock);
    isw_host_result_release(result);
}

static void await_all(tally *t, int count_of_all)
{
    pthread_mutex_lock(&t->lock);
    while (t->all < count_of_all)
        pthread_cond_wait(&t->more, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void assert_once(const tally *t, int calls)
{
    for (int i = 0; i < calls; i++)
        assert_int_equal(t->of[i], 1);
}

static void each_callback_comes_once_whatever_crashes(void **state)
{
    tally t = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
    isw_value inputs[CALLS];
    one ones[CALLS];
    seen s;
    isw_host *host;

    (void)state;
    seen_init(&s);
    host = start_host(&s);
    for (int i = 0; i < CALLS; i++) {
        bool crashes = i % 50 == 49;

        ones[i] = (one){ &t, i };
        inputs[i] = isw_value_int(i);
        isw_host_invoke_async(host, crashes ? "crash" : "echo", &inputs[i], PATIENCE_MS, count,
                              &ones[i]);
        if (i % 10 == 9 && !crashes)
            await_all(&t, i + 1);
    }
    await_all(&t, CALLS);
    assert_once(&t, CALLS);
    assert_true(t.lost >= CALLS / 50);
    assert_true(t.good > 0);
    isw_host_destroy(host);
    assert_int_equal(t.all, CALLS);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

static void a_call_that_waits_goes_where_its_function_is_now(void **state)
{
    static tally t = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
    static one hangs = { &t, 0 };
    static one echoes = { &t, 1 };
    const isw_value number = isw_value_int(1);
    char folder[] = "/tmp/isw-library-XXXXXX";
    isw_error error = { ISW_OK, "" };
    isw_host_options options;
    isw_host *host;
    seen s;

    (void)state;
    seen_init(&s);
    assert_non_null(mkdtemp(folder));
    write_file(folder, "host.yaml", "http: {enabled: false}\nhost: {cancel_grace: 100ms}\n"
               "workers:\n"
               "  - {name: before, command: [" WORKER "]}\n");
    write_file(folder, "worker.yaml", "worker: {concurrency: 1, max_in_flight: 1}\n");
    options = options_of(&s);
    options.folder = folder;
    host = make_host(&options);
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    assert_int_equal(isw_host_wait_ready(host, PATIENCE_MS, &error), ISW_OK);
    isw_host_invoke_async(host, "hang", NULL, 1500, count, &hangs);
    isw_host_invoke_async(host, "echo", &number, PATIENCE_MS, count, &echoes); /* behind it */
    write_file(folder, "host.yaml", "http: {enabled: false}\nhost: {cancel_grace: 100ms}\n"
               "workers:\n"
               "  - {name: after, command: [" WORKER "]}\n");
    isw_host_reload(host);
    await_all(&t, 1);
    assert_int_equal(t.good, 1);
    await_all(&t, 2);
    assert_int_equal(t.other, 1);
    await_line(&s, "worker before is gone");
    isw_host_destroy(host);
    remove_file(folder, "host.yaml");
    remove_file(folder, "worker.yaml");
    assert_int_equal(rmdir(folder), 0);
}

static void a_stop_answers_what_runs_and_what_waits(void **state)
{
    running *r = *state;
    tally t = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
    one ones[4];
    isw_error error = { ISW_OK, "" };

    for (int i = 0; i < 4; i++)
        ones[i] = (one){ &t, i };
    isw_host_invoke_async(r->host, "nap", NULL, 0, count, &ones[0]);
    isw_host_invoke_async(r->host, "hang", NULL, 0, count, &ones[1]);
    await_line(&r->seen, "hanging");
    await_line(&r->seen, "napping");
    isw_host_stop(r->host);
    isw_host_invoke_async(r->host, "echo", NULL, 0, count, &ones[2]);
    assert_int_equal(isw_host_wait(r->host, &error), ISW_OK);
    assert_int_equal(t.all, 3); /* before the end, not some time */
    isw_host_invoke_async(r->host, "echo", NULL, 0, count, &ones[3]);
    assert_once(&t, 4);
    assert_int_equal(t.stopped, 4);
}

static void more_stops_do_not_wait(void **state)
{
    tally t = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
    one o = { &t, 0 };
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, "host: {cancel_grace: 1h, shutdown_grace: 1h, function_timeout: 0}\n");
    add_worker(host, "plugins");
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    isw_host_invoke_async(host, "hang", NULL, 0, count, &o);
    await_line(&s, "hanging");
    for (int i = 0; i < 3; i++)
        isw_host_stop(host);
    assert_int_equal(isw_host_wait(host, &error), ISW_OK);
    assert_int_equal(t.stopped, 1);
    isw_host_destroy(host);
}

/* -- Not ready --------------------------------------------------------------------------------- */

static void a_call_before_workers_are_ready_waits_for_them(void **state)
{
    tally t = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
    isw_value input = isw_value_int(0);
    one o = { &t, 0 };
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    add_worker(host, "plugins");
    assert_int_equal(isw_host_invoke(host, "echo", &input, 0, NULL, &error), ISW_E_UNAVAILABLE);
    assert_message(&error, "the host is not started");
    assert_int_equal(isw_host_start(host, NULL), ISW_OK);
    isw_host_invoke_async(host, "echo", &input, PATIENCE_MS, count, &o);
    await_all(&t, 1);
    assert_int_equal(t.good, 1);
    isw_host_destroy(host);
}

static void start_with(isw_host *host, const char *name, const char *const *command)
{
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };

    worker.name = name;
    worker.command = command;
    worker.give_up_after = 2;
    worker.restart_delay_ms = 1;
    if (isw_host_add_worker(host, &worker, &error) != ISW_OK ||
        isw_host_start(host, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

static void a_call_says_what_it_waited_for(void **state)
{
    static const char *const silent[] = { "/bin/sleep", "60", NULL };
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    start_with(host, "silent", silent);
    assert_int_equal(isw_host_invoke(host, "echo", NULL, 100, NULL, &error), ISW_E_TIMEOUT);
    assert_message(&error, "worker silent is not ready: it is being started");
    error.status = ISW_OK;
    assert_int_equal(isw_host_wait_ready(host, 1, &error), ISW_E_TIMEOUT);
    assert_message(&error, "worker silent is not ready");
    isw_host_destroy(host);
}

static void a_worker_that_is_given_up_ends_the_waiting(void **state)
{
    static const char *const failing[] = { "/bin/false", NULL };
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    add_worker(host, "plugins");
    start_with(host, "failing", failing);
    assert_int_equal(call(host, "nothing", NULL, NULL, &error), ISW_E_UNAVAILABLE);
    assert_message(&error, "function \"nothing\" is not known: worker failing was given up: it "
                           "exited with status 1");
    await_events(&s, ISW_HOST_WORKER_GIVEN_UP, 1);
    assert_echo(host); /* of the other one */
    error.status = ISW_OK;
    assert_int_equal(isw_host_wait_ready(host, PATIENCE_MS, &error), ISW_E_UNAVAILABLE);
    assert_message(&error, "worker failing was given up");
    isw_host_destroy(host);
}

static void one_that_is_unhealthy_says_why_nobody_is_served(void **state)
{
    static const char *const sick[] = { WORKER, NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    worker.name = "sick";
    worker.command = sick;
    worker.start_timeout_ms = 700;
    worker.health_timeout_ms = 3600001;
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_E_CONFIG);
    assert_message(&error, "timeout");
    error.status = ISW_OK;
    worker.health_timeout_ms = 1000;
    worker.health_restart_after_ms = 10;
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_OK);
    setenv("SICK", "the disk is full", 1);
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    await_line(&s, "is unhealthy, and gets no new calls: health check disk: the disk is full");
    await_line(&s, "was not healthy within 700 ms: health check disk: the disk is full");
    unsetenv("SICK");
    assert_int_equal(isw_host_wait_ready(host, 1, &error), ISW_E_TIMEOUT);
    assert_message(&error, "worker sick is not ready: it is unhealthy: health check disk: the disk "
                           "is full");
    isw_host_destroy(host);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_value_comes_back_as_it_went, run_host, end_host),
    cmocka_unit_test_setup_teardown(long_bytes_of_a_result_are_the_callers_own, run_host, end_host),
    cmocka_unit_test_setup_teardown(an_http_function_takes_a_request_and_gives_a_reply, run_host,
                                    end_host),
    cmocka_unit_test_setup_teardown(an_answer_in_pieces_comes_whole, run_host, end_host),
    cmocka_unit_test_setup_teardown(a_failure_has_status_and_sentence, run_host, end_host),
    cmocka_unit_test_setup_teardown(an_unknown_function_is_refused_with_the_nearest, run_host,
                                    end_host),
    cmocka_unit_test_setup_teardown(a_crash_costs_a_call_and_the_next_one_waits, run_host,
                                    end_host),
    cmocka_unit_test_setup_teardown(the_report_of_a_crash_is_read_by_the_command, run_host,
                                    end_host),
    cmocka_unit_test_setup_teardown(a_hang_costs_the_time_of_its_call, run_host, end_host),
    cmocka_unit_test(each_callback_comes_once_whatever_crashes),
    cmocka_unit_test_setup_teardown(a_stop_answers_what_runs_and_what_waits, run_host, end_host),
    cmocka_unit_test(a_call_that_waits_goes_where_its_function_is_now),
    cmocka_unit_test(more_stops_do_not_wait),
    cmocka_unit_test(a_call_before_workers_are_ready_waits_for_them),
    cmocka_unit_test(a_call_says_what_it_waited_for),
    cmocka_unit_test(a_worker_that_is_given_up_ends_the_waiting),
    cmocka_unit_test(one_that_is_unhealthy_says_why_nobody_is_served),
};

ISW_TEST_MAIN(tests)
