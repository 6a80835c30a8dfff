/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: as many calls at a time as the function takes, and one answer behind all of them. What
 * failed of it makes it a failure, so that it comes again, and with it what did not: a function knows an
 * event that it has seen by source and id.
 */
#include "base/alloc.h"
#include "host/cloudevents/internal.h"
#include "host/engine/look.h"

#include <pthread.h>
#include <stdio.h>

typedef struct batch {
    iswi_host *host;
    iswi_http_request *request;
    iswi_call *calls;
    size_t count, most;

    pthread_mutex_t lock; /* guards what follows */
    size_t next, running, failed;
    bool turning; /* somebody begins calls, and sees what ends meanwhile */
    int status;   /* of the first that failed, */
    isw_status why;
    bool retriable;
    uint64_t retry_after_ms;
} batch;

static void finish(batch *all)
{
    iswi_http_request *request = all->request;
    char sentence[128];

    if (!all->failed) {
        iswi_http_answer(request, &(isw_http){ .status = 204 }, NULL, NULL);
    } else {
        snprintf(sentence, sizeof sentence,
                 "%zu of %zu events failed; all of the batch may be sent again.", all->failed,
                 all->count);
        iswi_http_problem_is(request, all->why, all->retriable);
        if (all->retry_after_ms)
            iswi_http_retry_after(request, all->retry_after_ms);
        iswi_http_answer_problem(request, all->status, NULL, sentence, NULL);
    }
    pthread_mutex_destroy(&all->lock);
    iswi_free(all->calls);
    iswi_free(all);
}

/* `ended`: calls that have. */
static void go_on(batch *all, size_t ended)
{
    bool over;

    pthread_mutex_lock(&all->lock);
    all->running -= ended;
    if (all->turning) {
        pthread_mutex_unlock(&all->lock);
        return;
    }
    all->turning = true;
    while (all->next < all->count && all->running < all->most) {
        const iswi_call *call = &all->calls[all->next++];

        all->running++;
        pthread_mutex_unlock(&all->lock);
        iswi_call_start(all->host, call);
        pthread_mutex_lock(&all->lock);
    }
    all->turning = false;
    over = !all->running && all->next == all->count;
    pthread_mutex_unlock(&all->lock);
    if (over)
        finish(all);
}

/* What a function that speaks HTTP would have said by it; 0: it went well. */
static int status_of(const iswi_answer *answer)
{
    const isw_http *reply =
        answer->result.type == ISW_VALUE_HTTP ? answer->result.as.http : NULL;

    if (answer->moved)
        return 503;
    if (answer->outcome != ISW_OUTCOME_SUCCESS && (!reply || reply->status < 400))
        return answer->outcome == ISW_OUTCOME_RETRY_LATER && answer->status != ISW_E_BUSY
                   ? 503
                   : isw_status_http(answer->status);
    return reply && reply->status >= 400 ? reply->status : 0;
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    batch *all = user;
    const int status = status_of(answer);

    (void)invocation_id;
    pthread_mutex_lock(&all->lock);
    if (status && !all->failed++) {
        all->status = status;
        all->why = answer->status ? answer->status : ISW_E_FAILED;
        all->retriable = answer->retriable || answer->moved ||
                         answer->outcome == ISW_OUTCOME_RETRY_LATER;
        all->retry_after_ms = answer->retry_after_ms;
    }
    if (answer->status == ISW_E_CANCELLED) /* nobody wants the others, either */
        all->next = all->count;
    pthread_mutex_unlock(&all->lock);
    iswi_answer_release(answer->held);
    go_on(all, 1);
}

void iswi_batch_begin(iswi_host *host, const iswi_entry *entry, iswi_http_request *request,
                      iswi_call *calls, size_t count)
{
    batch *all = iswi_calloc(1, sizeof *all);
    unsigned most = iswi_function_capacity(entry->function);

    if (!all) {
        iswi_free(calls);
        iswi_events_refuse(request, 503, ISW_E_NO_MEMORY, "no memory for a batch of events");
        return;
    }
    *all = (batch){ .host = host, .request = request, .calls = calls, .count = count,
                    .most = most ? most : 1 };
    pthread_mutex_init(&all->lock, NULL);
    for (size_t i = 0; i < count; i++) {
        calls[i].answer = on_answer;
        calls[i].user = all;
        calls[i].events = NULL;
        calls[i].is_part = true;
    }
    go_on(all, 0);
}
