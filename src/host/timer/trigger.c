/* SPDX-License-Identifier: Apache-2.0 */
/* The timer trigger: what functions may say of their schedules, and the instance of a host. */
#include "host/timer/trigger.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "broker/driver.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/reactors.h"
#include "host/timer/clockwork.h"
#include "host/timer/foreign.h"

#include <stddef.h>
#include <unistd.h>

enum { DAY_MS = 86400000 };

/* -- Functions --------------------------------------------------------------------------------- */

static const char *const missed_names[] = { "once", "all", "skip", NULL };
static const char *const retry_names[] = { "none", "exponential", "fixed", NULL };
static const char *const overlap_names[] = { "skip", "wait", "allow", NULL };

static const isw_option property_rows[] = {
    { .name = "schedule", .type = ISW_OPTION_STRING,
      .offset = offsetof(iswi_timer_properties, schedule),
      .help = "such as \"0 */5 * * * *\", \"30 9 * * Mon-Fri\", @daily or \"@every 90s\"" },
    { .name = "zone", .type = ISW_OPTION_STRING, .default_value = "UTC",
      .offset = offsetof(iswi_timer_properties, zone),
      .help = "of its local time, such as Europe/Berlin; local: that of the machine" },
    { .name = "run_missed", .type = ISW_OPTION_ENUM, .default_value = "once",
      .choices = missed_names, .offset = offsetof(iswi_timer_properties, run_missed),
      .help = "what becomes of runs that were missed: one for all, each of the last 100, or none" },
    { .name = "overlap", .type = ISW_OPTION_ENUM, .default_value = "skip",
      .choices = overlap_names, .offset = offsetof(iswi_timer_properties, overlap),
      .help = "what becomes of one that is due while the one before runs" },
    { .name = "run_on_startup", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(iswi_timer_properties, run_on_startup),
      .help = "also when the host starts" },
    { .name = "attempts", .type = ISW_OPTION_INT, .default_value = "5", .min = 1, .max = 100,
      .offset = offsetof(iswi_timer_properties, attempts),
      .help = "how often one run is begun: again if its worker or host ends under it" },
    { .name = "retry", .type = ISW_OPTION_ENUM, .default_value = "none", .choices = retry_names,
      .offset = offsetof(iswi_timer_properties, retry),
      .help = "and if it fails; how the time until then grows" },
    { .name = "retry_delay", .type = ISW_OPTION_DURATION, .default_value = "10s", .max = DAY_MS,
      .offset = offsetof(iswi_timer_properties, retry_delay_ms), .help = "after the first attempt" },
    { .name = "retry_delay_max", .type = ISW_OPTION_DURATION, .default_value = "5m", .max = DAY_MS,
      .offset = offsetof(iswi_timer_properties, retry_delay_max_ms), .help = "and after any" },
    { 0 },
};

typedef struct planned {
    iswi_entry *entry;
    iswi_schedule schedule;
} planned;

typedef struct timer_set {
    size_t count;
    planned items[];
} timer_set;

static void discard(void *user)
{
    timer_set *set = user;

    for (size_t i = 0; i < set->count; i++)
        iswi_schedule_close(&set->items[i].schedule);
    iswi_free(set);
}

/* One whose state would be the entry's, too; NULL: there is none. */
static const iswi_entry *rival_of(const timer_set *set, const iswi_entry *entry)
{
    for (size_t i = 0; i < set->count; i++)
        if (iswi_entry_is_namesake(set->items[i].entry, entry))
            return set->items[i].entry;
    return NULL;
}

/* ISW_E_NO_MEMORY, or it is in the set, or refused. */
static isw_status plan(timer_set *set, iswi_entry *entry, iswi_entry_refuse_fn refuse, void *user)
{
    const iswi_timer_properties *properties = entry->properties;
    const iswi_entry *rival = rival_of(set, entry);
    planned *one = &set->items[set->count];
    isw_error error = { ISW_OK, "" };

    if (rival) {
        refuse(user, entry, rival, "another worker's function has its name",
               "the times of timers are kept by their names; " ISWI_NAMESAKE_REMEDY);
        return ISW_OK;
    }
    if (iswi_schedule_open(properties->schedule, properties->zone, &one->schedule, &error) ==
        ISW_OK) {
        one->entry = entry;
        set->count++;
        return ISW_OK;
    }
    if (error.status != ISW_E_NO_MEMORY)
        refuse(user, entry, NULL, "its schedule was refused", error.message);
    return error.status == ISW_E_NO_MEMORY ? error.status : ISW_OK;
}

static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **out)
{
    timer_set *set = iswi_calloc(1, sizeof *set + count * sizeof set->items[0]);

    if (!set)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (plan(set, entries[i], refuse, user) != ISW_OK) {
            discard(set);
            return ISW_E_NO_MEMORY;
        }
    *out = set;
    return ISW_OK;
}

/* -- An instance ------------------------------------------------------------------------------- */

static void post(void *user, iswi_task *task)
{
    iswi_reactor_post(((iswi_clockwork *)user)->reactor, task);
}

static void say(void *user, const iswi_timed *timer, isw_log_level level, const char *text)
{
    (void)user;
    iswi_function_say(timer->entry->function, level, "", isw_str_of(NULL), "%s", text);
}

/* One that messages may be in and records not is no reason not to run. */
static iswi_timer_store *open_store(iswi_host *host)
{
    iswi_broker *broker = iswi_host_broker(host);

    return iswi_broker_abilities(broker) & ISWI_BROKER_RECORDS ? iswi_timer_broker_store(broker)
                                                               : iswi_timer_memory_store();
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    iswi_clockwork *all = iswi_calloc(1, sizeof *all);
    unsigned char random[16];

    if (!all)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for timers");
    all->host = with->host;
    all->watch.fd = -1;
    all->armed_us = INT64_MAX;
    all->env.user = all;
    all->env.store = open_store(with->host);
    all->env.lease_ms = iswi_host_settings_of(with->host)->queues.bounds.lease_ms;
    all->env.begin = iswi_timer_call_begin;
    all->env.post = post;
    all->env.say = say;
    if (!all->env.store)
        isw_error_set(error, ISW_E_NO_MEMORY, "no memory for timers");
    else if (!iswi_random(random, sizeof random))
        isw_error_set(error, ISW_E_IO, "no random bytes for the name of this host's timers");
    else if (iswi_host_reactor(with->host, 0, &all->reactor, error) == ISW_OK) {
        iswi_hex(random, sizeof random, all->env.owner);
        sem_init(&all->idle, 0, 0);
        *self = all;
        return ISW_OK;
    }
    if (all->env.store)
        all->env.store->close(all->env.store);
    iswi_free(all);
    return error->status;
}

typedef struct publishing {
    iswi_clockwork *all;
    timer_set *set;
} publishing;

static iswi_timed *find(const iswi_clockwork *all, const iswi_entry *entry)
{
    iswi_timed *at = all->first;

    while (at && at->entry != entry)
        at = at->next;
    return at;
}

static iswi_timed *find_or_add(iswi_clockwork *all, planned *one)
{
    iswi_timed *timer = find(all, one->entry);

    if (timer || !(timer = iswi_timed_create(&all->env, one->entry, &one->schedule)))
        return timer;
    timer->next = all->first;
    all->first = timer;
    return timer;
}

static bool is_in(const timer_set *set, const iswi_entry *entry)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].entry == entry)
            return true;
    return false;
}

static void take_set(void *user)
{
    iswi_clockwork *all = ((publishing *)user)->all;
    timer_set *set = ((publishing *)user)->set;

    if (set->count && !iswi_clockwork_sleep(all))
        return;
    for (iswi_timed *at = all->first; at; at = at->next)
        if (!is_in(set, at->entry))
            iswi_timed_serve(at, false);
    for (size_t i = 0; i < set->count; i++) {
        iswi_timed *timer = find_or_add(all, &set->items[i]);

        if (timer)
            iswi_timed_serve(timer, true);
        else
            iswi_say(all->host, ISW_LOG_CRITICAL, "no memory for timer %s",
                     set->items[i].entry->name);
    }
    atomic_store(&all->serves, set->count > 0);
    if (all->first)
        all->env.rearm(all);
}

static void publish(void *self, void *set, iswi_more more)
{
    iswi_clockwork *all = self;

    (void)more;
    iswi_reactor_call(all->reactor, take_set, &(publishing){ all, set });
    discard(set);
}

static void hold(void *self, bool on)
{
    iswi_clockwork *all = self;

    atomic_store(&all->env.held, on || atomic_load(&all->stops));
    iswi_clockwork_wake(all);
}

static void quiesce(void *self)
{
    iswi_clockwork *all = self;

    atomic_store(&all->stops, true);
    atomic_store(&all->env.held, true);
}

static size_t admitted(void *self)
{
    return atomic_load(&((iswi_clockwork *)self)->admitted);
}

typedef struct ending {
    iswi_clockwork *all;
    bool idle;
} ending;

/* What is to be written still, is. */
static void look_whether_idle(void *user)
{
    ending *with = user;

    iswi_clockwork_look(with->all, false);
    with->idle = iswi_clockwork_is_idle(with->all);
}

static void close_watch(void *user)
{
    iswi_clockwork *all = user;

    if (all->watch.fd < 0)
        return;
    iswi_watch_end(all->reactor, &all->watch);
    close(all->watch.fd);
    all->watch.fd = -1;
}

static void stop(void *self)
{
    iswi_clockwork *all = self;
    ending with = { .all = all };
    iswi_timed *timer;

    quiesce(all);
    iswi_reactor_call(all->reactor, look_whether_idle, &with);
    while (!with.idle) {
        sem_wait(&all->idle); /* or a signal */
        iswi_reactor_call(all->reactor, look_whether_idle, &with);
    }
    iswi_reactor_call(all->reactor, close_watch, all);
    while ((timer = all->first) != NULL) {
        all->first = timer->next;
        iswi_timed_destroy(timer);
    }
    all->env.store->close(all->env.store);
    sem_destroy(&all->idle);
    iswi_free(all);
}

/* -- Timers of somebody else ------------------------------------------------------------------- */

static void publish_foreign(void *self, void *set, iswi_more more)
{
    (void)self;
    (void)more;
    discard(set);
}

const iswi_trigger iswi_timer_foreign_trigger = {
    .type = "timer",
    .title = "timer",
    .properties = property_rows,
    .properties_size = sizeof(iswi_timer_properties),
    .start = iswi_passive_start,
    .arrange = arrange,
    .discard = discard,
    .publish = publish_foreign,
    .stop = iswi_passive_stop,
    .tell = iswi_clockwork_tell,
};

const iswi_trigger iswi_timer_trigger = {
    .type = "timer",
    .title = "timer",
    .properties = property_rows,
    .properties_size = sizeof(iswi_timer_properties),
    .start = start,
    .arrange = arrange,
    .discard = discard,
    .publish = publish,
    .hold = hold,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .tell = iswi_clockwork_tell,
    .rows = iswi_clockwork_rows,
    .attend = iswi_clockwork_attend,
    .command = iswi_clockwork_command,
    .run_verb = "run",
};
