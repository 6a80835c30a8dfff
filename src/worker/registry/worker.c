/* SPDX-License-Identifier: Apache-2.0 */
/* A worker before it runs: what the program registers, and the chains made from it. */
#include "worker/registry/worker.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef ISWI_STATIC /* modules elsewhere: middleware/modules.cmake */
extern const isw_middleware isw_middleware_auth, isw_middleware_compress;
#endif

static const isw_middleware *const builtin[] = {
#ifdef ISWI_STATIC
    &isw_middleware_auth,
    &isw_middleware_compress,
#endif
    &isw_middleware_circuit_breaker,
    &isw_middleware_cors,
    &isw_middleware_error_handling,
    &isw_middleware_idempotency,
    &isw_middleware_logging,
    &isw_middleware_metrics,
    &isw_middleware_rate_limit,
    &isw_middleware_retry,
    &isw_middleware_timeout,
    &isw_middleware_trace,
    &isw_middleware_validate,
};

static bool copy_text(char **out, const char *text)
{
    *out = text ? iswi_strdup(text) : NULL;
    return *out || !text;
}

/* Under a host standard output is a pipe, which C buffers by the block: what a function prints
 * would be seen late, and never if the process crashes. So it is in an IDE. */
static void print_at_once(void)
{
    bool has_token = getenv("ISOWORKER_TOKEN_FD") || getenv("ISOWORKER_TOKEN_FILE");

    if ((getenv("ISOWORKER_URL") && has_token) || getenv("ISOWORKER_TEMPLATE_FD")) {
        fflush(stdout);
        setvbuf(stdout, NULL, _IONBF, 0);
    }
}

isw_status isw_worker_create(const isw_worker_options *options, isw_worker **out, isw_error *error)
{
    static const isw_worker_options defaults = ISW_WORKER_OPTIONS_INIT;
    isw_worker *worker = iswi_calloc(1, sizeof *worker);
    isw_status status = ISW_OK;

    if (!worker)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a worker");
    if (!options)
        options = &defaults;
    print_at_once();
    pthread_mutex_init(&worker->reload_lock, NULL);
    iswi_arena_init(&worker->arena, 16 * 1024);
    worker->token_fd = options->token_fd;
    if (pipe2(worker->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no descriptors for a worker: %s",
                               strerror(errno));
    if (!iswi_shared_init(&worker->shared) ||
        !copy_text(&worker->config_path, options->config_path) ||
        !copy_text(&worker->config_text, options->config_text) ||
        !copy_text(&worker->url, options->url))
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a worker");
    if (status == ISW_OK)
        iswi_services_set_stores(worker->shared.services, &worker->stores.place);
    for (size_t i = 0; status == ISW_OK && i < sizeof builtin / sizeof builtin[0]; i++)
        status = iswi_registry_add(&worker->registry, builtin[i], error);
    if (status == ISW_OK)
        *out = worker;
    else
        isw_worker_destroy(worker);
    return status;
}

static void end_generations(isw_worker *worker)
{
    iswi_generation *at = atomic_load(&worker->generation);

    iswi_generation_drop(at);
    while (at) {
        iswi_generation *older = at->older;

        iswi_free(at);
        at = older;
    }
}

static void close_wake(isw_worker *worker)
{
    if (worker->wake[0] == worker->wake[1]) /* it never was */
        return;
    close(worker->wake[0]);
    close(worker->wake[1]);
}

void isw_worker_destroy(isw_worker *worker)
{
    if (!worker)
        return;
    end_generations(worker);
    pthread_mutex_destroy(&worker->reload_lock);
    iswi_shared_fini(&worker->shared);
    iswi_stores_end(&worker->stores);
    iswi_registry_fini(&worker->registry);
    iswi_arena_fini(&worker->arena);
    iswi_free(worker->functions);
    iswi_free(worker->sorted);
    iswi_free(worker->config_path);
    iswi_free(worker->config_text);
    iswi_free(worker->url);
    close_wake(worker);
    iswi_free(worker);
}

/* -- Registration ------------------------------------------------------------------------------ */

/* Whether there is one of that name; *place is where it is, or where it belongs. */
static bool find_sorted(const isw_worker *worker, const char *name, size_t *place)
{
    size_t low = 0;
    size_t high = worker->function_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(worker->sorted[middle]->name, name);

        *place = middle;
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *place = low;
    return false;
}

isw_status isw_worker_add_function(isw_worker *worker, const isw_function *function,
                                   isw_error *error)
{
    const char *name = function->name ? function->name : "";
    size_t count = worker->function_count;
    size_t place;

    assert(!worker->configured);
    if (!iswi_function_name(isw_str_of(name)) || strlen(name) > ISWI_NAME_MAX)
        return isw_error_set(error, ISW_E_INVALID,
                             "\"%s\" is no name for a function: a letter, then letters, digits, "
                             "'_' or '-', at most %d", name, ISWI_NAME_MAX);
    if (!function->handler || !function->trigger.type || !*function->trigger.type)
        return isw_error_set(error, ISW_E_INVALID, "function %s has no %s", name,
                             function->handler ? "trigger" : "handler");
    if (find_sorted(worker, name, &place))
        return isw_error_set(error, ISW_E_CONFLICT, "there are two functions named \"%s\"", name);
    if (!iswi_grow(&worker->functions, &worker->function_capacity, count,
                   sizeof worker->functions[0]) ||
        !iswi_grow(&worker->sorted, &worker->sorted_capacity, count, sizeof worker->sorted[0]))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for function %s", name);
    memmove(&worker->sorted[place + 1], &worker->sorted[place],
            (count - place) * sizeof worker->sorted[0]);
    worker->sorted[place] = function;
    worker->functions[worker->function_count++] = function;
    return ISW_OK;
}

isw_status isw_worker_add_middleware(isw_worker *worker, const isw_middleware *middleware,
                                     isw_error *error)
{
    return iswi_registry_add(&worker->registry, middleware, error);
}

isw_status isw_worker_add_service(isw_worker *worker, const isw_service *service,
                                  isw_error *error)
{
    assert(!worker->configured);
    return iswi_services_add(worker->shared.services, service, false, error);
}

isw_status isw_worker_replace_service(isw_worker *worker, const isw_service *service,
                                      isw_error *error)
{
    assert(!worker->configured);
    return iswi_services_add(worker->shared.services, service, true, error);
}

static void free_generation(iswi_generation *generation)
{
    iswi_generation_drop(generation);
    iswi_free(generation);
}

/* -- Configuration ----------------------------------------------------------------------------- */

static bool init_entry(isw_worker *worker, iswi_entry *entry, const isw_function *function)
{
    entry->function = function;
    entry->category = iswi_arena_printf(&worker->arena, "Function.%s", function->name);
    atomic_init(&entry->threshold, ISW_LOG_INFO);
    atomic_init(&entry->streams, function->streams);
    return entry->category != NULL;
}

static isw_status make_entries(isw_worker *worker, isw_error *error)
{
    size_t count = worker->function_count;
    bool made;

    worker->entries = iswi_arena_calloc(&worker->arena, count + 1, sizeof *worker->entries);
    made = worker->entries != NULL;
    for (size_t i = 0; made && i < count; i++)
        made = init_entry(worker, &worker->entries[i], worker->sorted[i]);
    return made ? ISW_OK : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for functions");
}

/* What the program itself says, before what its YAML says. */
static isw_status check_program(isw_worker *worker, iswi_faults *faults, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    isw_status status = iswi_services_check(worker->shared.services, &own);

    if (status != ISW_OK) {
        iswi_faults_add(faults, own.message);
        isw_error_set(error, status, "%s", own.message);
    }
    if (status == ISW_OK || faults)
        iswi_faults_go_on(faults, iswi_worker_check_triggers(worker, faults, error), &status);
    return status;
}

isw_status iswi_worker_configure(isw_worker *worker, iswi_faults *faults, isw_error *error)
{
    iswi_generation *generation = NULL;
    isw_status all;

    if (worker->configured)
        return ISW_OK;
    all = check_program(worker, faults, error);
    if (all != ISW_OK && !faults)
        return all;
    if (!worker->entries && !iswi_faults_go_on(faults, make_entries(worker, error), &all))
        return all;
    iswi_faults_go_on(faults, iswi_generation_create(worker, NULL, faults, &generation, error),
                      &all);
    if (all != ISW_OK) {
        free_generation(generation);
        return all;
    }
    worker->settings = generation->settings;
    atomic_store(&worker->generation, generation);
    worker->configured = true;
    return ISW_OK;
}

isw_status isw_worker_configure(isw_worker *worker, isw_error *error)
{
    return iswi_worker_configure(worker, NULL, error);
}

isw_status isw_worker_reload(isw_worker *worker, isw_error *error)
{
    return iswi_worker_reload(worker, NULL, error);
}

isw_status iswi_worker_reload(isw_worker *worker, iswi_faults *faults, isw_error *error)
{
    iswi_generation *generation = NULL;
    iswi_generation *old;
    isw_status status;

    assert(worker->configured);
    pthread_mutex_lock(&worker->reload_lock);
    old = atomic_load(&worker->generation);
    status = iswi_generation_create(worker, old, faults, &generation, error);
    if (status == ISW_OK) {
        generation->older = old;
        atomic_store(&worker->generation, generation);
        iswi_generation_drop(old);
    }
    pthread_mutex_unlock(&worker->reload_lock);
    return status;
}

isw_status iswi_worker_start(isw_worker *worker, isw_error *error)
{
    isw_status status;

    if (atomic_load(&worker->begun) == ISWI_BEGUN)
        return ISW_OK;
    status = iswi_services_start(worker->shared.services, error);
    atomic_store(&worker->begun, status == ISW_OK ? ISWI_BEGUN : ISWI_BEGUN_IN_VAIN);
    return status;
}

iswi_entry *iswi_worker_entry(const isw_worker *worker, isw_str name)
{
    size_t low = 0;
    size_t high = worker->function_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *at = worker->entries[middle].function->name;
        int order = strncmp(at, name.data, name.size);

        if (order == 0 && at[name.size] == '\0')
            return &worker->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

unsigned iswi_worker_limit(const isw_worker *worker)
{
    int64_t limit = worker->settings.max_in_flight;

    if (!limit)
        limit = 4 * worker->settings.concurrency;
    return (unsigned)(limit < ISWI_CREDIT_MAX ? limit : ISWI_CREDIT_MAX);
}

isw_status iswi_worker_forked(isw_worker *worker, isw_error *error)
{
    close_wake(worker);
    if (pipe2(worker->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        worker->wake[0] = worker->wake[1] = 0;
        return isw_error_set(error, ISW_E_IO, "no descriptors for a worker: %s", strerror(errno));
    }
    iswi_stores_forked(&worker->stores);
    iswi_metrics_forked(worker->shared.metrics);
    return ISW_OK;
}

bool iswi_worker_set_config(isw_worker *worker, const char *path)
{
    iswi_free(worker->config_path);
    return copy_text(&worker->config_path, path);
}

int iswi_worker_take_token_fd(isw_worker *worker)
{
    int fd = worker->token_fd;

    worker->token_fd = -1;
    return fd;
}

void iswi_worker_set_debugged(isw_worker *worker)
{
    worker->debugged = true;
}

void iswi_worker_set_levels(isw_worker *worker, const iswi_log_sink *sink)
{
    for (size_t i = 0; i < worker->function_count; i++) {
        iswi_entry *entry = &worker->entries[i];

        atomic_store(&entry->threshold, (int)sink->threshold(sink->user, entry->category));
    }
}

void iswi_worker_note_streams(iswi_entry *entry)
{
    atomic_store(&entry->streams, true);
}

isw_metrics *isw_worker_metrics(isw_worker *worker)
{
    return worker->shared.metrics;
}

void isw_worker_stop(isw_worker *worker)
{
    atomic_store(&worker->stop_asked, true);
    iswi_worker_wake(worker);
}

void iswi_worker_wake(isw_worker *worker)
{
    int before = errno; /* of whom a signal came upon */

    if (write(worker->wake[1], "", 1) < 0)
        errno = before; /* it is full, so it will look */
}
