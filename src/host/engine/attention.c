/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody should look at, and what stands in `isoworker status` until it is mended: files
 * that have changed and are not in force. Each sentence is kept where its cause is, so that it goes
 * with it. The supervisor's thread, but for what says so.
 */
#include "base/text.h"
#include "host/engine/engine.h"
#include "host/engine/match.h"

#include <limits.h>
#include <stdio.h>

void iswi_attention_init(iswi_attention *attention)
{
    pthread_mutex_init(&attention->lock, NULL);
}

void iswi_attention_fini(iswi_attention *attention)
{
    pthread_mutex_destroy(&attention->lock);
    iswi_buffer_fini(&attention->yaml);
    iswi_buffer_fini(&attention->match);
}

void iswi_attention_started(iswi_process *process)
{
    iswi_buffer_reset(&process->attention.lines);
    process->attention.file = iswi_pool_file(process->pool);
    process->attention.program = iswi_file_look_at(process->attention.file);
}

/* -- A worker's YAML --------------------------------------------------------------------------- */

/* Keep a sentence for each line of `text`, and log it. With the process's lock. */
static void keep(iswi_process *process, isw_log_level level, const char *lead, isw_str text)
{
    while (text.size) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end ? (size_t)(end - text.data) : text.size;

        if (process->attention.lines.size)
            iswi_buffer_append_text(&process->attention.lines, "\n");
        iswi_buffer_printf(&process->attention.lines, "worker %s %s%.*s", process->label,
                           lead, (int)size, text.data);
        iswi_say(process->host, level, "worker %s %s%.*s", process->label, lead,
                 (int)size, text.data);
        text.data += size + (end ? 1 : 0);
        text.size -= size + (end ? 1 : 0);
    }
}

void iswi_attention_configured(iswi_process *process, const iswi_reloaded *answer)
{
    isw_str refusal = answer->status.message;

    iswi_buffer_reset(&process->attention.lines);
    if (answer->status.code && !refusal.size)
        refusal = isw_str_of("it does not say why");
    if (answer->status.code)
        keep(process, ISW_LOG_ERROR,
             "keeps the configuration that it has; the new one was refused: ", refusal);
    keep(process, ISW_LOG_WARNING, "runs by a configuration that can hardly be meant: ",
         answer->warnings);
    keep(process, ISW_LOG_WARNING, "waits for its next start with a part of its configuration: ",
         answer->waits);
}

void iswi_attention_cannot_read(iswi_process *process)
{
    iswi_buffer_reset(&process->attention.lines);
    keep(process, ISW_LOG_WARNING, "",
         isw_str_of("cannot read its configuration while it runs; start the host again"));
}

/* -- host.yaml --------------------------------------------------------------------------------- */

void iswi_attention_yaml(iswi_host *host, const char *lead, const char *lines)
{
    pthread_mutex_lock(&host->attention.lock);
    iswi_buffer_reset(&host->attention.yaml);
    while (*lines) {
        size_t size = strcspn(lines, "\n");

        iswi_buffer_printf(&host->attention.yaml, "%s%s%.*s", host->attention.yaml.size ? "\n" : "",
                           lead, (int)size, lines);
        iswi_say(host, ISW_LOG_WARNING, "%s%.*s", lead, (int)size, lines);
        lines += size + (lines[size] == '\n');
    }
    pthread_mutex_unlock(&host->attention.lock);
}

/* -- Names that match nothing ------------------------------------------------------------------ */

static void add_match(void *user, const char *sentence)
{
    iswi_host *host = user;
    iswi_buffer *lines = &host->attention.match;

    iswi_buffer_printf(lines, "%s%s", lines->size ? "\n" : "", sentence);
    iswi_say(host, ISW_LOG_ERROR, "%s", sentence);
}

static void match_outputs(iswi_match *match, const iswi_host_function *function)
{
    const iswi_description *told = &function->description;
    iswi_sink_place place = { function->name, function->pool->settings->name, NULL };

    for (size_t i = 0; i < told->binding_count; i++) {
        const iswi_wire_binding *binding = &told->bindings[i];

        place.output = binding->name.data;
        if (binding->direction != 0)
            iswi_match_output(match, &place, binding->type.data, &binding->properties);
    }
}

/* Whether each worker has told what it has: until then nobody can say that a name matches nothing. */
static bool all_have_told(const iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        if (iswi_pool_is(&host->pools[i], ISWI_POOL_HERE) && !host->pools[i].indexed)
            return false;
    return true;
}

void iswi_attention_match(iswi_host *host)
{
    iswi_config *config = host->renewal.latest ? host->renewal.latest : host->config;
    iswi_arena arena;
    iswi_match match = { .arena = &arena, .sinks = host->sinks };

    iswi_arena_init(&arena, 4096);
    for (size_t i = 0; i < host->function_count; i++)
        if (atomic_load(&host->functions[i]->current)) {
            iswi_match_function(&match, &host->functions[i]->entry);
            match_outputs(&match, host->functions[i]);
        }
    pthread_mutex_lock(&host->attention.lock);
    iswi_buffer_reset(&host->attention.match);
    if (all_have_told(host))
        iswi_match_tell(&match, config, &host->groups, add_match, host);
    pthread_mutex_unlock(&host->attention.lock);
    iswi_arena_fini(&arena);
}

/* -- For the report; any thread ---------------------------------------------------------------- */

enum { SENTENCES_MAX = 256 };

typedef struct gathered {
    iswi_arena *arena;
    const char **items;
    size_t count;
} gathered;

static void add(gathered *all, const char *text, size_t size)
{
    const char *kept = iswi_arena_strndup(all->arena, text, size);

    if (kept && size && all->count < SENTENCES_MAX)
        all->items[all->count++] = kept;
}

static void add_lines(gathered *all, iswi_buffer *lines)
{
    const char *at = lines->size ? iswi_buffer_text(lines) : NULL;

    while (at && *at) {
        size_t size = strcspn(at, "\n");

        add(all, at, size);
        at += size + (at[size] == '\n');
    }
}

static void add_process(gathered *all, iswi_process *process, const iswi_file_look *program)
{
    char text[PATH_MAX + 256];
    bool older;
    bool ill;

    pthread_mutex_lock(&process->lock);
    add_lines(all, &process->attention.lines);
    older = process->running && !process->retiring && program->changed_ns &&
            process->attention.program.changed_ns &&
            process->attention.file == iswi_pool_file(process->pool) &&
            !iswi_file_look_same(program, &process->attention.program);
    ill = process->state == ISWI_PROCESS_READY && process->health.keeps_out &&
          !process->health.unknown && !process->retiring;
    snprintf(text, sizeof text, "worker %s is unhealthy, and gets no new calls: %s", process->label,
             process->health.why);
    pthread_mutex_unlock(&process->lock);
    if (ill)
        add(all, text, strlen(text));
    snprintf(text, sizeof text, "worker %s runs what %s was before it changed; %s", process->label,
             iswi_pool_file(process->pool),
             process->pool->launcher.apart ? "`isoworker restart` replaces it"
                                           : "it is taken when the host starts again");
    if (older)
        add(all, text, strlen(text));
}

static void add_roll(gathered *all, iswi_pool *pool)
{
    char text[sizeof pool->roll.now.why + ISWI_NAME_MAX + 64];
    bool failed;

    pthread_mutex_lock(&pool->roll.lock);
    failed = pool->roll.now.state == ISWI_ROLL_FAILED;
    snprintf(text, sizeof text, "worker %s was not restarted: %s", pool->settings->name,
             pool->roll.now.why);
    pthread_mutex_unlock(&pool->roll.lock);
    if (failed)
        add(all, text, strlen(text));
}

static void add_file(gathered *all, iswi_pool *pool)
{
    char text[PATH_MAX + 256];

    if (!atomic_load(&pool->reload.gone))
        return;
    snprintf(text, sizeof text, "worker %s: %s is gone; nothing is started until it is back",
             pool->settings->name, pool->reload.file);
    add(all, text, strlen(text));
}

/* One that was added serves no call yet; it does not make the host less ready than it was. */
static void add_joining(gathered *all, iswi_pool *pool)
{
    char text[ISWI_NAME_MAX + 64];

    if (!atomic_load(&pool->joins) || !atomic_load(&pool->wanted))
        return;
    snprintf(text, sizeof text, "worker %s, which host.yaml has added, is not ready yet",
             pool->settings->name);
    add(all, text, strlen(text));
}

static void add_unheld(gathered *all, const iswi_host *host, const iswi_pool *pool)
{
    char text[ISWI_GROUPS_LACK_BYTES];

    if (iswi_groups_lack(host, pool, text))
        add(all, text, strlen(text));
}

static void add_lost(gathered *all, iswi_host *host)
{
    for (iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        const char *lost;

        for (size_t i = 0; (lost = iswi_function_lost(at, i)) != NULL; i++)
            add(all, lost, strlen(lost));
    }
}

static void add_sentence(void *user, const char *sentence)
{
    add(user, sentence, strlen(sentence));
}

const char **iswi_attention_gather(iswi_host *host, iswi_arena *arena, size_t *count)
{
    gathered all = { arena, iswi_arena_calloc(arena, SENTENCES_MAX, sizeof(char *)), 0 };

    *count = 0;
    if (!all.items)
        return NULL;
    pthread_mutex_lock(&host->attention.lock);
    add_lines(&all, &host->attention.yaml);
    add_lines(&all, &host->attention.match);
    pthread_mutex_unlock(&host->attention.lock);
    add_lost(&all, host);
    for (size_t i = 0; i < host->triggers.count; i++)
        if (host->triggers.items[i].trigger->attend)
            host->triggers.items[i].trigger->attend(host->triggers.items[i].self, add_sentence,
                                                    &all);
    for (size_t i = 0; i < host->pool_count; i++) {
        iswi_file_look program;

        if (!iswi_pool_is(&host->pools[i], ISWI_POOL_HERE))
            continue;
        program = iswi_file_look_at(iswi_pool_file(&host->pools[i]));
        add_joining(&all, &host->pools[i]);
        add_file(&all, &host->pools[i]);
        add_roll(&all, &host->pools[i]);
        add_unheld(&all, host, &host->pools[i]);
        for (unsigned j = 0; j < host->pools[i].count; j++)
            add_process(&all, &host->pools[i].processes[j], &program);
    }
    *count = all.count;
    return all.items;
}
