/* SPDX-License-Identifier: Apache-2.0 */
/* A host that does not come to be says so to Lambda, with a reactor of its own: its host has none. */
#include "host/lambda/internal.h"

#include <stdio.h>
#include <time.h>

enum { PATIENCE_S = 2 };

typedef struct telling {
    iswi_reactor *reactor;
    iswi_lambda_place place;
    iswi_lambda_api api;
    iswi_buffer body;
    sem_t told;
} telling;

static void on_answered(void *user, const iswi_lambda_answer *answer)
{
    (void)answer;
    sem_post(&((telling *)user)->told);
}

static void tell(void *user)
{
    static const iswi_lambda_api_events events = { .answered = on_answered };
    telling *with = user;
    const isw_bytes body = { with->body.data, with->body.size };

    iswi_lambda_api_init(&with->api, with->reactor, &with->place, &events, with);
    iswi_lambda_api_ask(&with->api, &(iswi_lambda_question){
        .method = "POST", .path = "/2018-06-01/runtime/init/error", .body = &body,
        .fields = "Content-Type: application/json\r\n"
                  "Lambda-Runtime-Function-Error-Type: Runtime.InitError\r\n" });
}

static void end(void *user)
{
    iswi_lambda_api_fini(&((telling *)user)->api);
}

void iswi_lambda_tell_init_error(const isw_error *why)
{
    const iswi_reactor_options how = { .name = "isw:lambda" };
    isw_error error = { ISW_OK, "" };
    telling with = { .reactor = NULL };
    struct timespec until;

    if (iswi_lambda_place_find(&with.place, &error) != ISW_OK ||
        iswi_reactor_start(&how, &with.reactor, &error) != ISW_OK)
        return;
    sem_init(&with.told, 0, 0);
    iswi_lambda_failure_write(&with.body, "Runtime.InitError", isw_str_of(why->message));
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    iswi_reactor_call(with.reactor, tell, &with);
    sem_timedwait(&with.told, &until);
    iswi_reactor_call(with.reactor, end, &with);
    iswi_reactor_stop(with.reactor);
    iswi_buffer_fini(&with.body);
    sem_destroy(&with.told);
}
