/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_HTTP_FRONT_H
#define ISW_TESTS_SUPPORT_HTTP_FRONT_H

/*
 * An HTTP front for tests, on a free port of the loopback address. Its route "echo" answers at
 * once with the request's body; "orders/{id}" (GET, PUT) and "hold/{*rest}" hold the request until
 * the test takes it.
 */
#include "support/http_client.h"
#include "support/main.h"

#include "host/http/front.h"

#include <pthread.h>

enum { FRONT_HELD_MAX = 64, FRONT_BODY_LIMIT = 100000 };

typedef struct front {
    iswi_routes *routes;
    iswi_http *http;
    const char *url;
    pthread_mutex_t lock; /* of what follows, but for reply */
    pthread_cond_t changed;
    iswi_http_request *held[FRONT_HELD_MAX];
    size_t held_count;
    size_t held_taken;
    int echoed;
    int releases;
    http_reply reply; /* of the test's own last question */
} front;

/* `options` without an address get a free port, and the body limit above. */
front *front_start(iswi_http_options options);
void front_stop(front *f);

/* The same as cmocka's set-up and tear-down, with default options. */
int front_setup(void **state);
int front_teardown(void **state);

/* The handler, for a second front. */
void front_handle(void *user, void *target, iswi_http_request *request);

/* The next request that was held. */
iswi_http_request *front_take(front *f);

/* How often "echo" answered. */
int front_echoed(front *f);

/* A release function that counts, with the front as its argument. */
void front_count_release(void *user);
void front_await_releases(front *f, int count);

/* Ask on a connection of its own; the answer is in f->reply. */
int front_ask(front *f, const char *text);

void assert_text(isw_str text, const char *expected);
void assert_header(const front *f, const char *name, const char *value);

/* f->reply is a problem of `status` whose text holds `part`. */
void assert_problem(const front *f, int status, const char *part);

#endif
