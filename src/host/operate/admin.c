/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin endpoints: what probes and operators ask over HTTP, on a listener of its own. One row
 * of `endpoints` each; an answer may come later, from any thread.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/system/address.h"
#include "host/operate/admin.h"
#include "host/operate/metrics.h"
#include "host/operate/takeover.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MS = 1000000,
    TURN_MS = 2000,
    SCRAPE_MS = 1000,
    DRAIN_S = 10,
    RESTART_S = 60,
    BODY_BYTES = 1024 * 1024
};

typedef struct endpoint {
    const char *method, *path, *summary;
    /* Exactly once, now or later. */
    void (*answer)(iswi_operate *operate, iswi_http_request *request);
    bool guarded; /* what it shows is for this machine alone, also where reading is open */
} endpoint;

/* -- Health: the supervisor's loop turns ------------------------------------------------------- */

static bool has_turned(iswi_wait *wait)
{
    return iswi_host_turns(wait->operate->host) > wait->turn;
}

static void tell_health(iswi_wait *wait, bool over)
{
    iswi_buffer body = { 0 };

    iswi_buffer_append_text(&body, over ? "{\"healthy\":true}\n"
                                        : "{\"healthy\":false,\"reason\":\"the host's own loop "
                                          "does not turn; start it again\"}\n");
    iswi_admin_answer_json(wait->user, over ? 200 : 503, &body);
    iswi_free(wait);
}

static void health(iswi_operate *operate, iswi_http_request *request)
{
    iswi_admin_wait_for(operate, request, has_turned, tell_health, request, TURN_MS);
    iswi_host_wake(operate->host);
}

/* -- Ready, status ----------------------------------------------------------------------------- */

static void ready(iswi_operate *operate, iswi_http_request *request)
{
    iswi_buffer body = { 0 };
    bool is = iswi_report_ready(operate->host, &body);

    iswi_admin_answer_json(request, is ? 200 : 503, &body);
}

static void startup(iswi_operate *operate, iswi_http_request *request)
{
    iswi_buffer body = { 0 };
    bool is = iswi_report_startup(operate, &body);

    iswi_admin_answer_json(request, is ? 200 : 503, &body);
}

static void status(iswi_operate *operate, iswi_http_request *request)
{
    iswi_buffer body = { 0 };

    iswi_report(operate, &body);
    iswi_admin_answer_json(request, 200, &body);
}

/* -- Metrics ----------------------------------------------------------------------------------- */

static bool have_all_answered(iswi_wait *wait)
{
    return iswi_scrape_awaited(wait->operate->metrics) == 0;
}

static void tell_metrics(iswi_wait *wait, bool over)
{
    iswi_buffer body = { 0 };

    (void)over;
    iswi_scrape_report(wait->operate->metrics, &body);
    iswi_admin_answer_text(wait->user, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
    iswi_free(wait);
}

static void metrics(iswi_operate *operate, iswi_http_request *request)
{
    iswi_scrape_ask(operate->metrics);
    iswi_admin_wait_for(operate, request, have_all_answered, tell_metrics, request, SCRAPE_MS);
}

/* -- Drain, resume ----------------------------------------------------------------------------- */

static bool is_drained(iswi_wait *wait)
{
    return iswi_host_in_flight(wait->operate->host) == 0;
}

static void tell_drain(iswi_wait *wait, bool over)
{
    iswi_buffer body = { 0 };

    iswi_report_drain(wait->operate->host, &body);
    iswi_admin_answer_json(wait->user, over ? 200 : 202, &body);
    iswi_free(wait);
}

static void drain(iswi_operate *operate, iswi_http_request *request)
{
    int64_t wait_ms = iswi_admin_wait_ms(request, DRAIN_S);

    if (wait_ms < 0) {
        iswi_http_answer_problem(request, 400, NULL, "wait takes seconds, from 0 to 3600", NULL);
        return;
    }
    iswi_host_drain(operate->host);
    iswi_admin_wait_for(operate, request, is_drained, tell_drain, request, wait_ms);
}

static void resume(iswi_operate *operate, iswi_http_request *request)
{
    iswi_buffer body = { 0 };

    iswi_host_resume(operate->host);
    iswi_report_drain(operate->host, &body);
    iswi_admin_answer_json(request, 200, &body);
}

/* -- Restart ----------------------------------------------------------------------------------- */

/* What a wait for one is about. */
typedef struct restarting {
    iswi_http_request *request;
    iswi_restart *restart;
} restarting;

static bool is_restarted(iswi_wait *wait)
{
    const restarting *of = wait->user;

    return iswi_restart_state_of(of->restart) != ISWI_RESTART_GOES_ON;
}

static void tell_restart(iswi_wait *wait, bool over)
{
    restarting *of = wait->user;
    bool failed = iswi_restart_state_of(of->restart) == ISWI_RESTART_FAILED;
    iswi_buffer body = { 0 };

    iswi_restart_conclude(of->restart, &body);
    iswi_admin_answer_json(of->request, !over ? 202 : failed ? 500 : 200, &body);
    iswi_free(of->restart);
    iswi_free(of);
    iswi_free(wait);
}

static void refuse_restart(iswi_http_request *request, const isw_error *error)
{
    iswi_http_answer_problem(request, error->status == ISW_E_NOT_FOUND     ? 404
                                      : error->status == ISW_E_UNSUPPORTED ? 409
                                                                           : 503,
                             NULL, error->message, NULL);
}

static void restart(iswi_operate *operate, iswi_http_request *request)
{
    const isw_str *worker = isw_pairs_find(&iswi_http_request_data(request)->query, "worker");
    int64_t wait_ms = iswi_admin_wait_ms(request, RESTART_S);
    char name[ISWI_NAME_MAX + 1];
    isw_error error = { ISW_OK, "" };
    restarting *of;

    if (wait_ms < 0) {
        iswi_http_answer_problem(request, 400, NULL, "wait takes seconds, from 0 to 3600", NULL);
        return;
    }
    if (worker)
        snprintf(name, sizeof name, "%.*s", (int)worker->size, worker->size ? worker->data : "");
    of = iswi_calloc(1, sizeof *of);
    if (!of)
        isw_error_set(&error, ISW_E_NO_MEMORY, "no memory for a restart");
    else
        iswi_restart_begin(operate->host, worker ? name : NULL, &of->restart, &error);
    if (error.status != ISW_OK) {
        iswi_free(of);
        refuse_restart(request, &error);
        return;
    }
    of->request = request;
    iswi_admin_wait_for(operate, request, is_restarted, tell_restart, of, wait_ms);
}

/* -- The table --------------------------------------------------------------------------------- */

static void list(iswi_operate *operate, iswi_http_request *request);

static const endpoint endpoints[] = {
    { "GET", "", "this list", list, false },
    { "GET", "health", "200 as long as the host tends its workers", health, false },
    { "GET", "ready", "200 when it takes requests and every worker serves", ready, false },
    { "GET", "startup", "200 once every worker has served, and from then on", startup, false },
    { "GET", "status", "what `isoworker status` shows, as JSON", status, false },
    { "GET", "metrics", "what workers and host have counted, for Prometheus", metrics, false },
    { "POST", "drain", "take no new requests; waits ?wait=10 seconds for the rest", drain, false },
    { "POST", "resume", "take requests again", resume, false },
    { "POST", "restart", "replace the processes of ?worker=NAME, or of all; waits ?wait=60 seconds",
      restart, false },
    { "GET", "timers", "each timer, its last run and its next five times", iswi_admin_timers, false },
    { "POST", "timers/run", "run ?name=NAME now; waits ?wait=60 seconds for its end",
      iswi_admin_timer_run, false },
    { "POST", "timers/pause", "begin no run of ?name=NAME", iswi_admin_timer_pause, false },
    { "POST", "timers/resume", "run it again, from its next time on", iswi_admin_timer_resume, false },
    { "GET", "queues", "each queue: how many messages, and since when", iswi_admin_queues, false },
    { "GET", "queues/{name}", "one of them", iswi_admin_queues, false },
    { "GET", "queues/{name}/messages",
      "messages with their bodies: ?state=dead, ?id=, ?key=, ?older=1h, ?limit=20",
      iswi_admin_messages, true },
    { "POST", "queues/{name}/messages",
      "put the body, of the Content-Type: ?id=, ?key=, ?delay=5s, ?expires=1h, ?priority=",
      iswi_admin_messages_put, false },
    { "POST", "queues/{name}/replay", "dead ones live again: ?id=, ?key=, ?older=, ?limit=",
      iswi_admin_messages_replay, false },
    { "POST", "queues/{name}/purge", "remove messages: the same, and ?state=",
      iswi_admin_messages_purge, false },
    { "POST", "queues/{name}/pause", "functions get none of it", iswi_admin_queue_pause, false },
    { "POST", "queues/{name}/resume", "functions get them again", iswi_admin_queue_resume, false },
    { "POST", "invoke/{function}",
      "run it now with the body: ?method=, ?param=N=V, ?query=N=V, ?header=N=V, ?wait=60",
      iswi_admin_invoke, false },
    { "POST", "invoke/{worker}/{function}", "the same, where two workers have one of that name",
      iswi_admin_invoke, false },
};

enum { ENDPOINTS = sizeof endpoints / sizeof endpoints[0] };

static void list(iswi_operate *operate, iswi_http_request *request)
{
    iswi_buffer body = { 0 };

    (void)operate;
    for (size_t i = 0; i < ENDPOINTS; i++)
        iswi_buffer_printf(&body, "%-4s /%-22s %s\n", endpoints[i].method, endpoints[i].path,
                           endpoints[i].summary);
    iswi_admin_answer_text(request, 200, "text/plain; charset=utf-8", &body);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void on_request(void *user, void *target, iswi_http_request *request)
{
    iswi_operate *operate = user;
    const endpoint *asked = target;
    const char *why =
        iswi_admin_refusal(operate->host, asked->guarded, iswi_http_request_data(request));

    if (why)
        iswi_http_answer_problem(request, 403, NULL, why, NULL);
    else
        asked->answer(operate, request);
}

/* -- Life -------------------------------------------------------------------------------------- */

isw_status iswi_admin_start(iswi_operate *operate, isw_error *error)
{
    const char *listen = iswi_host_settings_of(operate->host)->admin.listen;
    iswi_address address;
    iswi_http_options options = { .listen = &address,
                                  .listen_count = 1,
                                  .folder = iswi_host_folder(operate->host),
                                  .setting = "admin.listen",
                                  .prefix = "",
                                  .bare = true,
                                  .legacy = iswi_takeover_legacy(operate->takeover),
                                  .shut = operate->takeover != NULL,
                                  .body_limit_bytes = BODY_BYTES,
                                  .connections = 64 };

    if (iswi_address_read(listen, options.setting, &address, error) != ISW_OK)
        return error->status;
    operate->admin_routes = iswi_routes_create();
    if (!operate->admin_routes)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the admin endpoints");
    if (iswi_scrape_attach(operate->host, &operate->metrics, error) != ISW_OK)
        return error->status;
    for (size_t i = 0; i < ENDPOINTS; i++) {
        isw_status added = iswi_routes_add(operate->admin_routes, endpoints[i].method,
                                           endpoints[i].path, (void *)&endpoints[i], error);

        if (added != ISW_OK)
            return added;
    }
    if (iswi_http_start(&options, NULL, on_request, operate, &operate->admin, error) != ISW_OK)
        return error->status;
    iswi_http_set_routes(operate->admin, operate->admin_routes); /* operate->admin is set now */
    return ISW_OK;
}

isw_status iswi_admin_prepare(iswi_operate *operate, const iswi_admin_settings *now,
                              isw_error *error)
{
    const char *before = iswi_host_settings_of(operate->host)->admin.listen;
    iswi_address address;
    iswi_http_options options = { .listen = &address,
                                  .listen_count = 1,
                                  .folder = iswi_host_folder(operate->host) };

    if (!operate->admin || !now->listen || strcmp(now->listen, before) == 0)
        return ISW_OK;
    if (iswi_address_read(now->listen, "admin.listen", &address, error) != ISW_OK)
        return error->status;
    return iswi_http_doors_make(operate->admin, &options, &operate->admin_doors, error);
}

void iswi_admin_renew(iswi_operate *operate, bool take)
{
    if (take && operate->admin_doors) {
        iswi_http_take_doors(operate->admin, operate->admin_doors);
        iswi_say(operate->host, ISW_LOG_INFO, "admin: it listens at %s now",
                 iswi_http_url(operate->admin, 0));
    } else {
        iswi_http_doors_free(operate->admin_doors);
    }
    operate->admin_doors = NULL;
}

void iswi_admin_stop(iswi_operate *operate)
{
    if (operate->admin)
        iswi_http_stop(operate->admin);
    iswi_routes_destroy(operate->admin_routes);
}
