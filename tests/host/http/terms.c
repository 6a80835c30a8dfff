/* SPDX-License-Identifier: Apache-2.0 */
/* What a front serves by is exchanged under a connection that stays open; so is where it listens. */
#include "support/http_front.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char echo_4[] = "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
static const char echo_v2[] = "POST /v2/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";

static int ask(front *f, int fd, const char *text)
{
    assert_true(http_send(fd, text));
    http_read(fd, false, &f->reply);
    return f->reply.status;
}

static void take(front *f, iswi_http_options options)
{
    isw_error error = { ISW_OK, "" };
    iswi_http_terms *terms;

    assert_int_equal(iswi_http_terms_make(&options, &terms, &error), ISW_OK);
    iswi_http_take_terms(f->http, terms);
}

static void a_connection_goes_on_by_others(void **state)
{
    front *f = front_start((iswi_http_options){ .threads = 1 });
    int fd = http_connect(f->url);

    (void)state;
    assert_int_equal(ask(f, fd, echo_4), 200);
    take(f, (iswi_http_options){ .prefix = "v2" });
    assert_int_equal(ask(f, fd, echo_v2), 200);
    assert_int_equal(ask(f, fd, echo_4), 404);
    take(f, (iswi_http_options){ .body_limit_bytes = 3 });
    assert_int_equal(front_ask(f, echo_4), 413);
    take(f, (iswi_http_options){ .body_limit_bytes = 4 });
    assert_int_equal(ask(f, fd, echo_4), 200);
    close(fd);
    front_stop(f);
}

static void a_prefix_that_is_no_path_makes_none(void **state)
{
    const iswi_http_options options = { .prefix = "a b" };
    isw_error error = { ISW_OK, "" };
    iswi_http_terms *terms;

    (void)state;
    assert_int_equal(iswi_http_terms_make(&options, &terms, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "\"a b\" is not a path"));
}

/* -- Doors ------------------------------------------------------------------------------------- */

static isw_status open_doors(front *f, const char *const *texts, size_t count,
                             iswi_http_doors **out, isw_error *error)
{
    iswi_address addresses[2];
    const iswi_http_options options = { .listen = addresses, .listen_count = count };

    for (size_t i = 0; i < count; i++)
        assert_int_equal(iswi_address_read(texts[i], "http.listen", &addresses[i], NULL), ISW_OK);
    return iswi_http_doors_make(f->http, &options, out, error);
}

static void move(front *f, const char *const *texts, size_t count)
{
    isw_error error = { ISW_OK, "" };
    iswi_http_doors *doors;

    if (open_doors(f, texts, count, &doors, &error) != ISW_OK)
        fail_msg("%s", error.message);
    iswi_http_take_doors(f->http, doors);
}

static void who_is_connected_or_about_to_be_is_served_when_an_address_goes(void **state)
{
    char folder[] = "/tmp/isw-doors-XXXXXX";
    char path[64];
    const char *both[] = { "127.0.0.1:0", path };
    front *f = front_start((iswi_http_options){ .threads = 1 });
    char url[64];
    int kept = http_connect(f->url);
    int late;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "unix:%s/sock", folder);
    snprintf(url, sizeof url, "%s", f->url);
    assert_int_equal(ask(f, kept, echo_4), 200);
    move(f, both, 2);
    assert_string_equal(iswi_http_url(f->http, 0), url); /* the same socket */
    assert_string_equal(iswi_http_url(f->http, 1), path);
    assert_int_equal(access(path + strlen("unix:"), F_OK), 0);
    late = http_connect(url);
    move(f, &both[1], 1);
    assert_string_equal(iswi_http_url(f->http, 0), path);
    assert_null(iswi_http_url(f->http, 1));
    assert_int_equal(ask(f, late, echo_4), 200);
    assert_int_equal(ask(f, kept, echo_4), 200);
    move(f, both, 1);
    assert_int_not_equal(access(path + strlen("unix:"), F_OK), 0);
    assert_int_equal(http_roundtrip(iswi_http_url(f->http, 0), echo_4, &f->reply), 200);
    close(kept);
    close(late);
    front_stop(f);
    rmdir(folder);
}

static void an_address_that_is_taken_changes_nothing(void **state)
{
    front *other = front_start((iswi_http_options){ .threads = 1 });
    front *f = front_start((iswi_http_options){ .threads = 1 });
    const char *texts[] = { "127.0.0.1:0", other->url + strlen("http://") };
    isw_error error = { ISW_OK, "" };
    iswi_http_doors *doors;

    (void)state;
    assert_int_equal(open_doors(f, texts, 2, &doors, &error), ISW_E_CONFLICT);
    assert_int_equal(front_ask(f, echo_4), 200);
    assert_int_equal(open_doors(f, texts, 1, &doors, &error), ISW_OK);
    iswi_http_doors_free(doors); /* not taken, either */
    assert_int_equal(front_ask(f, echo_4), 200);
    front_stop(f);
    front_stop(other);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_connection_goes_on_by_others),
    cmocka_unit_test(a_prefix_that_is_no_path_makes_none),
    cmocka_unit_test(who_is_connected_or_about_to_be_is_served_when_an_address_goes),
    cmocka_unit_test(an_address_that_is_taken_changes_nothing),
};

ISW_TEST_MAIN(tests)
