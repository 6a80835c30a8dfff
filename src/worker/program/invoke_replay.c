/* SPDX-License-Identifier: Apache-2.0 */
/* `invoke --replay`: a recorded invocation run again, and what differs told. */
#include "worker/program/crash.h"
#include "worker/program/program.h"
#include "worker/program/replay.h"
#include "worker/registry/call.h"

#include "base/alloc.h"
#include "value/typed.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { EX_DIFFERS = 1 };

static bool was_cut_short(const iswi_replay *replay)
{
    return strcmp(replay->outcome, iswi_outcome_name(ISW_OUTCOME_CANCELLED)) == 0 ||
           strcmp(replay->status, isw_status_name(ISW_E_TIMEOUT)) == 0 ||
           strcmp(replay->status, isw_status_name(ISW_E_CANCELLED)) == 0;
}

static int tell(iswi_replay *replay, const isw_invocation *invocation)
{
    isw_map outputs = { invocation->outputs, invocation->output_count };
    iswi_buffer differences = { 0 };
    bool same;

    iswi_replay_compare(replay, invocation->outcome, &invocation->failure, &invocation->result,
                        &outputs, &differences);
    same = differences.size == 0;
    if (replay->body_cut)
        fprintf(stderr, "replay: the body was not recorded; the function got none\n");
    if (replay->outputs_cut)
        fprintf(stderr, "replay: not all outputs were recorded; they are not compared\n");
    if (!same && was_cut_short(replay))
        fprintf(stderr,
                "replay: when it was recorded its time ran out or its caller left; a replay "
                "has no limits\n");
    fprintf(stderr, "replay: %s\n", same ? "the same as recorded" : "not as recorded:");
    if (!same)
        fputs(iswi_buffer_text(&differences), stderr);
    iswi_buffer_fini(&differences);
    return same ? EX_OK : EX_DIFFERS;
}

static int replay_one(isw_worker *worker, iswi_replay *replay)
{
    const iswi_entry *entry = iswi_worker_entry(worker, isw_str_of(replay->function));
    isw_error error = { ISW_OK, "" };
    isw_invocation invocation;
    isw_context *ctx;
    int code;

    if (!entry) {
        isw_error_set(&error, ISW_E_NOT_FOUND, "this worker has no function \"%s\"",
                      replay->function);
        return iswi_program_fail(&error);
    }
    replay->local.log = &iswi_local_log;
    ctx = iswi_local_begin(worker, entry, &replay->local);
    if (!ctx) {
        isw_error_set(&error, ISW_E_NO_MEMORY, "no memory for the invocation");
        return iswi_program_fail(&error);
    }
    iswi_local_fill(ctx, iswi_call_run(ctx), &invocation);
    iswi_context_after(ctx);
    iswi_program_show(&invocation);
    code = tell(replay, &invocation);
    isw_invocation_free(&invocation);
    return code;
}

/* Of `--without`: a name that no chain has would leave out nothing, in silence. */
static bool all_known(isw_worker *worker, const isw_option_strings *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!iswi_registry_find(&worker->registry, names->items[i])) {
            fprintf(stderr, "--without %s: this worker has no such middleware\n", names->items[i]);
            return false;
        }
    return true;
}

static int replay_file(isw_worker *worker, const char *path, isw_option_strings without)
{
    isw_error error = { ISW_OK, "" };
    iswi_replay replay;
    isw_status status;
    int code = iswi_program_configure(worker);

    if (code != EX_OK)
        return code;
    if (worker->settings.crash_report)
        iswi_crash_install();
    if (!all_known(worker, &without))
        return EX_USAGE;
    if (iswi_worker_start(worker, &error) != ISW_OK)
        return iswi_program_fail_to_run(worker, &error);
    status = iswi_replay_open(&replay, path, &error);
    replay.local.without = without;
    code = status == ISW_OK ? replay_one(worker, &replay) : iswi_program_fail(&error);
    iswi_replay_close(&replay);
    return code;
}

/* --replay FILE [--without NAME]... */
int iswi_program_replay(isw_worker *worker, int argc, char **argv)
{
    isw_option_strings without = { iswi_calloc((size_t)argc, sizeof(char *)), 0 };
    int code = without.items && argc > 1 && argc % 2 == 0 ? EX_OK : EX_USAGE;

    for (int i = 2; code == EX_OK && i < argc; i += 2) {
        if (strcmp(argv[i], "--without") == 0)
            without.items[without.count++] = argv[i + 1];
        else
            code = EX_USAGE;
    }
    if (code == EX_OK)
        code = replay_file(worker, argv[1], without);
    else
        fprintf(stderr, "invoke --replay FILE [--without MIDDLEWARE]...\n");
    iswi_free(without.items);
    return code;
}
