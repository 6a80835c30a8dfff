/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lanes. This thread starts the first calls and waits; every other one is made on a link's
 * thread, by the answer before it. Invariant: a slot has at most one call in flight, and its answer
 * alone reads and writes it. What slots share is written by one thread at a time, as one process
 * with one link gives its answers; with more of them a lock sees to that.
 */
#include "bench/calls.h"

#include "bench/clock.h"
#include "bench/host.h"
#include "bench/meter.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

enum { ANSWERS_S = 30 };

typedef struct calls calls;

typedef struct slot {
    calls *owner;
    int64_t started_ns;
    size_t function; /* the next one that it calls */
} slot;

struct calls {
    iswi_bench_host host;
    isw_value trigger;
    isw_http request; /* what trigger is, if the chain has auth */
    isw_pair header;
    unsigned char *bytes;
    slot *slots;
    unsigned slot_count;
    bool locked; /* answers come on several threads */
    pthread_mutex_t lock;
    iswi_bench_samples *samples;
    uint64_t started; /* calls of this measurement */
    bool failed;
    isw_error why;
    int64_t until_ns;
    atomic_uint in_flight;
    sem_t none_left;
};

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer);

static void start(slot *s)
{
    calls *c = s->owner;
    iswi_call call = { .function = c->host.functions[s->function], .trigger = c->trigger,
                       .answer = on_answer, .user = s, .passes_on = true };

    s->function = (s->function + c->samples->in_flight) % c->host.function_count;
    s->started_ns = iswi_bench_now_ns();
    iswi_call_start(c->host.host, &call);
}

static bool is_right(const calls *c, const iswi_answer *answer)
{
    isw_bytes bytes = isw_value_payload(&answer->result);

    return answer->outcome == ISW_OUTCOME_SUCCESS && bytes.size == c->samples->payload &&
           iswi_bench_sum(bytes.data, bytes.size) == 0;
}

/* Note one answer. True when another call is to follow. */
static bool note(calls *c, const iswi_answer *answer, bool right, int64_t time_ns)
{
    bool again;

    if (right) {
        iswi_bench_note(c->samples, time_ns);
    } else if (!c->failed) {
        c->failed = true;
        isw_error_set(&c->why, ISW_E_FAILED, "%s: %.*s", isw_status_name(answer->status),
                      (int)answer->message.size, answer->message.data);
    }
    again = !c->failed && c->samples->mode != ISWI_BENCH_SILENCE &&
            c->started < c->samples->most && !iswi_bench_is_over(c->until_ns);
    c->started += again;
    return again;
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    slot *s = user;
    calls *c = s->owner;
    bool right = is_right(c, answer); /* it is read, as whoever passes it on reads it */
    int64_t time_ns = iswi_bench_now_ns() - s->started_ns;
    bool again;

    (void)invocation_id;
    if (c->locked)
        pthread_mutex_lock(&c->lock);
    again = note(c, answer, right, time_ns);
    if (c->locked)
        pthread_mutex_unlock(&c->lock);
    iswi_answer_release(answer->held);
    if (again)
        start(s);
    else if (atomic_fetch_sub(&c->in_flight, 1) == 1)
        sem_post(&c->none_left);
}

/* Start as many as are to be in flight, and wait until the last answer started no other. */
static bool burst(calls *c, uint32_t count)
{
    struct timespec until;

    c->started += count;
    atomic_store(&c->in_flight, count);
    for (uint32_t i = 0; i < count; i++)
        start(&c->slots[i]);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ANSWERS_S; /* no measurement takes as long */
    while (sem_timedwait(&c->none_left, &until) != 0)
        if (errno != EINTR) {
            isw_error_set(&c->why, ISW_E_TIMEOUT, "an answer did not come");
            return false;
        }
    return !c->failed;
}

static bool run(void *user, iswi_bench_samples *samples, int64_t ns)
{
    calls *c = user;
    int64_t began = iswi_bench_now_ns();
    iswi_bench_meter meter;

    c->samples = samples;
    c->started = 0;
    c->until_ns = began + ns;
    c->request.body = (isw_bytes){ c->bytes, samples->payload };
    c->trigger = isw_value_bytes(c->bytes, samples->payload);
    if (c->host.setup.auth) {
        c->trigger.type = ISW_VALUE_HTTP;
        c->trigger.as.http = &c->request;
    }
    if (c->host.setup.counted)
        iswi_bench_meter_start(&meter, c->host.worker);
    do {
        if (!burst(c, samples->in_flight))
            return false;
        if (samples->mode == ISWI_BENCH_SILENCE)
            iswi_bench_sleep_ns(ISWI_BENCH_SILENCE_NS);
    } while (samples->done < samples->most && !iswi_bench_is_over(c->until_ns));
    samples->elapsed_ns = iswi_bench_now_ns() - began;
    if (c->host.setup.counted)
        iswi_bench_meter_stop(&meter, samples->counts);
    return true;
}

static uint32_t window(void *user, uint32_t payload)
{
    const calls *c = user;

    (void)payload; /* what does not fit waits in the host */
    return c->host.setup.in_flight;
}

static bool carry_out(calls *c, const iswi_bench_plan *plan)
{
    iswi_bench_subject subject = { .run = run, .window = window, .user = c,
                                   .started_ns = c->host.worker_started_ns,
                                   .echo = c->host.worker };

    c->slot_count = c->host.setup.in_flight;
    c->slots = calloc(c->slot_count, sizeof *c->slots);
    c->bytes = calloc(1, ISWI_BENCH_PAYLOAD_MAX);
    for (unsigned i = 0; c->slots && i < c->slot_count; i++)
        c->slots[i] = (slot){ .owner = c, .function = i % c->host.function_count };
    c->locked = c->host.setup.workers > 1;
    c->header = (isw_pair){ isw_str_of("x-functions-key"), isw_str_of(iswi_bench_key) };
    c->request = (isw_http){ .method = isw_str_of("POST"), .url = isw_str_of("/api/echo"),
                             .headers = { &c->header, 1 } };
    return c->slots && c->bytes && iswi_bench_carry_out(plan, &subject);
}

bool iswi_bench_measure_calls(const char *setup, const iswi_bench_plan *plan)
{
    calls c = { .lock = PTHREAD_MUTEX_INITIALIZER };
    bool ok;
    bool loud;

    sem_init(&c.none_left, 0, 0);
    ok = iswi_bench_host_begin(&c.host, setup, &c.why) && carry_out(&c, plan);
    loud = !ok && !iswi_bench_is_over(INT64_MAX); /* not when it was interrupted */
    if (loud)
        fprintf(stderr, "isoworker bench: %s: %s\n", setup, c.why.message);
    iswi_bench_host_end(&c.host, loud); /* the calls' memory outlives it: it may still answer */
    sem_destroy(&c.none_left);
    free(c.slots);
    free(c.bytes);
    return ok;
}
