/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP trigger as every trigger. */
#include "host/http/trigger.h"

#include "host/trigger_conformance.h"
#include "support/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void begin(iswi_host *host, const char *function, asked *of)
{
    char text[256];

    snprintf(text, sizeof text, "GET /api/%s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
             function);
    of->fd = http_connect(iswi_host_address(host, 0));
    if (of->fd >= 0)
        http_send(of->fd, text);
}

/* A connection that is refused is an answer, too. */
static bool end(asked *of)
{
    http_reply *reply = calloc(1, sizeof *reply);
    bool succeeded;

    of->answers++;
    if (of->fd >= 0 && reply) {
        http_read(of->fd, false, reply);
        of->answers += !http_closes(of->fd);
        close(of->fd);
    }
    succeeded = reply && reply->status / 100 == 2;
    free(reply);
    return succeeded;
}

const conforming_trigger subject = {
    .trigger = &iswi_http_trigger,
    /* A request for a function that is not known yet waits less than its worker may start. */
    .yaml = "http: {listen: \"127.0.0.1:0\"}\nqueue: {wait: 1s}",
    .misspelt = "rout",
    .meant = "route",
    .begin = begin,
    .end = end,
};

static void a_taken_port_is_told_at_its_place_with_the_option_that_gives_another(void **state)
{
    conforming_host first;
    conforming_host second;
    isw_error error = { ISW_OK, "" };
    char yaml[128];

    (void)state;
    assert_int_equal(conforming_start(&first, subject.yaml, "http", false, &error), ISW_OK);
    snprintf(yaml, sizeof yaml, "http: {listen: \"%s\"}",
             iswi_host_address(first.host, 0) + strlen("http://"));
    assert_int_equal(conforming_start(&second, yaml, "http", false, &error), ISW_E_CONFLICT);
    assert_non_null(strstr(error.message, "host.yaml:1:8: "));
    assert_non_null(strstr(error.message, "choose another http.listen or --port"));
    conforming_stop(&first);
}

static void a_type_that_there_is_not_is_told_with_the_nearest_one(void **state)
{
    conforming_host h;
    isw_error error = { ISW_OK, "" };

    (void)state;
    assert_int_equal(conforming_start(&h, subject.yaml, "htpp", false, &error), ISW_OK);
    conforming_await_line(&h, "function echo of worker w is not served: this host has no trigger "
                              "of the type \"htpp\"; did you mean \"http\"? it has http");
    conforming_await_line(&h, "(not served: this host has no trigger of its type)");
    conforming_stop(&h);
}

static const struct CMUnitTest tests[] = {
    TRIGGER_CONFORMANCE,
    cmocka_unit_test(a_taken_port_is_told_at_its_place_with_the_option_that_gives_another),
    cmocka_unit_test(a_type_that_there_is_not_is_told_with_the_nearest_one),
};

ISW_TEST_MAIN(tests)
