/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/lease.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { EVERY_S = 8 };

void iswi_redis_lease_init(iswi_redis_lease *lease, iswi_redis_client *client, const char *holders)
{
    pthread_condattr_t steady;

    lease->client = client;
    lease->holders = holders;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&lease->lock, NULL);
    pthread_cond_init(&lease->stop, &steady);
    pthread_condattr_destroy(&steady);
}

static void tell(iswi_redis_lease *lease, bool lives)
{
    iswi_redis_command command = { .count = 0 };
    redisReply *reply;
    char key[ISWI_REDIS_NAME_BYTES + 256];
    int size = snprintf(key, sizeof key, "%s%s", lease->holders, lease->name);

    iswi_redis_add(&command, lives ? "SET" : "DEL", 3);
    iswi_redis_add(&command, key, (size_t)size);
    if (lives) {
        iswi_redis_add(&command, "1", 1);
        iswi_redis_add(&command, "PX", 2);
        iswi_redis_add(&command, ISWI_REDIS_LEASE_MS, sizeof ISWI_REDIS_LEASE_MS - 1);
    }
    if (iswi_redis_ask(lease->client, &command, &reply, NULL) == ISW_OK)
        freeReplyObject(reply);
}

static void *renew(void *user)
{
    iswi_redis_lease *lease = user;

    pthread_mutex_lock(&lease->lock);
    while (!lease->stops) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += EVERY_S;
        if (pthread_cond_timedwait(&lease->stop, &lease->lock, &until) == 0)
            continue;
        pthread_mutex_unlock(&lease->lock);
        tell(lease, true);
        pthread_mutex_lock(&lease->lock);
    }
    pthread_mutex_unlock(&lease->lock);
    return NULL;
}

/* With the lock. Signals are for the program's own threads. */
static isw_status begin(iswi_redis_lease *lease, isw_error *error)
{
    unsigned char bytes[ISWI_REDIS_NAME_BYTES / 2];
    char name[ISWI_REDIS_NAME_BYTES + 1];
    sigset_t all, before;
    int failed;

    if (getentropy(bytes, sizeof bytes) != 0)
        return isw_error_set(error, ISW_E_IO, "the kernel gave no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(name + 2 * i, 3, "%02x", bytes[i]);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&lease->thread, NULL, renew, lease);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no thread for what a process holds: %s",
                             strerror(failed));
    lease->runs = true;
    memcpy(lease->name, name, sizeof name);
    return ISW_OK;
}

const char *iswi_redis_lease_name(iswi_redis_lease *lease)
{
    const char *name;

    pthread_mutex_lock(&lease->lock);
    name = lease->runs ? lease->name : "";
    pthread_mutex_unlock(&lease->lock);
    return name;
}

isw_status iswi_redis_lease_begin(iswi_redis_lease *lease, const char **name, isw_error *error)
{
    isw_status status = ISW_OK;

    pthread_mutex_lock(&lease->lock);
    if (!lease->runs)
        status = begin(lease, error);
    pthread_mutex_unlock(&lease->lock);
    *name = lease->name;
    return status;
}

void iswi_redis_lease_fini(iswi_redis_lease *lease)
{
    pthread_mutex_lock(&lease->lock);
    lease->stops = true;
    pthread_cond_signal(&lease->stop);
    pthread_mutex_unlock(&lease->lock);
    if (lease->runs) {
        pthread_join(lease->thread, NULL);
        tell(lease, false);
    }
    pthread_cond_destroy(&lease->stop);
    pthread_mutex_destroy(&lease->lock);
}
