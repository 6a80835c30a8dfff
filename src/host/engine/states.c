/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine of a process, on the supervisor's thread: each state has one function, and each
 * function says when it wants to be called again.
 */
#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/engine/guests.h"

enum { MS = 1000000, LINGER_MS = 1000, HEARTBEATS_MISSED = 3, HOARDED = 1 };

static void sooner(int64_t *next_ns, int64_t at_ns)
{
    if (at_ns < *next_ns)
        *next_ns = at_ns;
}

static void send_one(iswi_process *process, const iswi_frame *frame)
{
    pthread_mutex_lock(&process->lock);
    iswi_process_send(process, frame);
    pthread_mutex_unlock(&process->lock);
}

static isw_pairs levels_of(const iswi_host *host, iswi_arena *arena)
{
    const iswi_logging_settings *logging = &iswi_host_settings_of(host)->logging;
    const iswi_level_rule *rules = logging->levels.items;
    isw_pair *pairs = iswi_arena_calloc(arena, logging->levels.count + 1, sizeof *pairs);

    if (!pairs)
        return (isw_pairs){ NULL, 0 };
    pairs[0] = (isw_pair){ isw_str_of("*"),
                           isw_str_of(isw_log_level_name((isw_log_level)logging->level)) };
    for (size_t i = 0; i < logging->levels.count; i++)
        pairs[i + 1] = (isw_pair){ isw_str_of(rules[i].category),
                                   isw_str_of(isw_log_level_name((isw_log_level)rules[i].level)) };
    return (isw_pairs){ pairs, logging->levels.count + 1 };
}

static void greet(iswi_process *process)
{
    isw_pair capabilities[3 + ISWI_LINK_EXTRAS + ISWI_OBSERVERS_MAX];
    size_t count = 0;
    iswi_frame frame = { .kind = ISWI_HOST_HELLO };
    iswi_host_hello *hello = &frame.as.host_hello;
    iswi_arena arena;
    bool begun; /* the session is on the ring */
    bool upgrade;
    unsigned extras = 0;

    iswi_arena_init(&arena, 1024);
    hello->protocol = ISWI_PROTOCOL_MAX;
    hello->proof = (isw_bytes){ process->token + ISWI_TOKEN_BYTES, ISWI_TOKEN_BYTES };
    hello->host = isw_str_of("isoworker");
    hello->host_version = isw_str_of(ISW_VERSION_STRING);
    process->heartbeat_ms =
        iswi_pool_is_patient(process->host, process->pool) ? 0 : process->host->heartbeat_ms;
    hello->heartbeat_ms = (uint64_t)process->heartbeat_ms;
    hello->log_levels = levels_of(process->host, &arena);
    hello->worker = isw_str_of(process->pool->settings->name);
    hello->directory = isw_str_of(process->host->folder);
    pthread_mutex_lock(&process->lock);
    begun = process->link && iswi_link_is_upgraded(process->link);
    upgrade = process->wants_ring && process->link && iswi_link_can_upgrade(process->link);
    if (begun || upgrade)
        extras = process->wants_extras & iswi_link_extras(process->link);
    if (upgrade)
        capabilities[count++] = (isw_pair){ isw_str_of("ring"), isw_str_of("1") };
    count += iswi_link_extras_name(extras, &capabilities[count]);
    if (process->wants_stream)
        capabilities[count++] = (isw_pair){ isw_str_of("stream"), isw_str_of("1") };
    if (process->health.tells) {
        capabilities[count++] = (isw_pair){ isw_str_of("health"), isw_str_of("1") };
        iswi_process_health_ask(process, hello);
    }
    count += iswi_observers_capabilities(&process->host->observers, process->named,
                                         &capabilities[count]);
    hello->capabilities = (isw_pairs){ capabilities, count };
    if (begun && extras) /* before the worker hears of it */
        iswi_link_upgrade(process->link, extras);
    iswi_process_send(process, &frame);
    if (upgrade) /* the hello was the last frame on the socket */
        iswi_link_upgrade(process->link, extras);
    process->on_ring = begun || upgrade;
    pthread_mutex_unlock(&process->lock);
    iswi_arena_fini(&arena);
}

/* Every process says what it has: one that begins later may be of another program than the first,
 * and has the configuration of its own begin. */
static void ask_functions(iswi_process *process)
{
    pthread_mutex_lock(&process->lock);
    process->metadata_asked = true;
    iswi_process_send(process, &(iswi_frame){ .kind = ISWI_METADATA_REQUEST, .id = 1 });
    pthread_mutex_unlock(&process->lock);
}

/* Its time to start is over. One that is not killed for that has failed once, so that others are
 * not waited for because of it. */
static void wait_on(iswi_process *process)
{
    process->state_until_ns = INT64_MAX;
    if (!process->pool->launcher.apart)
        process->failures = 1;
}

/* A remote one may be waited for as long as it likes; once it is there it has as long as others. */
static void count_from_now(iswi_process *process, int64_t now_ns)
{
    pthread_mutex_lock(&process->lock);
    process->started_ns = now_ns;
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = now_ns + process->pool->settings->start_timeout_ms * MS;
}

static void starting(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    bool hello_came;
    bool counts;

    pthread_mutex_lock(&process->lock);
    hello_came = process->hello_came;
    counts = process->connected && process->state_until_ns == INT64_MAX;
    pthread_mutex_unlock(&process->lock);
    if (counts && !iswi_pool_is_patient(process->host, process->pool))
        count_from_now(process, now_ns);
    if (hello_came) {
        greet(process);
        if (iswi_process_advance(process, ISWI_PROCESS_STARTING, ISWI_PROCESS_LOADING))
            ask_functions(process);
        sooner(next_ns, now_ns);
    } else if (now_ns >= process->state_until_ns) {
        wait_on(process);
        iswi_process_overrun(process,
                             "it did not say hello within %lld ms (start_timeout, with the eager "
                             "services that it makes before); is %s a worker that calls isw_main?",
                             (long long)process->pool->settings->start_timeout_ms,
                             process->pool->program);
    }
    sooner(next_ns, process->state_until_ns);
}

static void learn_functions(iswi_process *process, iswi_message *message, isw_bytes bytes)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_functions_learn(process, bytes, &error) != ISW_OK)
        iswi_process_kill(process, "its functions could not be read: %s", error.message);
    iswi_message_release(message);
}

static void send_loads(iswi_process *process)
{
    pthread_mutex_lock(&process->lock);
    process->loads_sent = true;
    process->loads_awaited = (unsigned)process->function_count;
    for (size_t i = 0; i < process->function_count; i++) {
        iswi_frame frame = { .kind = ISWI_LOAD, .id = i + 1 };

        frame.as.load.function = process->functions[i]->number;
        frame.as.load.name = isw_str_of(process->functions[i]->name);
        iswi_process_send(process, &frame);
    }
    pthread_mutex_unlock(&process->lock);
}

static void become_ready(iswi_process *process, int64_t now_ns)
{
    if (!iswi_process_advance(process, ISWI_PROCESS_LOADING, ISWI_PROCESS_READY))
        return;
    process->state_until_ns = INT64_MAX;
    process->asked_ns = now_ns;
    pthread_mutex_lock(&process->lock);
    process->ready_ns = now_ns;
    iswi_process_send(process, &(iswi_frame){ .kind = ISWI_STATUS_REQUEST, .id = 1 });
    pthread_mutex_unlock(&process->lock);
    iswi_say(process->host,
             process->failures ? ISW_LOG_INFO : ISW_LOG_DEBUG,
             "worker %s: ready after %lld ms", process->label,
             (long long)((now_ns - process->started_ns) / MS));
    iswi_observe_ready(process);
    atomic_store(&process->pool->joins, false);
    if (iswi_functions_adopt(process))
        iswi_roll_follow(process);
    iswi_pool_serve(process->pool);
}

static void overrun_start(iswi_process *process, bool loaded)
{
    long long ms = (long long)process->pool->settings->start_timeout_ms;
    const char *warmup;

    pthread_mutex_lock(&process->lock);
    warmup = process->warmup.runs ? process->warmup.name : NULL;
    pthread_mutex_unlock(&process->lock);
    if (warmup)
        iswi_process_overrun(process, "its warmup function %s was not over within %lld ms of its "
                             "start (start_timeout)", warmup, ms);
    else
        iswi_process_overrun(process, "it said hello but was not %s within %lld ms%s%s",
                             loaded ? "healthy" : "ready", ms, loaded ? ": " : "",
                             loaded ? process->health.why : "");
}

static void loading(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    iswi_message *metadata;
    isw_bytes frame;
    bool ready;
    bool ill; /* who is to take over has to be well */

    pthread_mutex_lock(&process->lock);
    metadata = process->metadata;
    frame = process->metadata_frame;
    process->metadata = NULL;
    ready = process->loads_sent && process->loads_awaited == 0 && !process->metadata_asked &&
            process->credit;
    ill = process->trial && process->health.keeps_out;
    pthread_mutex_unlock(&process->lock);
    if (metadata)
        learn_functions(process, metadata, frame);
    if (process->functions && !process->loads_sent) {
        send_loads(process);
        sooner(next_ns, now_ns);
    } else if (ready && iswi_warmup_tend(process) && !ill && iswi_roll_accepts(process)) {
        become_ready(process, now_ns);
        sooner(next_ns, now_ns); /* its heartbeats begin */
    } else if (now_ns >= process->state_until_ns) {
        wait_on(process);
        overrun_start(process, ready);
    }
    sooner(next_ns, process->state_until_ns);
}

static bool is_answered_up_to(const iswi_process *process, uint64_t generation)
{
    for (unsigned i = 0; i < process->place_count; i++)
        if (process->places[i].id && process->places[i].id >> 16 <= generation)
            return false;
    return true;
}

/* Whether it keeps memory that was lent to it for invocations that it has answered (PROTOCOL.md,
 * section 11). Asked at each heartbeat: all that was sent up to one is to be back when all of it
 * was answered by the next and another one has passed. */
static bool hoards(iswi_process *process, int64_t now_ns)
{
    int64_t oldest;

    pthread_mutex_lock(&process->lock);
    oldest = process->link ? iswi_link_oldest_loan_ns(process->link) : 0;
    if (oldest && oldest < process->lent_ns) {
        process->hoarding = is_answered_up_to(process, process->lent_generation)
                                ? process->hoarding + 1
                                : 0;
    } else {
        process->hoarding = 0;
        process->lent_ns = now_ns;
        process->lent_generation = process->generation;
    }
    pthread_mutex_unlock(&process->lock);
    return process->hoarding > HOARDED;
}

static void ready(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    int64_t interval = process->heartbeat_ms * MS;
    int64_t heard = atomic_load(&process->heard_ns);

    if (!iswi_process_retires(process))
        iswi_reload_tend(process);
    else if (iswi_process_see_off(process, now_ns, next_ns))
        return;
    iswi_process_health_tend(process, now_ns, next_ns);
    if (!interval)
        return;
    if (now_ns - process->asked_ns >= interval) {
        /* Counted by questions and not by the clock: when we were stopped ourselves, nobody could
         * have answered. */
        process->missed = heard < process->asked_ns ? process->missed + 1 : 0;
        if (process->missed == HEARTBEATS_MISSED + 1)
            iswi_process_overrun(process, "it has not answered for %lld ms",
                                 (long long)((now_ns - heard) / MS));
        else if (hoards(process, now_ns) && process->hoarding == HOARDED + 1)
            iswi_process_overrun(process, "it keeps memory of invocations that it has answered");
        if (process->signalled)
            return;
        process->asked_ns = now_ns;
        send_one(process, &(iswi_frame){ .kind = ISWI_STATUS_REQUEST, .id = 1 });
    }
    sooner(next_ns, process->asked_ns + interval);
}

/* It said goodbye or its link is gone, but it runs: give it a moment. */
static void leaving(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    bool goodbye;
    bool closed;

    pthread_mutex_lock(&process->lock);
    goodbye = process->goodbye;
    closed = process->closed;
    pthread_mutex_unlock(&process->lock);
    if (goodbye && !closed)
        iswi_link_close(process->link);
    if (closed && iswi_guest_leaves(process))
        return;
    if ((goodbye || closed) && process->state_until_ns == INT64_MAX)
        process->state_until_ns = now_ns + (int64_t)LINGER_MS * MS;
    if (now_ns >= process->state_until_ns && process->told_to_end)
        iswi_process_kill(process, "it did not end within %lld ms (stop_timeout)",
                          (long long)process->pool->settings->stop_timeout_ms);
    else if (now_ns >= process->state_until_ns)
        iswi_process_kill(process, "it did not end in time");
    sooner(next_ns, process->state_until_ns);
}

static void killed(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    if (!process->running) {
        sooner(next_ns, iswi_process_bury(process, now_ns));
        return;
    }
    /* Told what it did wrong, it may end by itself; see PROTOCOL.md, error. */
    if (process->signalled)
        return;
    if (process->kill_at_ns == 0)
        process->kill_at_ns = now_ns + (int64_t)LINGER_MS * MS;
    if (now_ns >= process->kill_at_ns) {
        process->signalled = true;
        process->pool->launcher.kill(&process->pool->launcher, &process->os);
    }
    sooner(next_ns, process->kill_at_ns);
}

static void waiting(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    if (iswi_process_retires(process)) {
        iswi_process_vacate(process);
    } else if (now_ns < process->start_at_ns) {
        sooner(next_ns, process->start_at_ns);
    } else if (iswi_starts_one(process->host, now_ns, next_ns)) {
        iswi_process_start(process);
        sooner(next_ns, now_ns);
    }
}

void iswi_process_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    iswi_process_state state;

    iswi_bounds_tend(process, now_ns, next_ns);
    pthread_mutex_lock(&process->lock);
    state = process->state;
    pthread_mutex_unlock(&process->lock);
    switch (state) {
    case ISWI_PROCESS_WAITING:
        waiting(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_STARTING:
        starting(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_LOADING:
        loading(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_READY:
        ready(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_LEAVING:
        leaving(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_KILLED:
        killed(process, now_ns, next_ns);
        break;
    case ISWI_PROCESS_GONE:
    case ISWI_PROCESS_SPARE:
        break;
    }
}
