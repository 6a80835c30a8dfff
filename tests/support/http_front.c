/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_front.h"

#include <stdlib.h>
#include <time.h>

void front_handle(void *user, void *target, iswi_http_request *request)
{
    front *f = user;

    pthread_mutex_lock(&f->lock);
    if (target)
        f->echoed++;
    else
        f->held[f->held_count++ % FRONT_HELD_MAX] = request;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (target) {
        isw_http answer = { .body = iswi_http_request_data(request)->body };

        iswi_http_answer(request, &answer, NULL, NULL);
    }
}

static void add_route(front *f, const char *methods, const char *pattern, void *target)
{
    isw_error error = { 0 };

    if (iswi_routes_add(f->routes, methods, pattern, target, &error))
        fail_msg("%s", error.message);
}

front *front_start(iswi_http_options options)
{
    front *f = calloc(1, sizeof *f);
    isw_error error = { 0 };
    iswi_address free_port;

    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->routes = iswi_routes_create();
    add_route(f, NULL, "echo", f);
    add_route(f, "GET PUT", "orders/{id}", NULL);
    add_route(f, NULL, "hold/{*rest}", NULL);
    if (!options.listen) {
        assert_int_equal(iswi_address_read("127.0.0.1:0", "http.listen", &free_port, NULL), ISW_OK);
        options.listen = &free_port;
        options.listen_count = 1;
    }
    options.body_limit_bytes = FRONT_BODY_LIMIT;
    if (iswi_http_start(&options, f->routes, front_handle, f, &f->http, &error))
        fail_msg("%s", error.message);
    f->url = iswi_http_url(f->http, 0);
    return f;
}

void front_stop(front *f)
{
    iswi_http_stop(f->http);
    iswi_routes_destroy(f->routes);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

int front_setup(void **state)
{
    *state = front_start((iswi_http_options){ .threads = 1 });
    return 0;
}

int front_teardown(void **state)
{
    front_stop(*state);
    return 0;
}

static struct timespec ten_seconds_on(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    return until;
}

iswi_http_request *front_take(front *f)
{
    struct timespec until = ten_seconds_on();
    iswi_http_request *request;

    pthread_mutex_lock(&f->lock);
    while (f->held_taken == f->held_count)
        assert_int_equal(pthread_cond_timedwait(&f->changed, &f->lock, &until), 0);
    request = f->held[f->held_taken++ % FRONT_HELD_MAX];
    pthread_mutex_unlock(&f->lock);
    return request;
}

int front_echoed(front *f)
{
    int count;

    pthread_mutex_lock(&f->lock);
    count = f->echoed;
    pthread_mutex_unlock(&f->lock);
    return count;
}

void front_count_release(void *user)
{
    front *f = user;

    pthread_mutex_lock(&f->lock);
    f->releases++;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void front_await_releases(front *f, int count)
{
    struct timespec until = ten_seconds_on();

    pthread_mutex_lock(&f->lock);
    while (f->releases < count)
        assert_int_equal(pthread_cond_timedwait(&f->changed, &f->lock, &until), 0);
    assert_int_equal(f->releases, count);
    pthread_mutex_unlock(&f->lock);
}

int front_ask(front *f, const char *text)
{
    return http_roundtrip(f->url, text, &f->reply);
}

void assert_text(isw_str text, const char *expected)
{
    if (!isw_str_equal(text, isw_str_of(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)text.size, text.data, expected);
}

void assert_header(const front *f, const char *name, const char *value)
{
    char found[256];

    assert_string_equal(http_header(&f->reply, name, found, sizeof found), value);
}

void assert_problem(const front *f, int status, const char *part)
{
    assert_int_equal(f->reply.status, status);
    assert_header(f, "Content-Type", "application/problem+json");
    if (!strstr(f->reply.body, part))
        fail_msg("\"%s\" is not in %s", part, f->reply.body);
}
