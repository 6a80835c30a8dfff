/* SPDX-License-Identifier: Apache-2.0 */
/* From a call to a file. Invariant: a file is whole when it has its name, for it is written under
 * another one; and there are `keep` of them at most, the oldest goes for the newest. */
#include "host/debug/record.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/observer.h"
#include "host/debug/record_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAITING_MAX = 1024, WAITING_BYTES = 64 * 1024 * 1024, NAME_BYTES = 224 };

typedef struct record {
    struct record *next;
    char name[NAME_BYTES];
    iswi_buffer text;
} record;

typedef struct recording {
    iswi_host *host;
    char *folder;
    char (*kept)[NAME_BYTES]; /* names of the files, around in a ring */
    size_t written;           /* since the start; only the thread's */
    bool told_fault;          /* that files cannot be written; only the thread's */
    atomic_size_t dropped;    /* for want of room, of memory, or on the disk */
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    record *first, *last;
    size_t waiting, bytes;
    bool stopping;
} recording;

/* -- The queue --------------------------------------------------------------------------------- */

static void give_up(recording *recorder, record *r)
{
    atomic_fetch_add(&recorder->dropped, 1);
    iswi_buffer_fini(&r->text);
    iswi_free(r);
}

/* Owns the record. */
static void push(recording *recorder, record *r)
{
    bool full;

    pthread_mutex_lock(&recorder->lock);
    full = recorder->waiting >= WAITING_MAX || recorder->bytes + r->text.size > WAITING_BYTES;
    if (!full) {
        *(recorder->last ? &recorder->last->next : &recorder->first) = r;
        recorder->last = r;
        recorder->waiting++;
        recorder->bytes += r->text.size;
        pthread_cond_signal(&recorder->changed);
    }
    pthread_mutex_unlock(&recorder->lock);
    if (full)
        give_up(recorder, r);
}

static void on_answered(void *user, const iswi_call *call, const iswi_answer *answer)
{
    recording *recorder = user;
    const iswi_record_settings *settings = &iswi_host_settings_of(recorder->host)->record;
    record *r = iswi_calloc(1, sizeof *r);
    iswi_secrets secrets;
    char time[32];

    if (!r || iswi_host_has_unread_secrets(recorder->host)) { /* what is a secret may be news */
        atomic_fetch_add(&recorder->dropped, 1);
        iswi_free(r);
        return;
    }
    secrets = (iswi_secrets){ &settings->redact, iswi_host_secrets(recorder->host) };
    iswi_record_time(iswi_wall_us(), true, time, sizeof time);
    snprintf(r->name, sizeof r->name, "%s-%s-%s.json", time,
             iswi_host_function_name(call->function), call->invocation_id);
    if (iswi_record_text(&secrets, (size_t)settings->body_limit, call, answer, &r->text))
        push(recorder, r);
    else
        give_up(recorder, r);
}

/* -- Files ------------------------------------------------------------------------------------- */

static bool write_file(const recording *recorder, const record *r)
{
    char path[PATH_MAX];
    char hidden[PATH_MAX];
    bool written;
    int fd;

    snprintf(path, sizeof path, "%s/%s", recorder->folder, r->name);
    snprintf(hidden, sizeof hidden, "%s/.%s", recorder->folder, r->name);
    fd = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    written = write(fd, r->text.data, r->text.size) == (ssize_t)r->text.size;
    written = close(fd) == 0 && written && rename(hidden, path) == 0;
    if (!written)
        unlink(hidden);
    return written;
}

static void keep(recording *recorder, const record *r)
{
    size_t most = (size_t)iswi_host_settings_of(recorder->host)->record.keep;
    char *place = recorder->kept[recorder->written % most];
    char path[PATH_MAX];

    if (!write_file(recorder, r)) {
        if (!recorder->told_fault)
            iswi_say(recorder->host, ISW_LOG_ERROR,
                     "nothing can be recorded in %s: %s", recorder->folder,
                     strerror(errno));
        recorder->told_fault = true;
        atomic_fetch_add(&recorder->dropped, 1);
        return;
    }
    if (*place) {
        snprintf(path, sizeof path, "%s/%s", recorder->folder, place);
        unlink(path);
    }
    memcpy(place, r->name, NAME_BYTES);
    recorder->written++;
}

static void *write_all(void *user)
{
    recording *recorder = user;
    record *r;

    iswi_thread_name("isw-record");
    pthread_mutex_lock(&recorder->lock);
    for (;;) {
        while (!recorder->first && !recorder->stopping)
            pthread_cond_wait(&recorder->changed, &recorder->lock);
        r = recorder->first;
        if (!r)
            break;
        recorder->first = r->next;
        if (!recorder->first)
            recorder->last = NULL;
        recorder->waiting--;
        recorder->bytes -= r->text.size;
        pthread_mutex_unlock(&recorder->lock);
        keep(recorder, r);
        iswi_buffer_fini(&r->text);
        iswi_free(r);
        pthread_mutex_lock(&recorder->lock);
    }
    pthread_mutex_unlock(&recorder->lock);
    return NULL;
}

/* -- Life -------------------------------------------------------------------------------------- */

static void destroy(recording *recorder)
{
    pthread_cond_destroy(&recorder->changed);
    pthread_mutex_destroy(&recorder->lock);
    iswi_free(recorder->folder);
    iswi_free(recorder->kept);
    iswi_free(recorder);
}

/* Write what waits, and say how much there was. */
static void stop(void *user)
{
    recording *recorder = user;
    size_t dropped;

    pthread_mutex_lock(&recorder->lock);
    recorder->stopping = true;
    pthread_cond_signal(&recorder->changed);
    pthread_mutex_unlock(&recorder->lock);
    pthread_join(recorder->thread, NULL);
    dropped = atomic_load(&recorder->dropped);
    iswi_say(recorder->host, dropped ? ISW_LOG_WARNING : ISW_LOG_INFO,
             "%zu invocation%s recorded in %s, %zu dropped", recorder->written,
             recorder->written == 1 ? "" : "s", recorder->folder, dropped);
    destroy(recorder);
}

static const iswi_observer observer = { .answered = on_answered,
                                        .looks_at_outputs = true,
                                        .destroy = stop };

isw_status iswi_record_attach(iswi_host *host, const char *folder, isw_error *error)
{
    recording *recorder;

    if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || access(folder, W_OK | X_OK) != 0)
        return isw_error_set(error, ISW_E_IO, "nothing can be recorded in %s: %s", folder,
                             strerror(errno));
    recorder = iswi_calloc(1, sizeof *recorder);
    if (!recorder)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory to record");
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->changed, NULL);
    recorder->host = host;
    recorder->folder = iswi_strdup(folder);
    recorder->kept = iswi_calloc((size_t)iswi_host_settings_of(host)->record.keep, NAME_BYTES);
    if (!recorder->folder || !recorder->kept ||
        pthread_create(&recorder->thread, NULL, write_all, recorder) != 0) {
        destroy(recorder);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory to record");
    }
    if (iswi_host_observe(host, &observer, recorder, error) != ISW_OK) {
        stop(recorder);
        return error->status;
    }
    return ISW_OK;
}
