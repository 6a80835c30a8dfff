/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a process, and whether and when it starts again. All on the supervisor's thread. */
#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/system/guest.h"

#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>

enum {
    MS = 1000000,
    LAST_WORDS_MS = 500,
    EMPTY_MS = 5, /* until who was left in its group has ended, too */
    STABLE_MS = 10000, /* ready for so long, an end is no failure to start */
    OUTPUT_READS = 16  /* of 4 KiB: what a pipe holds */
};

/* Statuses of a program that cannot start, and never will as it is: its words were not understood,
 * it misses a file or its configuration, its loader misses a library. */
static bool is_hopeless(int status)
{
    static const int codes[] = { EX_USAGE, EX_NOINPUT, EX_CONFIG, 126, 127 };

    for (size_t i = 0; WIFEXITED(status) && i < sizeof codes / sizeof codes[0]; i++)
        if (WEXITSTATUS(status) == codes[i])
            return true;
    return false;
}

/* How it ended; of one that never served with its own words, since it says why best itself. */
static void describe_end(const iswi_process *process, int status, isw_error *fault)
{
    const char *words = "";
    char how[96];

    if (!process->ready_ns && WIFEXITED(status))
        words = process->printing.words[WEXITSTATUS(status) == EX_CONFIG ? 0 : 1];
    if (status == ISWI_LEFT_BEHIND)
        snprintf(how, sizeof how, "did not end, and is left behind with its threads");
    else if (iswi_pool_waits(process->pool))
        snprintf(how, sizeof how, "has left without a goodbye");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG)
        snprintf(how, sizeof how, "refused its configuration (status %d)", EX_CONFIG);
    else if (WIFEXITED(status))
        snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
    else
        snprintf(how, sizeof how, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    isw_error_set(fault, ISW_E_WORKER_LOST, "it %s%s%s%s%s", how,
                  process->warmup.name ? " in its warmup function " : "",
                  process->warmup.name ? process->warmup.name : "", *words ? ": " : "", words);
}

void iswi_process_ended(iswi_process *process)
{
    const iswi_launcher *launcher = &process->pool->launcher;
    isw_error end = { ISW_OK, "" };
    int status;

    if (!process->running)
        return;
    /* Its descriptor says that it has ended. Before it is waited for, its number is nobody else's:
     * that is the time to end what it left behind. */
    if (iswi_launcher_is_parent(launcher)) {
        launcher->kill(launcher, &process->os);
        iswi_guard_remove(&process->host->guard, process->os.pid);
    }
    iswi_bounds_end(process);
    status = launcher->reap(launcher, &process->os);
    pthread_mutex_lock(&process->lock);
    process->running = false;
    pthread_mutex_unlock(&process->lock);
    process->ended_ns = iswi_now_ns();
    for (int i = 0; i < OUTPUT_READS && iswi_printing_read(process, false); i++)
        continue;
    for (int i = 0; i < OUTPUT_READS && iswi_printing_read(process, true); i++)
        continue;
    iswi_host_close_watched(process->host, &process->os.pid_fd);
    iswi_printing_end(process);
    iswi_observe_ended(process);
    describe_end(process, status, &end);
    pthread_mutex_lock(&process->lock);
    if (status == ISWI_LEFT_BEHIND)
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s", process->label, end.message);
    process->refuses = WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG;
    /* One that has served before may be read in the middle of a change. */
    if (!process->hello_came && !process->pool->indexed && is_hopeless(status))
        process->hopeless = true;
    if (!launcher->apart) /* in the memory that it leaves nobody starts it again unasked */
        process->hopeless = true;
    iswi_end_judge(process, status);
    if (!process->goodbye)
        isw_error_set(&process->fault, end.status, "%s", end.message);
    process->ended_early = end.status != ISW_OK && !process->told_to_end && !process->signalled &&
                           !process->goodbye;
    iswi_process_set_state(process, ISWI_PROCESS_KILLED);
    pthread_mutex_unlock(&process->lock);
}

/* Of one that ended by itself: what it was about, as far as its calls tell. */
static void name_lost(iswi_process *process)
{
    isw_error end = process->fault;
    const iswi_author *who = &process->lost;

    if (!process->lost_calls || end.status == ISW_OK ||
        (process->cause != ISWI_END_EXIT && process->cause != ISWI_END_SIGNAL))
        return;
    pthread_mutex_lock(&process->lock);
    process->fault = (isw_error){ ISW_OK, "" };
    if (process->lost_calls == 1)
        isw_error_set(&process->fault, end.status, "%s while it ran %s (invocation %s)", end.message,
                      who->function->name, who->invocation_id);
    else
        isw_error_set(&process->fault, end.status, "%s while it ran %u invocations, of %s and others",
                      end.message, process->lost_calls, who->function->name);
    pthread_mutex_unlock(&process->lock);
}

/* Delay before the next start: none at first, then doubling, with a fifth of jitter either way. */
static int64_t restart_delay_ns(const iswi_process *process)
{
    const iswi_worker_settings *settings = process->pool->settings;
    int64_t delay = settings->restart_delay_ms;
    uint32_t random = 0;

    if (process->failures <= 1)
        return 0;
    if (process->refuses && process->reload.seen != process->pool->reload.count)
        return 0; /* what it refused has changed since it was started */
    for (unsigned i = 2; i < process->failures && delay < settings->restart_delay_max_ms; i++)
        delay *= 2;
    if (delay > settings->restart_delay_max_ms)
        delay = settings->restart_delay_max_ms;
    iswi_random(&random, sizeof random);
    return delay * MS / 100 * (80 + random % 41);
}

static void give_up(iswi_process *process, bool stopping)
{
    if (!stopping)
        iswi_say(process->host, ISW_LOG_ERROR,
                 "worker %s: given up%s: %s. Its functions answer 503 until its YAML "
                 "changes, SIGHUP has it tried again, or the host is started again%s",
                 process->label, process->hopeless ? "" : " after too many ends in a row",
                 process->fault.message,
                 process->pool->indexed ? "" : "; they are not known, so that paths "
                                               "without a function answer 503, once no "
                                               "other worker's are awaited");
    pthread_mutex_lock(&process->lock);
    iswi_process_set_state(process, ISWI_PROCESS_GONE);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = INT64_MAX;
    iswi_observe_over(process, !stopping);
}

static void start_again(iswi_process *process, bool meant)
{
    int64_t delay = restart_delay_ns(process);

    if (!meant && iswi_pool_waits(process->pool))
        iswi_say(process->host, ISW_LOG_WARNING, "worker %s: %s", process->label,
                 process->fault.message);
    else if (!meant)
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s; starts again in %lld ms",
                 process->label, process->fault.message, (long long)(delay / MS));
    pthread_mutex_lock(&process->lock);
    process->start_at_ns = iswi_now_ns() + delay;
    iswi_process_set_state(process, ISWI_PROCESS_WAITING);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = INT64_MAX;
    iswi_observe_over(process, false);
}

/* Its seat is another's already. */
static void leave(iswi_process *process, bool meant)
{
    if (!meant)
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s, while it was to end (%s)",
                 process->label, process->fault.message, process->retiring);
    iswi_observe_over(process, false);
    iswi_process_vacate(process);
}

/* One that was never ready. */
static void refuse(iswi_process *process)
{
    iswi_observe_over(process, false);
    iswi_roll_refused(process);
}

/* Decide what comes after the end. */
static void decide_next(iswi_process *process)
{
    bool stopping = atomic_load(&process->host->stops);
    bool meant = process->goodbye && process->fault.status == ISW_OK;
    /* Somebody who asked three times does not want it to have its time. */
    bool overran = process->signalled && process->told_to_end &&
                   atomic_load(&process->host->stops) <= 2;
    int64_t served_ns = process->ended_ns - process->ready_ns;
    bool stable = process->ready_ns && served_ns > STABLE_MS * (int64_t)MS;

    name_lost(process);
    iswi_end_note(process);
    process->failures = process->answered || meant || stable || iswi_pool_waits(process->pool)
                            ? 0
                            : process->failures + 1;
    if (stopping && (process->ended_early || overran))
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s, while the host stops",
                 process->label, process->fault.message);
    if (process->trial && !stopping)
        refuse(process);
    else if (process->retiring && !stopping)
        leave(process, meant);
    else if (stopping || process->hopeless ||
             (!process->refuses &&
              (int64_t)process->failures >= process->pool->settings->give_up_after))
        give_up(process, stopping);
    else
        start_again(process, meant);
}

/* The process has ended; when its group is empty and its last words are in, or do not come, the link
 * goes too. */
int64_t iswi_process_bury(iswi_process *process, int64_t now_ns)
{
    int64_t wait_until = process->ended_ns + (int64_t)LAST_WORDS_MS * MS;
    bool closed;

    if (!iswi_group_end(process) && now_ns < wait_until)
        return now_ns + (int64_t)EMPTY_MS * MS;
    pthread_mutex_lock(&process->lock);
    closed = process->closed || !process->link || !process->hello_came;
    pthread_mutex_unlock(&process->lock);
    if (!closed && now_ns < wait_until)
        return wait_until;
    iswi_process_note_spared(process);
    iswi_link_destroy(process->link); /* events may take the lock */
    iswi_observe_buried(process);
    pthread_mutex_lock(&process->lock);
    process->link = NULL;
    iswi_message_release(process->metadata);
    process->metadata = NULL;
    pthread_mutex_unlock(&process->lock);
    iswi_process_lose_all(process);
    decide_next(process);
    return now_ns;
}
