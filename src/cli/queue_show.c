/* SPDX-License-Identifier: Apache-2.0 */
/* What `isoworker queue` shows to people of the host's lines. */
#include "cli/queue_show.h"

#include "cli/client.h"
#include "cli/columns.h"
#include "host/operate/report.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static void add_queue(iswi_columns *table, const iswi_report_messages_queue *queue)
{
    iswi_columns_row(table);
    iswi_columns_cell(table, "%s%s", queue->name, queue->paused ? " (paused)" : "");
    iswi_columns_cell(table, "%lld", (long long)queue->ready);
    iswi_columns_cell(table, "%lld", (long long)queue->delayed);
    iswi_columns_cell(table, "%lld", (long long)queue->claimed);
    iswi_columns_cell(table, "%lld", (long long)queue->dead);
    if (queue->oldest_age_ms)
        iswi_columns_cell(table, "%.1f s", (double)queue->oldest_age_ms / 1000);
    else
        iswi_columns_cell(table, "-");
    iswi_columns_cell(table, "%lld", (long long)queue->bytes);
    iswi_columns_cell(table, "%lld", (long long)queue->put);
    iswi_columns_cell(table, "%lld", (long long)queue->completed);
}

static void show_queues(const iswi_report_messages *line, iswi_arena *arena)
{
    static const char *const heads[] = { "QUEUE",   ">READY", ">DELAYED", ">CLAIMED", ">DEAD",
                                         ">OLDEST", ">BYTES", ">PUT",     ">DONE",    NULL };
    iswi_columns table;

    iswi_columns_init(&table, arena, heads);
    for (size_t i = 0; i < line->queue_count; i++)
        add_queue(&table, &line->queues[i]);
    iswi_columns_print(&table, stdout);
    if (line->bytes_of)
        puts("BYTES are those that the server stores: the bodies, and what it has beside them.");
    iswi_columns_fini(&table);
}

static const char *time_text(int64_t ms, char text[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;

    localtime_r(&seconds, &local);
    strftime(text, 32, "%Y-%m-%d %H:%M:%S", &local);
    return text;
}

static void show_message(const iswi_report_message *message)
{
    const char *body = message->body ? message->body : "";
    char text[32];

    printf("%s  %s, put %s, attempts %lld", message->id, message->state,
           time_text(message->put_ms, text), (long long)message->attempts);
    if (message->died_ms)
        printf(", died %s", time_text(message->died_ms, text));
    else if (strcmp(message->state, "delayed") == 0)
        printf(", due %s", time_text(message->due_ms, text));
    if (message->priority)
        printf(", priority %lld", (long long)message->priority);
    if (message->key)
        iswi_columns_text(", key ", stdout), iswi_columns_text(message->key, stdout);
    printf("\n");
    if (message->last_error) {
        iswi_columns_text("  error: ", stdout);
        iswi_columns_text(message->last_error, stdout);
        printf("\n");
    }
    for (size_t i = 0; i < message->header_count; i++) {
        printf("  header ");
        iswi_columns_text(message->headers[i], stdout);
        printf("\n");
    }
    if (!message->body && message->size) {
        printf("  %lld bytes that are no text\n", (long long)message->size);
        return;
    }
    printf("  ");
    iswi_columns_text(body, stdout);
    printf("\n");
}

/* What an action has done so far, where somebody looks on. */
static void show_progress(iswi_messages_action action, const char *queue, bool any,
                          const iswi_report_messages *line)
{
    const char *name = iswi_messages_actions[action];

    if (!line->over && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s: %lld so far", name, (long long)line->done);
    if (!line->over)
        return;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\x1b[K");
    switch (action) {
    case ISWI_MESSAGES_PEEK:
    case ISWI_MESSAGES_DEAD:
        if (!line->done)
            printf("no message\n");
        return;
    case ISWI_MESSAGES_PUT:
        if (line->duplicates)
            printf("its id is known: nothing was put\n");
        else
            iswi_columns_text("put ", stdout), iswi_columns_text(line->id, stdout), printf("\n");
        return;
    case ISWI_MESSAGES_REPLAY:
        printf("%lld message%s again\n", (long long)line->done,
               line->done == 1 ? " lives" : "s live");
        return;
    case ISWI_MESSAGES_PURGE:
        printf("%lld message%s removed%s\n", (long long)line->done, line->done == 1 ? "" : "s",
               any ? ", of all states but claimed" : "");
        return;
    default:
        printf("queue %s is %s\n", queue, action == ISWI_MESSAGES_PAUSE ? "paused" : "resumed");
        return;
    }
}

int iswi_queue_show(iswi_messages_action action, const char *queue, bool any, FILE *from,
                    bool *over)
{
    iswi_report_messages line = { .queues = NULL };
    iswi_arena arena;
    int result;

    iswi_arena_init(&arena, 4096);
    result = iswi_client_answer(from, &arena, iswi_messages_fields, &line);
    *over = result != EX_OK || line.over || action == ISWI_MESSAGES_LIST;
    if (result == EX_OK && action == ISWI_MESSAGES_LIST)
        show_queues(&line, &arena);
    for (size_t i = 0; result == EX_OK && i < line.message_count; i++)
        show_message(&line.messages[i]);
    if (result == EX_OK && !line.message_count && !line.queue_count &&
        action != ISWI_MESSAGES_LIST)
        show_progress(action, queue, any, &line);
    iswi_arena_fini(&arena);
    return result;
}
