/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_WEBHOOKS_WEBHOOKS_H
#define ISWI_HOST_WEBHOOKS_WEBHOOKS_H

/*
 * Requests that functions have the host send: { "paid", "http", ISW_OUT }. What a function puts there
 * is kept as a message of a queue "http.FUNCTION.OUTPUT" (PROTOCOL.md, section 18), durable with its
 * call, and sent from there until the receiver has it or it is dead.
 */
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

extern const iswi_trigger iswi_webhooks_trigger; /* it triggers nothing, and sends all of them */
extern const iswi_sink iswi_webhook_sink;

/* An output whose values are sent. Lives as long as the host. */
typedef struct iswi_endpoint iswi_endpoint;

/* What a function says of it. */
typedef struct iswi_webhook_bounds {
    int64_t timeout_ms, max_attempts, concurrency; /* 0: as host.yaml says */
    int64_t retry_delay_ms, retry_delay_max_ms;    /* likewise */
} iswi_webhook_bounds;

typedef struct iswi_webhook_properties {
    const char *url; /* NULL: host.yaml has it */
    int64_t method;
    iswi_webhook_bounds bounds;
} iswi_webhook_properties;

/* Their rows, for the table of a sink whose struct begins with them. */
#define ISWI_WEBHOOK_ROWS(st, member)                                                              \
    { .name = "url", .type = ISW_OPTION_STRING, .optional = true,                                  \
      .offset = offsetof(st, member.url), .help = "where to; left out: `webhooks` of host.yaml says" }, \
    { .name = "method", .type = ISW_OPTION_ENUM, .choices = iswi_webhook_methods,                  \
      .default_value = "POST", .offset = offsetof(st, member.method), .help = "how" },              \
    ISWI_WEBHOOK_BOUNDS(st, member.bounds, "0", "0", "0", "0", "0", 0)

#define ISWI_WEBHOOK_BOUND(st, member, kind, yaml, standard, low, high, text)                      \
    { .name = (yaml), .type = ISW_OPTION_##kind, .default_value = (standard), .min = (low),        \
      .max = (high), .offset = offsetof(st, member), .help = (text) }
#define ISWI_WEBHOOK_BOUNDS(st, member, timeout, attempts, calls, first, most, low)                \
    ISWI_WEBHOOK_BOUND(st, member.timeout_ms, DURATION, "timeout", timeout, low, 3600000,          \
                       "for one attempt, with its answer"),                                        \
    ISWI_WEBHOOK_BOUND(st, member.max_attempts, INT, "max_attempts", attempts, low, 1000000,       \
                       "after which it is dead: isoworker queue dead, replay"),                    \
    ISWI_WEBHOOK_BOUND(st, member.concurrency, INT, "concurrency", calls, low, 1000,               \
                       "requests at the same time"),                                               \
    ISWI_WEBHOOK_BOUND(st, member.retry_delay_ms, DURATION, "retry_delay", first, 0, 86400000,     \
                       "behind the first attempt; doubles, less by up to a half at random"),       \
    ISWI_WEBHOOK_BOUND(st, member.retry_delay_max_ms, DURATION, "retry_delay_max", most, 0,        \
                       86400000, "and grows no further")

extern const iswi_settings_group iswi_webhooks_group; /* `webhooks` of host.yaml */

extern const char *const iswi_webhook_methods[];

/* Whether an output may have these, for the check of a sink. */
isw_status iswi_webhook_check(const iswi_sink_check *with,
                              const iswi_webhook_properties *properties, isw_error *error);

/* The endpoint of an output, for the open of a sink, whose calls are its. Errors: ISW_E_CONFIG,
 * ISW_E_UNSUPPORTED without libcurl, ISW_E_NO_MEMORY. */
isw_status iswi_webhook_open(iswi_host *host, const iswi_sink_place *place,
                             const iswi_webhook_properties *properties, iswi_endpoint **out,
                             isw_error *error);

/* The queue that its requests lie in, for the table of a sink. */
const char *iswi_webhook_queue(const iswi_sink_place *place, const void *properties,
                               iswi_arena *arena);

/* What is to be sent; borrowed. */
typedef struct iswi_webhook_content {
    isw_pairs headers; /* content-type among them, if it has one */
    isw_bytes body;
    isw_str id, key; /* as those of iswi_queue_put; empty: a name is made, and there is no order */
    int64_t delay_ms, expires_ms;
    int priority;
} iswi_webhook_content;

/* -- Under a host that is frozen between its events; `self` is an instance of the trigger ------- */

/* Whether something that was kept until now has had no attempt yet, or is on its way: 0: nothing,
 * else a number, which whoever listens is given once that is over. What has failed and is to be sent
 * again later is not waited for. Any thread. */
uint64_t iswi_webhooks_ask_quiet(void *self);

/* On a thread of the host's, with locks held: it only notes it. NULL: nobody listens any more. */
typedef void (*iswi_webhooks_quiet_fn)(void *user, uint64_t number);
void iswi_webhooks_listen(void *self, iswi_webhooks_quiet_fn heard, void *user);

/* Whether some function has an output that is sent. Any thread. */
bool iswi_webhooks_has_outputs(void *self);

/* For the keep of a sink. Errors: ISW_E_INVALID for a header or an id that cannot be sent, those of
 * keep. */
isw_status iswi_webhook_keep(const iswi_endpoint *endpoint, const iswi_sink_item *item,
                             const iswi_webhook_content *content, iswi_outbox **box,
                             isw_error *error);

/* The keep of a sink whose instance is an endpoint: any value. */
isw_status iswi_webhook_keep_value(void *self, const iswi_sink_item *item, iswi_outbox **box,
                                   isw_error *error);

#endif
