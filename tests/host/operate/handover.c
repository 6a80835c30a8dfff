/* SPDX-License-Identifier: Apache-2.0 */
/* Lines with descriptors, between two hosts. */
#include "support/main.h"

#include "host/operate/handover.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct pair {
    int near;
    iswi_handover far;
    iswi_legacy legacy;
    iswi_arena arena;
} pair;

static int set_up(void **state)
{
    static pair p;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    p = (pair){ .near = ends[0], .far.fd = ends[1] };
    iswi_arena_init(&p.arena, 1024);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    pair *p = *state;

    close(p->near);
    iswi_handover_fini(&p->far);
    iswi_legacy_fini(&p->legacy);
    iswi_arena_fini(&p->arena);
    return 0;
}

static isw_status next(pair *p, iswi_handover_line *out)
{
    isw_status status;

    while ((status = iswi_handover_next(&p->far, &p->arena, out, &p->legacy)) == ISW_E_NOT_FOUND)
        if (iswi_handover_read(&p->far) <= 0)
            return ISW_E_NOT_FOUND;
    return status;
}

static void send_text(pair *p, const char *text)
{
    assert_int_equal(send(p->near, text, strlen(text), 0), strlen(text));
}

static ino_t file_of(int fd)
{
    struct stat found = { .st_ino = 0 };

    assert_int_equal(fstat(fd, &found), 0);
    return found.st_ino;
}

static void each_descriptor_comes_to_its_line(void **state)
{
    static const iswi_handover_line given = { .state = "given" };
    pair *p = *state;
    iswi_legacy sent = { NULL, 0, 0 };
    iswi_handover_line line;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_true(iswi_legacy_add(&sent, ISWI_LEGACY_STORE, "orders", NULL, ends[0], -1));
    assert_true(iswi_legacy_add(&sent, ISWI_LEGACY_LISTENER, "http.listen", "unix:\"s\"", p->near,
                                ends[1]));
    for (int i = 0; i < 20; i++)
        assert_true(iswi_legacy_add(&sent, ISWI_LEGACY_STORE, "mail", NULL, ends[1], -1));
    for (int i = 0; i < 100; i++)
        assert_true(iswi_legacy_add(&sent, ISWI_LEGACY_CONNECTION,
                                    i < 70 ? "http.listen" : "admin.listen", NULL,
                                    ends[i & 1], -1));
    assert_true(iswi_handover_send_all(p->near, &sent));
    assert_true(iswi_handover_send(p->near, &given, NULL));
    while (next(p, &line) == ISW_OK && !line.state)
        ;
    assert_string_equal(line.state, "given");
    assert_int_equal(p->legacy.count, 122);
    for (int i = 0; i < 100; i++) {
        const iswi_legacy_item *item = &p->legacy.items[22 + i];

        assert_string_equal(item->whose, i < 70 ? "http.listen" : "admin.listen");
        assert_int_equal(file_of(item->fd), file_of(ends[i & 1]));
    }
    assert_int_equal(file_of(p->legacy.items[0].fd), file_of(ends[0]));
    assert_string_equal(p->legacy.items[1].asked, "unix:\"s\"");
    assert_int_equal(file_of(p->legacy.items[1].fd), file_of(p->near));
    assert_int_equal(p->legacy.items[1].lock >= 0, true);
    assert_int_equal(fcntl(p->legacy.items[1].lock, F_GETFD), FD_CLOEXEC);
    assert_int_equal(p->legacy.items[21].lock, -1);
    assert_int_equal(p->far.fd_count, 0);
    close(ends[0]);
    close(ends[1]);
    iswi_legacy_fini(&sent);
}

static void what_a_newer_host_says_is_passed_over(void **state)
{
    static const iswi_handover_line other = { .legacy = "dreams", .whose = "mail", .fds = 1 };
    pair *p = *state;
    iswi_handover_line line;

    assert_true(iswi_handover_send(p->near, &other, (const int[]){ p->near, -1 }));
    send_text(p, "{\"state\":\"given\",\"mood\":[1,{\"good\":true}]}\n");
    assert_int_equal(next(p, &line), ISW_OK);
    assert_int_equal(next(p, &line), ISW_OK);
    assert_string_equal(line.state, "given");
    assert_int_equal(p->legacy.count, 0);
    assert_int_equal(p->far.fd_count, 0); /* it was closed */
}

static void a_line_without_its_descriptor_is_refused(void **state)
{
    pair *p = *state;
    iswi_handover_line line;

    send_text(p, "{\"legacy\":\"store\",\"whose\":\"mail\",\"fds\":1}\n");
    assert_int_equal(next(p, &line), ISW_E_PROTOCOL);
    send_text(p, "{\"legacy\":\"store\",\"whose\":\"mail\",\"fds\":3}\n");
    assert_int_equal(next(p, &line), ISW_E_PROTOCOL);
    send_text(p, "what?\n");
    assert_int_equal(next(p, &line), ISW_E_PROTOCOL);
}

static void count(void *user, const iswi_handover_line *line)
{
    if (line->state)
        ++*(int *)user;
}

static void all_lines_are_heeded_also_behind_one_that_cannot_be_read(void **state)
{
    pair *p = *state;
    int states = 0;

    send_text(p, "{\"state\":\"ready\"}\nwhat?\n{\"state\":\"left\"}\n{\"sta");
    assert_true(iswi_handover_listen(&p->far, &p->legacy, count, &states));
    assert_int_equal(states, 2);
    send_text(p, "te\":\"left\"}\n");
    assert_true(iswi_handover_listen(&p->far, &p->legacy, count, &states));
    assert_int_equal(states, 3);
    assert_int_equal(fcntl(p->far.fd, F_SETFL, O_NONBLOCK), 0);
    assert_true(iswi_handover_listen(&p->far, &p->legacy, count, &states));
    assert_int_equal(shutdown(p->near, SHUT_WR), 0);
    assert_false(iswi_handover_listen(&p->far, &p->legacy, count, &states));
    assert_int_equal(states, 3);
}

static void a_line_without_end_is_not_kept_for_ever(void **state)
{
    static char text[4096];
    pair *p = *state;
    ssize_t got = 1;

    memset(text, 'x', sizeof text);
    for (int i = 0; i < 64 && got > 0; i++) {
        assert_int_equal(send(p->near, text, sizeof text, 0), sizeof text);
        got = iswi_handover_read(&p->far);
    }
    assert_int_equal(got, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(each_descriptor_comes_to_its_line),
    TEST(what_a_newer_host_says_is_passed_over),
    TEST(a_line_without_its_descriptor_is_refused),
    TEST(all_lines_are_heeded_also_behind_one_that_cannot_be_read),
    TEST(a_line_without_end_is_not_kept_for_ever),
};

ISW_TEST_MAIN(tests);
