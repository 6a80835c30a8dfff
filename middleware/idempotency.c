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
 * Answers are kept until `ttl` has passed, `entries` or `bytes` are exceeded (the oldest goes
 * first) or the worker ends, in the memory of this process alone. What failed, was answered with
 * 500 or more, or streamed runs again. Headers of what stands outside are each request's own.
 */
#include <isoworker/http.h>
#include <isoworker/sys/middleware.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

enum { BUCKETS = 4096 };
#define FNV UINT64_C(14695981039346656037)

typedef struct options {
    const char *header;
    isw_option_strings methods;
    bool required;
    int64_t ttl_ms;
    int64_t entries;
    int64_t bytes;
} options;

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
    { 0 },
};

/* A key and what became of it. */
typedef struct entry {
    struct entry *next;    /* of its bucket */
    struct entry *younger; /* of those that are answered */
    uint64_t request;      /* hash of it */
    int64_t until_us;
    isw_saved_reply *kept; /* NULL: it still runs */
    size_t size;           /* of both */
    char key[]; /* with function and caller */
} entry;

typedef struct state {
    pthread_mutex_t lock;
    entry *buckets[BUCKETS];
    entry *oldest, *youngest;
    int64_t count, bytes;
} state;

/* FNV-1a of a text and its size. */
static uint64_t add(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return (hash ^ size) * UINT64_C(1099511628211);
}

/* With the lock, as the following. */
static entry **place_of(state *own, const char *key)
{
    entry **at = &own->buckets[add(FNV, key, strlen(key)) % BUCKETS];

    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    return at;
}

static void forget(state *own, const char *key)
{
    entry **at = place_of(own, key);
    entry *gone = *at;

    *at = gone->next;
    isw_free(gone->kept);
    isw_free(gone);
}

/* The oldest go while they are too old, or there are too many. */
static void make_room(state *own, const options *opt)
{
    int64_t now_us = isw_now_us();

    while (own->oldest && (now_us >= own->oldest->until_us || own->count > opt->entries ||
                           own->bytes > opt->bytes)) {
        entry *gone = own->oldest;

        own->oldest = gone->younger;
        own->count--;
        own->bytes -= (int64_t)gone->size;
        forget(own, gone->key);
    }
}

static entry *begin(state *own, const char *key, uint64_t request)
{
    size_t size = strlen(key) + 1;
    entry *e = isw_calloc(1, sizeof *e + size);

    if (e) {
        e->request = request;
        memcpy(e->key, key, size);
        *place_of(own, key) = e;
    }
    return e;
}

static void keep(state *own, const options *opt, entry *e, isw_saved_reply *kept, size_t size)
{
    e->kept = kept;
    e->size = size + sizeof *e + strlen(e->key);
    e->until_us = isw_now_us() + opt->ttl_ms * 1000;
    *(own->oldest ? &own->youngest->younger : &own->oldest) = e;
    own->youngest = e;
    own->count++;
    own->bytes += (int64_t)e->size;
    make_room(own, opt);
}

/* Function, caller and key, none of which can be taken for a part of the next; NULL: no memory. */
static const char *name_of(isw_context *ctx, const char *key)
{
    static const isw_principal nobody;
    const isw_principal *who = isw_context_principal(ctx);

    who = who ? who : &nobody;
    return isw_context_printf(ctx, "%s %zu:%.*s %zu:%.*s %zu:%.*s %s",
                              isw_context_function(ctx)->name, who->scheme.size,
                              (int)who->scheme.size, who->scheme.data, who->issuer.size,
                              (int)who->issuer.size, who->issuer.data, who->subject.size,
                              (int)who->subject.size, who->subject.data, key);
}

/* Answer from what is known of the key (with the lock), or make it known: *mine then. */
static isw_status look_up(isw_context *ctx, state *own, const char *key, uint64_t request,
                          entry **mine)
{
    entry *known = *place_of(own, key);

    if (!known) {
        *mine = begin(own, key, request);
        return *mine ? ISW_OK : isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for a key");
    }
    if (known->request != request)
        return isw_http_reply_problem(ctx, 422, NULL, "Another request had this idempotency key.");
    if (!known->kept)
        return isw_fail_as(ctx, &(isw_failure){
            .status = ISW_E_CONFLICT, .retriable = true,
            .message = "the first request with this idempotency key still runs" });
    isw_http_set_header(ctx, "idempotency-replayed", "true");
    return isw_http_reply_saved(ctx, known->kept);
}

static isw_status run(isw_instance *self, isw_context *ctx, const isw_next *next, const char *key)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    const isw_http *http = isw_http_request(ctx);
    uint64_t request = add(add(FNV, http->method.data, http->method.size), http->body.data,
                           http->body.size);
    entry *mine = NULL;
    isw_saved_reply *kept = NULL;
    const isw_http *reply;
    size_t size = 0;
    isw_mark outside; /* what stands outside has set so far */
    isw_status status = isw_context_mark(ctx, &outside);

    if (status != ISW_OK)
        return status;
    request = add(request, http->url.data, http->url.size);
    pthread_mutex_lock(&own->lock);
    make_room(own, opt);
    status = look_up(ctx, own, key, request, &mine);
    pthread_mutex_unlock(&own->lock);
    if (!mine)
        return status;
    status = isw_next_run(next, ctx);
    if (isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS)
        status = isw_http_reply_result(ctx);
    reply = isw_http_response(ctx);
    if (isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS && (!reply || reply->status < 500))
        kept = isw_http_save_reply_since(ctx, &outside, &size);
    pthread_mutex_lock(&own->lock);
    if (kept)
        keep(own, opt, mine, kept, size);
    else
        forget(own, key);
    pthread_mutex_unlock(&own->lock);
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
    key = name_of(ctx, key);
    return key ? run(self, ctx, next, key) : isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for a key");
}

static isw_status start(isw_instance *self, isw_error *error)
{
    (void)error;
    return pthread_mutex_init(&((state *)isw_instance_state(self))->lock, NULL) ? ISW_E_NO_MEMORY
                                                                              : ISW_OK;
}

static void stop(isw_instance *self)
{
    state *own = isw_instance_state(self);

    make_room(own, &(options){ .entries = -1 }); /* nothing runs any more */
    pthread_mutex_destroy(&own->lock);
}

const isw_middleware isw_middleware_idempotency = {
    .size = sizeof(isw_middleware),
    .name = "idempotency",
    .summary = "answers a request that is sent again from memory (Idempotency-Key)",
    .options = rows,
    .options_size = sizeof(options),
    .instance_size = sizeof(state),
    .start = start,
    .stop = stop,
    .invoke = invoke,
};
