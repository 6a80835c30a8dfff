/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame `reload`. A middleware's start may block, so the configuration is read on a thread of
 * its own. Invariant: there is one such thread at most, and its answer is sent before the next one
 * is made.
 */
#include "base/thread.h"
#include "worker/session/internal.h"

#include <stdlib.h>
#include <unistd.h>

static void reply(iswi_session *session, uint64_t id, isw_status status, const char *message)
{
    iswi_frame frame = { .kind = ISWI_RELOADED, .id = id };

    if (status != ISW_OK)
        frame.as.reloaded.status = iswi_status_to_wire(status, message);
    iswi_session_reply(session, &frame);
}

/* All of a list, as far as a frame takes it. */
static isw_str lines_of(iswi_faults *list)
{
    isw_str text = isw_str_of(list->count ? iswi_buffer_text(&list->lines) : NULL);

    while (text.size > ISWI_TEXT_MAX || (text.size && text.data[text.size - 1] != '\n'))
        text.size--;
    text.size -= text.size > 0; /* the last line feed */
    return text;
}

static void reply_configured(iswi_session *session, uint64_t id, isw_status status,
                             iswi_faults *faults, const isw_error *error)
{
    iswi_frame frame = { .kind = ISWI_RELOADED, .id = id };
    iswi_reloaded *reloaded = &frame.as.reloaded;
    iswi_faults waits = { .count = 0 };

    if (status == ISW_OK) {
        iswi_worker_warn_of_doubts(session->worker, faults);
        iswi_worker_waits(session->worker, &waits);
        reloaded->warnings = lines_of(faults);
        reloaded->waits = lines_of(&waits);
    } else {
        reloaded->status = iswi_status_to_wire(status, error->message);
        if (faults->count && iswi_buffer_text(&faults->lines))
            reloaded->status.message = lines_of(faults);
    }
    iswi_session_reply(session, &frame);
    iswi_faults_fini(&waits);
}

/* -- The environment --------------------------------------------------------------------------- */

static isw_status set_variable(const isw_pair *pair, iswi_arena *arena)
{
    const char *name = iswi_arena_strndup(arena, pair->name.data, pair->name.size);
    const char *value = iswi_arena_strndup(arena, pair->value.data, pair->value.size);

    if (!name || !value)
        return ISW_E_NO_MEMORY;
    return (*value ? setenv(name, value, 1) : unsetenv(name)) == 0 ? ISW_OK : ISW_E_INVALID;
}

static isw_status set_environment(const iswi_reload *reload, iswi_arena *arena, isw_error *error)
{
    const char *path = iswi_arena_strndup(arena, reload->directory.data, reload->directory.size);

    for (size_t i = 0; i < reload->environment.count; i++)
        if (set_variable(&reload->environment.items[i], arena) != ISW_OK)
            return isw_error_set(error, ISW_E_INVALID, "a variable was refused");
    if (reload->directory.size && (!path || chdir(path) != 0))
        return isw_error_set(error, ISW_E_IO, "the folder was refused");
    return ISW_OK;
}

/* -- The configuration ------------------------------------------------------------------------- */

static void *read_again(void *user)
{
    iswi_session *session = user;
    isw_error error = { ISW_OK, "" };
    iswi_faults faults = { .count = 0 };
    isw_status status;
    uint64_t id;

    iswi_thread_name("isw-reload");
    status = iswi_worker_reload(session->worker, &faults, &error);
    pthread_mutex_lock(&session->lock);
    id = session->reload_id;
    session->reloading = false;
    pthread_mutex_unlock(&session->lock);
    reply_configured(session, id, status, &faults, &error);
    iswi_faults_fini(&faults);
    return NULL;
}

static isw_status begin(iswi_session *session, uint64_t id, isw_error *error)
{
    bool busy;

    pthread_mutex_lock(&session->lock);
    busy = session->reloading;
    if (!busy)
        session->reload_id = id;
    session->reloading = true;
    pthread_mutex_unlock(&session->lock);
    if (busy)
        return isw_error_set(error, ISW_E_BUSY, "the configuration is being read already");
    iswi_session_end_reload(session);
    session->reloaded = pthread_create(&session->reloader, NULL, read_again, session) == 0;
    if (session->reloaded)
        return ISW_OK;
    pthread_mutex_lock(&session->lock);
    session->reloading = false;
    pthread_mutex_unlock(&session->lock);
    return isw_error_set(error, ISW_E_NO_MEMORY, "no thread to read the configuration");
}

void iswi_session_end_reload(iswi_session *session)
{
    if (session->reloaded)
        pthread_join(session->reloader, NULL);
    session->reloaded = false;
}

void iswi_session_reload(iswi_session *session, uint64_t id, const iswi_reload *reload)
{
    isw_error error = { ISW_OK, "" };
    isw_status status = set_environment(reload, &session->inbound, &error);

    if (status == ISW_OK && reload->configuration) {
        status = begin(session, id, &error);
        if (status == ISW_OK)
            return; /* it answers when it is done */
    }
    reply(session, id, status, error.message);
}
