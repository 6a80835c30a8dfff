/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, from its claim until it is settled. Invariant: it is counted by its endpoint, and whatever
 * becomes of it, it is settled once.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/webhooks/internal.h"
#include "host/webhooks/request.h"

#include <sys/socket.h>

enum { BLOCK_BYTES = 2048, CONNECT_MS = 10000, NOT_TRIED_MS = 20 };

/* -- Life -------------------------------------------------------------------------------------- */

iswi_post *iswi_post_create(iswi_endpoint *endpoint, iswi_delivery *delivery)
{
    iswi_post *post = iswi_calloc(1, sizeof *post);

    if (!post)
        return NULL;
    iswi_arena_init(&post->arena, BLOCK_BYTES);
    post->endpoint = endpoint;
    post->delivery = delivery;
    pthread_mutex_lock(&endpoint->sender->lock);
    post->target = endpoint->target;
    pthread_mutex_unlock(&endpoint->sender->lock);
    post->settlement.delivery = delivery;
    return post;
}

void iswi_post_destroy(iswi_post *post)
{
    if (!post)
        return;
    if (post->easy)
        post->endpoint->sender->curl.easy_cleanup(post->easy);
    if (post->lines)
        post->endpoint->sender->curl.slist_free_all(post->lines);
    iswi_delivery_free(post->delivery);
    iswi_arena_fini(&post->arena);
    iswi_free(post);
}

/* -- What is sent ------------------------------------------------------------------------------ */

static bool add_line(iswi_post *post, const iswi_curl_calls *curl, const char *line)
{
    struct curl_slist *longer = line ? curl->slist_append(post->lines, line) : NULL;

    post->lines = longer ? longer : post->lines;
    return longer != NULL;
}

/* As curl has it: "name: value", or "name;" for a value of nothing. */
static bool add_header(iswi_post *post, const iswi_curl_calls *curl, const isw_pair *header)
{
    return add_line(post, curl,
                    header->value.size
                        ? iswi_arena_printf(&post->arena, "%.*s: %.*s", (int)header->name.size,
                                            header->name.data, (int)header->value.size,
                                            header->value.data)
                        : iswi_arena_printf(&post->arena, "%.*s;", (int)header->name.size,
                                            header->name.data));
}

static bool has(const isw_pairs *headers, isw_str name)
{
    for (size_t i = 0; i < headers->count; i++)
        if (isw_str_equal_nocase(headers->items[i].name, name))
            return true;
    return false;
}

/* What host.yaml says comes before what the function says. */
static bool add_said(iswi_post *post, const iswi_curl_calls *curl, const isw_pairs *own)
{
    const isw_pairs *more = &post->target->headers;
    isw_str type = isw_str_of("content-type");
    isw_error error = { ISW_OK, "" };
    bool added = true;

    for (size_t i = 0; added && i < more->count; i++)
        added = add_header(post, curl, &more->items[i]);
    for (size_t i = 0; added && i < own->count; i++)
        if (!has(more, own->items[i].name) &&
            iswi_request_check_header(&own->items[i], &error) == ISW_OK)
            added = add_header(post, curl, &own->items[i]);
    /* Without this libcurl would have a type of its own. */
    if (added && !has(more, type) && !has(own, type))
        added = add_line(post, curl, "content-type:");
    return added;
}

/* Standard Webhooks: the name of the message is the same in each attempt, the time is not. */
static bool add_own(iswi_post *post, const iswi_curl_calls *curl, isw_bytes body)
{
    const iswi_target *target = post->target;
    isw_str id = post->delivery->id, trace = post->delivery->trace;
    int64_t now_s = iswi_wall_us() / 1000000;
    const char *signature = NULL;

    if (target->key_count) {
        signature = iswi_sign(target->keys, target->key_count, id, now_s, body, &post->arena);
        if (!signature || !add_line(post, curl, iswi_arena_printf(&post->arena, "webhook-signature: %s",
                                                                  signature)))
            return false;
    }
    if (trace.size && !add_line(post, curl, iswi_arena_printf(&post->arena, "traceparent: %.*s",
                                                              (int)trace.size, trace.data)))
        return false;
    return add_line(post, curl, iswi_arena_printf(&post->arena, "webhook-id: %.*s", (int)id.size,
                                                  id.data)) &&
           add_line(post, curl, iswi_arena_printf(&post->arena, "webhook-timestamp: %lld",
                                                  (long long)now_s)) &&
           add_line(post, curl, "expect:");
}

/* -- What comes -------------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t one, size_t size, void *user)
{
    iswi_post *post = user;
    size_t room = sizeof post->said - post->said_size;
    size_t taken = size < room ? size : room;

    (void)one;
    memcpy(post->said + post->said_size, bytes, taken);
    post->said_size += taken;
    return size;
}

/* No process that the host starts is to have it. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)user;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* -- The transfer ------------------------------------------------------------------------------ */

#define SET(option, value) code = code ? code : curl->easy_setopt(post->easy, option, value)

static CURLcode set_all(iswi_post *post, const iswi_curl_calls *curl, isw_bytes body)
{
    const iswi_target *target = post->target;
    const int64_t timeout_ms = target->bounds.timeout_ms;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_URL, target->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    SET(CURLOPT_POSTFIELDS, body.size ? body.data : "");
    SET(CURLOPT_CUSTOMREQUEST, target->method);
    SET(CURLOPT_HTTPHEADER, post->lines);
    SET(CURLOPT_USERAGENT, "isoworker/" ISW_VERSION_STRING);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a host that ends does not wait for a slow name server */
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS));
    SET(CURLOPT_ERRORBUFFER, post->why);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, post);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_PRIVATE, post);
    if (target->ca_file)
        SET(CURLOPT_CAINFO, target->ca_file);
    return code;
}

#undef SET

bool iswi_post_prepare(iswi_post *post, iswi_curl_calls *curl)
{
    isw_pairs headers;
    isw_bytes body;

    post->easy = curl->easy_init();
    return post->easy && iswi_request_unpack(post->delivery, &post->arena, &headers, &body) &&
           add_said(post, curl, &headers) && add_own(post, curl, body) &&
           set_all(post, curl, body) == CURLE_OK;
}

/* -- Its end ----------------------------------------------------------------------------------- */

static void on_settled(iswi_broker_op *op)
{
    iswi_post *post = op->user;
    iswi_endpoint *endpoint = post->endpoint;
    const iswi_settlement *settlement = &post->settlement;
    const iswi_host *host = endpoint->sender->host;
    isw_str id = post->delivery->id;

    if (op->error.status != ISW_OK && op->error.status != ISW_E_CLOSED)
        iswi_say(host, ISW_LOG_ERROR, "request %.*s of output %s is sent again: %s", (int)id.size,
                 id.data, endpoint->name, op->error.message);
    else if (settlement->died)
        iswi_say(host, ISW_LOG_WARNING,
                 "request %.*s of output %s is dead after %u attempts: %.*s; isoworker queue dead "
                 "%s has it", (int)id.size, id.data, endpoint->name, post->delivery->attempt,
                 (int)settlement->cause.size, settlement->cause.size ? settlement->cause.data : "",
                 endpoint->queue);
    atomic_fetch_add(&endpoint->counts.dead, settlement->died);
    iswi_post_destroy(post);
    pthread_mutex_lock(&endpoint->sender->lock);
    endpoint->in_flight--;
    pthread_mutex_unlock(&endpoint->sender->lock);
    endpoint->pump(endpoint);
    iswi_quiet_look(endpoint->sender);
}

static void settle(iswi_post *post)
{
    post->settle = (iswi_broker_op){ .kind = ISWI_BROKER_SETTLE, .done = on_settled, .user = post };
    post->settle.as.settle.items = &post->settlement;
    post->settle.as.settle.count = 1;
    iswi_broker_submit(post->endpoint->sender->broker, &post->settle);
}

void iswi_post_give_back(iswi_post *post)
{
    post->settlement.verdict = ISWI_VERDICT_DEFER;
    post->settlement.delay_ms = NOT_TRIED_MS;
    settle(post);
}

static void read_attempt(iswi_post *post, CURLcode code, iswi_attempt *out)
{
    const iswi_curl_calls *curl = &post->endpoint->sender->curl;
    curl_off_t after_s = 0, took_us = 0;

    *out = (iswi_attempt){ .number = post->delivery->attempt,
                           .said = { post->said, post->said_size } };
    if (code != CURLE_OK)
        out->failure = *post->why ? post->why : curl->easy_strerror(code);
    if (!post->easy)
        return;
    curl->easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &out->status);
    if (curl->easy_getinfo(post->easy, CURLINFO_RETRY_AFTER, &after_s) == CURLE_OK)
        out->retry_after_s = after_s;
    if (curl->easy_getinfo(post->easy, CURLINFO_TOTAL_TIME_T, &took_us) == CURLE_OK)
        atomic_fetch_add(&post->endpoint->counts.took_us, (uint64_t)took_us);
}

void iswi_post_end(iswi_post *post, CURLcode code)
{
    iswi_endpoint *endpoint = post->endpoint;
    iswi_attempt attempt;
    bool delivered;

    read_attempt(post, code, &attempt);
    iswi_attempt_judge(&attempt, &post->target->bounds, &post->arena, &post->settlement);
    delivered = post->settlement.verdict == ISWI_VERDICT_COMPLETE;
    atomic_fetch_add(delivered ? &endpoint->counts.delivered : &endpoint->counts.failed, 1);
    /* A receiver that refuses one request is there for others. */
    if (post->settlement.verdict != ISWI_VERDICT_DEAD)
        iswi_endpoint_note(endpoint, delivered ? NULL : post->settlement.cause.data,
                           post->settlement.delay_ms);
    settle(post);
}
