/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/clock.h"

#include <isoworker/cancel.h>
#include <stdlib.h>
#include <time.h>

enum {
    EVERY_US = 10000000,
    AFTER_FAILURE_US = 1000000,
    DRIFT = 10000 /* clocks part by one in so many, at most */
};

void iswi_redis_clock_init(iswi_redis_clock *own)
{
    pthread_mutex_init(&own->lock, NULL);
}

void iswi_redis_clock_fini(iswi_redis_clock *own)
{
    pthread_mutex_destroy(&own->lock);
}

static bool ask(iswi_redis_client *client, int64_t *server_us)
{
    const iswi_redis_command command = { 1, { "TIME" }, { 4 } };
    redisReply *reply;
    bool told;

    if (iswi_redis_ask(client, &command, &reply, NULL) != ISW_OK)
        return false;
    told = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->str &&
           reply->element[1]->str;
    if (told)
        *server_us = strtoll(reply->element[0]->str, NULL, 10) * 1000000 +
                     strtoll(reply->element[1]->str, NULL, 10);
    freeReplyObject(reply);
    return told;
}

/* With the lock. The answer is wrong by half of the time that it took, at most; what was known
 * before is better if it took less, until it is too old. */
static void compare(iswi_redis_clock *own, iswi_redis_client *client)
{
    int64_t before_us = isw_now_us();
    int64_t server_us;
    int64_t after_us, doubt_us, old_us;

    if (!ask(client, &server_us)) {
        atomic_store(&own->next_us, isw_now_us() + AFTER_FAILURE_US);
        return;
    }
    after_us = isw_now_us();
    doubt_us = (after_us - before_us) / 2;
    old_us = own->doubt_us + (after_us - own->asked_us) / DRIFT;
    if (!atomic_load(&own->known) || doubt_us < old_us) {
        own->doubt_us = doubt_us;
        own->asked_us = after_us;
        atomic_store(&own->offset_us, server_us - before_us - doubt_us);
        atomic_store(&own->known, true);
    }
    atomic_store(&own->next_us, after_us + EVERY_US);
}

/* Nobody waits for an answer that is not needed yet. */
static void compare_if_due(iswi_redis_clock *own, iswi_redis_client *client)
{
    bool known = atomic_load(&own->known);

    if (isw_now_us() < atomic_load(&own->next_us))
        return;
    if (known ? pthread_mutex_trylock(&own->lock) != 0 : pthread_mutex_lock(&own->lock) != 0)
        return;
    if (isw_now_us() >= atomic_load(&own->next_us))
        compare(own, client);
    pthread_mutex_unlock(&own->lock);
}

int64_t iswi_redis_clock_now_us(iswi_redis_clock *own, iswi_redis_client *client)
{
    struct timespec wall;

    compare_if_due(own, client);
    if (atomic_load(&own->known))
        return isw_now_us() + atomic_load(&own->offset_us);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000;
}
