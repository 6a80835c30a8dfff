/* SPDX-License-Identifier: Apache-2.0 */
/* What the host knows of itself, written down. Invariant: nothing waits for a reader. */
#include "base/clock.h"
#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/engine/trigger.h"
#include "host/operate/control.h"

#include <unistd.h>

enum { MS = 1000000 };

/* -- Queues ------------------------------------------------------------------------------------ */

static bool gather_queues(const iswi_host *host, iswi_report_all *all,
                          const iswi_by_function *waiting, iswi_arena *arena)
{
    size_t count = iswi_host_worker_count(host);
    int64_t now_ns = iswi_now_ns();

    all->queues = iswi_arena_calloc(arena, count + 1, sizeof *all->queues);
    if (!all->queues)
        return false;
    for (size_t i = 0; i < count; i++) {
        iswi_report_queue *out = &all->queues[all->queue_count];
        iswi_queue_look look;

        if (!iswi_host_has_worker(host, i))
            continue;
        all->queue_count++;
        iswi_worker_queue_look_at(host, i, &look, waiting);
        *out = (iswi_report_queue){ .worker = iswi_host_worker_name(host, i),
                                    .waiting = look.waiting,
                                    .limit = look.limit,
                                    .wait_ms = look.wait_ms,
                                    .waited = (int64_t)look.waited,
                                    .refused = (int64_t)look.refused,
                                    .expired = (int64_t)look.expired };
        if (look.oldest_ns && now_ns > look.oldest_ns)
            out->oldest_ms = (now_ns - look.oldest_ns) / MS;
        if (look.waited)
            out->mean_us = (int64_t)(look.waited_us / look.waited);
        all->host.waiting += out->waiting;
    }
    return true;
}

/* -- Functions --------------------------------------------------------------------------------- */

/* "error_handling > auth" as a list. */
static void split_chain(const char *text, iswi_report_function *out, iswi_arena *arena)
{
    static const char arrow[] = " > ";
    size_t count = *text != '\0';
    char *rest = iswi_arena_printf(arena, "%s", text);

    for (const char *at = text; (at = strstr(at, arrow)) != NULL; at += sizeof arrow - 1)
        count++;
    out->chain = iswi_arena_calloc(arena, count + 1, sizeof *out->chain);
    if (!rest || !out->chain)
        return;
    for (; out->chain_count < count; out->chain_count++) {
        char *end = strstr(rest, arrow);

        out->chain[out->chain_count] = rest;
        if (end) {
            *end = '\0';
            rest = end + sizeof arrow - 1;
        }
    }
}

static void list_lost(const iswi_host_function *function, iswi_report_function *out,
                      iswi_arena *arena)
{
    const char *lost;
    size_t count = 0;

    while (iswi_function_lost(function, count))
        count++;
    out->lost = iswi_arena_calloc(arena, count + 1, sizeof *out->lost);
    for (size_t i = 0; out->lost && i < count; i++)
        if ((lost = iswi_function_lost(function, i))[0])
            out->lost[out->lost_count++] = lost;
}

static void report_function(const iswi_host *host, iswi_host_function *function,
                            iswi_report_function *out, int64_t in_flight, int64_t waiting,
                            iswi_arena *arena)
{
    iswi_function_look look;
    iswi_entry_told told;

    iswi_function_look_at(function, &look);
    *out = (iswi_report_function){ .name = look.name,
                                   .worker = iswi_function_worker(function),
                                   .trigger = look.trigger_type,
                                   .refused = look.refused,
                                   .timeout_ms = look.timeout_ms,
                                   .in_flight = in_flight,
                                   .waiting = waiting,
                                   .invocations = (int64_t)look.ended,
                                   .failures = (int64_t)look.failed,
                                   .last_us = (int64_t)look.last_us };
    for (unsigned i = 0; i < ISWI_REFUSALS; i++)
        out->refused_calls += (int64_t)look.refused_calls[i];
    if (look.ended)
        out->mean_us = (int64_t)(look.total_us / look.ended);
    iswi_host_tell(host, function, arena, &told);
    out->methods = told.methods;
    out->url = told.url;
    out->where = told.text;
    split_chain(look.chain, out, arena);
    list_lost(function, out, arena);
}

/* -- All of it --------------------------------------------------------------------------------- */

static void count_function(iswi_report_all *all, const iswi_report_function *function)
{
    all->host.invocations += function->invocations;
    all->host.failures += function->failures;
    all->host.refused += function->refused_calls;
    for (size_t i = 0; i < all->process_count; i++)
        all->processes[i].functions += strcmp(all->processes[i].worker, function->worker) == 0;
}

/* Functions lie by their numbers; those that are no more have left gaps. */
static void close_gaps(iswi_report_all *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (all->functions[i].name)
            all->functions[all->function_count++] = all->functions[i];
}

static bool gather(iswi_host *host, iswi_report_all *all, iswi_arena *arena)
{
    const size_t count = iswi_host_function_numbers(host);
    iswi_by_function in_flight = { .size = count };
    iswi_by_function waiting = { .size = count };

    in_flight.calls = iswi_arena_calloc(arena, count + 1, sizeof *in_flight.calls);
    waiting.calls = iswi_arena_calloc(arena, count + 1, sizeof *waiting.calls);
    all->functions = iswi_arena_calloc(arena, count + 1, sizeof *all->functions);
    if (!in_flight.calls || !waiting.calls || !all->functions ||
        !iswi_report_processes(host, all, &in_flight, arena) ||
        !gather_queues(host, all, &waiting, arena))
        return false;
    for (iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        size_t number = iswi_function_number(at);

        if (number >= count)
            continue; /* it was made meanwhile */
        report_function(host, at, &all->functions[number], in_flight.calls[number],
                        waiting.calls[number], arena);
        count_function(all, &all->functions[number]);
    }
    close_gaps(all, count);
    return true;
}

void iswi_report(iswi_operate *operate, iswi_buffer *out)
{
    iswi_host *host = operate->host;
    iswi_report_all all = { .host = { .pid = getpid(),
                                      .version = ISW_VERSION_STRING,
                                      .folder = iswi_host_folder(host),
                                      .state = iswi_host_state(host),
                                      .uptime_ms = (iswi_now_ns() - iswi_host_begun_ns(host)) / MS,
                                      .in_flight = (int64_t)iswi_host_in_flight(host) } };
    iswi_arena arena;

    all.host.url = iswi_host_address(host, 0);
    all.host.admin_url = operate->admin ? iswi_http_url(operate->admin, 0) : NULL;
    iswi_arena_init(&arena, 16 * 1024);
    all.attention = iswi_attention_gather(host, &arena, &all.attention_count);
    if (gather(host, &all, &arena) && iswi_report_templates(host, &all, &arena) &&
        iswi_report_triggers(host, &all, &arena))
        iswi_report_struct(iswi_report_fields, &all, &arena, out);
    else
        out->failed = true;
    iswi_arena_fini(&arena);
}
