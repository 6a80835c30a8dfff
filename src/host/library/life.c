/* SPDX-License-Identifier: Apache-2.0 */
/* A host's life: made, started, ended. Invariant: none of its threads takes a signal of the
 * program's, since every one of them begins with all signals held back. */
#include "host/library/library.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "host/engine/look.h"
#include "host/engine/trigger.h"
#include "host/library/create.h"
#include "host/triggers.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* -- Making ------------------------------------------------------------------------------------ */

/* A list of texts that ends with NULL, as one that is the host's own; an empty one is NULL. False: no
 * memory. */
static bool take_texts(isw_host *host, const char *const *from, const char ***out)
{
    size_t count = 0;

    *out = NULL;
    while (from && from[count])
        count++;
    if (!count)
        return true;
    *out = iswi_arena_calloc(&host->arena, count + 1, sizeof **out);
    for (size_t i = 0; *out && i < count; i++)
        if (!((*out)[i] = iswi_arena_strndup(&host->arena, from[i], strlen(from[i]))))
            return false;
    return *out != NULL;
}

static bool take_lists(isw_host *host)
{
    const char *alone[] = { host->options.listen, NULL };
    const char **successor;
    const char **wait_for;

    if (!take_texts(host, host->options.addresses ? host->options.addresses : alone,
                    &host->addresses) ||
        !take_texts(host, host->options.successor, &successor) ||
        !take_texts(host, host->options.wait_for, &wait_for))
        return false;
    host->options.successor = successor;
    host->options.wait_for = wait_for;
    return true;
}

static isw_status take_options(isw_host *host, const isw_host_options *options, isw_error *error)
{
    static const isw_host_options standard = ISW_HOST_OPTIONS_INIT;
    isw_host_options *own = &host->options;
    const char **texts[] = { &own->folder, &own->yaml, &own->control, &own->record,
                             &own->debugged, &own->replace };
    char path[PATH_MAX];

    *own = standard;
    if (options)
        memcpy(own, options, options->size < sizeof *own ? options->size : sizeof *own);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (*texts[i] &&
            !(*texts[i] = iswi_arena_strndup(&host->arena, *texts[i], strlen(*texts[i]))))
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for options");
    if (!take_lists(host))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for options");
    if (!realpath(own->folder ? own->folder : ".", path))
        return isw_error_set(error, ISW_E_IO, "%s: %s", own->folder ? own->folder : ".",
                             strerror(errno));
    host->folder = iswi_strdup(path);
    return host->folder ? ISW_OK : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for options");
}

/* Say all that is wrong to whoever asked for it; returns the status. */
static isw_status tell_faults(isw_host *host, const isw_error *error)
{
    const char *at = host->faults.count ? iswi_buffer_text(&host->faults.lines) : NULL;

    for (; host->options.fault && at && *at; at += strcspn(at, "\n") + 1) {
        char *line = iswi_strndup(at, strcspn(at, "\n"));

        if (line)
            host->options.fault(host->options.user, line);
        iswi_free(line);
    }
    iswi_faults_fini(&host->faults);
    return error->status;
}

static void init_lock(isw_host *host)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&host->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&host->turned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    host->waiting_end = &host->waiting;
}

isw_status iswi_library_create(const isw_host_options *options, iswi_trigger_list triggers,
                               iswi_sink_list sinks, isw_host **out, isw_error *error)
{
    isw_host *host = iswi_calloc(1, sizeof *host);
    isw_error own = { ISW_OK, "" };
    isw_status status;

    if (!host)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a host");
    iswi_arena_init(&host->arena, 4096);
    host->triggers = triggers ? triggers : iswi_host_triggers;
    host->sinks = sinks;
    init_lock(host);
    status = take_options(host, options, &own);
    if (status == ISW_OK && host->options.folder)
        status = iswi_library_read(host, &own);
    if (status == ISW_OK) {
        *out = host;
        return ISW_OK;
    }
    if (host->options.replace && *host->options.replace)
        iswi_takeover_excuse(host->options.replace, own.message);
    tell_faults(host, &own);
    isw_error_set(error, status, "%s", own.message);
    isw_host_destroy(host);
    return status;
}

isw_status isw_host_create(const isw_host_options *options, isw_host **out, isw_error *error)
{
    return iswi_library_create(options, NULL, NULL, out, error);
}

/* -- Starting ---------------------------------------------------------------------------------- */

/* Whether ends of children would be hidden from us. */
static isw_status check_children(isw_error *error)
{
    struct sigaction now;

    sigaction(SIGCHLD, NULL, &now);
    if (now.sa_handler != SIG_IGN && !(now.sa_flags & SA_NOCLDWAIT))
        return ISW_OK;
    return isw_error_set(error, ISW_E_UNSUPPORTED,
                         "SIGCHLD is ignored in this program, which hides how workers end; set it "
                         "to SIG_DFL before the host is started");
}

/* Where the host listens whose place this one takes; NULL: where one of the folder does. */
static const char *place_of(const isw_host *host, char path[2 * PATH_MAX])
{
    const isw_host_options *options = &host->options;
    const char *configured = iswi_host_control_path(&host->settings->host);

    if (*options->replace)
        return options->replace;
    if (options->control || !configured)
        return options->control;
    snprintf(path, 2 * PATH_MAX, "%s%s%s", *configured == '/' ? "" : host->folder,
             *configured == '/' ? "" : "/", configured);
    return path;
}

static isw_status take_place(isw_host *host, isw_error *error)
{
    char path[2 * PATH_MAX];

    if (!host->options.replace)
        return ISW_OK;
    return iswi_takeover_begin(host->folder, place_of(host, path), &host->takeover, error);
}

static isw_status make_engine(isw_host *host, iswi_host **engine, isw_error *error)
{
    const isw_host_options *options = &host->options;
    iswi_host_overrides overrides = { .listen = host->addresses,
                                      .port = options->port,
                                      .json = options->json,
                                      .debugged = options->debugged,
                                      .wait_for = options->wait_for,
                                      .record = options->record,
                                      .control = options->control,
                                      .debug = options->debug,
                                      .watch = options->watch,
                                      .color = options->color,
                                      .service = options->service,
                                      .output = options->output,
                                      .faults = &host->faults,
                                      .config = host->config,
                                      .settings = host->settings,
                                      .triggers = host->triggers,
                                      .sinks = host->sinks,
                                      .hidden = host->hidden,
                                      .from_text = !options->folder,
                                      .takeover = host->takeover,
                                      .succession = { .command = options->successor,
                                                      .watched = options->watched,
                                                      .replaced = options->replaced,
                                                      .user = options->user } };
    isw_status status;

    host->config = NULL; /* it is the engine's from here on */
    iswi_library_listen(host, &overrides.listener);
    status = iswi_host_create(host->folder, &overrides, engine, error);
    if (status != ISW_OK)
        return status;
    status = iswi_library_observe(host, *engine, error);
    if (status != ISW_OK)
        iswi_host_destroy(*engine);
    return status;
}

static void *run(void *user)
{
    isw_host *host = user;

    iswi_thread_name("isw-host");
    iswi_host_run(atomic_load(&host->engine), &host->end);
    iswi_library_end(host);
    return NULL;
}

/* With all signals held back. */
static isw_status begin(isw_host *host, isw_error *error)
{
    iswi_host *engine;
    isw_status status = check_children(error);

    if (status == ISW_OK && !host->settings)
        status = iswi_library_read(host, error);
    if (status == ISW_OK)
        status = take_place(host, error);
    if (status == ISW_OK)
        status = make_engine(host, &engine, error);
    if (status != ISW_OK) {
        iswi_takeover_refuse(host->takeover, error->message);
        return status;
    }
    atomic_store(&host->engine, engine);
    if (atomic_load(&host->stops) && iswi_host_phase(engine) != ISWI_PHASE_STOPPING)
        iswi_host_stop(engine);
    if (pthread_create(&host->thread, NULL, run, host) == 0)
        return ISW_OK;
    atomic_store(&host->engine, NULL);
    iswi_host_destroy(engine);
    return isw_error_set(error, ISW_E_NO_MEMORY, "no thread for the host");
}

isw_status isw_host_start(isw_host *host, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    sigset_t before;
    sigset_t all;

    if (host->begun)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "the host has been started before");
    host->begun = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    begin(host, &own);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (own.status == ISW_OK)
        return ISW_OK;
    host->joined = true;
    tell_faults(host, &own);
    return isw_error_set(error, own.status, "%s", own.message);
}

isw_status isw_host_wait(isw_host *host, isw_error *error)
{
    if (!host->begun)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "the host is not started");
    if (!host->joined)
        pthread_join(host->thread, NULL);
    host->joined = true;
    if (host->end.status == ISW_OK)
        return ISW_OK;
    tell_faults(host, &host->end);
    return isw_error_set(error, host->end.status, "%s", host->end.message);
}

isw_status isw_host_run(isw_host *host, isw_error *error)
{
    isw_status status = isw_host_start(host, error);

    return status == ISW_OK ? isw_host_wait(host, error) : status;
}

/* -- While it runs ----------------------------------------------------------------------------- */

void isw_host_stop(isw_host *host)
{
    iswi_host *engine;

    atomic_fetch_add(&host->stops, 1);
    engine = atomic_load(&host->engine);
    if (engine)
        iswi_host_stop(engine);
}

void isw_host_reload(isw_host *host)
{
    iswi_host *engine = atomic_load(&host->engine);

    if (engine)
        iswi_host_reload(engine);
}

const char *isw_host_url(const isw_host *host)
{
    return isw_host_url_at(host, 0);
}

const char *isw_host_url_at(const isw_host *host, size_t index)
{
    const iswi_host *engine = atomic_load(&host->engine);

    return engine ? iswi_host_address(engine, index) : NULL;
}

/* -- The end ----------------------------------------------------------------------------------- */

void isw_host_destroy(isw_host *host)
{
    iswi_host *engine;

    if (!host)
        return;
    if (host->begun && !host->joined) {
        isw_host_stop(host);
        pthread_join(host->thread, NULL);
    }
    engine = atomic_load(&host->engine);
    iswi_host_destroy(engine);
    if (host->end.status != ISW_OK)
        iswi_takeover_refuse(host->takeover, host->end.message);
    iswi_takeover_destroy(host->takeover);
    iswi_config_close(host->config);
    iswi_faults_fini(&host->faults);
    iswi_buffer_fini(&host->workers);
    iswi_arena_fini(&host->arena);
    pthread_cond_destroy(&host->turned);
    pthread_mutex_destroy(&host->lock);
    iswi_free(host->names);
    iswi_free(host->folder);
    iswi_free(host);
}
