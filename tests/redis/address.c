/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "redis/address.h"

#include <string.h>

static void addresses_are_read(void **state)
{
    static const struct { const char *url, *host; int port, database; bool tls; } right[] = {
        { "redis://there", "there", 6379, 0, false },
        { "redis://there/", "there", 6379, 0, false },
        { "redis://10.0.0.1:7000/3", "10.0.0.1", 7000, 3, false },
        { "redis://[::1]", "::1", 6379, 0, false },
        { "redis://[fe80::2]:65535/15", "fe80::2", 65535, 15, false },
        { "rediss://cache.example:6380", "cache.example", 6380, 0, true },
        { "unix:///run/redis/s", "/run/redis/s", 0, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        iswi_redis_address read;

        assert_int_equal(iswi_redis_address_read(right[i].url, &read, NULL), ISW_OK);
        assert_string_equal(read.host, right[i].host);
        assert_int_equal(read.port, right[i].port);
        assert_int_equal(read.database, right[i].database);
        assert_int_equal(read.tls, right[i].tls);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const struct { const char *url, *why; } wrong[] = {
        { "", "no address" },
        { "there:6379", "no address" },
        { "REDIS://there", "no address" },
        { "redis://", "names no host" },
        { "redis://:6379", "names no host" },
        { "redis:///1", "names no host" },
        { "redis://there:", "its port" },
        { "redis://there:0", "its port" },
        { "redis://there:65536", "its port" },
        { "redis://there:+1", "its port" },
        { "redis://there:63x", "its port" },
        { "redis://[::1", "has no \"]\"" },
        { "redis://[::1]6379", "its port" },
        { "redis://there/one", "its database" },
        { "redis://there/1/2", "its database" },
        { "redis://there/-1", "its database" },
        { "redis://:password@there", "a user or a password" },
        { "redis://there?db=1", "a query" },
        { "unix://relative", "not absolute" },
        { "unix://", "not absolute" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        iswi_redis_address read = { .port = 77 };
        isw_error error = { 0 };

        assert_int_equal(iswi_redis_address_read(wrong[i].url, &read, &error), ISW_E_CONFIG);
        assert_non_null(strstr(error.message, wrong[i].why));
        assert_null(strstr(error.message, "password@"));
        assert_int_equal(read.port, 77);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(addresses_are_read),
    cmocka_unit_test(what_is_no_address_is_refused),
};

ISW_TEST_MAIN(tests)
