/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker under gdb. The handler is a static function, so gdb does not know it by name: it stops
 * where the SDK says that it is ready (src/worker/program/debugged.c), reads the handler's address
 * there, and sets the breakpoint on that.
 */
#include "host/debug/gdb.h"

#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/observer.h"
#include "host/engine/steer.h"
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

typedef struct debugger {
    iswi_host *host;
    const char *function;
    char *gdb, *script; /* paths */
    size_t worker;
    iswi_arena arena; /* of gdb's arguments */
} debugger;

/* -- Which worker ------------------------------------------------------------------------------ */

/* What `program arguments... --describe --json` says, as the worker will run. */
static void describe(const iswi_host *host, size_t worker, iswi_buffer *out)
{
    iswi_capture_end end = { .signal = 0 };
    const iswi_worker_settings *settings =
        &((const iswi_worker_settings *)iswi_host_settings_of(host)->workers.items)[worker];
    size_t count = settings->command.count;
    char **arguments = iswi_calloc(count + 3, sizeof *arguments);
    const iswi_capture what = { .program = iswi_host_worker_program(host, worker),
                                .arguments = arguments,
                                .environment = environ,
                                .directory = settings->directory ? settings->directory
                                                                 : iswi_host_folder(host),
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
        iswi_say(host, ISW_LOG_WARNING,
                 "worker %s: --describe took longer than %d ms", settings->name,
                 PATIENCE_MS);
    else if (end.signal)
        iswi_say(host, ISW_LOG_WARNING,
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

/* Whether the worker has it; the names of those that it has are added to `names`. */
static bool has(const iswi_host *host, size_t worker, const char *function, iswi_buffer *names)
{
    isw_error unused = { ISW_OK, "" };
    iswi_buffer text = { 0 };
    description found = { NULL, 0 };
    iswi_arena arena;
    bool it_has = false;
    isw_value value;

    iswi_arena_init(&arena, 16 * 1024);
    describe(host, worker, &text);
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

/* gdb would stop all of the host with it. */
static isw_status refuse_inside(const iswi_host *host, size_t worker, const char *function,
                                isw_error *error)
{
    const iswi_worker_settings *settings =
        &((const iswi_worker_settings *)iswi_host_settings_of(host)->workers.items)[worker];

    if (settings->isolation != ISWI_ISOLATION_NONE)
        return ISW_OK;
    return isw_error_set(error, ISW_E_CONFIG,
                         "function %s cannot be debugged apart from the host: its worker %s has "
                         "isolation: none; run gdb --args isoworker run --debug, or write "
                         "isolation: process", function, settings->name);
}

static isw_status find_worker(const iswi_host *host, const char *function, size_t *worker,
                              isw_error *error)
{
    iswi_buffer names = { 0 };
    isw_status status = ISW_OK;
    size_t at = 0;

    while (at < iswi_host_worker_count(host) &&
           (iswi_worker_is_remote(iswi_host_worker_settings(host, at)) ||
            !has(host, at, function, &names)))
        at++;
    if (at == iswi_host_worker_count(host))
        status = isw_error_set(error, ISW_E_CONFIG,
                               "no worker has a function \"%s\" to debug; there are: %s", function,
                               names.size ? iswi_buffer_text(&names) : "none");
    iswi_buffer_fini(&names);
    *worker = at;
    return status == ISW_OK ? refuse_inside(host, at, function, error) : status;
}

/* -- gdb --------------------------------------------------------------------------------------- */

static isw_status write_script(debugger *d, const char *folder, isw_error *error)
{
    char path[PATH_MAX];
    int fd;
    bool written;

    snprintf(path, sizeof path, "%s/gdb", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    written = fd >= 0 && write(fd, script, sizeof script - 1) == (ssize_t)sizeof script - 1;
    if (fd >= 0)
        close(fd);
    d->script = written ? iswi_strdup(path) : NULL;
    return d->script ? ISW_OK : isw_error_set(error, ISW_E_IO, "%s: %s", path, strerror(errno));
}

/* gdb with its arguments before the worker's own, in place of the program. */
static isw_status on_spawns(void *user, iswi_process *process, iswi_spawn_options *options,
                            isw_error *error)
{
    debugger *d = user;
    const isw_option_strings *own = options->arguments;
    const char *front[] = { d->gdb, "-q",  "-x",       d->script, "-ex",
                            better, "-ex", "continue", "--args",  options->program };
    size_t count = sizeof front / sizeof front[0];
    isw_option_strings *arguments;
    const char **all;

    if (iswi_process_worker(process) != d->worker)
        return ISW_OK;
    all = iswi_arena_calloc(&d->arena, count + own->count, sizeof *all);
    arguments = iswi_arena_alloc(&d->arena, sizeof *arguments);
    if (!all || !arguments)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for gdb's arguments");
    memcpy(all, front, sizeof front);
    for (size_t i = 1; i < own->count; i++) /* the first is the program's name */
        all[count + i - 1] = own->items[i];
    *arguments = (isw_option_strings){ all, count + own->count - 1 };
    options->program = d->gdb;
    options->arguments = arguments;
    options->debugged = d->function;
    iswi_say(d->host, ISW_LOG_INFO,
             "worker %s runs under gdb here, which stops in function %s; `continue` goes on, "
             "`quit` ends", iswi_process_label(process), d->function);
    return ISW_OK;
}

/* The terminal is ours again, and the host stops. */
static void on_ended(void *user, iswi_process *process)
{
    debugger *d = user;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction before;

    if (iswi_process_worker(process) != d->worker)
        return;
    if (isatty(STDIN_FILENO)) {
        sigaction(SIGTTOU, &ignore, &before); /* we are in the background until then */
        tcsetpgrp(STDIN_FILENO, getpgrp());
        sigaction(SIGTTOU, &before, NULL);
    }
    iswi_host_stop(d->host);
}

/* -- Life -------------------------------------------------------------------------------------- */

/* The script lies in a folder that goes with the host. */
static void stop(void *user)
{
    debugger *d = user;

    if (d->script)
        unlink(d->script);
}

static void destroy(void *user)
{
    debugger *d = user;

    iswi_arena_fini(&d->arena);
    iswi_free(d->script);
    iswi_free(d->gdb);
    iswi_free(d);
}

static const iswi_observer observer = {
    .spawns = on_spawns,
    .ended = on_ended,
    .stop = stop,
    .destroy = destroy,
};

isw_status iswi_gdb_attach(iswi_host *host, const char *function, const char *folder,
                           isw_error *error)
{
    debugger *d = iswi_calloc(1, sizeof *d);
    isw_error own = { ISW_OK, "" };
    isw_status status;

    if (!d)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for gdb");
    d->host = host;
    d->function = function;
    iswi_arena_init(&d->arena, 4096);
    if (iswi_spawn_find("gdb", ".", &d->gdb, &own) != ISW_OK)
        status = isw_error_set(error, ISW_E_CONFIG, "--debug %s needs gdb; on Debian: apt-get "
                               "install gdb", function);
    else
        status = find_worker(host, function, &d->worker, error);
    if (status == ISW_OK)
        status = write_script(d, folder, error);
    if (status == ISW_OK)
        status = iswi_host_observe(host, &observer, d, error);
    if (status == ISW_OK) {
        iswi_host_debug_worker(host, d->worker);
    } else {
        stop(d);
        destroy(d);
    }
    return status;
}
