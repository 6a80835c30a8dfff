/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_WEBHOOKS_INTERNAL_H
#define ISWI_HOST_WEBHOOKS_INTERNAL_H

/*
 * The way of a request: claimed by its endpoint, a post while it is sent, settled by what came of it.
 * One thread sends them all, by one multi handle of libcurl, which nobody else touches; what the
 * broker calls back comes on its own.
 */
#include "broker/broker.h"
#include "host/webhooks/calls.h"
#include "host/webhooks/sign.h"
#include "host/webhooks/webhooks.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ISWI_POSTS_CLAIMED = 32, /* at once, by one endpoint */
    ISWI_SAID_BYTES = 200    /* of an answer's body that are kept to say why */
};

/* -- What functions and host.yaml say ---------------------------------------------------------- */

typedef struct iswi_named_webhook {
    const char *name; /* a pattern of FUNCTION.OUTPUT */
    const char *url, *secret, *old_secret; /* NULL: none */
    isw_option_strings headers; /* name, value, name, value */
    iswi_webhook_bounds bounds; /* 0: as the function or all say */
} iswi_named_webhook;

typedef struct iswi_webhooks_settings {
    iswi_webhook_bounds bounds;
    const char *ca_file; /* NULL: the system's */
    isw_option_list named; /* of iswi_named_webhook */
} iswi_webhooks_settings;


/* Where an output's requests go, and how; constant, lives as long as the host. */
typedef struct iswi_target {
    const char *url, *shown; /* the second without its path and who logs in there */
    const char *method, *ca_file;
    isw_pairs headers;
    iswi_signing_key keys[ISWI_SIGNING_KEYS_MAX];
    size_t key_count;
    iswi_webhook_bounds bounds;
} iswi_target;

/* settings.c: of the output called `name`. Errors: ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_target_make(const iswi_webhooks_settings *settings, const char *name,
                            const iswi_webhook_properties *properties, iswi_arena *arena,
                            iswi_target *out, isw_error *error);

/* -- Who sends --------------------------------------------------------------------------------- */

typedef struct iswi_sender iswi_sender;
typedef struct iswi_post iswi_post;

/* What has become of requests since the host began. */
typedef struct iswi_post_counts {
    atomic_ullong delivered, failed, dead; /* requests; attempts; requests */
    atomic_ullong took_us;                 /* all attempts together */
} iswi_post_counts;

struct iswi_endpoint {
    iswi_sender *sender;
    const char *name, *queue; /* "charge.paid", "http.charge.paid" */
    iswi_post_counts counts;
    iswi_endpoint *next;
    void (*pump)(iswi_endpoint *endpoint); /* iswi_endpoint_pump, for those below */

    /* With the sender's lock: */
    const iswi_target *target;
    bool undeclared; /* its queue is to be told what it keeps to */
    bool asking;     /* one of the operations below is the broker's */
    unsigned in_flight;
    unsigned failures; /* attempts in a row */
    int64_t failing_ms; /* since when */
    char why[ISW_ERROR_MESSAGE_BYTES];

    iswi_broker_op declare, claim;
    iswi_delivery *claimed[ISWI_POSTS_CLAIMED];
};

/* quiet.c: somebody wants to know when all is sent. */
typedef struct iswi_quiet {
    atomic_ullong kept; /* by calls */
    /* With the sender's lock: */
    unsigned long long kept_before; /* when it was asked last */
    uint64_t asked, fenced, told;   /* the last question, that of the fence, and that was answered */
    unsigned turns;                 /* that the fence has before it; 0: there is none */
    iswi_broker_op fence;
    iswi_arena arena;
    pthread_mutex_t listening; /* taken with no other */
    iswi_webhooks_quiet_fn heard;
    void *user;
} iswi_quiet;

void iswi_quiet_init(iswi_quiet *quiet);
void iswi_quiet_fini(iswi_quiet *quiet);
void iswi_quiet_look(iswi_sender *sender); /* fewer are on their way */

struct iswi_sender {
    iswi_host *host;
    iswi_broker *broker;
    const iswi_webhooks_settings *settings;
    iswi_arena arena; /* of endpoints and targets; the supervisor's thread */
    _Atomic(iswi_endpoint *) endpoints; /* grows at the front */

    pthread_mutex_t lock; /* taken before nothing else; guards what follows, and as said above */
    bool held, ending;
    iswi_post *inbox; /* the first that came is the last */
    iswi_quiet quiet;

    iswi_curl_calls curl; /* what follows: once there is an endpoint */
    CURLM *multi;         /* with `posts` its thread's own */
    iswi_post *posts;     /* that are being sent */
    pthread_t thread;
};

/* sender.c */
isw_status iswi_sender_create(const iswi_trigger_start *with, iswi_sender **out, isw_error *error);
void iswi_sender_destroy(iswi_sender *sender); /* the broker has ended */
isw_status iswi_sender_begin(iswi_sender *sender, isw_error *error); /* its thread; once or more */
void iswi_sender_give(iswi_sender *sender, iswi_post *post); /* to be sent; any thread */

/* -- Endpoints; endpoint.c --------------------------------------------------------------------- */

/* Make that one, or have the one of that name send as `target` says from now on. The supervisor's
 * thread. NULL: no memory. */
iswi_endpoint *iswi_endpoint_set(iswi_sender *sender, const char *name, const iswi_target *target);

/* Claim as much as there is room for, if any. No lock held. */
void iswi_endpoint_pump(iswi_endpoint *endpoint);
void iswi_sender_hold(iswi_sender *sender, bool on);

/* -- News; news.c ------------------------------------------------------------------------------ */

/* An attempt went well (NULL) or has failed: say so where that is news. */
void iswi_endpoint_note(iswi_endpoint *endpoint, const char *why, int64_t again_ms);

/* How it is with its receiver, as a sentence; "": well. */
void iswi_endpoint_describe(const iswi_endpoint *endpoint, char *out, size_t size);

/* -- Posts; post.c ----------------------------------------------------------------------------- */

struct iswi_post {
    iswi_endpoint *endpoint;
    const iswi_target *target;
    iswi_delivery *delivery;
    iswi_arena arena;
    CURL *easy; /* NULL: it is not being sent */
    struct curl_slist *lines;
    char why[CURL_ERROR_SIZE];
    char said[ISWI_SAID_BYTES];
    size_t said_size;
    iswi_settlement settlement;
    iswi_broker_op settle;
    iswi_post *next, *before; /* in the sender's list */
};

/* Of what was claimed, which is its own from then on. NULL: no memory. */
iswi_post *iswi_post_create(iswi_endpoint *endpoint, iswi_delivery *delivery);
void iswi_post_destroy(iswi_post *post); /* NULL is allowed */

/* Make the transfer. False: it cannot be, for lack of memory. The sender's thread, as the next. */
bool iswi_post_prepare(iswi_post *post, iswi_curl_calls *curl);

/* What came of it, and what becomes of the message; then tell the broker. */
void iswi_post_end(iswi_post *post, CURLcode code);

/* Give it back untried. Any thread. */
void iswi_post_give_back(iswi_post *post);

/* -- Verdicts; verdict.c, pure ----------------------------------------------------------------- */

typedef struct iswi_attempt {
    const char *failure;   /* there was no answer, and why; NULL: there was */
    long status;           /* of the answer */
    int64_t retry_after_s; /* as it says; 0: it does not */
    isw_str said;          /* how its body begins */
    unsigned number;       /* from 1 */
} iswi_attempt;

/* 2xx is done with; a status of 400 to 499 would be the same again, so that it is dead, but for 408,
 * 425 and 429; all else is tried again, when the answer says or behind the backoff. Texts in the
 * arena. */
void iswi_attempt_judge(const iswi_attempt *attempt, const iswi_webhook_bounds *bounds,
                        iswi_arena *arena, iswi_settlement *out);

#endif
