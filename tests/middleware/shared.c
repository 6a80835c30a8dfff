/* SPDX-License-Identifier: Apache-2.0 */
/* Two workers with the memory that two processes of one have: what one counts, opens and answers
 * holds for the other. */
#include "support/main.h"

#include "base/clock.h"

#include <fcntl.h>
#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What came of a request. */
typedef struct answer {
    int status;
    char body[64], type[32], limit[64], replayed[8];
} answer;

static bool broken;
static int runs;
static isw_worker *meanwhile; /* asked while the function of another runs, */
static int64_t later_ms;      /* so much later */
static answer nested;

static answer ask(isw_worker *worker, const char *method, const char *key);
static void advance_ms(int64_t ms);

static isw_status works(isw_context *ctx)
{
    runs++;
    if (meanwhile) {
        isw_worker *other = meanwhile;

        meanwhile = NULL;
        advance_ms(later_ms);
        nested = ask(other, "POST", "k");
    }
    return broken ? isw_fail(ctx, ISW_E_FAILED, "it is broken")
                  : isw_http_reply(ctx, 201, "text/x-order", "order %d", runs);
}

static const isw_function functions[] = {
    { .name = "order", .trigger = ISW_HTTP("GET POST", NULL), .handler = works },
    { 0 },
};

typedef struct pair {
    int fd;
    isw_worker *one, *other;
} pair;

static isw_worker *begin_one(int fd, const char *yaml)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    char number[16];

    snprintf(number, sizeof number, "%d", fcntl(fd, F_DUPFD_CLOEXEC, 3));
    setenv("ISOWORKER_STORE_FD", number, 1);
    options.config_text = yaml;
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &functions[0], &error), ISW_OK);
    if (isw_worker_configure(worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_null(getenv("ISOWORKER_STORE_FD"));
    return worker;
}

static int64_t now_ms;

static void advance_ms(int64_t ms)
{
    now_ms += ms;
    iswi_clock_fake(now_ms * 1000000, now_ms * 1000);
}

static pair begin(const char *yaml, const char *other_yaml)
{
    pair p = { .fd = memfd_create("test", MFD_CLOEXEC) };

    broken = false;
    meanwhile = NULL;
    later_ms = 0;
    runs = 0;
    advance_ms(1000);
    assert_true(p.fd >= 0);
    p.one = begin_one(p.fd, yaml);
    p.other = begin_one(p.fd, other_yaml);
    return p;
}

static void end(pair *p)
{
    isw_worker_destroy(p->one);
    isw_worker_destroy(p->other);
    close(p->fd);
    iswi_clock_real();
}

static void copy(char *out, size_t size, const isw_str *text)
{
    snprintf(out, size, "%.*s", text ? (int)text->size : 0, text ? text->data : "");
}

static answer ask(isw_worker *worker, const char *method, const char *key)
{
    const isw_pair header = { isw_str_of("idempotency-key"), isw_str_of(key) };
    const isw_http http = { .method = isw_str_of(method), .url = isw_str_of("/api/order"),
                            .headers = { &header, 1 } };
    const isw_value input = { .type = ISW_VALUE_HTTP, .as.http = &http };
    isw_invocation result;
    isw_error error = { 0 };
    const isw_http *reply;
    answer out = { 0 };

    assert_int_equal(isw_worker_invoke(worker, "order", &input, &result, &error), ISW_OK);
    assert_int_equal(result.result.type, ISW_VALUE_HTTP);
    reply = result.result.as.http;
    out.status = reply->status;
    copy(out.body, sizeof out.body, &(isw_str){ reply->body.data, reply->body.size });
    copy(out.type, sizeof out.type, isw_pairs_find(&reply->headers, "content-type"));
    copy(out.limit, sizeof out.limit, isw_pairs_find(&reply->headers, "ratelimit"));
    copy(out.replayed, sizeof out.replayed,
         isw_pairs_find(&reply->headers, "idempotency-replayed"));
    isw_invocation_free(&result);
    return out;
}

static int get(isw_worker *worker)
{
    return ask(worker, "GET", "").status;
}

#define LIMIT "middleware: [error_handling, rate_limit: {rate: 4, per: 1m}]\n"

static void a_limit_is_that_of_both(void **state)
{
    pair p = begin(LIMIT, LIMIT);

    (void)state;
    assert_int_equal(get(p.one), 201);
    assert_int_equal(get(p.other), 201);
    assert_int_equal(get(p.one), 201);
    assert_string_equal(ask(p.other, "GET", "").limit, "\"default\";r=0;t=60");
    assert_int_equal(get(p.one), 429);
    assert_int_equal(get(p.other), 429);
    advance_ms(15000);
    assert_int_equal(get(p.other), 201);
    assert_int_equal(get(p.one), 429);
    end(&p);
}

static void a_limit_outlives_who_counted(void **state)
{
    pair p = begin(LIMIT, LIMIT);

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(get(p.one), 201);
    isw_worker_destroy(p.one);
    p.one = begin_one(p.fd, LIMIT);
    assert_int_equal(get(p.one), 429);
    end(&p);
}

static void other_options_count_apart(void **state)
{
    pair p = begin(LIMIT, "middleware: [error_handling, rate_limit: {rate: 5, per: 1m}]\n");

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(get(p.one), 201);
    for (int i = 0; i < 5; i++)
        assert_int_equal(get(p.other), 201);
    end(&p);
}

#define TWICE "middleware: [error_handling, rate_limit: {rate: 3, per: 1m}, " \
              "rate_limit: {rate: 3, per: 1m}]\n"

/* Each invocation takes one token of each, and not two of one. */
static void entries_that_are_alike_count_apart(void **state)
{
    pair p = begin(TWICE, TWICE);

    (void)state;
    assert_int_equal(get(p.one), 201);
    assert_int_equal(get(p.other), 201);
    assert_int_equal(get(p.one), 201);
    assert_int_equal(get(p.other), 429);
    end(&p);
}

#define BREAKER "middleware: [error_handling, circuit_breaker: {failures: 2, open_for: 10s}]\n"

static void what_one_opens_is_open_for_both(void **state)
{
    pair p = begin(BREAKER, BREAKER);

    (void)state;
    broken = true;
    assert_int_equal(get(p.one), 500);
    assert_int_equal(get(p.other), 500);
    assert_int_equal(get(p.one), 503);
    assert_int_equal(get(p.other), 503);
    assert_int_equal(runs, 2);
    broken = false;
    advance_ms(10000);
    assert_int_equal(get(p.other), 201); /* probes it, and closes it */
    assert_int_equal(get(p.one), 201);
    end(&p);
}

#define PROBED "middleware: [error_handling, circuit_breaker: {failures: 1, open_for: 10s}]\n"

static void one_of_both_probes(void **state)
{
    pair p = begin(PROBED, PROBED);

    (void)state;
    broken = true;
    assert_int_equal(get(p.one), 500);
    broken = false;
    advance_ms(10000);
    meanwhile = p.other; /* asks while the probe runs */
    assert_int_equal(get(p.one), 201);
    assert_int_equal(nested.status, 503);
    assert_int_equal(runs, 2);
    end(&p);
}

static void a_probe_that_is_lost_holds_up_nobody(void **state)
{
    pair p = begin(PROBED, PROBED);

    (void)state;
    for (int i = 0; i < 2; i++) {
        broken = true;
        assert_int_equal(get(p.one), 500);
        broken = false;
        advance_ms(10000);
        meanwhile = p.other;
        later_ms = i ? 60000 : 59999;
        get(p.one);
        assert_int_equal(nested.status, i ? 201 : 503);
    }
    end(&p);
}

#define ONCE "middleware: [error_handling, idempotency: {}]\n"

static void what_one_answered_the_other_replays(void **state)
{
    pair p = begin(ONCE, ONCE);
    answer again;

    (void)state;
    assert_string_equal(ask(p.one, "POST", "k").body, "order 1");
    again = ask(p.other, "POST", "k");
    assert_string_equal(again.body, "order 1");
    assert_int_equal(again.status, 201);
    assert_string_equal(again.type, "text/x-order");
    assert_string_equal(again.replayed, "true");
    assert_int_equal(runs, 1);
    end(&p);
}

static void what_runs_with_one_conflicts_with_the_other(void **state)
{
    pair p = begin(ONCE, ONCE);

    (void)state;
    meanwhile = p.other;
    assert_int_equal(ask(p.one, "POST", "k").status, 201);
    assert_int_equal(nested.status, 409);
    assert_int_equal(runs, 1);
    end(&p);
}

static void what_failed_with_one_runs_with_the_other(void **state)
{
    pair p = begin(ONCE, ONCE);

    (void)state;
    broken = true;
    assert_int_equal(ask(p.one, "POST", "k").status, 500);
    broken = false;
    assert_string_equal(ask(p.other, "POST", "k").body, "order 2");
    end(&p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_limit_is_that_of_both),
    cmocka_unit_test(a_limit_outlives_who_counted),
    cmocka_unit_test(other_options_count_apart),
    cmocka_unit_test(entries_that_are_alike_count_apart),
    cmocka_unit_test(what_one_opens_is_open_for_both),
    cmocka_unit_test(one_of_both_probes),
    cmocka_unit_test(a_probe_that_is_lost_holds_up_nobody),
    cmocka_unit_test(what_one_answered_the_other_replays),
    cmocka_unit_test(what_runs_with_one_conflicts_with_the_other),
    cmocka_unit_test(what_failed_with_one_runs_with_the_other),
};

ISW_TEST_MAIN(tests)
