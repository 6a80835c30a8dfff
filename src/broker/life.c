/* SPDX-License-Identifier: Apache-2.0 */
/* A broker from its making to its end, as its callers see it. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/internal.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* -- Which driver ------------------------------------------------------------------------------ */

static const iswi_broker_driver *find_driver(const char *place)
{
    for (const iswi_broker_driver *const *at = iswi_broker_drivers; *at; at++) {
        const size_t size = strlen((*at)->scheme);

        if (strncmp(place, (*at)->scheme, size) == 0 && place[size] == ':')
            return *at;
    }
    return NULL;
}

/* What was meant: a file's name alone, or a name that others have for a server. NULL: who knows. */
static const char *meant(const char *place, char *text, size_t size)
{
    if (strncmp(place, "postgres:", 9) == 0)
        return "postgresql:...";
    if (strncmp(place, "sqlite3:", 8) == 0)
        return "sqlite:...";
    if (!*place || strchr(place, ':'))
        return NULL;
    snprintf(text, size, "sqlite:%s", place);
    return text;
}

static isw_status no_driver(const char *place, isw_error *error)
{
    char forms[256] = "";
    char text[256];
    const char *right = meant(place, text, sizeof text);
    size_t used = 0;

    for (const iswi_broker_driver *const *at = iswi_broker_drivers; *at; at++)
        if (used < sizeof forms)
            used += (size_t)snprintf(forms + used, sizeof forms - used, "%s%s", used ? " or " : "",
                                     (*at)->form);
    return isw_error_set(error, ISW_E_CONFIG, "\"%s\" is no place for messages; %s%s%sone is %s",
                         place, right ? "did you mean \"" : "", right ? right : "",
                         right ? "\"? " : "", forms);
}

isw_status iswi_broker_check(const char *place, const char *folder, isw_error *error)
{
    const iswi_broker_driver *driver = find_driver(place);
    isw_status status = driver ? driver->check(place, error) : no_driver(place, error);

    return status == ISW_OK && folder && driver->look ? driver->look(place, folder, error) : status;
}

/* -- Making ------------------------------------------------------------------------------------ */

static void free_texts(iswi_broker_options *options)
{
    iswi_free((char *)options->place);
    iswi_free((char *)options->folder);
    iswi_free((char *)options->host);
}

static void random_name(char out[33])
{
    unsigned char bytes[16] = { 0 };

    iswi_random(bytes, sizeof bytes);
    iswi_hex(bytes, sizeof bytes, out);
}

static bool copy_texts(iswi_broker_options *options)
{
    char name[33];

    random_name(name);
    options->place = iswi_strdup(options->place);
    options->folder = iswi_strdup(options->folder && *options->folder ? options->folder : ".");
    options->host = iswi_strdup(options->host && *options->host ? options->host : name);
    return options->place && options->folder && options->host;
}

static void free_broker(iswi_broker *broker)
{
    if (broker->bell >= 0)
        close(broker->bell);
    if (broker->clock >= 0)
        close(broker->clock);
    free_texts(&broker->options);
    pthread_mutex_destroy(&broker->lock);
    iswi_free(broker->batch);
    iswi_free(broker);
}

static void init(iswi_broker *broker, const iswi_broker_driver *driver,
                 const iswi_broker_options *options)
{
    broker->driver = driver;
    broker->options = *options;
    pthread_mutex_init(&broker->lock, NULL);
    iswi_op_list_init(&broker->inbox);
    iswi_op_list_init(&broker->todo);
    iswi_op_list_init(&broker->waiting);
    iswi_op_list_init(&broker->again);
    broker->due_ms = broker->armed_ms = INT64_MAX;
    broker->apart_us = INT64_MIN;
    broker->rested = true;
    iswi_spin_init(&broker->moment, -1);
    broker->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    broker->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
}

isw_status iswi_broker_create_on(const iswi_broker_driver *driver,
                                 const iswi_broker_options *options, iswi_broker **out,
                                 isw_error *error)
{
    iswi_broker *broker = iswi_calloc(1, sizeof *broker);

    if (!broker)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a broker");
    init(broker, driver, options);
    if (copy_texts(&broker->options) && broker->bell >= 0 && broker->clock >= 0) {
        *out = broker;
        return ISW_OK;
    }
    isw_error_set(error, ISW_E_NO_MEMORY, "no memory or descriptors for a broker");
    free_broker(broker);
    return ISW_E_NO_MEMORY;
}

isw_status iswi_broker_create(const iswi_broker_options *options, iswi_broker **out,
                              isw_error *error)
{
    const isw_status status = iswi_broker_check(options->place, NULL, error);

    return status ? status
                  : iswi_broker_create_on(find_driver(options->place), options, out, error);
}

/* -- Operations -------------------------------------------------------------------------------- */

/* With the lock. */
static void ring(iswi_broker *broker)
{
    const uint64_t one = 1;

    if (broker->asleep)
        (void)!write(broker->bell, &one, sizeof one);
    broker->asleep = false;
}

/* With the lock. An errno, or 0. */
static int start(iswi_broker *broker)
{
    int failure;

    if (broker->started)
        return 0;
    failure = pthread_create(&broker->thread, NULL, iswi_broker_thread, broker);
    broker->started = !failure;
    return failure;
}

void iswi_broker_submit(iswi_broker *broker, iswi_broker_op *op)
{
    int failure;
    bool ended;

    memset(&op->error, 0, sizeof op->error.status + 1);
    op->recalled = op->tried = false;
    pthread_mutex_lock(&broker->lock);
    ended = broker->ended;
    failure = ended ? 0 : start(broker);
    if (!ended && !failure) {
        iswi_op_list_add(&broker->inbox, op);
        atomic_fetch_add_explicit(&broker->came, 1, memory_order_relaxed);
        ring(broker);
    }
    pthread_mutex_unlock(&broker->lock);
    if (ended)
        isw_error_set(&op->error, ISW_E_CLOSED, "the broker has ended");
    else if (failure)
        isw_error_set(&op->error, ISW_E_NO_MEMORY, "no thread for the broker: %s",
                      strerror(failure));
    if (ended || failure)
        op->done(op);
}

void iswi_broker_recall(iswi_broker *broker, iswi_broker_op *op)
{
    pthread_mutex_lock(&broker->lock);
    op->recalled = broker->recalls = true;
    ring(broker);
    pthread_mutex_unlock(&broker->lock);
}

static void on_done(iswi_broker_op *op)
{
    sem_post(op->user);
}

isw_status iswi_broker_run(iswi_broker *broker, iswi_broker_op *op)
{
    const iswi_broker_done_fn done = op->done;
    void *const user = op->user;
    sem_t waited;

    sem_init(&waited, 0, 0);
    op->done = on_done;
    op->user = &waited;
    iswi_broker_submit(broker, op);
    while (sem_wait(&waited) != 0 && errno == EINTR)
        continue;
    sem_destroy(&waited);
    op->done = done;
    op->user = user;
    return op->error.status;
}

/* -- Looks, and the end ------------------------------------------------------------------------ */

bool iswi_broker_is_well(iswi_broker *broker, isw_error *error)
{
    isw_error trouble;
    int64_t since_ms;

    pthread_mutex_lock(&broker->lock);
    trouble = broker->trouble;
    since_ms = broker->trouble_since_ms;
    pthread_mutex_unlock(&broker->lock);
    if (trouble.status)
        isw_error_set(error, trouble.status, "%s (for %lld s)", trouble.message,
                      (long long)(iswi_now_ns() / 1000000 - since_ms) / 1000);
    return trouble.status == ISW_OK;
}

const char *iswi_broker_scheme(const iswi_broker *broker)
{
    return broker->driver->scheme;
}

unsigned iswi_broker_abilities(const iswi_broker *broker)
{
    return broker->driver->abilities;
}

void iswi_broker_end(iswi_broker *broker)
{
    bool started;

    if (!broker || broker->joined)
        return;
    pthread_mutex_lock(&broker->lock);
    broker->ending = true;
    started = broker->started;
    broker->ended = !started; /* else its thread says so, when nothing is left */
    ring(broker);
    pthread_mutex_unlock(&broker->lock);
    if (started)
        pthread_join(broker->thread, NULL);
    broker->joined = true;
}

void iswi_broker_destroy(iswi_broker *broker)
{
    iswi_broker_end(broker);
    if (broker)
        free_broker(broker);
}

bool iswi_broker_is_begun(iswi_broker *broker)
{
    bool begun;

    pthread_mutex_lock(&broker->lock);
    begun = broker->started;
    pthread_mutex_unlock(&broker->lock);
    return begun;
}
