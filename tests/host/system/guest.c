/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that the host does not start: their tokens, and what stands for them. */
#include "support/main.h"

#include "host/system/guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/isw-guest-XXXXXX";

static void make_folder(void)
{
    assert_non_null(mkdtemp(folder));
}

/* A file of so many bytes. */
static void put(const char *path, size_t size, mode_t mode)
{
    unsigned char bytes[128];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    memset(bytes, 7, sizeof bytes);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static isw_status read_token(const char *path, isw_error *error)
{
    unsigned char token[ISWI_GUEST_TOKEN_BYTES];

    *error = (isw_error){ ISW_OK, "" };
    return iswi_guest_read_token(path, token, error);
}

static void a_token_has_64_bytes_that_not_everybody_can_read(void **state)
{
    char path[64];
    isw_error error;

    (void)state;
    make_folder();
    snprintf(path, sizeof path, "%s/token", folder);
    assert_int_equal(read_token(path, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "No such file or directory; make it: head -c 64"));
    put(path, 63, 0600);
    assert_int_equal(read_token(path, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "has no token, which is of 64 bytes"));
    put(path, 65, 0600);
    assert_int_equal(read_token(path, &error), ISW_E_CONFIG);
    put(path, 64, 0604);
    assert_int_equal(read_token(path, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "chmod o-r it"));
    put(path, 64, 0640);
    assert_int_equal(read_token(path, &error), ISW_OK);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void a_guest_finds_its_token_beside_the_socket_until_it_is_let_go(void **state)
{
    unsigned char token[ISWI_GUEST_TOKEN_BYTES] = { 1, 2, 3 };
    unsigned char found[ISWI_GUEST_TOKEN_BYTES];
    char path[ISWI_GUEST_PATH_BYTES];
    char url[64];
    iswi_spawn_options options = { .url = url, .token = token, .token_bytes = sizeof token };
    isw_error error = { ISW_OK, "" };
    iswi_spawned os;
    uint64_t count;

    (void)state;
    make_folder();
    snprintf(url, sizeof url, "ipc://%s/guest0", folder);
    iswi_guest_token_path(url, path);
    assert_int_equal(iswi_launch_guest.begin(&iswi_launch_guest, &options, &os, &error), ISW_OK);
    assert_int_equal(iswi_guest_read_token(path, found, &error), ISW_OK);
    assert_memory_equal(found, token, sizeof token);
    assert_int_equal(read(os.pid_fd, &count, sizeof count), -1); /* it has not ended */
    assert_true(iswi_launch_guest.is(&os, getppid()));
    iswi_launch_guest.kill(&iswi_launch_guest, &os);
    assert_int_equal(read(os.pid_fd, &count, sizeof count), sizeof count);
    assert_int_equal(iswi_launch_guest.reap(&iswi_launch_guest, &os), 0);
    assert_int_equal(access(path, F_OK), -1);
    close(os.pid_fd);
    assert_int_equal(rmdir(folder), 0); /* nothing else is left there */
}

static void one_of_another_machine_finds_nothing_here(void **state)
{
    iswi_spawn_options options = { .url = "ipc:///nowhere/at/all" };
    isw_error error = { ISW_OK, "" };
    iswi_spawned os;

    (void)state;
    assert_int_equal(iswi_launch_remote.begin(&iswi_launch_remote, &options, &os, &error), ISW_OK);
    assert_false(iswi_launcher_is_parent(&iswi_launch_remote));
    iswi_launch_remote.kill(&iswi_launch_remote, &os);
    assert_int_equal(iswi_launch_remote.reap(&iswi_launch_remote, &os), 0);
    close(os.pid_fd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_token_has_64_bytes_that_not_everybody_can_read),
    cmocka_unit_test(a_guest_finds_its_token_beside_the_socket_until_it_is_let_go),
    cmocka_unit_test(one_of_another_machine_finds_nothing_here),
};

ISW_TEST_MAIN(tests)
