/* SPDX-License-Identifier: Apache-2.0 */
/* host.json and function.json for a custom handler, so that routes, names and prefix agree on both
 * sides; host.json and worker.config.json for a language worker. */
#include "host/azure/init.h"

#include "base/arena.h"
#include "base/text.h"
#include "host/azure/boxes.h"
#include "host/azure/custom.h"
#include "host/azure/init_function.h"
#include "host/http/guest.h"
#include "host/http/trigger.h"
#include "host/settings/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { THEIR_TIME_S = 300, OWN_END_S = 5 };

typedef struct maker {
    const iswi_azure_init *init;
    const char *folder; /* absolute */
    const iswi_host_settings *settings;
    const char *prefix;
    iswi_faults *faults, *notes;
    iswi_buffer *written;
    iswi_arena arena;
    bool others; /* there are functions that no request triggers */
} maker;

ISW_PRINTF(2, 3)
static void say(iswi_faults *list, const char *format, ...)
{
    char text[PATH_MAX + 1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    iswi_faults_add(list, text);
}

/* -- Files ------------------------------------------------------------------------------------- */

typedef enum before { IS_ABSENT, IS_THE_SAME, IS_OTHER } before;

static before look(const char *path, const iswi_buffer *text)
{
    FILE *file = fopen(path, "re");
    iswi_buffer old = { NULL, 0, 0, false };
    char block[4096];
    size_t got;
    bool same;

    if (!file)
        return errno == ENOENT ? IS_ABSENT : IS_OTHER;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        iswi_buffer_append(&old, block, got);
    fclose(file);
    same = old.size == text->size && !old.failed &&
           (!old.size || memcmp(old.data, text->data, old.size) == 0);
    iswi_buffer_fini(&old);
    return same ? IS_THE_SAME : IS_OTHER;
}

static void write_file(maker *m, const char *name, const iswi_buffer *text)
{
    const char *path = iswi_arena_printf(&m->arena, "%s/%s", m->folder, name);
    before was = path && !text->failed ? look(path, text) : IS_OTHER;
    FILE *file;

    if (!path || text->failed) {
        say(m->faults, "%s: no memory", name);
        return;
    }
    if (was == IS_THE_SAME)
        return;
    if (was == IS_OTHER && !m->init->force) {
        say(m->faults, "%s is there and says something else; --force overwrites it", path);
        return;
    }
    file = fopen(path, "we");
    if (!file || fwrite(text->data, 1, text->size, file) != text->size) {
        say(m->faults, "%s: %s", path, strerror(errno));
        if (file)
            fclose(file);
    } else if (fclose(file) != 0) {
        say(m->faults, "%s: %s", path, strerror(errno));
    } else {
        iswi_buffer_printf(m->written, "%s\n", path);
    }
}

/* -- Functions --------------------------------------------------------------------------------- */

static void write_function(maker *m, const iswi_told_function *function)
{
    iswi_buffer text = { NULL, 0, 0, false };
    const char *folder = iswi_arena_printf(&m->arena, "%s/%s", m->folder, function->name);
    const char *name = iswi_arena_printf(&m->arena, "%s/function.json", function->name);

    if (iswi_azure_function_json(function, m->notes, &text)) {
        m->others = m->others || !iswi_azure_comes_by_http(function->trigger.type) ||
                    iswi_azure_has_outputs(function);
        if (!folder || (mkdir(folder, 0777) != 0 && errno != EEXIST))
            say(m->faults, "%s: %s", folder ? folder : function->name, strerror(errno));
        else
            write_file(m, name, &text);
    }
    iswi_buffer_fini(&text);
}

static void ask_worker(maker *m, const iswi_worker_settings *worker)
{
    iswi_told told = { .function_count = 0 };
    iswi_program_told came = iswi_check_program(m->folder, worker, &m->arena, &told, m->faults,
                                                m->notes);

    if (came == ISWI_PROGRAM_MUTE)
        say(m->faults, "worker %s does not answer --describe --json, as programs that link the "
            "library do: nobody knows its functions", worker->name);
    for (size_t i = 0; came == ISWI_PROGRAM_TOLD && i < told.function_count; i++)
        write_function(m, &told.functions[i]);
}

/* -- host.json --------------------------------------------------------------------------------- */

/* How a custom handler is started. */
static void put_handler(const maker *m, iswi_buffer *text)
{
    iswi_buffer_printf(text,
                       "  \"customHandler\": {\n"
                       "    \"description\": {\n"
                       "      \"defaultExecutablePath\": \"isoworker\",\n"
                       "      \"arguments\": [\"azure\", \"--custom-handler\"%s]\n"
                       "    },\n"
                       "    \"enableForwardingHttpRequest\": %s\n"
                       "  },\n",
                       m->init->forwarding ? ", \"--forwarding\"" : "",
                       m->init->forwarding ? "true" : "false");
}

/* Functions here may take longer than that host gives them: 5 minutes is what it gives everywhere. With
 * the time in which we end one ourselves. */
static void put_timeout(const maker *m, iswi_buffer *text)
{
    const iswi_host_options *host = &m->settings->host;
    const int64_t s = (host->function_timeout_ms + host->cancel_grace_ms) / 1000 + OWN_END_S;

    if (host->function_timeout_ms && s > THEIR_TIME_S)
        iswi_buffer_printf(text, "  \"functionTimeout\": \"%lld.%02lld:%02lld:%02lld\",\n",
                           (long long)(s / 86400), (long long)(s / 3600 % 24),
                           (long long)(s / 60 % 60), (long long)(s % 60));
    else if (!host->function_timeout_ms)
        say(m->notes, "note: host.function_timeout is 0, and behind the functionTimeout of host.json "
            "(30 minutes, or 5 by consumption) that host restarts the whole of this one: give "
            "functions a time here, or that host another");
}

static void write_host(maker *m)
{
    iswi_buffer text = { NULL, 0, 0, false };

    iswi_buffer_append_text(&text, "{\n  \"version\": \"2.0\",\n");
    put_timeout(m, &text);
    if (!m->init->worker)
        put_handler(m, &text);
    iswi_buffer_append_text(&text, "  \"extensions\": { \"http\": { \"routePrefix\": ");
    iswi_json_string(&text, isw_str_of(m->prefix));
    iswi_buffer_append_text(&text, " } }\n}\n");
    write_file(m, "host.json", &text);
    iswi_buffer_fini(&text);
}

/* Who is started for apps in our language, and that it is asked for functions. */
static void write_worker(maker *m)
{
    iswi_buffer text = { NULL, 0, 0, false };

    iswi_buffer_append_text(&text, "{\n"
                                   "  \"description\": {\n"
                                   "    \"language\": \"isoworker\",\n"
                                   "    \"extensions\": [],\n"
                                   "    \"defaultExecutablePath\": \"isoworker\",\n"
                                   "    \"arguments\": [\"azure\", \"--http\", \"forward\"],\n"
                                   "    \"workerIndexing\": \"true\"\n"
                                   "  }\n"
                                   "}\n");
    write_file(m, "worker.config.json", &text);
    iswi_buffer_fini(&text);
}

/* It has secrets once somebody works with it: one that is there is not ours. */
static void write_local(maker *m)
{
    iswi_buffer text = { NULL, 0, 0, false };
    const char *path = iswi_arena_printf(&m->arena, "%s/local.settings.json", m->folder);

    iswi_buffer_append_text(&text, "{\n"
                                   "  \"IsEncrypted\": false,\n"
                                   "  \"Values\": {\n");
    if (m->init->worker) {
        iswi_buffer_append_text(&text, "    \"FUNCTIONS_WORKER_RUNTIME\": \"isoworker\",\n"
                                       "    \"languageWorkers__isoworker__workerDirectory\": ");
        iswi_json_string(&text, isw_str_of(m->folder));
        iswi_buffer_append_text(&text, ",\n");
    } else {
        iswi_buffer_append_text(&text, "    \"FUNCTIONS_WORKER_RUNTIME\": \"custom\",\n");
    }
    iswi_buffer_append_text(&text, "    \"AzureWebJobsStorage\": \"UseDevelopmentStorage=true\"\n"
                                   "  }\n"
                                   "}\n");
    if (path && look(path, &text) == IS_ABSENT)
        write_file(m, "local.settings.json", &text);
    iswi_buffer_fini(&text);
}

static const char *prefix_of(const iswi_host_settings *settings, const iswi_settings_groups *groups)
{
    const char *own = iswi_host_settings_group(settings, groups, iswi_http_guests_trigger.settings);

    for (const isw_option *row = iswi_http_trigger.settings->options; row->name; row++)
        if (strcmp(row->name, "prefix") == 0)
            return *(const char *const *)(own + row->offset);
    return "";
}

static void make_all(maker *m)
{
    const iswi_worker_settings *workers = m->settings->workers.items;

    iswi_arena_init(&m->arena, 16 * 1024);
    for (size_t i = 0; !m->init->worker && i < m->settings->workers.count; i++)
        ask_worker(m, &workers[i]);
    if (m->init->worker)
        write_worker(m);
    if (m->init->forwarding && !*m->prefix && m->others)
        say(m->faults, "%s/host.yaml: http.prefix is empty, and there are functions that are not "
            "called by requests alone: with --forwarding they cannot be told from what a client "
            "asks for; give a prefix", m->folder);
    else
        write_host(m);
    write_local(m);
    iswi_arena_fini(&m->arena);
}

bool iswi_azure_init_files(const iswi_azure_init *init, iswi_faults *faults, iswi_faults *notes,
                            iswi_buffer *written)
{
    maker m = { .init = init, .faults = faults, .notes = notes, .written = written };
    iswi_azure_custom *custom = iswi_azure_custom_create(init->forwarding, init->others);
    iswi_config *config = NULL;
    iswi_settings_groups groups;
    isw_error error = { ISW_OK, "" };
    char path[PATH_MAX];

    m.folder = path;
    if (!custom) {
        say(faults, "no memory");
        return false;
    }
    groups = iswi_triggers_groups(iswi_azure_custom_triggers(custom));
    if (!realpath(init->folder, path))
        say(faults, "%s: %s", init->folder, strerror(errno));
    else if (iswi_host_settings_survey(path, &groups, faults, &config, &m.settings, &error) !=
             ISW_OK) {
        if (!faults->count)
            iswi_faults_add(faults, error.message);
    } else {
        m.prefix = prefix_of(m.settings, &groups);
        make_all(&m);
    }
    iswi_config_close(config);
    iswi_azure_custom_destroy(custom);
    return faults->count == 0;
}
