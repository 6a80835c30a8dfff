/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that sends all requests. At rest it sleeps until there is one. */
#include "base/alloc.h"
#include "base/thread.h"
#include "host/engine/look.h"
#include "host/webhooks/internal.h"

#include <signal.h>

enum { REST_MS = 3600000, ARENA_BYTES = 4096 };

/* -- On its thread ----------------------------------------------------------------------------- */

static void add(iswi_sender *sender, iswi_post *post)
{
    post->before = NULL;
    post->next = sender->posts;
    if (post->next)
        post->next->before = post;
    sender->posts = post;
}

static void leave(iswi_sender *sender, iswi_post *post)
{
    if (post->next)
        post->next->before = post->before;
    if (post->before)
        post->before->next = post->next;
    else
        sender->posts = post->next;
}

/* In the order in which they came. */
static iswi_post *take_all(iswi_sender *sender, bool *ending)
{
    iswi_post *list, *turned = NULL;

    pthread_mutex_lock(&sender->lock);
    list = sender->inbox;
    sender->inbox = NULL;
    *ending = sender->ending;
    pthread_mutex_unlock(&sender->lock);
    while (list) {
        iswi_post *next = list->next;

        list->next = turned;
        turned = list;
        list = next;
    }
    return turned;
}

static void begin(iswi_sender *sender, iswi_post *post)
{
    if (iswi_post_prepare(post, &sender->curl) &&
        sender->curl.multi_add_handle(sender->multi, post->easy) == CURLM_OK)
        add(sender, post);
    else
        iswi_post_end(post, CURLE_OUT_OF_MEMORY);
}

static void end_one(iswi_sender *sender, CURL *easy, CURLcode code)
{
    iswi_post *post = NULL;

    sender->curl.easy_getinfo(easy, CURLINFO_PRIVATE, &post);
    sender->curl.multi_remove_handle(sender->multi, easy);
    leave(sender, post);
    iswi_post_end(post, code);
}

static void end_those_that_are_done(iswi_sender *sender)
{
    CURLMsg *message;
    int rest;

    while ((message = sender->curl.multi_info_read(sender->multi, &rest)) != NULL)
        if (message->msg == CURLMSG_DONE)
            end_one(sender, message->easy_handle, message->data.result);
}

static void *run(void *user)
{
    iswi_sender *sender = user;
    bool ending = false;
    int running;

    iswi_thread_name("webhooks");
    while (!ending) {
        for (iswi_post *post = take_all(sender, &ending), *next; post; post = next) {
            next = post->next;
            begin(sender, post);
        }
        sender->curl.multi_perform(sender->multi, &running);
        end_those_that_are_done(sender);
        if (!ending)
            sender->curl.multi_poll(sender->multi, NULL, 0, REST_MS, NULL);
    }
    return NULL;
}

/* -- From outside ------------------------------------------------------------------------------ */

void iswi_sender_give(iswi_sender *sender, iswi_post *post)
{
    pthread_mutex_lock(&sender->lock);
    post->next = sender->inbox;
    sender->inbox = post;
    pthread_mutex_unlock(&sender->lock);
    sender->curl.multi_wakeup(sender->multi);
}

isw_status iswi_sender_create(const iswi_trigger_start *with, iswi_sender **out, isw_error *error)
{
    iswi_sender *sender = iswi_calloc(1, sizeof *sender);

    if (!sender)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for webhooks");
    sender->host = with->host;
    sender->broker = iswi_host_broker(with->host);
    sender->settings = with->settings;
    pthread_mutex_init(&sender->lock, NULL);
    iswi_quiet_init(&sender->quiet);
    iswi_arena_init(&sender->arena, ARENA_BYTES);
    *out = sender;
    return ISW_OK;
}

/* Signals are others' to take. */
static int begin_thread(iswi_sender *sender)
{
    sigset_t all, before;
    int failure;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&sender->thread, NULL, run, sender);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

isw_status iswi_sender_begin(iswi_sender *sender, isw_error *error)
{
    if (sender->multi)
        return ISW_OK;
    if (iswi_curl_load(&sender->curl, error) != ISW_OK)
        return error->status;
    sender->multi = sender->curl.multi_init();
    if (!sender->multi)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for libcurl");
    if (begin_thread(sender) == 0)
        return ISW_OK;
    sender->curl.multi_cleanup(sender->multi);
    sender->multi = NULL;
    return isw_error_set(error, ISW_E_NO_MEMORY, "no thread for what is to be sent");
}

static void drop_all(iswi_sender *sender)
{
    for (iswi_post *post = sender->posts, *next; post; post = next) {
        next = post->next;
        sender->curl.multi_remove_handle(sender->multi, post->easy);
        iswi_post_destroy(post);
    }
}

void iswi_sender_destroy(iswi_sender *sender)
{
    if (sender->multi) {
        pthread_mutex_lock(&sender->lock);
        sender->ending = true;
        pthread_mutex_unlock(&sender->lock);
        sender->curl.multi_wakeup(sender->multi);
        pthread_join(sender->thread, NULL);
        drop_all(sender);
        sender->curl.multi_cleanup(sender->multi);
    }
    iswi_quiet_fini(&sender->quiet);
    pthread_mutex_destroy(&sender->lock);
    iswi_arena_fini(&sender->arena);
    iswi_free(sender);
}
