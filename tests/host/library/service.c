/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts speak to the service manager of the program that they are a part of. */
#include "host/library/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket that hears it, whose name is in the environment. */
static int open_manager(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t size = sizeof address;
    char name[sizeof address.sun_path + 1];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    size -= (socklen_t)sizeof(sa_family_t);
    snprintf(name, sizeof name, "@%.*s", (int)size - 1, address.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

/* Wait for that word; false: none is there, or none came in time. */
static bool hears(int fd, const char *word, int flags)
{
    const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    char text[1024];
    ssize_t got;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while ((got = recv(fd, text, sizeof text - 1, flags)) >= 0) {
        text[got] = '\0';
        if (!word || strcmp(text, word) == 0)
            return true;
    }
    return false;
}

static void run_until_ready(bool service)
{
    isw_host_options options;
    seen s;
    isw_host *host;

    seen_init(&s);
    options = options_of(&s);
    options.service = service;
    host = make_host(&options);
    add_worker(host, "plugins");
    assert_int_equal(isw_host_start(host, NULL), ISW_OK);
    assert_int_equal(isw_host_wait_ready(host, PATIENCE_MS, NULL), ISW_OK);
    assert_echo(host);
    isw_host_destroy(host);
}

static void the_manager_of_a_program_hears_only_of_a_host_that_is_its_service(void **state)
{
    int fd = open_manager();

    (void)state;
    run_until_ready(false);
    assert_false(hears(fd, NULL, MSG_DONTWAIT));
    run_until_ready(true);
    assert_true(hears(fd, "STOPPING=1", 0));
    unsetenv("NOTIFY_SOCKET");
    close(fd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_manager_of_a_program_hears_only_of_a_host_that_is_its_service),
};

ISW_TEST_MAIN(tests)
