/* SPDX-License-Identifier: Apache-2.0 */
/* A server that goes and comes, is slow, or wants a password. */
#include "support/main.h"

#include "redis/client.h"
#include "support/redis.h"

#include <isoworker/cancel.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_US = 30000000 };

static iswi_redis_client *client_of(const redis_server *server, const char *password,
                                    int64_t timeout_ms)
{
    const iswi_store_settings settings = { .url = server->url, .prefix = "p",
                                           .password = password, .timeout_ms = timeout_ms };
    iswi_redis_client *client = NULL;

    assert_int_equal(iswi_redis_client_create(&settings, &client, NULL), ISW_OK);
    return client;
}

/* What comes of a PING. */
static isw_status ping(iswi_redis_client *client, isw_error *error)
{
    const iswi_redis_command command = { 1, { "PING" }, { 4 } };
    redisReply *reply = NULL;
    isw_status status = iswi_redis_ask(client, &command, &reply, error);

    if (status == ISW_OK) {
        assert_string_equal(reply->str, "PONG");
        freeReplyObject(reply);
    }
    return status;
}

static void wait_until_it_answers(iswi_redis_client *client)
{
    int64_t end_us = isw_now_us() + PATIENCE_US;

    while (ping(client, NULL) != ISW_OK) {
        assert_true(isw_now_us() < end_us);
        usleep(1000);
    }
}

/* What is written to stderr meanwhile, in `text`. */
typedef struct heard {
    int kept, ends[2];
    char text[4096];
} heard;

static void hear(heard *h)
{
    fflush(stderr);
    h->kept = dup(2);
    assert_int_equal(pipe(h->ends), 0);
    dup2(h->ends[1], 2);
}

static void heard_all(heard *h)
{
    ssize_t size;

    fflush(stderr);
    dup2(h->kept, 2);
    close(h->kept);
    close(h->ends[1]);
    size = read(h->ends[0], h->text, sizeof h->text - 1);
    h->text[size > 0 ? size : 0] = '\0';
    close(h->ends[0]);
}

static int count(const char *text, const char *word)
{
    int found = 0;

    while ((text = strstr(text, word))) {
        text++;
        found++;
    }
    return found;
}

static void one_that_is_gone_is_said_once_and_so_is_that_it_is_back(void **state)
{
    redis_server server;
    iswi_redis_client *client;
    isw_error error = { 0 };
    heard h;

    (void)state;
    redis_prepare(&server);
    client = client_of(&server, NULL, 20000);
    hear(&h);
    for (int i = 0; i < 50; i++)
        assert_int_equal(ping(client, &error), ISW_E_UNAVAILABLE);
    redis_start(&server, NULL);
    wait_until_it_answers(client);
    heard_all(&h);
    assert_non_null(strstr(error.message, server.url));
    assert_non_null(strstr(error.message, "No such file or directory"));
    assert_int_equal(count(h.text, "cannot be reached: No such file or directory"), 1);
    assert_int_equal(count(h.text, "is back after"), 1);
    iswi_redis_client_destroy(client);
    redis_end(&server);
}

static void one_that_does_not_answer_costs_few_of_many_a_timeout(void **state)
{
    enum { TIMEOUT_MS = 100, CALLS = 2000 };
    redis_server server;
    iswi_redis_client *client;
    isw_error error = { 0 };
    int64_t begun_us;

    (void)state;
    redis_prepare(&server);
    redis_start(&server, NULL);
    client = client_of(&server, NULL, TIMEOUT_MS);
    wait_until_it_answers(client);
    kill(server.pid, SIGSTOP);
    begun_us = isw_now_us();
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(ping(client, i ? NULL : &error), ISW_E_UNAVAILABLE);
    assert_true(isw_now_us() - begun_us < (int64_t)CALLS * TIMEOUT_MS * 1000 / 10);
    assert_non_null(strstr(error.message, "no answer within 100 ms"));
    kill(server.pid, SIGCONT);
    wait_until_it_answers(client);
    iswi_redis_client_destroy(client);
    redis_end(&server);
}

/* The end of an old connection is seen before it is used, so that no call pays for it; nor is
 * there a SIGPIPE, which would end this test. */
static void one_that_began_anew_is_asked_on_new_connections(void **state)
{
    redis_server server;
    iswi_redis_client *client;

    (void)state;
    redis_prepare(&server);
    redis_start(&server, NULL);
    client = client_of(&server, NULL, 20000);
    assert_int_equal(ping(client, NULL), ISW_OK);
    redis_kill(&server);
    redis_start(&server, NULL);
    assert_int_equal(ping(client, NULL), ISW_OK);
    iswi_redis_client_destroy(client);
    redis_end(&server);
}

static void *ping_often(void *user)
{
    intptr_t answered = 0;

    for (int i = 0; i < 3000; i++)
        answered += ping(user, NULL) == ISW_OK;
    return (void *)answered;
}

/* Killed while threads write and wait. */
static void one_that_dies_under_load_takes_nobody_along(void **state)
{
    redis_server server;
    iswi_redis_client *client;
    pthread_t threads[4];

    (void)state;
    redis_prepare(&server);
    client = client_of(&server, NULL, 20000);
    for (int round = 0; round < 3; round++) {
        redis_start(&server, NULL);
        wait_until_it_answers(client);
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, ping_often, client), 0);
        redis_kill(&server);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(ping(client, NULL), ISW_E_UNAVAILABLE);
    }
    iswi_redis_client_destroy(client);
    redis_end(&server);
}

static void threads_wait_for_no_other(void **state)
{
    redis_server server;
    iswi_redis_client *client;
    pthread_t threads[8];

    (void)state;
    redis_prepare(&server);
    redis_start(&server, NULL);
    client = client_of(&server, NULL, 20000);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ping_often, client), 0);
    for (int i = 0; i < 8; i++) {
        void *answered;

        pthread_join(threads[i], &answered);
        assert_int_equal((intptr_t)answered, 3000);
    }
    iswi_redis_client_destroy(client);
    redis_end(&server);
}

static void a_password_opens_and_a_wrong_one_is_never_told(void **state)
{
    redis_server server;
    iswi_redis_client *right, *wrong, *none;
    isw_error error = { 0 }, other = { 0 };

    (void)state;
    redis_prepare(&server);
    redis_start(&server, "opensesame");
    right = client_of(&server, "opensesame", 20000);
    wrong = client_of(&server, "guessed", 20000);
    none = client_of(&server, NULL, 20000);
    assert_int_equal(ping(right, NULL), ISW_OK);
    assert_int_equal(ping(wrong, &error), ISW_E_UNAVAILABLE);
    assert_non_null(strstr(error.message, "AUTH is refused: WRONGPASS"));
    assert_null(strstr(error.message, "guessed"));
    assert_int_equal(ping(none, &other), ISW_E_UNAVAILABLE);
    assert_non_null(strstr(other.message, "refuses: NOAUTH"));
    iswi_redis_client_destroy(right);
    iswi_redis_client_destroy(wrong);
    iswi_redis_client_destroy(none);
    redis_end(&server);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_that_is_gone_is_said_once_and_so_is_that_it_is_back),
    cmocka_unit_test(one_that_does_not_answer_costs_few_of_many_a_timeout),
    cmocka_unit_test(one_that_began_anew_is_asked_on_new_connections),
    cmocka_unit_test(one_that_dies_under_load_takes_nobody_along),
    cmocka_unit_test(threads_wait_for_no_other),
    cmocka_unit_test(a_password_opens_and_a_wrong_one_is_never_told),
};

ISW_TEST_MAIN(tests)
