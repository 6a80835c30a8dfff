/* SPDX-License-Identifier: Apache-2.0 */
/* What only those have that listen: an address, a socket file, and more than one who may connect. */
#include "link/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL = 24 };

static iswi_reactor *reactor; /* of the case that runs */

static isw_status listen_at(const char *url, const iswi_link_events *events, iswi_link **out,
                            isw_error *error)
{
    return iswi_socket_lane_listen(reactor, url, events, out, error);
}

static int start_reactor(void **state)
{
    (void)state;
    reactor = make_reactor(0);
    return 0;
}

static int stop_reactor(void **state)
{
    (void)state;
    iswi_reactor_stop(reactor);
    return 0;
}

static void a_listeners_socket_is_for_its_user_alone(void **state)
{
    isw_error error = { 0 };
    iswi_link_events events;
    struct stat info;
    char folder[32];
    char url[64];
    end one;

    (void)state;
    end_init(&one);
    events = events_of(&one);
    make_folder(folder);
    snprintf(url, sizeof url, "ipc://%s/s", folder);
    assert_int_equal(listen_at(url, &events, &one.link, &error), ISW_OK);
    assert_int_equal(stat(url + 6, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 07777, 0600);
    end_destroy(&one);
    end_fini(&one);
    assert_int_equal(rmdir(folder), 0);
}

static void a_dial_to_nothing_is_refused(void **state)
{
    isw_error error = { 0 };
    iswi_link *link = NULL;
    char folder[32];
    char url[64];

    (void)state;
    make_folder(folder);
    snprintf(url, sizeof url, "ipc://%s/none", folder);
    assert_int_equal(
        iswi_message_lane_dial(url, &(iswi_link_events){ 0 }, &link, &error), ISW_E_UNAVAILABLE);
    assert_null(link);
    assert_memory_equal(error.message, url, strlen(url));
    assert_int_equal(rmdir(folder), 0);
}

static void where_nothing_can_listen_the_url_is_named(void **state)
{
    iswi_link *link = NULL;
    char folder[32];
    char url[64];

    (void)state;
    isw_error error = { 0 };

    make_folder(folder);
    snprintf(url, sizeof url, "ipc://%s/no/such", folder);
    assert_int_equal(
        listen_at(url, &(iswi_link_events){ 0 }, &link, &error), ISW_E_IO);
    assert_null(link);
    assert_memory_equal(error.message, url, strlen(url));
    assert_int_equal(rmdir(folder), 0);
}

static void nobody_is_the_peer_before_one_connected(void **state)
{
    isw_error error = { 0 };
    iswi_link_events events;
    char folder[32];
    char url[64];
    end one;

    (void)state;
    end_init(&one);
    events = events_of(&one);
    make_folder(folder);
    snprintf(url, sizeof url, "ipc://%s/s", folder);
    assert_int_equal(listen_at(url, &events, &one.link, &error), ISW_OK);
    assert_int_equal(iswi_link_peer(one.link).pid, 0);
    end_destroy(&one);
    end_fini(&one);
    assert_int_equal(rmdir(folder), 0);
}

static const lane *lane_named(const char *name)
{
    const lane *kind = lanes;

    while (strcmp(kind->name, name) != 0)
        kind++;
    return kind;
}

static void one_who_connects_later_disturbs_nobody(void **state)
{
    isw_error error = { 0 };
    iswi_link_events events;
    char url[64];
    pair both;
    end late;

    (void)state;
    pair_open(&both, lane_named("socket"));
    assert_int_equal(end_send(&both.b, 0, 0, SMALL), ISW_OK);
    wait_for_frames(&both.a, 1);
    end_init(&late);
    events = events_of(&late);
    snprintf(url, sizeof url, "ipc://%s/s", both.folder);
    if (iswi_message_lane_dial(url, &events, &late.link, &error) == ISW_OK)
        wait_for_closed(&late);
    end_destroy(&late);
    end_fini(&late);
    assert_int_equal(end_send(&both.b, 0, 1, SMALL), ISW_OK);
    assert_int_equal(end_send(&both.a, 0, 0, SMALL), ISW_OK);
    wait_for_frames(&both.a, 2);
    wait_for_frames(&both.b, 1);
    assert_int_equal(end_closed(&both.a) + end_closed(&both.b), 0);
    pair_close(&both);
}

static void frames_sent_before_anyone_connects_arrive_in_order(void **state)
{
    isw_error error = { 0 };
    iswi_link_events events;
    char url[64];
    pair both;

    (void)state;
    end_init(&both.a);
    end_init(&both.b);
    both.reactor = NULL;
    make_folder(both.folder);
    snprintf(url, sizeof url, "ipc://%s/s", both.folder);
    events = events_of(&both.a);
    assert_int_equal(listen_at(url, &events, &both.a.link, &error), ISW_OK);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(end_send(&both.a, 0, i, SMALL), ISW_OK);
    events = events_of(&both.b);
    assert_int_equal(iswi_message_lane_dial(url, &events, &both.b.link, &error), ISW_OK);
    wait_for_frames(&both.b, 10);
    pair_close(&both);
}

/* -- How often a reactor wakes ----------------------------------------------------------------- */

static void tell_thread(void *user)
{
    *(pid_t *)user = gettid();
}

/* How often the thread has gone to sleep. */
static long sleeps_of(pid_t thread)
{
    static const char word[] = "voluntary_ctxt_switches:";
    char path[64], line[128];
    long sleeps = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)thread);
    file = fopen(path, "re");
    assert_non_null(file);
    while (sleeps < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, word, sizeof word - 1) == 0)
            sscanf(line + sizeof word - 1, "%ld", &sleeps);
    fclose(file);
    assert_true(sleeps >= 0);
    return sleeps;
}

static void what_the_other_side_takes_wakes_nobody_here(void **state)
{
    enum { FRAMES = 200 };
    pid_t thread = 0;
    long before;
    pair both;

    (void)state;
    pair_open(&both, lane_named("socket"));
    assert_int_equal(end_send(&both.a, 0, 0, SMALL), ISW_OK);
    wait_for_frames(&both.b, 1);
    iswi_reactor_call(both.reactor, tell_thread, &thread);
    before = sleeps_of(thread);
    for (unsigned i = 1; i <= FRAMES; i++) {
        assert_int_equal(end_send(&both.a, 0, i, 64 * 1024), ISW_OK);
        wait_for_frames(&both.b, i + 1);
    }
    assert_in_range(sleeps_of(thread) - before, 0, FRAMES / 4);
    pair_close(&both);
}

/* How often all threads but this one and `other` have. */
static long sleeps_of_the_rest(pid_t other)
{
    DIR *tasks = opendir("/proc/self/task");
    long sleeps = 0;

    assert_non_null(tasks);
    for (struct dirent *at; (at = readdir(tasks));) {
        pid_t thread = (pid_t)atoi(at->d_name);

        if (thread > 0 && thread != other && thread != gettid())
            sleeps += sleeps_of(thread);
    }
    closedir(tasks);
    return sleeps;
}

/* The dialling end's aio is done when it was sent: nng has threads, and needs none of them. */
static void what_there_is_room_for_is_sent_by_who_sends(void **state)
{
    enum { FRAMES = 200 };
    pid_t thread = 0;
    long before;
    pair both;

    (void)state;
    pair_open(&both, lane_named("socket"));
    assert_int_equal(end_send(&both.b, 0, 0, SMALL), ISW_OK);
    wait_for_frames(&both.a, 1);
    iswi_reactor_call(both.reactor, tell_thread, &thread);
    before = sleeps_of_the_rest(thread);
    for (unsigned i = 1; i <= FRAMES; i++) {
        assert_int_equal(end_send(&both.b, 0, i, 64 * 1024), ISW_OK);
        wait_for_frames(&both.a, i + 1);
    }
    assert_in_range(sleeps_of_the_rest(thread) - before, 0, FRAMES / 4);
    pair_close(&both);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_listeners_socket_is_for_its_user_alone, start_reactor,
                                    stop_reactor),
    cmocka_unit_test(a_dial_to_nothing_is_refused),
    cmocka_unit_test_setup_teardown(where_nothing_can_listen_the_url_is_named, start_reactor,
                                    stop_reactor),
    cmocka_unit_test_setup_teardown(nobody_is_the_peer_before_one_connected, start_reactor,
                                    stop_reactor),
    cmocka_unit_test_setup_teardown(one_who_connects_later_disturbs_nobody, start_reactor,
                                    stop_reactor),
    cmocka_unit_test(what_the_other_side_takes_wakes_nobody_here),
    cmocka_unit_test(what_there_is_room_for_is_sent_by_who_sends),
    cmocka_unit_test_setup_teardown(frames_sent_before_anyone_connects_arrive_in_order, start_reactor,
                                    stop_reactor),
};

ISW_TEST_MAIN(tests)
