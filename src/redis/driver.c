/* SPDX-License-Identifier: Apache-2.0 */
/* Stores in Redis. What a store of memory forgets when it is full, ends here by its time alone, or
 * as the server's maxmemory-policy has it. */
#include "redis/driver.h"

#include "redis/clock.h"
#include "redis/key.h"
#include "redis/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX_MAX = 64, TTL_BYTES = 24 };

#define TTL_MAX_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)

typedef struct place {
    iswi_redis_client *client;
    iswi_redis_scripts scripts;
    iswi_redis_clock clock;
    iswi_redis_lease lease;
    char prefix[PREFIX_MAX + 1];
    char holders[PREFIX_MAX + 16]; /* the lead of keys that say which processes live */
} place;

typedef struct space {
    place *at;
    size_t most; /* bytes of a value */
    char lead[ISWI_REDIS_LEAD_BYTES];
} space;

/* -- Places ------------------------------------------------------------------------------------ */

static void end(void *user)
{
    place *at = user;

    if (!at)
        return;
    iswi_redis_lease_fini(&at->lease);
    iswi_redis_clock_fini(&at->clock);
    iswi_redis_client_destroy(at->client);
    isw_free(at);
}

static bool is_prefix(const char *text)
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:";

    return *text && strlen(text) <= PREFIX_MAX && !text[strspn(text, all)];
}

static isw_status begin(const iswi_store_settings *settings, void **out, isw_error *error)
{
    iswi_redis_client *client = NULL;
    isw_status status;
    place *at;

    if (!is_prefix(settings->prefix))
        return isw_error_set(error, ISW_E_CONFIG, "a prefix has 1 to %d letters, digits, '_', '.', "
                             "'-' and ':'", PREFIX_MAX);
    status = iswi_redis_client_create(settings, &client, error);
    if (status != ISW_OK)
        return status;
    at = isw_calloc(1, sizeof *at);
    if (!at || !iswi_redis_scripts_init(&at->scripts)) {
        iswi_redis_client_destroy(client);
        isw_free(at);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for stores");
    }
    at->client = client;
    snprintf(at->prefix, sizeof at->prefix, "%s", settings->prefix);
    snprintf(at->holders, sizeof at->holders, "%s:process:", settings->prefix);
    iswi_redis_clock_init(&at->clock);
    iswi_redis_lease_init(&at->lease, client, at->holders);
    *out = at;
    return ISW_OK;
}

/* -- Spaces ------------------------------------------------------------------------------------ */

static isw_status open_space(void *user, const char *name, const isw_store_options *options,
                             void **out, isw_error *error)
{
    place *at = user;
    space *own;

    if (options->size != sizeof *options || options->entries < 1 || options->bytes < 0)
        return isw_error_set(error, ISW_E_INVALID, "a store has entries, and bytes for them");
    own = isw_calloc(1, sizeof *own);
    if (!own)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a store");
    own->at = at;
    own->most = options->bytes > ISW_STORE_SMALL ? (size_t)options->bytes : ISW_STORE_SMALL;
    snprintf(own->lead, sizeof own->lead, "%s:%s:", at->prefix, name);
    *out = own;
    return ISW_OK;
}

static void close_space(void *user)
{
    isw_free(user);
}

static int64_t now_us(void *user)
{
    space *own = user;

    return iswi_redis_clock_now_us(&own->at->clock, own->at->client);
}

static isw_status run(space *own, iswi_redis_script script, isw_store_key key,
                      const iswi_redis_command *arguments, redisReply **out, isw_error *error)
{
    char text[ISWI_REDIS_KEY_BYTES];
    iswi_redis_question question = { .key = text, .holders = own->at->holders };

    question.self = iswi_redis_lease_name(&own->at->lease);
    if (!iswi_redis_key(own->lead, key, text, &question.key_size))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a key");
    return iswi_redis_run(own->at->client, &own->at->scripts, script, &question, arguments, out,
                          error);
}

/* An answer that no script of ours gives. */
static isw_status refuse_reply(isw_error *error)
{
    return isw_error_set(error, ISW_E_UNAVAILABLE, "the store answers what it was not asked");
}

/* -- The driver -------------------------------------------------------------------------------- */

static isw_status get(void *user, isw_store_key key, void *value, size_t room, size_t *size,
                      isw_error *error)
{
    const iswi_redis_command nothing = { .count = 0 };
    redisReply *reply;
    isw_status status = run(user, ISWI_REDIS_GET, key, &nothing, &reply, error);

    if (status != ISW_OK)
        return status;
    if (reply->type == REDIS_REPLY_NIL) {
        status = ISW_E_NOT_FOUND;
    } else if (reply->type == REDIS_REPLY_STRING) {
        *size = reply->len;
        if (*size && *size <= room)
            memcpy(value, reply->str, *size);
    } else {
        status = refuse_reply(error);
    }
    freeReplyObject(reply);
    return status;
}

static void put_ttl(iswi_redis_command *command, int64_t ttl_ms, char text[TTL_BYTES])
{
    ttl_ms = ttl_ms < 0 ? 0 : ttl_ms;
    iswi_redis_add(command, text, (size_t)snprintf(text, TTL_BYTES, "%" PRId64,
                                                   ttl_ms < TTL_MAX_MS ? ttl_ms : TTL_MAX_MS));
}

/* The value as it is kept, for isw_free. NULL: no memory. */
static char *keep(const isw_bytes *value, const char *holder, size_t *size)
{
    size_t lead = 1 + strlen(holder);
    char *kept = isw_calloc(1, lead + value->size + 1);

    if (!kept)
        return NULL;
    kept[0] = *holder ? ISWI_REDIS_HELD : ISWI_REDIS_FREE;
    memcpy(kept + 1, holder, lead - 1);
    if (value->size)
        memcpy(kept + lead, value->data, value->size);
    *size = lead + value->size;
    return kept;
}

static isw_status run_replace(space *own, isw_store_key key, const iswi_redis_command *arguments,
                              isw_error *error)
{
    redisReply *reply;
    isw_status status = run(own, ISWI_REDIS_REPLACE, key, arguments, &reply, error);

    if (status != ISW_OK)
        return status;
    if (reply->type != REDIS_REPLY_INTEGER)
        status = refuse_reply(error);
    else if (!reply->integer)
        status = isw_error_set(error, ISW_E_CONFLICT, "the entry says something else");
    freeReplyObject(reply);
    return status;
}

static isw_status replace(void *user, isw_store_key key, const isw_store_change *change,
                          bool always, isw_error *error)
{
    const char *how = always ? "always" : change->was ? "was" : "none";
    space *own = user;
    iswi_redis_command arguments = { .count = 0 };
    const char *holder = "";
    isw_status status = ISW_OK;
    char ttl[TTL_BYTES];
    char *kept = NULL;
    size_t size = 0;

    if (change->value && change->value->size > own->most)
        return isw_error_set(error, ISW_E_TOO_LARGE, "a store takes no value of %zu bytes",
                             change->value->size);
    if (change->value && change->held)
        status = iswi_redis_lease_begin(&own->at->lease, &holder, error);
    if (status != ISW_OK)
        return status;
    if (change->value && !(kept = keep(change->value, holder, &size)))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a value");
    iswi_redis_add(&arguments, how, strlen(how));
    iswi_redis_add(&arguments, change->was ? change->was->data : "",
                   change->was ? change->was->size : 0);
    iswi_redis_add(&arguments, kept ? kept : "", size);
    put_ttl(&arguments, change->ttl_ms, ttl);
    iswi_redis_add(&arguments, ISWI_REDIS_LEASE_MS, *holder ? strlen(ISWI_REDIS_LEASE_MS) : 0);
    status = run_replace(own, key, &arguments, error);
    isw_free(kept);
    return status;
}

/* What the script says of a counter. */
static isw_status read_sum(const redisReply *reply, int64_t *value, isw_error *error)
{
    if (reply->type == REDIS_REPLY_NIL)
        return isw_error_set(error, ISW_E_INVALID, "the entry is no counter");
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_INTEGER ||
        reply->element[1]->type != REDIS_REPLY_STRING || reply->element[1]->len != sizeof *value)
        return refuse_reply(error);
    memcpy(value, reply->element[1]->str, sizeof *value);
    return reply->element[0]->integer ? ISW_OK : ISW_E_BUSY;
}

static isw_status add(void *user, isw_store_key key, const isw_store_step *step, int64_t *value,
                      isw_error *error)
{
    iswi_redis_command arguments = { .count = 0 };
    redisReply *reply;
    char ttl[TTL_BYTES];
    isw_status status;

    iswi_redis_add(&arguments, &step->by, sizeof step->by);
    iswi_redis_add(&arguments, &step->floor, sizeof step->floor);
    iswi_redis_add(&arguments, &step->ceiling, sizeof step->ceiling);
    put_ttl(&arguments, step->ttl_ms, ttl);
    iswi_redis_add(&arguments, "renew", step->renews ? 5 : 0);
    status = run(user, ISWI_REDIS_ADD, key, &arguments, &reply, error);
    if (status != ISW_OK)
        return status;
    status = read_sum(reply, value, error);
    freeReplyObject(reply);
    return status;
}

const iswi_store_driver iswi_redis_driver = {
    .open = open_space,
    .close = close_space,
    .now_us = now_us,
    .get = get,
    .replace = replace,
    .add = add,
};

const iswi_store_keeper iswi_store_keeper_redis = {
    .version = ISW_VERSION_STRING,
    .driver = &iswi_redis_driver,
    .begin = begin,
    .end = end,
};
