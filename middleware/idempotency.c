/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idempotency: a request that is sent again with the same key gets the first one's answer, and the
 * function runs once (draft-ietf-httpapi-idempotency-key-header-07). A key counts for one function
 * and one caller (put auth outside). What comes with the key of
 *
 *     a request that was answered    gets that answer, with Idempotency-Replayed: true
 *     one that still runs            fails with ISW_E_CONFLICT (409), retriable
 *     another request                is answered with 422: method, URL or body differ
 *
 * Answers are in the store that all processes of the worker share, until `ttl` has passed or
 * `entries` or `bytes` are exceeded (the oldest goes first). The key of one that runs is free again
 * when its process ends, or a minute after its deadline. What failed, was answered with 500 or more,
 * or streamed runs again. Headers of what stands outside are each request's own.
 *
 * With `store` in the YAML answers are for all hosts, `ttl` long and however many they are, and that
 * a process was killed is known after half a minute. `on_error` says what becomes of requests with a
 * key while that store cannot be reached. `closed`, the default, fails them with ISW_E_UNAVAILABLE
 * (503): whoever sends a key relies on it that nothing is done twice, and will send it again. `open`
 * runs the function for each.
 */
#include "idempotency_keys.h"
#include <isoworker/http.h>
#include <isoworker/sys/store.h>
#include <stddef.h>

enum { KEY_PARTS = 5 };
enum { CLOSED, OPEN };

#define FNV UINT64_C(14695981039346656037)

typedef struct options {
    const char *header;
    isw_option_strings methods;
    bool required;
    int64_t ttl_ms;
    int64_t entries;
    int64_t bytes;
    int64_t on_error;
} options;

static const char *const ways[] = { "closed", "open", NULL };

static const isw_option rows[] = {
    { .name = "header", .type = ISW_OPTION_STRING, .default_value = "idempotency-key",
      .offset = offsetof(options, header), .help = "that has the key" },
    { .name = "methods", .type = ISW_OPTION_STRINGS, .default_value = "[POST, PATCH]",
      .offset = offsetof(options, methods), .help = "of requests that it is for" },
    { .name = "required", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(options, required), .help = "answer 400 where the key is missing" },
    { .name = "ttl", .type = ISW_OPTION_DURATION, .default_value = "24h", .min = 1,
      .max = INT64_C(2592000000), .offset = offsetof(options, ttl_ms),
      .help = "how long an answer is kept" },
    { .name = "entries", .type = ISW_OPTION_INT, .default_value = "10000", .min = 1,
      .max = 10000000, .offset = offsetof(options, entries), .help = "answers at most" },
    { .name = "bytes", .type = ISW_OPTION_SIZE, .default_value = "16MiB", .min = 1,
      .offset = offsetof(options, bytes), .help = "of all answers at most" },
    { .name = "on_error", .type = ISW_OPTION_ENUM, .default_value = "closed", .choices = ways,
      .offset = offsetof(options, on_error),
      .help = "without the store of `store`: closed answers 503, open runs the function" },
    { 0 },
};

typedef struct state {
    isw_store *store; /* of keys, as idempotency_keys.h has them */
} state;

/* FNV-1a of a text and its size. */
static uint64_t add(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return (hash ^ size) * UINT64_C(1099511628211);
}

static isw_store_key key_of(isw_context *ctx, const char *key, isw_str texts[KEY_PARTS])
{
    static const isw_principal nobody;
    const isw_principal *who = isw_context_principal(ctx);

    who = who ? who : &nobody;
    texts[0] = isw_str_of(isw_context_function(ctx)->name);
    texts[1] = who->scheme;
    texts[2] = who->issuer;
    texts[3] = who->subject;
    texts[4] = isw_str_of(key);
    return (isw_store_key){ texts, KEY_PARTS };
}

static uint64_t hash_of(const isw_http *http)
{
    uint64_t hash = add(FNV, http->method.data, http->method.size);

    return add(add(hash, http->body.data, http->body.size), http->url.data, http->url.size);
}

static isw_status run(isw_instance *self, isw_context *ctx, const isw_next *next, const char *text)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    idempotency_key mine = { .request = hash_of(isw_http_request(ctx)) };
    isw_saved_reply *kept = NULL;
    isw_str texts[KEY_PARTS];
    const isw_http *reply;
    isw_error error;
    isw_mark outside; /* what stands outside has set so far */
    isw_status answered = isw_context_mark(ctx, &outside);
    isw_status status;
    bool claimed = false;

    error.status = ISW_OK;
    if (answered != ISW_OK)
        return answered;
    mine.store = own->store;
    mine.name = key_of(ctx, text, texts);
    mine.ttl_ms = opt->ttl_ms;
    status = idempotency_claim(ctx, &mine, &claimed, &answered, &error);
    if (status == ISW_E_UNAVAILABLE && opt->on_error == OPEN)
        return isw_next_run(next, ctx);
    if (status != ISW_OK)
        return isw_fail(ctx, status, "%s", error.message);
    if (!claimed)
        return answered;
    status = isw_next_run(next, ctx);
    if (isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS)
        status = isw_http_reply_result(ctx);
    reply = isw_http_response(ctx);
    if (isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS && (!reply || reply->status < 500))
        kept = isw_http_save_reply_since(ctx, &outside, NULL);
    idempotency_settle(&mine, kept);
    isw_free(kept);
    return status;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    const isw_http *http = isw_http_request(ctx);
    bool concerned = false;
    const char *key;

    for (size_t i = 0; http && i < opt->methods.count; i++)
        concerned = concerned || isw_str_equal(http->method, isw_str_of(opt->methods.items[i]));
    if (!concerned)
        return isw_next_run(next, ctx);
    key = isw_http_header(ctx, opt->header);
    if (!key || !*key)
        return opt->required ? isw_fail(ctx, ISW_E_INVALID, "the header %s is missing", opt->header)
                             : isw_next_run(next, ctx);
    return run(self, ctx, next, key);
}

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    const isw_store_options stored = { sizeof stored, opt->entries, opt->bytes };

    return isw_store_open(self, &stored, &((state *)isw_instance_state(self))->store, error);
}

static void stop(isw_instance *self)
{
    isw_store_close(((state *)isw_instance_state(self))->store);
}

const isw_middleware isw_middleware_idempotency = {
    .size = sizeof(isw_middleware),
    .name = "idempotency",
    .summary = "answers a request that is sent again with what is kept (Idempotency-Key)",
    .options = rows,
    .options_size = sizeof(options),
    .instance_size = sizeof(state),
    .start = start,
    .stop = stop,
    .invoke = invoke,
};
