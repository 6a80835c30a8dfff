/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells its host of its health. */
#include "worker/support.h"

#include "support/scripted_host.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

/* What a check finds, and how often it has looked. */
static _Atomic(const char *) fault;
static atomic_int looks, destroyed;
static sem_t gate; /* where one that hangs waits */

static char hangs[] = "hangs";

static isw_status look(isw_resolver *from, void *user, void **out, isw_error *error)
{
    const char *why = atomic_load(&fault);

    assert_null(isw_resolver_context(from));
    atomic_fetch_add(&looks, 1);
    if (why == hangs) {
        sem_wait(&gate);
        why = NULL;
    }
    *out = user;
    return why ? isw_error_set(error, ISW_E_UNAVAILABLE, "%s", why) : ISW_OK;
}

static isw_status find_well(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)error;
    *out = isw_resolver_service(from, user, "text");
    return *out ? ISW_OK : ISW_E_UNAVAILABLE;
}

static void destroy(void *service, void *user)
{
    (void)service;
    (void)user;
    atomic_fetch_add(&destroyed, 1);
}

static isw_status nothing(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static const isw_function functions[] = {
    { .name = "f", .trigger = ISW_TRIGGER("timer", NULL), .handler = nothing },
    { 0 },
};
static const isw_service checks[] = {
    { .name = "disk", .lifetime = ISW_HEALTH_CHECK, .create = look, .destroy = destroy,
      .user = hangs },
    { 0 },
};

typedef struct session {
    isw_worker *worker;
    scripted_host host;
} session;

/* A worker with these services; its host checks its health every millisecond. */
static void begin(session *s, const isw_service *services, unsigned failures, unsigned timeout_ms)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    const isw_app app = { .functions = functions, .services = services };
    isw_error error = { 0 };

    options.config_text = "worker: {}\n";
    atomic_store(&looks, 0);
    atomic_store(&destroyed, 0);
    assert_int_equal(isw_worker_create(&options, &s->worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_app(s->worker, &app, &error), ISW_OK);
    assert_int_equal(isw_worker_configure(s->worker, &error), ISW_OK);
    host_start_with(&s->host, s->worker, HOST_HEALTH);
    s->host.every_ms = 1;
    s->host.timeout_ms = timeout_ms;
    s->host.failures = failures;
    host_greet(&s->host);
}

static void finish(session *s)
{
    host_close(&s->host);
    host_join(&s->host);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

/* What it says by itself. */
static void expect(session *s, iswi_health_state state, const char *why)
{
    const iswi_frame *frame = host_expect(&s->host, ISWI_STATUS);

    assert_int_equal(frame->id, 0);
    assert_int_equal(frame->as.status.health, state);
    assert_int_equal(frame->as.status.why.size, strlen(why));
    assert_memory_equal(frame->as.status.why.data, why, strlen(why));
}

/* Ask until it says so. */
static void await(session *s, iswi_health_state state, const char *why)
{
    const iswi_frame *frame;

    do {
        host_send_kind(&s->host, ISWI_STATUS_REQUEST, 9);
        frame = host_expect(&s->host, ISWI_STATUS);
    } while (frame->as.status.health != state);
    assert_int_equal(frame->as.status.why.size, strlen(why));
    assert_memory_equal(frame->as.status.why.data, why, strlen(why));
}

static void await_looks(int more)
{
    int until = atomic_load(&looks) + more;

    while (atomic_load(&looks) < until)
        sched_yield();
}

static void each_change_is_told_and_nothing_else(void **state)
{
    session s;

    (void)state;
    atomic_store(&fault, NULL);
    begin(&s, checks, 1, 60000);
    expect(&s, ISWI_HEALTH_GOOD, "");
    await_looks(3);
    atomic_store(&fault, "it is full");
    expect(&s, ISWI_HEALTH_BAD, "health check disk: it is full");
    await_looks(3);
    atomic_store(&fault, NULL);
    expect(&s, ISWI_HEALTH_GOOD, "");
    finish(&s);
    assert_true(atomic_load(&destroyed) > 0);
}

static void so_many_failures_in_a_row_make_it_unhealthy(void **state)
{
    session s;
    int before;

    (void)state;
    atomic_store(&fault, NULL);
    begin(&s, checks, 5, 60000);
    expect(&s, ISWI_HEALTH_GOOD, "");
    before = atomic_load(&looks);
    atomic_store(&fault, "no");
    expect(&s, ISWI_HEALTH_BAD, "health check disk: no");
    assert_true(atomic_load(&looks) >= before + 5);
    finish(&s);
}

static void one_that_was_never_healthy_has_none_to_spare(void **state)
{
    session s;

    (void)state;
    atomic_store(&fault, "no");
    begin(&s, checks, 1000000, 60000);
    expect(&s, ISWI_HEALTH_BAD, "health check disk: no");
    finish(&s);
}

static void a_check_that_hangs_is_a_failure_to_who_asks(void **state)
{
    session s;

    (void)state;
    sem_init(&gate, 0, 0);
    atomic_store(&fault, hangs);
    begin(&s, checks, 1000000, 20);
    await(&s, ISWI_HEALTH_BAD, "health check disk has not ended within 20 ms");
    atomic_store(&fault, NULL);
    sem_post(&gate); /* it ends, but late: the next one makes it good */
    expect(&s, ISWI_HEALTH_GOOD, "");
    finish(&s);
    sem_destroy(&gate);
}

static void all_that_fail_are_told(void **state)
{
    const isw_service two[] = {
        { .name = "net", .lifetime = ISW_HEALTH_CHECK, .create = look },
        checks[0],
        { 0 },
    };
    session s;

    (void)state;
    atomic_store(&fault, "gone");
    begin(&s, two, 1, 60000);
    expect(&s, ISWI_HEALTH_BAD, "health check net: gone; health check disk: gone");
    finish(&s);
}

static void a_check_may_need_a_singleton_and_what_it_makes_goes_with_it(void **state)
{
    const isw_service services[] = {
        { .name = "pool", .type = "text", .create = isw_service_user, .destroy = destroy,
          .user = hangs },
        { .name = "line", .type = "text", .lifetime = ISW_PER_CALL, .create = find_well,
          .destroy = destroy, .user = "pool", .needs = (const char *const[]){ "pool", NULL } },
        { .name = "ping", .lifetime = ISW_HEALTH_CHECK, .create = find_well, .user = "line",
          .needs = (const char *const[]){ "line", NULL } },
        { 0 },
    };
    session s;

    (void)state;
    begin(&s, services, 1, 60000);
    expect(&s, ISWI_HEALTH_GOOD, "");
    while (atomic_load(&destroyed) < 3)
        sched_yield();
    finish(&s);
}

static void what_it_says_can_travel(void **state)
{
    static char text[900];
    static char why[1025];
    session s;

    (void)state;
    memset(text, '\xe4', sizeof text - 1); /* each becomes two bytes, and half of one is none */
    snprintf(why, sizeof why, "health check disk: ");
    for (size_t size = strlen(why); size + 2 <= 1024; size += 2)
        memcpy(why + size, "\xc3\xa4", 3);
    atomic_store(&fault, text);
    begin(&s, checks, 1, 60000);
    expect(&s, ISWI_HEALTH_BAD, why);
    finish(&s);
}

static void a_host_that_knows_of_none_has_none_made(void **state)
{
    isw_worker *worker;
    isw_error error = { 0 };
    scripted_host host;
    const iswi_frame *frame;

    (void)state;
    atomic_store(&looks, 0);
    assert_int_equal(isw_worker_create(NULL, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_service(worker, &checks[0], &error), ISW_OK);
    assert_int_equal(isw_worker_configure(worker, &error), ISW_OK);
    host_start_with(&host, worker, 0);
    host_greet(&host);
    host_send_kind(&host, ISWI_STATUS_REQUEST, 3);
    frame = host_expect(&host, ISWI_STATUS);
    assert_int_equal(frame->id, 3);
    assert_int_equal(frame->as.status.health, ISWI_HEALTH_UNTOLD);
    host_close(&host);
    host_join(&host);
    host_fini(&host);
    assert_int_equal(atomic_load(&looks), 0);
    isw_worker_destroy(worker);
}

static bool names_health(const isw_service *services)
{
    isw_worker *worker;
    isw_error error = { 0 };
    const isw_app app = { .functions = functions, .services = services };
    scripted_host host;
    bool names;

    assert_int_equal(isw_worker_create(NULL, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_app(worker, &app, &error), ISW_OK);
    assert_int_equal(isw_worker_configure(worker, &error), ISW_OK);
    host_start_with(&host, worker, HOST_HEALTH);
    names = isw_pairs_find(&host_expect(&host, ISWI_WORKER_HELLO)->as.worker_hello.capabilities,
                           "health");
    host_close(&host);
    host_join(&host);
    host_fini(&host);
    isw_worker_destroy(worker);
    return names;
}

static void only_a_worker_with_checks_names_them(void **state)
{
    (void)state;
    assert_true(names_health(checks));
    assert_false(names_health(NULL));
}

static void nothing_follows_its_goodbye(void **state)
{
    const iswi_frame *frame;
    session s;

    (void)state;
    atomic_store(&fault, NULL);
    begin(&s, checks, 1, 60000);
    expect(&s, ISWI_HEALTH_GOOD, "");
    host_send(&s.host, &(iswi_frame){ .kind = ISWI_TERMINATE, .as.terminate.grace_ms = 5000 });
    atomic_store(&fault, "it is full");
    do
        frame = host_next(&s.host);
    while (frame->kind == ISWI_STATUS);
    assert_int_equal(frame->kind, ISWI_GOODBYE);
    atomic_store(&fault, NULL);
    await_looks(3);
    host_close(&s.host);
    host_expect_close(&s.host);
    host_join(&s.host);
    host_fini(&s.host);
    isw_worker_destroy(s.worker);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_change_is_told_and_nothing_else),
    cmocka_unit_test(so_many_failures_in_a_row_make_it_unhealthy),
    cmocka_unit_test(one_that_was_never_healthy_has_none_to_spare),
    cmocka_unit_test(a_check_that_hangs_is_a_failure_to_who_asks),
    cmocka_unit_test(all_that_fail_are_told),
    cmocka_unit_test(a_check_may_need_a_singleton_and_what_it_makes_goes_with_it),
    cmocka_unit_test(what_it_says_can_travel),
    cmocka_unit_test(a_host_that_knows_of_none_has_none_made),
    cmocka_unit_test(only_a_worker_with_checks_names_them),
    cmocka_unit_test(nothing_follows_its_goodbye),
};

ISW_TEST_MAIN(tests)
