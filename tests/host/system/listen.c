/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets: at ports, at paths, and those that were passed. */
#include "support/main.h"

#include "host/system/listen.h"
#include "host/system/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 4 };

typedef struct place {
    char folder[32];
    char path[64]; /* folder/s */
} place;

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);

    strcpy(p->folder, "/tmp/isw-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/s", p->folder);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    place *p = *state;

    unlink(p->path);
    assert_int_equal(rmdir(p->folder), 0); /* nothing else was left there */
    free(p);
    return 0;
}

static isw_status open_at(const place *p, const char *const *texts, size_t count,
                          iswi_listeners *out, isw_error *error)
{
    const iswi_listen_options how = { "http.listen", p->folder, 0620, NULL };
    iswi_address addresses[MOST];

    for (size_t i = 0; i < count; i++)
        assert_int_equal(iswi_address_read(texts[i], "http.listen", &addresses[i], NULL), ISW_OK);
    return iswi_listen_open(addresses, count, &how, out, error);
}

static isw_status open_one(const place *p, const char *text, iswi_listeners *out, isw_error *error)
{
    return open_at(p, &text, 1, out, error);
}

/* A socket of somebody else at the path. */
static int bound_at(const char *path, bool listening)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (listening)
        assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static bool is_there(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0;
}

static void several_addresses_are_open_at_once(void **state)
{
    static const char *const texts[] = { "127.0.0.1:0", "unix:s", "https://127.0.0.2:0" };
    place *p = *state;
    iswi_listeners all;
    char url[96];

    assert_int_equal(open_at(p, texts, 3, &all, NULL), ISW_OK);
    assert_int_equal(all.count, 3);
    assert_int_equal(strncmp(all.items[0].url, "http://127.0.0.1:", 17), 0);
    assert_int_equal(strncmp(all.items[2].url, "https://127.0.0.2:", 18), 0);
    assert_true(all.items[2].secure && !all.items[0].secure);
    snprintf(url, sizeof url, "unix:%s", p->path);
    assert_string_equal(all.items[1].url, url);
    assert_true(all.items[1].local && !all.items[0].local);
    iswi_listen_fini(&all);
}

static void an_address_that_cannot_be_had_leaves_none_open(void **state)
{
    static const char *const texts[] = { "unix:s", "198.51.100.7:0" };
    place *p = *state;
    iswi_listeners all = { NULL, 7 };
    isw_error error = { ISW_OK, "" };

    assert_int_equal(open_at(p, texts, 2, &all, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "this machine does not have the address"));
    assert_int_equal(all.count, 7);
    assert_false(is_there(p->path));
}

static void a_path_has_its_permissions_and_is_removed_at_the_end(void **state)
{
    place *p = *state;
    iswi_listeners all;
    struct stat found;

    assert_int_equal(open_one(p, "unix:s", &all, NULL), ISW_OK);
    assert_int_equal(stat(p->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0620);
    iswi_listen_close(&all);
    assert_false(is_there(p->path));
    assert_int_equal(all.items[0].fd, -1);
    iswi_listen_close(&all);
    assert_int_equal(strncmp(all.items[0].url, "unix:", 5), 0);
    iswi_listen_fini(&all);
}

static void the_socket_of_a_dead_owner_is_replaced(void **state)
{
    place *p = *state;
    iswi_listeners all;

    close(bound_at(p->path, true));
    assert_true(is_there(p->path));
    assert_int_equal(open_one(p, "unix:s", &all, NULL), ISW_OK);
    iswi_listen_fini(&all);
}

static void a_living_owner_is_named(void **state)
{
    place *p = *state;
    isw_error error = { ISW_OK, "" };
    iswi_listeners first;
    iswi_listeners second;
    char owner[64];
    int fd = bound_at(p->path, true);

    snprintf(owner, sizeof owner, "process %d (", (int)getpid());
    assert_int_equal(open_one(p, "unix:s", &second, &error), ISW_E_CONFLICT);
    assert_non_null(strstr(error.message, owner));
    assert_non_null(strstr(error.message, "choose another http.listen"));
    assert_true(is_there(p->path)); /* it was not touched */
    close(fd);
    assert_int_equal(open_one(p, "unix:s", &first, NULL), ISW_OK);
    error.status = ISW_OK;
    assert_int_equal(open_one(p, "unix:s", &second, &error), ISW_E_CONFLICT);
    assert_non_null(strstr(error.message, owner));
    iswi_listen_fini(&first);
}

static void what_is_no_socket_is_left_alone(void **state)
{
    place *p = *state;
    isw_error error = { ISW_OK, "" };
    iswi_listeners all;

    close(open(p->path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(open_one(p, "unix:s", &all, &error), ISW_E_IO);
    assert_non_null(strstr(error.message, "is there and is no socket"));
    assert_true(is_there(p->path));
}

static void both_families_have_the_same_port_where_both_are_asked_for(void **state)
{
    place *p = *state;
    iswi_listeners first;
    iswi_listeners all;
    char v4[32];
    char v6[32];
    const char *const texts[] = { v6, v4 };
    isw_error error = { ISW_OK, "" };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    if (fd < 0)
        skip();
    close(fd);
    assert_int_equal(open_one(p, "0.0.0.0:0", &first, NULL), ISW_OK);
    snprintf(v4, sizeof v4, "0.0.0.0:%s", strrchr(first.items[0].url, ':') + 1);
    snprintf(v6, sizeof v6, "[::]:%s", strrchr(first.items[0].url, ':') + 1);
    iswi_listen_fini(&first);
    if (open_at(p, texts, 2, &all, &error) != ISW_OK)
        fail_msg("%s", error.message);
    iswi_listen_fini(&all);
}

/* -- Sockets that were passed ------------------------------------------------------------------ */

/* In a process of its own: descriptors from 3 on are the test's. */
static int in_a_child(int (*work)(void))
{
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (child == 0)
        _exit(work());
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void say(const char *fds, const char *names)
{
    char pid[24];

    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", fds, 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

static void put_listener(int fd)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int made = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(made, (struct sockaddr *)&any, sizeof any) || listen(made, 1))
        _exit(99);
    dup2(made, fd);
    if (made != fd)
        close(made);
}

static isw_status take(const char *name, size_t *count, isw_error *error)
{
    int fds[ISWI_PASSED_MAX];

    return iswi_passed_take(name, name ? name : "systemd", "http.listen", fds, count, error);
}

static int by_name(void)
{
    isw_error error = { ISW_OK, "" };
    size_t count;

    for (int fd = 3; fd < 6; fd++)
        put_listener(fd);
    say("3", "web:admin:web");
    if (take("admin", &count, NULL) != ISW_OK || count != 1)
        return 1;
    if (!(fcntl(4, F_GETFD) & FD_CLOEXEC) || !(fcntl(4, F_GETFL) & O_NONBLOCK))
        return 2;
    if (take("other", &count, &error) != ISW_E_CONFIG ||
        !strstr(error.message, "free are: web, web"))
        return 3;
    if (take("web", &count, NULL) != ISW_OK || count != 2)
        return 4;
    return take(NULL, &count, NULL) == ISW_E_CONFIG ? 0 : 5; /* all are taken */
}

static int what_listens(void)
{
    size_t count;

    put_listener(3);
    close(4);
    dup2(socket(AF_INET, SOCK_STREAM, 0), 4); /* does not listen */
    dup2(2, 5);
    put_listener(6);
    say("9999", "");
    return take(NULL, &count, NULL) == ISW_OK && count == 2 ? 0 : 1;
}

static int for_another(void)
{
    isw_error error = { ISW_OK, "" };
    size_t count;

    put_listener(3);
    say("1", "web");
    setenv("LISTEN_PID", "1", 1);
    if (take("web", &count, &error) != ISW_E_CONFIG ||
        !strstr(error.message, "no socket was passed to this process"))
        return 1;
    say("-1", "web");
    return take(NULL, &count, NULL) == ISW_E_CONFIG ? 0 : 2;
}

static void passed_sockets_are_taken_once_by_their_names(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(by_name), 0);
}

static void what_was_passed_and_does_not_listen_is_left(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(what_listens), 0);
}

static void what_was_passed_to_another_process_is_not_ours(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(for_another), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(several_addresses_are_open_at_once, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_address_that_cannot_be_had_leaves_none_open,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_path_has_its_permissions_and_is_removed_at_the_end,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_socket_of_a_dead_owner_is_replaced, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_living_owner_is_named, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_alone, set_up, tear_down),
    cmocka_unit_test_setup_teardown(both_families_have_the_same_port_where_both_are_asked_for,
                                    set_up, tear_down),
    cmocka_unit_test(passed_sockets_are_taken_once_by_their_names),
    cmocka_unit_test(what_was_passed_and_does_not_listen_is_left),
    cmocka_unit_test(what_was_passed_to_another_process_is_not_ours),
};

ISW_TEST_MAIN(tests)
