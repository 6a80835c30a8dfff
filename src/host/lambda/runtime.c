/* SPDX-License-Identifier: Apache-2.0 */
/* The trigger "lambda": the slots of a host, from when all its workers serve until it stops. */
#include "host/lambda/internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/reactors.h"
#include "host/engine/steer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS_MOST = 4096, TELL_GRACE_S = 2 };

#define LOOK_NS INT64_C(2000000) /* while workers start */

/* -- Life -------------------------------------------------------------------------------------- */

static isw_status read_concurrency(size_t *out, isw_error *error)
{
    const char *text = getenv(ISWI_LAMBDA_CONCURRENCY_VARIABLE);
    char *end = NULL;
    const long number = text && *text ? strtol(text, &end, 10) : 1;

    if ((end && *end) || number < 1 || number > SLOTS_MOST)
        return isw_error_set(error, ISW_E_CONFIG, ISWI_LAMBDA_CONCURRENCY_VARIABLE "=%s: it is a "
                             "number from 1 to %d", text, SLOTS_MOST);
    *out = (size_t)number;
    return ISW_OK;
}

static void destroy(iswi_lambda *lambda)
{
    for (size_t i = 0; lambda->slots && i < lambda->count; i++)
        iswi_lambda_slot_fini(&lambda->slots[i]);
    sem_destroy(&lambda->idle);
    iswi_free(lambda->slots);
    iswi_free(lambda);
}

static isw_status start_all(iswi_lambda *lambda, isw_error *error)
{
    if (iswi_lambda_place_find(&lambda->place, error) != ISW_OK ||
        read_concurrency(&lambda->count, error) != ISW_OK ||
        iswi_host_reactor(lambda->host, 0, &lambda->reactor, error) != ISW_OK)
        return error->status;
    lambda->slots = iswi_calloc(lambda->count, sizeof *lambda->slots);
    if (!lambda->slots)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for events");
    for (size_t i = 0; i < lambda->count; i++)
        iswi_lambda_slot_init(&lambda->slots[i], lambda);
    return ISW_OK;
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    iswi_lambda *lambda = iswi_calloc(1, sizeof *lambda);
    isw_error own = { ISW_OK, "" };

    if (!lambda)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for events");
    lambda->host = with->host;
    lambda->settings = with->settings;
    lambda->lead = iswi_lambda_lead;
    lambda->sends = iswi_lambda_outgoing_look;
    lambda->waits = iswi_lambda_outgoing_wait;
    sem_init(&lambda->idle, 0, 0);
    if (start_all(lambda, &own) == ISW_OK) {
        iswi_lambda_outgoing_begin(lambda);
        *self = lambda;
        return ISW_OK;
    }
    destroy(lambda);
    return isw_error_set(error, own.status, "%s", own.message);
}

/* On the reactor. */
static void look(void *user)
{
    iswi_lambda *lambda = user;

    for (size_t i = 0; i < lambda->count; i++)
        iswi_lambda_slot_look(&lambda->slots[i]);
}

/* -- The beginning ----------------------------------------------------------------------------- */

/* What is wrong with a process now, or was with the one before it, if it has begun again. */
static const char *fault_of(iswi_process *process, const iswi_process_look *seen,
                            iswi_end_look *before)
{
    if (*seen->fault.message)
        return seen->fault.message;
    iswi_process_last_end(process, before);
    return before->ended_ns ? before->why : "it does not say why";
}

/* Why a worker does not serve; false: all do. */
static bool find_fault(const iswi_host *host, isw_error *why)
{
    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        iswi_process *process = iswi_host_first_process(host, i);
        iswi_process_look seen;
        iswi_end_look before;

        if (!iswi_host_needs_worker(host, i) || !process)
            continue;
        iswi_process_look_at(process, &seen, NULL);
        if (seen.serves || seen.functions_known)
            continue;
        isw_error_set(why, ISW_E_UNAVAILABLE, "worker %s does not serve: %s",
                      iswi_host_worker_name(host, i), fault_of(process, &seen, &before));
        return true;
    }
    return false;
}

/* What will not go as somebody may think, before the first event shows it. */
static void advise(const iswi_lambda *lambda)
{
    if (iswi_host_store_goes(lambda->host) && iswi_lambda_outgoing_is_used(lambda))
        iswi_say(lambda->host, ISW_LOG_WARNING, "queues.store is a file that goes with this "
                 "environment: requests of functions whose receiver does not take them soon are lost "
                 "with it; name a server, postgresql:// or nats://, where that must not be");
}

/* The first question says that all is ready. Lambda starts another environment where it is not: so
 * nobody waits for a second try here. */
static void begin(iswi_lambda *lambda)
{
    isw_error why = { ISW_OK, "" };

    lambda->begun = true;
    if (find_fault(lambda->host, &why)) {
        lambda->given_up = true;
        iswi_host_give_up(lambda->host, &why);
        iswi_host_wake(lambda->host);
        return;
    }
    advise(lambda);
    iswi_say(lambda->host, ISW_LOG_INFO, "lambda: asks the Runtime API at %s for events, %zu at a "
             "time", lambda->place.text, lambda->count);
    iswi_reactor_call(lambda->reactor, look, lambda);
}

static void tend(void *self, bool asked, int64_t now_ns, int64_t *next_ns)
{
    iswi_lambda *lambda = self;

    (void)asked;
    if (!lambda->begun && iswi_host_phase(lambda->host) == ISWI_PHASE_SERVING)
        begin(lambda);
    if (!lambda->begun && iswi_host_phase(lambda->host) == ISWI_PHASE_STARTING &&
        now_ns + LOOK_NS < *next_ns)
        *next_ns = now_ns + LOOK_NS;
    if (atomic_load(&lambda->lost) && !lambda->given_up) {
        lambda->given_up = true;
        iswi_host_give_up(lambda->host, &lambda->loss);
        iswi_host_wake(lambda->host);
    }
}

/* -- The end ----------------------------------------------------------------------------------- */

typedef struct holding {
    iswi_lambda *lambda;
    bool on;
} holding;

static void take_hold(void *user)
{
    const holding *with = user;

    with->lambda->held = with->on;
    if (with->lambda->begun)
        look(with->lambda);
}

static void hold(void *self, bool on)
{
    iswi_lambda *lambda = self;

    iswi_reactor_call(lambda->reactor, take_hold, &(holding){ lambda, on });
}

static void take_stop(void *user)
{
    ((iswi_lambda *)user)->stops = true;
    look(user);
}

static void quiesce(void *self)
{
    iswi_lambda *lambda = self;

    iswi_reactor_call(lambda->reactor, take_stop, lambda);
}

static size_t admitted(void *self)
{
    return atomic_load(&((iswi_lambda *)self)->busy);
}

/* Whether some event is with a function still. On the reactor. */
static void count_working(void *user)
{
    holding *with = user;

    with->on = false;
    for (size_t i = 0; i < with->lambda->count; i++)
        with->on = with->on || with->lambda->slots[i].phase == ISWI_LAMBDA_WORKS;
}

static void close_all(void *user)
{
    iswi_lambda *lambda = user;

    for (size_t i = 0; i < lambda->count; i++) {
        iswi_lambda_slot *slot = &lambda->slots[i];

        iswi_lambda_api_close(&slot->api);
        iswi_reactor_cancel_timer(lambda->reactor, &slot->patience);
        if (slot->guest)
            iswi_http_guest_leave(slot->guest);
        slot->guest = NULL;
    }
}

/* Every call is answered by itself; for Lambda to hear of it there are two seconds. */
static void stop(void *self)
{
    iswi_lambda *lambda = self;
    holding with = { lambda, true };
    struct timespec until;

    quiesce(lambda);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TELL_GRACE_S;
    while (atomic_load(&lambda->busy) &&
           (sem_timedwait(&lambda->idle, &until) == 0 || errno == EINTR))
        ;
    for (iswi_reactor_call(lambda->reactor, count_working, &with); with.on;
         iswi_reactor_call(lambda->reactor, count_working, &with))
        sem_timedwait(&lambda->idle, &until);
    iswi_lambda_outgoing_end(lambda);
    iswi_reactor_call(lambda->reactor, close_all, lambda);
    destroy(lambda);
}

/* -- The tables -------------------------------------------------------------------------------- */

/* Events are for functions of other triggers. */
static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **set)
{
    for (size_t i = 0; i < count; i++)
        refuse(user, entries[i], NULL, "no function has this trigger",
               "functions have the triggers http, queue, timer or call, and lambda of host.yaml "
               "says which events are theirs");
    *set = NULL;
    return ISW_OK;
}

static void rows(void *self, iswi_trigger_row_fn row, void *user)
{
    const iswi_lambda *lambda = self;

    row(user, &(iswi_trigger_row){ .name = "lambda_events",
                                   .help = "Events of AWS Lambda that are worked on.",
                                   .number = (double)atomic_load(&lambda->busy) });
}

const iswi_trigger iswi_lambda_trigger = {
    .type = "lambda",
    .title = "AWS Lambda",
    .capabilities = ISWI_TRIGGER_CONFINES,
    .properties = iswi_passive_properties,
    .properties_size = ISWI_PASSIVE_SIZE,
    .settings = &iswi_lambda_settings_group,
    .start = start,
    .arrange = arrange,
    .publish = iswi_passive_publish,
    .hold = hold,
    .quiesce = quiesce,
    .tend = tend,
    .admitted = admitted,
    .stop = stop,
    .rows = rows,
};

const iswi_trigger iswi_lambda_elsewhere_trigger = {
    .type = "lambda",
    .title = "AWS Lambda",
    .properties = iswi_passive_properties,
    .properties_size = ISWI_PASSIVE_SIZE,
    .settings = &iswi_lambda_settings_group,
    .start = iswi_passive_start,
    .arrange = arrange,
    .publish = iswi_passive_publish,
    .stop = iswi_passive_stop,
};
