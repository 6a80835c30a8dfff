/* SPDX-License-Identifier: Apache-2.0 */
/* What timers tell of themselves, and what operators may do to them. */
#include "base/alloc.h"
#include "config/properties.h"
#include "host/engine/look.h"
#include "host/timer/report.h"
#include "host/timer/clockwork.h"
#include "host/timer/describe.h"
#include "value/value.h"

#include <stdio.h>

enum { MS = 1000, NAMES_MOST = 64 };

/* -- Functions --------------------------------------------------------------------------------- */

/* Also of one that has no instance yet: it says what it was given. */
void iswi_clockwork_tell(void *self, const iswi_entry *entry, iswi_arena *arena,
                         iswi_entry_told *out)
{
    const iswi_timer_properties *properties = entry->properties;

    (void)self;
    out->text = iswi_arena_printf(arena, "%s %s", properties->schedule, properties->zone);
}

/* -- Numbers ----------------------------------------------------------------------------------- */

typedef struct counted {
    const char *name, *help;
    bool counts;
    double (*of)(const iswi_timed *timer);
} counted;

static double runs_of(const iswi_timed *timer)
{
    return (double)timer->record.run_count;
}

static double failures_of(const iswi_timed *timer)
{
    return (double)timer->record.failure_count;
}

static double missed_of(const iswi_timed *timer)
{
    return (double)timer->record.missed_count;
}

static double next_of(const iswi_timed *timer)
{
    bool comes = timer->serves && !timer->record.paused && timer->record.next_s != ISWI_CRON_NEVER;

    return comes ? (double)timer->record.next_s : 0;
}

static double last_of(const iswi_timed *timer)
{
    return (double)timer->record.ended_ms / MS;
}

static double success_of(const iswi_timed *timer)
{
    return strcmp(timer->record.outcome, "success") == 0;
}

static const counted numbers[] = {
    { "timer_runs_total", "Runs of timers that have ended.", true, runs_of },
    { "timer_failures_total", "Runs of timers without success.", true, failures_of },
    { "timer_missed_total", "Times at which a timer was due and was left out.", true, missed_of },
    { "timer_next_seconds", "When a timer is due, since 1970; 0: it is not.", false, next_of },
    { "timer_last_end_seconds", "When its last run ended, since 1970; 0: none has.", false,
      last_of },
    { "timer_last_success", "Whether its last run was a success.", false, success_of },
};

typedef struct telling {
    iswi_clockwork *all;
    iswi_trigger_row_fn row;
    void *user;
} telling;

static void tell_rows(void *user)
{
    const telling *with = user;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (const iswi_timed *at = with->all->first; at; at = at->next)
            if (at->serves)
                with->row(with->user, &(iswi_trigger_row){ .name = numbers[i].name,
                                                           .help = numbers[i].help,
                                                           .counts = numbers[i].counts,
                                                           .label = "function",
                                                           .value = at->entry->name,
                                                           .number = numbers[i].of(at) });
}

void iswi_clockwork_rows(void *self, iswi_trigger_row_fn row, void *user)
{
    iswi_clockwork *all = self;

    iswi_reactor_call(all->reactor, tell_rows, &(telling){ all, row, user });
}

void iswi_clockwork_attend(void *self, iswi_trigger_attend_fn add, void *user)
{
    const iswi_clockwork *all = self;
    char sentence[ISW_ERROR_MESSAGE_BYTES + 64];
    isw_error why = { ISW_OK, "" };

    if (!atomic_load(&all->serves) || iswi_broker_is_well(iswi_host_broker(all->host), &why))
        return;
    snprintf(sentence, sizeof sentence, "timers do not run, as their state cannot be kept: %s",
             why.message);
    add(user, sentence);
}

/* -- Commands ---------------------------------------------------------------------------------- */

typedef struct asking {
    iswi_clockwork *all;
    iswi_trigger_command *command;
    iswi_buffer *out;
    isw_error *error;
    isw_status status;
} asking;

static iswi_timed *find(const iswi_clockwork *all, const char *name)
{
    iswi_timed *at = all->first;

    while (at && !(at->serves && strcmp(at->entry->name, name) == 0))
        at = at->next;
    return at;
}

static isw_status refuse_name(const iswi_clockwork *all, const char *name, isw_error *error)
{
    const char *known[NAMES_MOST + 1] = { NULL };
    isw_error own = { ISW_OK, "" };
    size_t count = 0;

    for (const iswi_timed *at = all->first; at && count < NAMES_MOST; at = at->next)
        if (at->serves)
            known[count++] = at->entry->name;
    iswi_properties_unknown("timer", name, "it has ", known, &own);
    return isw_error_set(error, ISW_E_NOT_FOUND, "this host has %s", own.message);
}

/* All that are served, by name; or `only`. */
static void append(const iswi_clockwork *all, const iswi_timed *only, iswi_buffer *out)
{
    iswi_timers_told told = { NULL, 0 };
    iswi_arena arena;
    size_t count = 0;
    isw_value value;
    isw_str text;

    iswi_arena_init(&arena, 4096);
    for (const iswi_timed *at = all->first; at; at = at->next)
        count++;
    told.timers = iswi_arena_calloc(&arena, count + 1, sizeof *told.timers);
    for (const iswi_timed *at = all->first; at && told.timers; at = at->next)
        if (only ? at == only : at->serves)
            iswi_timed_describe(at, &arena, &told.timers[told.timer_count++]);
    if (told.timers &&
        iswi_unbind(&arena, iswi_timers_told_fields, &told, &value, NULL) == ISW_OK &&
        iswi_json_write(&arena, &value, &text, NULL) == ISW_OK) {
        iswi_buffer_append(out, text.data, text.size);
        iswi_buffer_append_text(out, "\n");
    } else {
        out->failed = true;
    }
    iswi_arena_fini(&arena);
}

/* Whether the state of each was read, or cannot be. */
static bool is_known(const iswi_clockwork *all)
{
    for (const iswi_timed *at = all->first; at; at = at->next)
        if (at->serves && !at->started_up && !at->complained)
            return false;
    return true;
}

static isw_status run(iswi_timed *timer, bool *begun, isw_error *error)
{
    if (!*begun && iswi_timed_ask(timer, error) != ISW_OK)
        return error->status;
    *begun = true;
    return iswi_timed_is_asked(timer) ? ISW_E_BUSY : ISW_OK;
}

static isw_status obey(const asking *with, iswi_timed *timer)
{
    iswi_trigger_command *command = with->command;

    if (strcmp(command->verb, "list") == 0)
        return is_known(with->all) ? ISW_OK : ISW_E_BUSY;
    if (!timer)
        return isw_error_set(with->error, ISW_E_INVALID, "timer %s takes the name of a timer",
                             command->verb);
    if (strcmp(command->verb, "run") == 0)
        return run(timer, &command->begun, with->error);
    if (strcmp(command->verb, "pause") == 0 || strcmp(command->verb, "resume") == 0)
        return iswi_timed_pause(timer, *command->verb == 'p') ? ISW_OK : ISW_E_BUSY;
    return isw_error_set(with->error, ISW_E_INVALID, "there is no \"timer %s\": there are list, "
                         "run, pause and resume", command->verb);
}

static void answer(void *user)
{
    asking *with = user;
    const char *name = with->command->name;
    iswi_timed *timer = name ? find(with->all, name) : NULL;

    if (name && !timer) {
        with->status = refuse_name(with->all, name, with->error);
        return;
    }
    with->status = obey(with, timer);
    if (with->status == ISW_OK || with->status == ISW_E_BUSY)
        append(with->all, timer, with->out);
}

isw_status iswi_clockwork_command(void *self, iswi_trigger_command *command, iswi_buffer *out,
                               isw_error *error)
{
    iswi_clockwork *all = self;
    asking with = { .all = all, .command = command, .out = out, .error = error };

    iswi_reactor_call(all->reactor, answer, &with);
    return with.status;
}
