/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates in force, and the taking over of new files. Invariant: those in force could be
 * used when they were read, whatever became of their files. */
#include "host/tls/internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/system/file_look.h"

#include <pthread.h>

#define FRESH_NS (INT64_C(12) * 3600 * 1000000000) /* keys of tickets are not used for longer */

/* Of a file: as it was when it was read, or refused; and at the last look. */
typedef struct watched {
    const char *path;
    iswi_file_look known, seen;
} watched;

struct iswi_tls {
    iswi_tls_options options;
    iswi_tls_ear ear;
    BIO_METHOD *socket_kind;
    pthread_mutex_t lock; /* of what follows, down to `refusals` */
    iswi_tls_contexts *contexts;
    isw_error refused; /* ISW_OK: those in force are what the files hold */
    uint64_t refusals;
    int64_t read_ns;
    size_t count;
    watched files[];
};

iswi_tls_contexts *iswi_tls_contexts_take(iswi_tls *tls)
{
    iswi_tls_contexts *contexts;

    pthread_mutex_lock(&tls->lock);
    contexts = tls->contexts;
    atomic_fetch_add(&contexts->holders, 1);
    pthread_mutex_unlock(&tls->lock);
    return contexts;
}

const BIO_METHOD *iswi_tls_socket_of(const iswi_tls *tls)
{
    return tls->socket_kind;
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static void watch_file(iswi_tls *tls, const char *path)
{
    tls->files[tls->count].path = path;
    tls->files[tls->count++].seen = iswi_file_look_at(path);
}

/* Before they are read: a change while they are is one that the next look sees. */
static void watch_files(iswi_tls *tls)
{
    for (size_t i = 0; i < iswi_tls_certificate_count(&tls->options); i++) {
        const iswi_tls_certificate *files = iswi_tls_certificate_at(&tls->options, i);

        watch_file(tls, files->chain);
        watch_file(tls, files->key);
    }
    if (tls->options.client_ca)
        watch_file(tls, tls->options.client_ca);
}

static void know_what_was_seen(iswi_tls *tls)
{
    for (size_t i = 0; i < tls->count; i++)
        tls->files[i].known = tls->files[i].seen;
    tls->read_ns = iswi_now_ns();
}

static isw_status begin(iswi_tls *tls, iswi_tls_fault *fault, isw_error *error)
{
    tls->socket_kind = iswi_tls_socket_kind();
    if (!tls->socket_kind)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for TLS");
    watch_files(tls);
    know_what_was_seen(tls);
    return iswi_tls_contexts_read(&tls->options, &tls->contexts, fault, error);
}

isw_status iswi_tls_create(const iswi_tls_options *options, iswi_tls **out, iswi_tls_fault *fault,
                           isw_error *error)
{
    const size_t files = 2 * iswi_tls_certificate_count(options) + 1;
    iswi_tls *tls = iswi_calloc(1, sizeof *tls + files * sizeof tls->files[0]);
    isw_status status;

    if (!tls)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for TLS");
    tls->options = *options;
    tls->ear = (iswi_tls_ear){ options->say, options->user };
    pthread_mutex_init(&tls->lock, NULL);
    status = begin(tls, fault, error);
    if (status)
        iswi_tls_destroy(tls);
    else
        *out = tls;
    return status;
}

void iswi_tls_destroy(iswi_tls *tls)
{
    if (!tls)
        return;
    iswi_tls_contexts_release(tls->contexts);
    BIO_meth_free(tls->socket_kind);
    pthread_mutex_destroy(&tls->lock);
    iswi_free(tls);
}

/* -- New files --------------------------------------------------------------------------------- */

static void note_refusal(iswi_tls *tls, const isw_error *error)
{
    pthread_mutex_lock(&tls->lock);
    tls->refused = *error;
    tls->refusals++;
    pthread_mutex_unlock(&tls->lock);
    iswi_tls_say(&tls->ear, ISW_LOG_ERROR,
                 "%s; new connections get the certificates as they were before", error->message);
}

static void put_in_force(iswi_tls *tls, iswi_tls_contexts *contexts)
{
    iswi_tls_contexts *before;

    pthread_mutex_lock(&tls->lock);
    before = tls->contexts;
    tls->contexts = contexts;
    tls->refused.status = ISW_OK;
    pthread_mutex_unlock(&tls->lock);
    iswi_tls_contexts_release(before);
}

static void read_again(iswi_tls *tls)
{
    iswi_tls_contexts *contexts;
    isw_error error = { ISW_OK, "" };

    know_what_was_seen(tls);
    if (iswi_tls_contexts_read(&tls->options, &contexts, NULL, &error) != ISW_OK) {
        note_refusal(tls, &error);
        return;
    }
    put_in_force(tls, contexts);
    iswi_tls_say(&tls->ear, ISW_LOG_INFO,
                 "certificates were read again; new connections get what is in %s%s",
                 tls->options.first.chain, tls->options.other_count ? " and others" : "");
}

/* Whether some file is another than was known; *still: and each was the same at the last look. */
static bool has_changed(iswi_tls *tls, bool *still)
{
    bool changed = false;

    *still = true;
    for (size_t i = 0; i < tls->count; i++) {
        watched *file = &tls->files[i];
        iswi_file_look now = iswi_file_look_at(file->path);

        *still = *still && iswi_file_look_same(&now, &file->seen);
        changed = changed || !iswi_file_look_same(&now, &file->known);
        file->seen = now;
    }
    return changed;
}

void iswi_tls_look(iswi_tls *tls, bool asked)
{
    bool still;
    bool changed = has_changed(tls, &still);

    if (asked || (changed && still) || iswi_now_ns() - tls->read_ns > FRESH_NS)
        read_again(tls);
}

/* -- For those who ask ------------------------------------------------------------------------- */

bool iswi_tls_refused(iswi_tls *tls, isw_error *out)
{
    pthread_mutex_lock(&tls->lock);
    *out = tls->refused;
    pthread_mutex_unlock(&tls->lock);
    return out->status != ISW_OK;
}

uint64_t iswi_tls_refusals(iswi_tls *tls)
{
    uint64_t count;

    pthread_mutex_lock(&tls->lock);
    count = tls->refusals;
    pthread_mutex_unlock(&tls->lock);
    return count;
}

const char *iswi_tls_expiry(iswi_tls *tls, size_t index, int64_t *expires_s)
{
    iswi_tls_contexts *contexts;

    if (index >= iswi_tls_certificate_count(&tls->options))
        return NULL;
    contexts = iswi_tls_contexts_take(tls);
    *expires_s = iswi_tls_expires_s(SSL_CTX_get0_certificate(contexts->items[index]));
    iswi_tls_contexts_release(contexts);
    return iswi_tls_certificate_at(&tls->options, index)->chain;
}
