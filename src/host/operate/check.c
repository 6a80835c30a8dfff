/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker check`: what host.yaml says, and each worker by the mouth of its own program. */
#include "host/operate/check.h"

#include "base/alloc.h"
#include "host/engine/match.h"
#include "host/operate/check_outputs.h"
#include "host/operate/check_program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* A function of some worker. */
typedef struct known {
    iswi_entry entry;
    const iswi_trigger *trigger; /* NULL: it is not served */
    const iswi_told_function *told;
} known;

typedef struct checker {
    iswi_check *out;
    iswi_trigger_list triggers;
    iswi_sink_list sinks;
    iswi_settings_groups groups;
    iswi_config *config;
    const iswi_host_settings *settings;
    const char *folder;
    iswi_arena arena; /* of all that programs said */
    known **items;
    size_t count, capacity;
    bool complete; /* each worker has told its functions */
} checker;

/* -- Functions --------------------------------------------------------------------------------- */

/* Which trigger it is for, by the properties that its program told. */
static void look_at(checker *c, known *one, const iswi_told_function *function)
{
    const char *name = one->entry.name;
    const char *worker = one->entry.worker;
    isw_error error = { ISW_OK, "" };
    const iswi_trigger *trigger = iswi_triggers_find(c->triggers, function->trigger.type, &error);
    isw_pairs given;

    if (!trigger) {
        iswi_faults_say(&c->out->notes, "note: function %s of worker %s is not served: %s", name, worker,
            error.message);
        return;
    }
    if (iswi_told_properties(&function->trigger, &c->arena, &given) &&
        iswi_trigger_properties(trigger, &given, &c->arena, &one->entry.properties, &error) ==
            ISW_OK)
        one->trigger = one->entry.trigger = trigger;
    else
        iswi_faults_say(&c->out->faults, "function %s of worker %s is not served: %s", name, worker,
            *error.message ? error.message : "no memory for its properties");
}

static iswi_check_namesake namesake_of(const checker *c, const known *one)
{
    for (size_t i = 0; i < c->count; i++)
        if (iswi_entry_is_namesake(&c->items[i]->entry, &one->entry))
            return (iswi_check_namesake){ c->items[i]->entry.worker, c->items[i]->told };
    return (iswi_check_namesake){ NULL, NULL };
}

static void add_function(checker *c, const char *worker, const iswi_told_function *function)
{
    const iswi_sink_check with = { { function->name, worker, NULL }, c->settings, &c->groups,
                                   &c->arena };
    known *one = iswi_arena_calloc(&c->arena, 1, sizeof *one);
    iswi_check_namesake namesake;

    if (!one || !iswi_grow(&c->items, &c->capacity, c->count, sizeof *c->items)) {
        iswi_faults_say(&c->out->faults, "no memory for functions");
        return;
    }
    one->entry = (iswi_entry){ .name = function->name, .worker = worker };
    one->told = function;
    namesake = namesake_of(c, one);
    c->items[c->count++] = one;
    look_at(c, one, function);
    iswi_check_outputs(c->sinks, &with, function, &namesake, &c->out->faults,
                       &c->out->notes);
}

static void on_refuse(void *user, const iswi_entry *entry, const iswi_entry *rival,
                      const char *reason, const char *why)
{
    checker *c = user;

    (void)reason;
    if (rival)
        iswi_faults_say(&c->out->faults, "function %s of worker %s is not served beside function %s of worker "
            "%s: %s", entry->name, entry->worker, rival->name, rival->worker, why);
    else
        iswi_faults_say(&c->out->faults, "function %s of worker %s is not served: %s", entry->name,
            entry->worker, why);
}

/* All functions of a trigger against each other. */
static void check_trigger(checker *c, const iswi_trigger *trigger)
{
    iswi_entry **entries = iswi_arena_calloc(&c->arena, c->count + 1, sizeof(iswi_entry *));
    size_t count = 0;
    void *set = NULL;

    for (size_t i = 0; entries && i < c->count; i++)
        if (iswi_trigger_server(c->triggers, c->items[i]->trigger) == trigger)
            entries[count++] = &c->items[i]->entry;
    if (!entries || trigger->arrange(entries, count, on_refuse, c, &set) != ISW_OK)
        iswi_faults_say(&c->out->faults, "no memory for functions");
    else if (trigger->discard)
        trigger->discard(set);
}

static void match_outputs(checker *c, const known *one, iswi_match *match)
{
    iswi_sink_place place = { one->entry.name, one->entry.worker, NULL };
    isw_pairs given;

    for (size_t i = 0; i < one->told->binding_count; i++) {
        const iswi_told_binding *output = &one->told->bindings[i];

        place.output = output->name;
        if (iswi_told_is_out(output) && iswi_told_pairs(&output->properties, &c->arena, &given))
            iswi_match_output(match, &place, output->type, &given);
    }
}

static void on_unmatched(void *user, const char *sentence)
{
    iswi_faults_add(&((checker *)user)->out->faults, sentence);
}

/* Settings of functions, outputs and queues that there are not. */
static void check_names(checker *c)
{
    iswi_match match = { .arena = &c->arena, .sinks = c->sinks };

    for (size_t i = 0; i < c->count; i++) {
        iswi_match_function(&match, &c->items[i]->entry);
        match_outputs(c, c->items[i], &match);
    }
    if (c->complete)
        iswi_match_tell(&match, c->config, &c->groups, on_unmatched, c);
}

/* -- Workers ----------------------------------------------------------------------------------- */

static void check_worker(checker *c, const iswi_worker_settings *worker)
{
    iswi_told told = { .function_count = 0 };
    iswi_program_told came;

    if (iswi_worker_is_remote(worker)) {
        iswi_faults_say(&c->out->notes, "note: worker %s is remote: its functions and its YAML were not looked at",
            worker->name);
        c->complete = false;
        return;
    }
    came = iswi_check_program(c->folder, worker, &c->arena, &told,
                                                &c->out->faults, &c->out->notes);

    c->complete = c->complete && came == ISWI_PROGRAM_TOLD;
    if (came == ISWI_PROGRAM_MUTE)
        iswi_faults_say(&c->out->notes, "note: worker %s does not answer --describe --json, as programs that "
            "link the library do: its functions and its YAML were not looked at", worker->name);
    for (size_t i = 0; came == ISWI_PROGRAM_TOLD && i < told.function_count; i++)
        add_function(c, worker->name, &told.functions[i]);
}

static void check_all(checker *c)
{
    const iswi_worker_settings *workers = c->settings->workers.items;

    iswi_arena_init(&c->arena, 16 * 1024);
    c->complete = true;
    for (size_t i = 0; i < c->settings->workers.count; i++)
        check_worker(c, &workers[i]);
    for (iswi_trigger_list at = c->triggers; *at; at++)
        if (!(*at)->within)
            check_trigger(c, *at);
    check_names(c);
    c->out->workers = c->settings->workers.count;
    c->out->functions = c->count;
    iswi_free(c->items);
    iswi_arena_fini(&c->arena);
}

bool iswi_check_folder(const char *folder, iswi_trigger_list triggers, iswi_sink_list sinks,
                       iswi_check *out)
{
    checker c = { .out = out, .triggers = triggers, .sinks = sinks,
                  .groups = iswi_triggers_groups(triggers) };
    isw_error error = { ISW_OK, "" };
    char path[PATH_MAX];

    *out = (iswi_check){ .workers = 0 };
    c.folder = path;
    if (!realpath(folder, path))
        iswi_faults_say(&out->faults, "%s: %s", folder, strerror(errno));
    else if (iswi_host_settings_read(path, &c.groups, &out->faults, &c.config, &c.settings, &error) ==
             ISW_OK)
        check_all(&c);
    else if (!out->faults.count)
        iswi_faults_add(&out->faults, error.message);
    iswi_config_close(c.config);
    return out->faults.count == 0;
}

void iswi_check_fini(iswi_check *check)
{
    iswi_faults_fini(&check->faults);
    iswi_faults_fini(&check->notes);
}
