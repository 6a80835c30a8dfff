/* SPDX-License-Identifier: Apache-2.0 */
/* The admin endpoints of a host whose loop does not turn: nobody runs it. */
#include "support/http_client.h"
#include "support/main.h"

#include "host/engine/engine.h"
#include "host/host.h"
#include "host/operate/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct still_host {
    char folder[32], yaml[64];
    iswi_host *host;
    iswi_operate *operate;
    http_reply reply;
} still_host;

static int set_up(void **state)
{
    static const iswi_host_overrides overrides = { .port = 0, .json = -1, .output = 2 };
    still_host *s = calloc(1, sizeof *s);
    isw_error error = { ISW_OK, "" };
    FILE *file;

    strcpy(s->folder, "/tmp/isw-admin-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->yaml, sizeof s->yaml, "%s/host.yaml", s->folder);
    file = fopen(s->yaml, "w");
    fputs("admin: {listen: \"127.0.0.1:0\"}\n"
          "workers:\n  - {name: w, command: [/bin/true]}\n",
          file);
    fclose(file);
    if (iswi_host_create(s->folder, &overrides, &s->host, &error) != ISW_OK)
        fail_msg("%s", error.message);
    s->operate = s->host->observers.items[0].user; /* what came first */
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    still_host *s = *state;

    iswi_host_destroy(s->host);
    unlink(s->yaml);
    rmdir(s->folder);
    free(s);
    return 0;
}

static const http_reply *ask(still_host *s, const char *head)
{
    int fd = http_connect(iswi_http_url(s->operate->admin, 0));
    char text[256];

    snprintf(text, sizeof text, "%s\r\n\r\n", head);
    assert_true(http_send(fd, text));
    http_read(fd, false, &s->reply);
    close(fd);
    return &s->reply;
}

static void a_host_that_does_not_turn_is_not_healthy(void **state)
{
    const http_reply *reply = ask(*state, "GET /health HTTP/1.1\r\nHost: 127.0.0.1:1");

    assert_int_equal(reply->status, 503);
    assert_non_null(strstr(reply->body, "\"healthy\":false,\"reason\":\"the host's own loop does "
                                        "not turn"));
}

static void a_host_that_has_not_begun_is_starting_and_says_what_waits(void **state)
{
    const http_reply *reply = ask(*state, "GET /ready HTTP/1.1\r\nHost: localhost:9");

    assert_int_equal(reply->status, 503);
    assert_non_null(strstr(reply->body, "\"the host is starting\""));
    assert_non_null(strstr(reply->body, "\"worker w: its process is waiting\""));
}

static void whoever_waits_when_the_host_ends_is_answered(void **state)
{
    still_host *s = *state;
    int fd = http_connect(iswi_http_url(s->operate->admin, 0));

    atomic_fetch_add(&s->host->calls, 1); /* one that never ends */
    assert_true(http_send(fd, "POST /drain?wait=3600 HTTP/1.1\r\nHost: [::1]\r\n\r\n"));
    while (!atomic_load(&s->host->draining))
        usleep(1000);
    iswi_control_stop(s->operate->control);
    http_read(fd, false, &s->reply);
    assert_int_equal(s->reply.status, 202);
    assert_non_null(strstr(s->reply.body, "\"in_flight\":1"));
    close(fd);
}

static void assert_refused(still_host *s, const char *head, const char *why)
{
    const http_reply *reply = ask(s, head);

    assert_int_equal(reply->status, 403);
    assert_non_null(strstr(reply->body, why));
    assert_false(atomic_load(&s->host->draining));
}

static void pages_of_browsers_and_names_of_others_are_turned_away(void **state)
{
    assert_refused(*state, "POST /drain HTTP/1.1\r\nHost: localhost\r\nOrigin: null",
                   "Pages of browsers");
    assert_refused(*state, "POST /drain HTTP/1.1\r\nHost: evil.example:7072", "not of this");
    assert_refused(*state, "GET /status HTTP/1.1\r\nHost: evil.example", "not of this");
    assert_refused(*state, "GET /status HTTP/1.1\r\nHost: 127.0.0.1.evil.example", "not of this");
    assert_refused(*state, "GET /status HTTP/1.1\r\nHost: ", "not of this");
    assert_int_equal(ask(*state, "GET /status HTTP/1.1\r\nHost: [::1]:80")->status, 200);
}

static void what_is_not_there_is_said_so(void **state)
{
    assert_int_equal(ask(*state, "GET /healthz HTTP/1.1\r\nHost: localhost")->status, 404);
    assert_int_equal(ask(*state, "GET /drain HTTP/1.1\r\nHost: localhost")->status, 405);
    assert_int_equal(ask(*state, "POST /drain?wait=x HTTP/1.1\r\nHost: localhost")->status, 400);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_host_that_does_not_turn_is_not_healthy, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_host_that_has_not_begun_is_starting_and_says_what_waits,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(whoever_waits_when_the_host_ends_is_answered, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(pages_of_browsers_and_names_of_others_are_turned_away, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(what_is_not_there_is_said_so, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
