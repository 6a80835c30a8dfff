/* SPDX-License-Identifier: Apache-2.0 */
/* Connections while nobody uses them, and whether the server is to be asked at all. Invariant: what
 * is in the row of connections has no answer outstanding. */
#include "redis/client.h"

#include "redis/connect.h"

#include <inttypes.h>
#include <isoworker/cancel.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    IDLE_MAX = 64,
    PAUSE_MS = 100, /* at first, until one may try again; twice that the next time, */
    PAUSE_MAX_MS = 3200 /* up to this */
};

struct iswi_redis_client {
    iswi_redis_way way;
    char *url; /* without secrets */
    pthread_mutex_t lock;
    redisContext *idle[IDLE_MAX]; /* the one that was used last at the end */
    unsigned idle_count;
    int64_t gone_us; /* since when it cannot be reached; 0: it can */
    int64_t again_us;
    int64_t pause_ms;
    bool tried; /* one is at it */
    char why[ISWI_REDIS_WHY_BYTES];
};

/* -- Life -------------------------------------------------------------------------------------- */

/* NULL stays NULL. False: no memory. */
static bool copy(const char *text, char **out)
{
    *out = text ? isw_calloc(1, strlen(text) + 1) : NULL;
    if (*out)
        strcpy(*out, text);
    return !text || *out;
}

isw_status iswi_redis_client_create(const iswi_store_settings *settings, iswi_redis_client **out,
                                    isw_error *error)
{
    iswi_redis_client *made = isw_calloc(1, sizeof *made);
    isw_status status;

    if (!made)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a client of Redis");
    pthread_mutex_init(&made->lock, NULL);
    made->way.timeout_ms = settings->timeout_ms;
    status = iswi_redis_address_read(settings->url, &made->way.address, error);
    if (status == ISW_OK && settings->user && !settings->password)
        status = isw_error_set(error, ISW_E_CONFIG, "a user needs a password");
    if (status == ISW_OK && made->way.address.tls)
        status = iswi_redis_tls_create(settings->ca_file, &made->way.tls, error);
    if (status == ISW_OK && (!copy(settings->url, &made->url) ||
                             !copy(settings->user, &made->way.user) ||
                             !copy(settings->password, &made->way.password)))
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a client of Redis");
    if (status == ISW_OK)
        *out = made;
    else
        iswi_redis_client_destroy(made);
    return status;
}

void iswi_redis_client_destroy(iswi_redis_client *client)
{
    if (!client)
        return;
    while (client->idle_count)
        redisFree(client->idle[--client->idle_count]);
    iswi_redis_tls_destroy(client->way.tls);
    pthread_mutex_destroy(&client->lock);
    isw_free(client->url);
    isw_free(client->way.user);
    isw_free(client->way.password);
    isw_free(client);
}

/* -- Whether it can be reached ----------------------------------------------------------------- */

/* Whether to ask; `*tries`: as the one who finds out whether it is back. */
static isw_status enter(iswi_redis_client *client, bool *tries, isw_error *error)
{
    isw_status status = ISW_OK;

    pthread_mutex_lock(&client->lock);
    *tries = client->gone_us && !client->tried && isw_now_us() >= client->again_us;
    if (client->gone_us && !*tries)
        status = isw_error_set(error, ISW_E_UNAVAILABLE, "the store %s cannot be reached: %s",
                               client->url, client->why);
    client->tried = client->tried || *tries;
    pthread_mutex_unlock(&client->lock);
    return status;
}

/* Half of the pause is random, so that not all processes try at the same time. */
static int64_t random_part_us(int64_t pause_ms)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = 0;
    return pause_ms * 500 + (int64_t)(random % ((uint64_t)pause_ms * 500 + 1));
}

static void leave_gone(iswi_redis_client *client, bool tried, const char *why)
{
    bool first;

    pthread_mutex_lock(&client->lock);
    first = !client->gone_us;
    if (first) {
        client->gone_us = isw_now_us();
        client->pause_ms = PAUSE_MS;
    } else if (tried) {
        client->pause_ms *= client->pause_ms < PAUSE_MAX_MS ? 2 : 1;
    }
    if (first || tried)
        client->again_us = isw_now_us() + random_part_us(client->pause_ms);
    client->tried = client->tried && !tried;
    snprintf(client->why, sizeof client->why, "%s", why);
    pthread_mutex_unlock(&client->lock);
    if (first)
        fprintf(stderr, "the store %s cannot be reached: %s; until it can, on_error of each "
                        "middleware says what becomes of requests\n", client->url, why);
}

static void leave_well(iswi_redis_client *client)
{
    int64_t gone_us;

    pthread_mutex_lock(&client->lock);
    gone_us = client->gone_us;
    client->gone_us = 0;
    client->tried = false;
    pthread_mutex_unlock(&client->lock);
    if (gone_us)
        fprintf(stderr, "the store %s is back after %" PRId64 " ms\n", client->url,
                (isw_now_us() - gone_us) / 1000);
}

/* -- Connections ------------------------------------------------------------------------------- */

static redisContext *take_idle(iswi_redis_client *client)
{
    redisContext *taken = NULL;

    pthread_mutex_lock(&client->lock);
    if (client->idle_count)
        taken = client->idle[--client->idle_count];
    pthread_mutex_unlock(&client->lock);
    return taken;
}

/* One that the server has not closed meanwhile, or a new one. */
static redisContext *take(iswi_redis_client *client, char *why)
{
    redisContext *taken;

    while ((taken = take_idle(client)) && !iswi_redis_is_quiet(taken))
        redisFree(taken);
    return taken ? taken : iswi_redis_connect(&client->way, why);
}

static void give(iswi_redis_client *client, redisContext *redis)
{
    bool kept;

    pthread_mutex_lock(&client->lock);
    kept = client->idle_count < IDLE_MAX;
    if (kept)
        client->idle[client->idle_count++] = redis;
    pthread_mutex_unlock(&client->lock);
    if (!kept)
        redisFree(redis);
}

/* hiredis writes to sockets as to files: where the other end has gone, that would be SIGPIPE. */
static void hold_signal(sigset_t *before)
{
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, before);
}

static void release_signal(const sigset_t *before, bool may_wait)
{
    const struct timespec none = { 0, 0 };
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (may_wait && sigismember(before, SIGPIPE) == 0)
        while (sigtimedwait(&pipe, NULL, &none) == SIGPIPE)
            ;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* -- Asking ------------------------------------------------------------------------------------ */

/* An error is the server's word on this connection, too: it may have become a replica, say. */
static isw_status take_reply(iswi_redis_client *client, redisContext *redis, redisReply *reply,
                             redisReply **out, isw_error *error)
{
    if (reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "NOSCRIPT", 8) == 0) {
        give(client, redis);
        *out = reply;
        return ISW_OK;
    }
    isw_error_set(error, ISW_E_UNAVAILABLE, "the store %s refuses: %.*s", client->url,
                  (int)(reply->len < 200 ? reply->len : 200), reply->str);
    freeReplyObject(reply);
    redisFree(redis);
    return ISW_E_UNAVAILABLE;
}

isw_status iswi_redis_ask(iswi_redis_client *client, const iswi_redis_command *command,
                          redisReply **out, isw_error *error)
{
    char why[ISWI_REDIS_WHY_BYTES] = "";
    redisReply *reply = NULL;
    redisContext *redis;
    sigset_t before;
    bool tries;
    isw_status status = enter(client, &tries, error);

    if (status != ISW_OK)
        return status;
    hold_signal(&before);
    redis = take(client, why);
    if (redis)
        reply = iswi_redis_send(redis, &client->way, command->count, command->words,
                                command->sizes, why);
    if (redis && !reply)
        redisFree(redis);
    release_signal(&before, !reply);
    if (reply) {
        leave_well(client);
        return take_reply(client, redis, reply, out, error);
    }
    leave_gone(client, tries, why);
    return isw_error_set(error, ISW_E_UNAVAILABLE, "the store %s cannot be reached: %s",
                         client->url, why);
}
