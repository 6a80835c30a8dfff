/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker under gdb. The handler is a static function, so gdb does not know it by name: it stops
 * where the SDK says that it is ready (src/worker/debugged.c), reads the handler's address there,
 * and sets the breakpoint on that.
 */
#include "host/debug/gdb.h"

#include "base/alloc.h"
#include "host/system/capture.h"
#include "value/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DESCRIPTION_BYTES = 16 * 1024 * 1024, PATIENCE_MS = 15000 };

static const char script[] = "set pagination off\n"
                             "set confirm off\n"
                             "set startup-with-shell off\n"
                             "set breakpoint pending on\n"
                             "tbreak isw_debug_ready\n"
                             "run\n"
                             "break *(*(void**)&isw_debug_handler)\n";

/* The same behind the function's prologue, where its arguments can be seen: for a gdb that speaks
 * Python. */
static const char better[] =
    "python a = int(gdb.parse_and_eval('*(unsigned long*)&isw_debug_handler')); "
    "l = gdb.find_pc_line(a); l.symtab and (gdb.execute('delete 2'), "
    "gdb.execute('break %s:%d' % (l.symtab.fullname(), l.line)))";

/* -- Which worker ------------------------------------------------------------------------------ */

/* What `program arguments... --describe --json` says, as the worker will run. */
static void describe(iswi_host *host, const iswi_pool *pool, iswi_buffer *out)
{
    iswi_capture_end end = { .signal = 0 };
    const iswi_worker_settings *settings = pool->settings;
    size_t count = settings->command.count;
    char **arguments = iswi_calloc(count + 3, sizeof *arguments);
    const iswi_capture what = { .program = pool->program,
                                .arguments = arguments,
                                .environment = environ,
                                .directory = settings->directory ? settings->directory
                                                                 : host->folder,
                                .input = -1,
                                .errors = STDERR_FILENO,
                                .most = DESCRIPTION_BYTES,
                                .patience_ms = PATIENCE_MS };

    if (!arguments)
        return;
    for (size_t i = 0; i < count; i++)
        arguments[i] = (char *)settings->command.items[i];
    arguments[count] = (char *)"--describe";
    arguments[count + 1] = (char *)"--json";
    if (settings->config)
        setenv("ISOWORKER_CONFIG", settings->config, 1);
    iswi_capture_watch(&what, out, &end);
    unsetenv("ISOWORKER_CONFIG");
    if (end.late)
        iswi_console_say(&host->console, ISW_LOG_WARNING,
                         "worker %s: --describe took longer than %d ms", settings->name,
                         PATIENCE_MS);
    else if (end.signal)
        iswi_console_say(&host->console, ISW_LOG_WARNING,
                         "worker %s: --describe was ended by signal %d (%s)", settings->name,
                         end.signal, strsignal(end.signal));
    iswi_free(arguments);
}

typedef struct described {
    const char *name;
} described;

typedef struct description {
    const described *functions;
    size_t count;
} description;

static const isw_field function_fields[] = {
    { ISW_FIELD(STRING, described, name), .required = true },
    { 0 },
};
static const isw_field description_fields[] = {
    { ISW_FIELD_LIST(STRUCT, description, functions, count), .fields = function_fields,
      .item_size = sizeof(described) },
    { 0 },
};

/* Whether the pool's worker has it; the names of those that it has are added to `names`. */
static bool has(iswi_host *host, const iswi_pool *pool, const char *function,
                iswi_buffer *names)
{
    isw_error unused = { ISW_OK, "" };
    iswi_buffer text = { 0 };
    description found = { NULL, 0 };
    iswi_arena arena;
    bool it_has = false;
    isw_value value;

    iswi_arena_init(&arena, 16 * 1024);
    describe(host, pool, &text);
    if (iswi_json_parse(&arena, (isw_str){ (const char *)text.data, text.size }, &value,
                        &unused) != ISW_OK ||
        iswi_bind(&arena, &value, "", description_fields, false, &found, &unused) != ISW_OK)
        found.count = 0;
    for (size_t i = 0; i < found.count; i++) {
        it_has = it_has || strcmp(found.functions[i].name, function) == 0;
        iswi_buffer_printf(names, "%s%s", names->size ? ", " : "", found.functions[i].name);
    }
    iswi_arena_fini(&arena);
    iswi_buffer_fini(&text);
    return it_has;
}

static isw_status find_pool(iswi_host *host, const char *function, iswi_pool **out,
                            isw_error *error)
{
    iswi_buffer names = { 0 };
    isw_status status = ISW_OK;

    *out = NULL;
    for (size_t i = 0; i < host->pool_count && !*out; i++)
        if (has(host, &host->pools[i], function, &names))
            *out = &host->pools[i];
    if (!*out)
        status = isw_error_set(error, ISW_E_CONFIG,
                               "no worker has a function \"%s\" to debug; there are: %s", function,
                               names.size ? iswi_buffer_text(&names) : "none");
    iswi_buffer_fini(&names);
    return status;
}

/* -- gdb --------------------------------------------------------------------------------------- */

static isw_status write_script(iswi_host *host, isw_error *error)
{
    char path[PATH_MAX];
    int fd;
    bool written;

    snprintf(path, sizeof path, "%s/gdb", host->runtime_folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    written = fd >= 0 && write(fd, script, sizeof script - 1) == (ssize_t)sizeof script - 1;
    if (fd >= 0)
        close(fd);
    host->gdb_script = written ? iswi_strdup(path) : NULL;
    return host->gdb_script ? ISW_OK
                            : isw_error_set(error, ISW_E_IO, "%s: %s", path, strerror(errno));
}

isw_status iswi_debug_prepare(iswi_host *host, const char *function, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    iswi_pool *pool = NULL;
    isw_status status = iswi_spawn_find("gdb", ".", &host->gdb, &own);

    if (status != ISW_OK)
        return isw_error_set(error, ISW_E_CONFIG, "--debug %s needs gdb; on Debian: apt-get "
                             "install gdb", function);
    status = find_pool(host, function, &pool, error);
    if (status == ISW_OK)
        status = write_script(host, error);
    if (status != ISW_OK)
        return status;
    while (pool->count > 1) {
        pthread_mutex_destroy(&pool->processes[--pool->count].lock);
        pthread_mutex_destroy(&pool->processes[pool->count].printing);
    }
    pool->debugged = function;
    return ISW_OK;
}

isw_status iswi_debug_spawn(iswi_process *process, iswi_spawn_options *options, isw_error *error)
{
    const iswi_host *host = process->host;
    const iswi_pool *pool = process->pool;
    const isw_option_strings *own = &pool->settings->command;
    const char *front[] = { host->gdb, "-q",     "-x", host->gdb_script, "-ex",
                            better,    "-ex",    "continue", "--args",   pool->program };
    size_t count = sizeof front / sizeof front[0];
    const char **all = iswi_arena_calloc(&process->host->arena, count + own->count, sizeof *all);
    isw_option_strings *arguments =
        iswi_arena_alloc(&process->host->arena, sizeof *arguments);

    if (!all || !arguments)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for gdb's arguments");
    memcpy(all, front, sizeof front);
    for (size_t i = 1; i < own->count; i++) /* the first is the program's name */
        all[count + i - 1] = own->items[i];
    *arguments = (isw_option_strings){ all, count + own->count - 1 };
    options->program = host->gdb;
    options->arguments = arguments;
    options->debugged = pool->debugged;
    iswi_console_say(&process->host->console, ISW_LOG_INFO,
                     "worker %s runs under gdb here, which stops in function %s; `continue` goes "
                     "on, `quit` ends", process->label, pool->debugged);
    return ISW_OK;
}

void iswi_debug_ended(iswi_host *host)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction before;

    if (isatty(STDIN_FILENO)) {
        sigaction(SIGTTOU, &ignore, &before); /* we are in the background until then */
        tcsetpgrp(STDIN_FILENO, getpgrp());
        sigaction(SIGTTOU, &before, NULL);
    }
    iswi_host_stop(host);
}

void iswi_debug_fini(iswi_host *host)
{
    if (host->gdb_script)
        unlink(host->gdb_script);
    iswi_free(host->gdb_script);
    iswi_free(host->gdb);
}
