/* SPDX-License-Identifier: Apache-2.0 */
#include "host/timer/bench.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { US = 1000000, STEPS_MOST = 100000 };

static int64_t instant_of(const char *stamp)
{
    int year, month, day, hour, minute, second;

    assert_int_equal(sscanf(stamp, "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour, &minute,
                            &second), 6);
    return iswi_civil_days(year, month, day) * ISWI_DAY_SECONDS + (hour * 60 + minute) * 60 +
           second;
}

void bench_clock(const char *stamp)
{
    iswi_clock_fake(1, instant_of(stamp) * US);
}

void bench_pass(int64_t seconds)
{
    iswi_clock_fake(1, iswi_wall_us() + seconds * US);
}

/* -- Around it --------------------------------------------------------------------------------- */

static void mark(bench *b, const char *what)
{
    if (strlen(b->trace) + strlen(what) < sizeof b->trace)
        strcat(b->trace, what);
}

static void begin(void *user, const iswi_timer_run *run)
{
    bench *b = user;

    mark(b, "b");
    assert_true(b->count < BENCH_RUNS);
    b->runs[b->count++] = *run;
}

static void post(void *user, iswi_task *task)
{
    bench *b = user;

    task->next = NULL;
    *b->last = task;
    b->last = &task->next;
}

static void rearm(void *user)
{
    (void)user;
}

static void say(void *user, const iswi_timed *timer, isw_log_level level, const char *text)
{
    bench *b = user;
    size_t size = strlen(b->said);

    (void)timer;
    snprintf(b->said + size, sizeof b->said - size, "%s: %s\n", isw_log_level_name(level), text);
}

static bench *of(iswi_timer_store *store)
{
    return (bench *)((char *)store - offsetof(bench, store));
}

static void read_one(iswi_timer_store *store, const char *name, iswi_timer_state_fn done,
                     void *user)
{
    bench *b = of(store);

    mark(b, "r");
    if (b->fault.status == ISW_OK)
        b->memory->read(b->memory, name, done, user);
    else
        done(user, &b->fault, isw_str_of(NULL), 0);
}

static void write_one(iswi_timer_store *store, const char *name, isw_str text, uint64_t version,
                      iswi_timer_state_fn done, void *user)
{
    bench *b = of(store);
    char copy[2048];

    snprintf(copy, sizeof copy, "%.*s", (int)text.size, text.data);
    mark(b, strstr(copy, "\"runs\":true") ? "W" : "w");
    if (b->fault.status == ISW_OK)
        b->memory->write(b->memory, name, text, version, done, user);
    else
        done(user, &b->fault, isw_str_of(NULL), 0);
}

/* -- Hosts ------------------------------------------------------------------------------------- */

void bench_begin(bench *b, const char *schedule, iswi_timer_store *memory)
{
    static unsigned hosts;

    memset(b, 0, sizeof *b);
    b->last = &b->first;
    b->memory = memory ? memory : iswi_timer_memory_store();
    assert_non_null(b->memory);
    b->store = (iswi_timer_store){ .read = read_one, .write = write_one };
    b->properties = (iswi_timer_properties){ .schedule = schedule, .zone = "UTC", .attempts = 5 };
    b->entry = (iswi_entry){ .name = "report", .worker = "w", .properties = &b->properties };
    b->env.user = b;
    b->env.store = &b->store;
    b->env.lease_ms = 60000;
    b->env.begin = begin;
    b->env.post = post;
    b->env.rearm = rearm;
    b->env.say = say;
    snprintf(b->env.owner, sizeof b->env.owner, "host%u", ++hosts);
}

void bench_serve(bench *b)
{
    isw_error error = { ISW_OK, "" };
    iswi_schedule schedule;

    if (iswi_schedule_open(b->properties.schedule, b->properties.zone, &schedule, &error) != ISW_OK)
        fail_msg("%s", error.message);
    b->timer = iswi_timed_create(&b->env, &b->entry, &schedule);
    assert_non_null(b->timer);
    iswi_timed_serve(b->timer, true);
    bench_settle(b);
}

void bench_kill(bench *b)
{
    iswi_timed_destroy(b->timer);
    b->timer = NULL;
}

void bench_end(bench *b)
{
    while (b->timer && b->ended < b->count)
        bench_succeed(b);
    if (b->timer)
        iswi_timed_destroy(b->timer);
    b->memory->close(b->memory);
    iswi_clock_real();
}

/* -- What happens ------------------------------------------------------------------------------ */

void bench_settle(bench *b)
{
    while (b->first) {
        iswi_task *task = b->first;

        b->first = task->next;
        if (!b->first)
            b->last = &b->first;
        task->run(task);
    }
}

void bench_until(bench *b, const char *stamp, bool answers)
{
    int64_t end_us = instant_of(stamp) * US;

    while (answers && b->ended < b->count)
        bench_succeed(b);
    for (int i = 0; i < STEPS_MOST; i++) {
        int64_t due_us = iswi_timed_due_us(b->timer);

        if (due_us > end_us)
            break;
        if (due_us > iswi_wall_us())
            iswi_clock_fake(1, due_us);
        iswi_timed_tick(b->timer);
        bench_settle(b);
        while (answers && b->ended < b->count)
            bench_succeed(b);
    }
    assert_true(iswi_timed_due_us(b->timer) > end_us);
    iswi_clock_fake(1, end_us);
}

void bench_answer(bench *b, const iswi_timer_end *end)
{
    assert_true(b->ended < b->count);
    iswi_timed_ended(b->timer, &b->runs[b->ended++], end);
    bench_settle(b);
}

void bench_succeed(bench *b)
{
    bench_answer(b, &(iswi_timer_end){ .refused = false });
}

void assert_scheduled(const bench *b, unsigned index, const char *stamp)
{
    char text[ISWI_STAMP_BYTES];

    assert_true(index < b->count);
    iswi_stamp_write(b->runs[index].scheduled_s, 0, text);
    assert_string_equal(text, stamp);
}
