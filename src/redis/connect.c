/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/connect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct timeval time_of(int64_t ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

static void tell(char *why, const char *text)
{
    snprintf(why, ISWI_REDIS_WHY_BYTES, "%s", text);
}

/* What hiredis says, which has no word of its own for a wait that was too long. */
static void tell_of(const redisContext *redis, const iswi_redis_way *way, int error, char *why)
{
    if (redis->err == REDIS_ERR_IO && (error == EAGAIN || error == EWOULDBLOCK))
        snprintf(why, ISWI_REDIS_WHY_BYTES, "no answer within %lld ms", (long long)way->timeout_ms);
    else
        tell(why, redis->errstr);
}

redisReply *iswi_redis_send(redisContext *redis, const iswi_redis_way *way, int count,
                            const char *const *words, const size_t *sizes,
                            char why[ISWI_REDIS_WHY_BYTES])
{
    redisReply *reply;

    errno = 0;
    reply = redisCommandArgv(redis, count, (const char **)words, sizes);
    if (!reply)
        tell_of(redis, way, errno, why);
    return reply;
}

/* A command of a new connection. False: it was refused. */
static bool say(redisContext *redis, const iswi_redis_way *way, int count,
                const char *const *words, char *why)
{
    redisReply *reply = iswi_redis_send(redis, way, count, words, NULL, why);
    bool done = reply && reply->type != REDIS_REPLY_ERROR;

    if (reply && !done)
        snprintf(why, ISWI_REDIS_WHY_BYTES, "%s is refused: %.*s", words[0],
                 (int)(reply->len < 120 ? reply->len : 120), reply->str);
    if (reply)
        freeReplyObject(reply);
    return done;
}

static bool introduce(redisContext *redis, const iswi_redis_way *way, char *why)
{
    const char *const user[] = { "AUTH", way->user, way->password };
    const char *const password[] = { "AUTH", way->password };
    char number[16];
    const char *const select[] = { "SELECT", number };
    bool done = true;

    snprintf(number, sizeof number, "%d", way->address.database);
    if (way->password)
        done = way->user ? say(redis, way, 3, user, why) : say(redis, way, 2, password, why);
    return done && (!way->address.database || say(redis, way, 2, select, why));
}

redisContext *iswi_redis_connect(const iswi_redis_way *way, char why[ISWI_REDIS_WHY_BYTES])
{
    const iswi_redis_address *to = &way->address;
    const struct timeval limit = time_of(way->timeout_ms);
    redisContext *redis = to->port ? redisConnectWithTimeout(to->host, to->port, limit)
                                   : redisConnectUnixWithTimeout(to->host, limit);
    bool begun = redis && !redis->err;

    if (!redis)
        tell(why, "no memory");
    else if (!begun)
        tell_of(redis, way, errno, why);
    if (begun && (redisSetTimeout(redis, limit) != REDIS_OK ||
                  (to->port && redisEnableKeepAlive(redis) != REDIS_OK))) {
        tell(why, redis->errstr);
        begun = false;
    }
    begun = begun && (!to->tls || iswi_redis_tls_begin(redis, way->tls, to->host, why)) &&
            introduce(redis, way, why);
    if (begun)
        return redis;
    if (redis)
        redisFree(redis);
    return NULL;
}

bool iswi_redis_is_quiet(const redisContext *redis)
{
    struct pollfd look = { .fd = redis->fd, .events = POLLIN | POLLRDHUP };

    return poll(&look, 1, 0) == 0;
}
