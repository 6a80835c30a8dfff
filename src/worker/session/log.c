/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on their way to the host: levels that it pushed, and lines dropped when it is slow. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/logline.h"
#include "base/text.h"
#include "worker/session/internal.h"

#include <stdio.h>

isw_log_level iswi_session_threshold(void *user, const char *category)
{
    const iswi_session *session = user;
    isw_log_level level = ISW_LOG_INFO;

    for (size_t i = 0; i < session->rule_count; i++)
        if (iswi_glob_match(session->rules[i].pattern, category))
            level = session->rules[i].level;
    return level;
}

void iswi_session_set_levels(iswi_session *session, const isw_pairs *levels)
{
    iswi_arena *arena = &session->worker->arena;
    iswi_log_rule *rules = iswi_arena_calloc(arena, levels->count, sizeof *rules);
    size_t count = 0;

    for (size_t i = 0; rules && i < levels->count; i++) {
        const isw_pair *pair = &levels->items[i];

        rules[count].pattern = iswi_arena_strndup(arena, pair->name.data, pair->name.size);
        if (rules[count].pattern && iswi_log_level_parse(pair->value, &rules[count].level))
            count++;
    }
    session->rules = rules;
    session->rule_count = count;
    iswi_worker_set_levels(session->worker, &session->sink);
}

static isw_status send_line(iswi_session *session, isw_context *ctx, uint64_t id,
                            const iswi_log *line)
{
    iswi_frame frame = { .kind = ISWI_LOG, .id = id, .as.log = *line };

    return iswi_link_send_frame(session->link, &frame, &ctx->outgoing, NULL);
}

/* A line whose text is not UTF-8 still says something: send it escaped and without its fields. */
static void send_escaped(iswi_session *session, isw_context *ctx, const iswi_log *line)
{
    iswi_buffer text = { 0 };
    iswi_log escaped = *line;

    iswi_terminal_text(&text, line->message);
    escaped.message = (isw_str){ (const char *)text.data,
                                 text.size < ISWI_TEXT_MAX ? text.size : ISWI_TEXT_MAX };
    escaped.fields.count = 0;
    escaped.category = isw_str_of("Function");
    send_line(session, ctx, ctx->id, &escaped);
    iswi_buffer_fini(&text);
}

static void report_dropped(iswi_session *session, isw_context *ctx)
{
    unsigned dropped = atomic_exchange(&session->dropped_lines, 0);
    iswi_log line = { .level = ISW_LOG_WARNING,
                      .category = isw_str_of("Worker.Log"),
                      .time_us = (uint64_t)iswi_wall_us() };
    char text[96];

    if (!dropped)
        return;
    snprintf(text, sizeof text, "%u log lines were dropped because the host did not keep up",
             dropped);
    line.message = isw_str_of(text);
    send_line(session, ctx, 0, &line);
}

void iswi_session_log(void *user, isw_context *ctx, const iswi_log *line)
{
    iswi_session *session = user;
    iswi_log late = *line;

    if (ctx->answered) { /* the host knows its id no more */
        late.invocation = isw_str_of(ctx->invocation_id);
        late.function = isw_str_of(ctx->entry->function->name);
        line = &late;
    }
    if (iswi_link_backlog(session->link) > ISWI_LINK_BACKLOG_SOFT) {
        atomic_fetch_add(&session->dropped_lines, 1);
        return;
    }
    if (atomic_load_explicit(&session->dropped_lines, memory_order_relaxed))
        report_dropped(session, ctx);
    if (send_line(session, ctx, ctx->id, line) == ISW_E_INVALID)
        send_escaped(session, ctx, line);
}
