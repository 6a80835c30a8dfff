/* SPDX-License-Identifier: Apache-2.0 */
#include "host/library/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void seen_init(seen *s)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->more, NULL);
}

void seen_event(void *user, const isw_host_event *event)
{
    seen *s = user;
    size_t used;

    pthread_mutex_lock(&s->lock);
    used = strlen(s->lines);
    s->of[event->kind]++;
    if (event->kind == ISW_HOST_LOG)
        snprintf(s->lines + used, sizeof s->lines - used, "%.*s: %.*s\n", (int)event->worker.size,
                 event->worker.data, (int)event->text.size, event->text.data);
    if (event->kind == ISW_HOST_WORKER_STARTED)
        s->pid = event->pid;
    if (event->kind == ISW_HOST_WORKER_ENDED)
        snprintf(s->why, sizeof s->why, "%.*s", (int)event->text.size, event->text.data);
    pthread_cond_broadcast(&s->more);
    pthread_mutex_unlock(&s->lock);
}

void seen_fault(void *user, const char *sentence)
{
    seen *s = user;

    s->faults++;
    assert_true(*sentence != '\0');
}

static struct timespec patience(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    return until;
}

void await_events(seen *s, isw_host_event_kind kind, unsigned count)
{
    struct timespec until = patience();
    int failed = 0;

    pthread_mutex_lock(&s->lock);
    while (s->of[kind] < count && !failed)
        failed = pthread_cond_timedwait(&s->more, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
    if (failed)
        fail_msg("no %u events of the kind %d; the log is\n%s", count, (int)kind, s->lines);
}

void await_line(seen *s, const char *text)
{
    struct timespec until = patience();
    int failed = 0;

    pthread_mutex_lock(&s->lock);
    while (!strstr(s->lines, text) && !failed)
        failed = pthread_cond_timedwait(&s->more, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
    if (failed)
        fail_msg("no line with \"%s\"; the log is\n%s", text, s->lines);
}

isw_host_options options_of(seen *s)
{
    isw_host_options options = ISW_HOST_OPTIONS_INIT;

    options.event = seen_event;
    options.fault = seen_fault;
    options.user = s;
    return options;
}

isw_host *make_host(const isw_host_options *options)
{
    isw_error error = { ISW_OK, "" };
    isw_host *host = NULL;

    if (isw_host_create(options, &host, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return host;
}

isw_host *host_of(seen *s, const char *yaml)
{
    isw_host_options options;

    seen_init(s);
    options = options_of(s);
    options.yaml = yaml;
    return make_host(&options);
}

void add_worker(isw_host *host, const char *name)
{
    static const char *const command[] = { WORKER, NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };

    worker.name = name;
    worker.command = command;
    if (isw_host_add_worker(host, &worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

isw_host *start_host(seen *s)
{
    isw_host_options options = options_of(s);
    isw_error error = { ISW_OK, "" };
    isw_host *host;

    options.yaml = "host: {cancel_grace: 500ms, shutdown_grace: 300ms}\n";
    host = make_host(&options);
    add_worker(host, "plugins");
    if (isw_host_start(host, &error) != ISW_OK ||
        isw_host_wait_ready(host, PATIENCE_MS, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return host;
}

isw_status call(isw_host *host, const char *name, const isw_value *input, isw_host_result *result,
                isw_error *error)
{
    return isw_host_invoke(host, name, input, PATIENCE_MS, result, error);
}

void assert_echo(isw_host *host)
{
    isw_value input = isw_value_int(7);
    isw_error error = { ISW_OK, "" };
    isw_host_result result;

    if (call(host, "echo", &input, &result, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_int_equal(result.result.as.integer, 7);
    isw_host_result_release(&result);
}

void assert_message(const isw_error *error, const char *text)
{
    if (!strstr(error->message, text))
        fail_msg("\"%s\" does not say \"%s\"", error->message, text);
}

int run_host(void **state)
{
    running *r = calloc(1, sizeof *r);

    assert_non_null(r);
    seen_init(&r->seen);
    r->host = start_host(&r->seen);
    *state = r;
    return 0;
}

int end_host(void **state)
{
    running *r = *state;

    isw_host_destroy(r->host);
    free(r);
    return 0;
}
