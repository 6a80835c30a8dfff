/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/timer_plan.h"

#include "cli/faults.h"
#include "host/operate/check_program.h"
#include "host/timer/plan.h"
#include "host/triggers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { TIMERS_MAX = 1000 };

typedef struct plans {
    iswi_arena *arena;
    iswi_timers_told *out;
    iswi_faults faults;
} plans;

static void add(plans *all, const char *worker, const iswi_told_function *function)
{
    iswi_timer_told *one = &all->out->timers[all->out->timer_count];
    isw_error error = { ISW_OK, "no memory for its properties" };
    isw_pairs given;

    if (strcmp(function->trigger.type, "timer") != 0 || all->out->timer_count == TIMERS_MAX)
        return;
    *one = (iswi_timer_told){ .function = function->name, .worker = worker };
    if (iswi_told_properties(&function->trigger, all->arena, &given) &&
        iswi_timer_plan(&given, (int64_t)time(NULL), all->arena, one, &error) == ISW_OK)
        all->out->timer_count++;
    else
        iswi_faults_say(&all->faults, "function %s of worker %s: %s", function->name, worker,
                        error.message);
}

static void add_worker(plans *all, const char *folder, const iswi_worker_settings *worker)
{
    const char *name = iswi_arena_printf(all->arena, "%s", worker->name);
    iswi_told told = { .function_count = 0 };
    iswi_faults notes = { .count = 0 };

    if (iswi_worker_is_remote(worker) ||
        iswi_check_program(folder, worker, all->arena, &told, &all->faults, &notes) ==
            ISWI_PROGRAM_MUTE)
        iswi_faults_say(&all->faults, "worker %s tells of its functions to a host alone",
                        worker->name);
    iswi_faults_fini(&notes);
    for (size_t i = 0; name && i < told.function_count; i++)
        add(all, name, &told.functions[i]);
}

int iswi_timer_plans(const char *folder, iswi_arena *arena, iswi_timers_told *out)
{
    iswi_settings_groups groups = iswi_triggers_groups(iswi_host_triggers);
    const iswi_host_settings *settings = NULL;
    plans all = { .arena = arena, .out = out };
    isw_error error = { ISW_OK, "" };
    iswi_config *config = NULL;
    char path[PATH_MAX];
    int result;

    out->timer_count = 0;
    out->timers = iswi_arena_calloc(arena, TIMERS_MAX + 1, sizeof *out->timers);
    if (!realpath(folder, path)) {
        fprintf(stderr, "isoworker: %s: %s\n", folder, strerror(errno));
        return EX_NOINPUT;
    }
    if (!out->timers)
        iswi_faults_say(&all.faults, "no memory for timers");
    else if (iswi_host_settings_read(path, &groups, NULL, &config, &settings, &error) != ISW_OK)
        iswi_faults_add(&all.faults, error.message);
    for (size_t i = 0; settings && i < settings->workers.count; i++)
        add_worker(&all, path, (const iswi_worker_settings *)settings->workers.items + i);
    result = all.faults.count ? EX_CONFIG : EX_OK;
    iswi_faults_print(&all.faults);
    iswi_config_close(config);
    return result;
}
