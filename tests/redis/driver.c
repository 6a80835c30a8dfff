/* SPDX-License-Identifier: Apache-2.0 */
/* Entries in a real server: what all stores keep to, and what they look like there. */
#include "store/conformance.h"

#include "redis/driver.h"
#include "support/redis.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static redis_server server;

static void begin_server(void)
{
    redis_prepare(&server);
    redis_start(&server, NULL);
}

static void *join(void)
{
    const iswi_store_settings settings = { .url = server.url, .prefix = "test",
                                           .timeout_ms = 20000 };
    isw_error error = { 0 };
    void *place = NULL;

    if (iswi_store_keeper_redis.begin(&settings, &place, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return place;
}

static void leave(void *place)
{
    iswi_store_keeper_redis.end(place);
}

static void end_server(void)
{
    redis_end(&server);
}

/* The server's clock is nobody's to set. */
static void pass_ms(int64_t ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) != 0)
        ;
}

static void begin_anew(void)
{
    if (server.pid)
        redis_says(&server, "flushall");
    else
        begin_server();
}

const conforming_store subject = { &iswi_redis_driver, begin_anew, join, leave, pass_ms };

/* -- What it looks like ------------------------------------------------------------------------ */

static void what_a_key_says_is_not_to_be_read_there(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    const char *key;

    (void)state;
    conforming_put(f.space, "a secret", "1", 3600000);
    key = redis_says(&server, "keys '*'");
    assert_int_equal(strlen(key), strlen("test:test:") + 40);
    assert_memory_equal(key, "test:test:", 10);
    assert_int_equal(strspn(key + 10, "0123456789abcdef"), 40);
    conforming_end(&f);
}

static void all_that_is_there_ends_by_itself(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    const isw_store_step by = { 1, INT64_MIN, INT64_MAX, 3600000, false };
    const isw_bytes one = { "one", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = 3600000, .held = true };
    int64_t value;

    (void)state;
    for (int i = 0; i < 2; i++)
        subject.driver->add(f.space, conforming_key("n"), &by, &value, NULL);
    conforming_put(f.space, "a", "1", 3600000);
    subject.driver->replace(f.space, conforming_key("h"), &hold, false, NULL);
    assert_string_equal(redis_says(&server, "dbsize"), "4"); /* and that its process is alive */
    assert_string_equal(redis_says(&server, "eval \"for _, k in ipairs(redis.call('keys', '*')) do "
                                            "if redis.call('pttl', k) < 1 then return k end end "
                                            "return 'all'\" 0"), "all");
    conforming_end(&f);
}

/* -- Who holds --------------------------------------------------------------------------------- */

static void hold_in_child(int out)
{
    conforming_space f = conforming_begin(16, 0);
    const isw_bytes one = { "one", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = 3600000, .held = true };

    if (subject.driver->replace(f.space, conforming_key("a"), &hold, false, NULL) != ISW_OK ||
        write(out, "", 1) != 1)
        _exit(1);
    pause();
    _exit(1);
}

static void what_a_killed_process_held_is_free_when_its_word_ends(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    const isw_bytes one = { "two", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = 3600000, .held = true };
    char command[160];
    int ends[2], status;
    char byte;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        hold_in_child(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(subject.driver->replace(f.space, conforming_key("a"), &hold, false, NULL),
                     ISW_E_CONFLICT);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    snprintf(command, sizeof command, "pttl %s", redis_says(&server, "keys 'test:process:*'"));
    assert_in_range(atoi(redis_says(&server, command)), 1, 30000);
    memcpy(command, "del ", 4); /* as if half a minute had passed */
    assert_string_equal(redis_says(&server, command), "1");
    assert_string_equal(conforming_said(f.space, "a"), "none");
    assert_int_equal(subject.driver->replace(f.space, conforming_key("a"), &hold, false, NULL),
                     ISW_OK);
    assert_string_equal(conforming_said(f.space, "a"), "two");
    close(ends[0]);
    close(ends[1]);
    conforming_end(&f);
}

static void what_a_process_held_that_leaves_is_free_at_once(void **state)
{
    conforming_space f = conforming_begin(16, 0);
    conforming_space other = conforming_begin(16, 0);
    const isw_bytes one = { "one", 3 };
    const isw_store_change hold = { .value = &one, .ttl_ms = 3600000, .held = true };

    (void)state;
    assert_int_equal(subject.driver->replace(f.space, conforming_key("a"), &hold, false, NULL),
                     ISW_OK);
    conforming_end(&f);
    assert_string_equal(conforming_said(other.space, "a"), "none");
    conforming_end(&other);
}

static void scripts_that_the_server_has_forgotten_are_told_again(void **state)
{
    conforming_space f = conforming_begin(16, 0);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(conforming_put(f.space, "a", "1", 3600000), ISW_OK);
        assert_string_equal(redis_says(&server, "script flush"), "OK");
    }
    conforming_end(&f);
}

static void wrong_settings_are_refused_with_a_reason(void **state)
{
    static const struct { iswi_store_settings settings; const char *why; } wrong[] = {
        { { .url = "http://there", .prefix = "p" }, "it is no address of a Redis server" },
        { { .url = "redis://me:secret@there", .prefix = "p" }, "are the options `user`" },
        { { .url = "redis://there", .prefix = "a b" }, "a prefix has" },
        { { .url = "redis://there", .prefix = "" }, "a prefix has" },
        { { .url = "redis://there", .prefix = "p", .user = "me" }, "a user needs a password" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        isw_error error = { 0 };
        void *place = NULL;

        assert_int_equal(iswi_store_keeper_redis.begin(&wrong[i].settings, &place, &error),
                         ISW_E_CONFIG);
        assert_non_null(strstr(error.message, wrong[i].why));
        assert_null(strstr(error.message, "secret"));
        assert_null(place);
    }
}

static const struct CMUnitTest tests[] = {
    STORE_CONFORMANCE,
    cmocka_unit_test(what_a_key_says_is_not_to_be_read_there),
    cmocka_unit_test(all_that_is_there_ends_by_itself),
    cmocka_unit_test(what_a_killed_process_held_is_free_when_its_word_ends),
    cmocka_unit_test(what_a_process_held_that_leaves_is_free_at_once),
    cmocka_unit_test(scripts_that_the_server_has_forgotten_are_told_again),
    cmocka_unit_test(wrong_settings_are_refused_with_a_reason),
};

int main(int argc, char **argv)
{
    atexit(end_server);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
