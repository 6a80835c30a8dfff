/* SPDX-License-Identifier: Apache-2.0 */
/* What one host leaves to the next: sockets that are found by where they listen. */
#include "support/main.h"

#include "host/system/listen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 4 };

typedef struct place {
    char folder[32];
    iswi_listeners first; /* of the host before */
    iswi_legacy legacy;
} place;

static isw_status open_with(place *p, const char *const *texts, size_t count, iswi_legacy *legacy,
                            iswi_listeners *out)
{
    const iswi_listen_options how = { "http.listen", p->folder, 0606, legacy };
    iswi_address addresses[MOST];

    for (size_t i = 0; i < count; i++)
        assert_int_equal(iswi_address_read(texts[i], "http.listen", &addresses[i], NULL), ISW_OK);
    return iswi_listen_open(addresses, count, &how, out, NULL);
}

static const char *const texts[] = { "127.0.0.1:0", "unix:s", "https://127.0.0.1:0" };

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);

    strcpy(p->folder, "/tmp/isw-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    assert_int_equal(open_with(p, texts, 3, NULL, &p->first), ISW_OK);
    assert_true(iswi_listen_give(&p->first, "http.listen", &p->legacy));
    assert_int_equal(p->legacy.count, 3);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    place *p = *state;

    iswi_legacy_fini(&p->legacy);
    iswi_listen_fini(&p->first);
    assert_int_equal(rmdir(p->folder), 0); /* nothing else was left there */
    free(p);
    return 0;
}

static ino_t socket_of(int fd)
{
    struct stat found = { .st_ino = 0 };

    assert_int_equal(fstat(fd, &found), 0);
    return found.st_ino;
}

static bool is_there(const place *p, const char *name)
{
    struct stat found;
    char path[64];

    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    return lstat(path, &found) == 0;
}

static void the_same_addresses_have_the_same_sockets(void **state)
{
    place *p = *state;
    iswi_listeners next;

    assert_int_equal(open_with(p, texts, 3, &p->legacy, &next), ISW_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(socket_of(next.items[i].fd), socket_of(p->first.items[i].fd));
        assert_string_equal(next.items[i].url, p->first.items[i].url);
    }
    assert_true(next.items[2].secure);
    iswi_listen_own(&next);
    iswi_listen_leave(&p->first);
    assert_true(is_there(p, "s"));
    iswi_listen_fini(&next);
    assert_false(is_there(p, "s") || is_there(p, "s.lock"));
}

static void a_port_is_found_by_its_number_too(void **state)
{
    place *p = *state;
    char text[64];
    const char *one = text;
    iswi_listeners next;

    snprintf(text, sizeof text, "%s", p->first.items[2].url + strlen("https://"));
    assert_int_equal(open_with(p, &one, 1, &p->legacy, &next), ISW_OK);
    assert_int_equal(socket_of(next.items[0].fd), socket_of(p->first.items[2].fd));
    assert_false(next.items[0].secure);
    iswi_listen_fini(&next);
}

static void what_another_setting_has_is_no_free_port_of_ours(void **state)
{
    const iswi_listen_options admin = { "admin.listen", NULL, 0600, &((place *)*state)->legacy };
    place *p = *state;
    iswi_address address;
    iswi_listeners next;

    assert_int_equal(iswi_address_read("127.0.0.1:0", "admin.listen", &address, NULL), ISW_OK);
    assert_int_equal(iswi_listen_open(&address, 1, &admin, &next, NULL), ISW_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_not_equal(socket_of(next.items[0].fd), socket_of(p->first.items[i].fd));
    iswi_listen_fini(&next);
}

static void one_that_never_gets_there_removes_nothing(void **state)
{
    place *p = *state;
    iswi_listeners next;

    assert_int_equal(open_with(p, texts, 2, &p->legacy, &next), ISW_OK);
    iswi_listen_fini(&next);
    assert_true(is_there(p, "s") && is_there(p, "s.lock"));
}

static void what_nobody_took_is_closed_and_removed(void **state)
{
    place *p = *state;
    iswi_listeners next;

    assert_int_equal(open_with(p, texts, 1, &p->legacy, &next), ISW_OK);
    iswi_listen_leave(&p->first);
    iswi_legacy_clear(&p->legacy);
    assert_false(is_there(p, "s") || is_there(p, "s.lock"));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(p->legacy.items[i].fd, -1);
    iswi_listen_fini(&next);
}

static void a_place_that_was_left_stays_locked(void **state)
{
    static const char *const path[] = { "unix:s" };
    place *p = *state;
    iswi_listeners next;
    iswi_listeners third;

    assert_int_equal(open_with(p, path, 1, &p->legacy, &next), ISW_OK);
    iswi_listen_own(&next);
    iswi_listen_leave(&p->first);
    iswi_legacy_fini(&p->legacy);
    assert_int_equal(open_with(p, path, 1, NULL, &third), ISW_E_CONFLICT);
    iswi_listen_fini(&next);
    assert_int_equal(open_with(p, path, 1, NULL, &third), ISW_OK);
    iswi_listen_fini(&third);
}

static void descriptors_are_closed_on_exec_and_found_by_kind(void **state)
{
    place *p = *state;
    iswi_legacy_item *item;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(iswi_legacy_add(&p->legacy, ISWI_LEGACY_STORE, "orders", NULL, fd, -1));
    close(fd);
    assert_null(iswi_legacy_find(&p->legacy, ISWI_LEGACY_STORE, "mail", NULL));
    assert_null(iswi_legacy_find(NULL, ISWI_LEGACY_STORE, "orders", NULL));
    item = iswi_legacy_find(&p->legacy, ISWI_LEGACY_STORE, "orders", NULL);
    assert_non_null(item);
    fd = iswi_legacy_take(item, NULL);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_null(iswi_legacy_find(&p->legacy, ISWI_LEGACY_STORE, "orders", NULL));
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(the_same_addresses_have_the_same_sockets),
    TEST(a_port_is_found_by_its_number_too),
    TEST(what_another_setting_has_is_no_free_port_of_ours),
    TEST(one_that_never_gets_there_removes_nothing),
    TEST(what_nobody_took_is_closed_and_removed),
    TEST(a_place_that_was_left_stays_locked),
    TEST(descriptors_are_closed_on_exec_and_found_by_kind),
};

ISW_TEST_MAIN(tests);
