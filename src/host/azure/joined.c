/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the host that belong to an invocation: they bear its id, and how they end is how that
 * ends. Where several are parts of one, a batch of events, it ends as the request does that brought them. Of a request it is told by a header, whether it came with its invocation or by itself; and
 * one that came by itself may be over before its invocation is heard of.
 */
#include "host/azure/outbox.h"
#include "host/engine/observer.h"

/* Whose it is; NULL: nobody's. */
static const isw_str *invocation_of(const iswi_call *call)
{
    if (call->trigger.type != ISW_VALUE_HTTP)
        return NULL;
    return isw_pairs_find(&call->trigger.as.http->headers, ISWI_AZURE_HEADER);
}

/* With the lock. The record of one whose invocation has not come; NULL: it is not waited for, or no
 * memory. */
static iswi_azure_call *find_or_make(iswi_azure *azure, const char *key, isw_str id)
{
    iswi_azure_call *call = iswi_azure_find(&azure->calls, key);

    if (call || !azure->options.forwards || !(call = iswi_azure_call_create(azure, id)))
        return call;
    call->way = ISWI_AZURE_EARLY;
    iswi_azure_find_add(&azure->calls, call);
    return call;
}

static void on_begin(void *user, iswi_call *call)
{
    const isw_str *id = invocation_of(call);
    iswi_azure *azure = user;
    iswi_azure_call *record;

    if (call->events == &iswi_azure_call_events)
        memcpy(call->invocation_id, ((iswi_azure_call *)call->user)->key,
               sizeof call->invocation_id);
    if (!id || call->events == &iswi_azure_call_events)
        return;
    iswi_azure_key(*id, call->invocation_id);
    pthread_mutex_lock(&azure->calls.lock);
    record = find_or_make(azure, call->invocation_id, *id); /* for its lines */
    if (record) {
        record->begun = true;
        record->several = record->several || call->is_part;
    }
    pthread_mutex_unlock(&azure->calls.lock);
}

void iswi_azure_unheard(void *user, const isw_http *request, unsigned status)
{
    const isw_str *id = isw_pairs_find(&request->headers, ISWI_AZURE_HEADER);
    char key[ISWI_AZURE_KEY_BYTES];
    iswi_azure *azure = user;
    iswi_azure_call *record;
    bool over;

    if (!id)
        return;
    iswi_azure_key(*id, key);
    pthread_mutex_lock(&azure->calls.lock);
    record = find_or_make(azure, key, *id);
    over = record && record->way == ISWI_AZURE_FORWARD;
    if (record)
        iswi_azure_conclude_unheard(record, status);
    if (over || (record && record->way == ISWI_AZURE_ABANDONED))
        iswi_azure_find_remove(&azure->calls, record);
    if (record && record->way == ISWI_AZURE_ABANDONED)
        iswi_azure_find_bury(&azure->calls, record);
    pthread_mutex_unlock(&azure->calls.lock);
    if (over)
        iswi_azure_answer(record, NULL);
}

static void on_answered(void *user, const iswi_call *call, const iswi_answer *answer)
{
    const isw_str *id = invocation_of(call);
    iswi_azure *azure = user;
    iswi_azure_call *record;
    bool over = false;

    if (!id || call->events == &iswi_azure_call_events || call->is_part)
        return;
    pthread_mutex_lock(&azure->calls.lock);
    record = find_or_make(azure, call->invocation_id, *id);
    if (record && record->way != ISWI_AZURE_CALL)
        iswi_azure_conclude(record, call->function, answer, true);
    over = record && (record->way == ISWI_AZURE_FORWARD || record->way == ISWI_AZURE_ABANDONED);
    if (over)
        iswi_azure_find_remove(&azure->calls, record);
    if (over && record->way == ISWI_AZURE_ABANDONED) {
        iswi_azure_find_bury(&azure->calls, record);
        over = false;
    }
    pthread_mutex_unlock(&azure->calls.lock);
    if (over)
        iswi_azure_answer(record, NULL);
}

/* Take one out that has waited for so long; NULL: there is none. *next_ns: when the next one has. */
static iswi_azure_call *take_late(iswi_azure *azure, int64_t now_ns, int64_t *next_ns)
{
    iswi_azure_call *late = NULL;

    pthread_mutex_lock(&azure->calls.lock);
    for (size_t i = 0; i < ISWI_AZURE_LINES && !late; i++)
        for (iswi_azure_call *at = azure->calls.lines[i]; at && !late; at = at->next) {
            const int64_t due_ns = at->since_ns + azure->patience_ns;

            if ((at->way != ISWI_AZURE_FORWARD && at->way != ISWI_AZURE_ABANDONED) || at->begun)
                continue;
            if (due_ns <= now_ns)
                late = at;
            else if (due_ns < *next_ns)
                *next_ns = due_ns;
        }
    if (late) {
        iswi_azure_find_remove(&azure->calls, late);
        iswi_azure_conclude_unheard(late, 0);
    }
    pthread_mutex_unlock(&azure->calls.lock);
    return late;
}

void iswi_azure_tend_forwarded(iswi_azure *azure, int64_t now_ns, int64_t *next_ns)
{
    iswi_azure_call *late;

    if (!azure->options.forwards ||
        !(atomic_load(&azure->calls.count) + atomic_load(&azure->calls.abandoned)))
        return;
    while ((late = take_late(azure, now_ns, next_ns)) != NULL)
        if (late->way == ISWI_AZURE_ABANDONED)
            iswi_azure_call_free(late);
        else
            iswi_azure_answer(late, NULL);
}

static const iswi_observer observer = { .begins = on_begin, .answered = on_answered };

isw_status iswi_azure_join(iswi_azure *azure, isw_error *error)
{
    return iswi_host_observe(azure->host, &observer, azure, error);
}

bool iswi_azure_put_out(iswi_azure *azure, const char *key, iswi_outbox *box)
{
    iswi_azure_call *record;

    pthread_mutex_lock(&azure->calls.lock);
    record = find_or_make(azure, key, isw_str_of(key));
    if (record && record->way == ISWI_AZURE_ABANDONED)
        record = NULL;
    if (record) {
        ((iswi_azure_outbox *)box)->next = (iswi_azure_outbox *)record->outputs;
        record->outputs = box;
    }
    pthread_mutex_unlock(&azure->calls.lock);
    return record != NULL;
}
