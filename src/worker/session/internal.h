/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_SESSION_INTERNAL_H
#define ISWI_WORKER_SESSION_INTERNAL_H

/* What a session is made of, and its parts. */
#include "link/link.h"
#include "worker/session/dispatch.h"
#include "worker/session/health.h"
#include "worker/session/session.h"

typedef struct iswi_log_rule {
    const char *pattern;
    isw_log_level level;
} iswi_log_rule;

typedef struct iswi_session {
    isw_worker *worker;
    iswi_link *link;
    int lifeline; /* of the link; -1: it has none, or it has ended; only the thread that waits */
    iswi_dispatch dispatch;
    iswi_log_sink sink;
    iswi_host_side host_side;
    unsigned char token[2 * ISWI_TOKEN_BYTES];
    iswi_arena inbound; /* of the frame that is being handled, on the link's thread */

    pthread_mutex_t lock; /* guards what follows */
    iswi_entry **loaded;  /* by the host's number */
    size_t loaded_count;
    iswi_log_rule *rules; /* set once, by hello */
    size_t rule_count;
    isw_error failure; /* why the session ended, if not as it should */
    bool greeted, closed, terminating;
    bool streams; /* the capability was agreed on; set once, by hello */
    bool reloading; /* a thread reads the configuration */
    bool reloaded;  /* it has been made; only the link's thread, and the end */
    pthread_t reloader;
    uint64_t reload_id;
    int64_t heartbeat_ms;
    atomic_bool asked; /* a status_request came: heartbeats have begun */
    int64_t grace_until_ns;

    iswi_health health;

    pthread_mutex_t telling; /* held to send metrics and status, so that goodbye is last */
    bool said_goodbye;
    atomic_bool tells; /* the capability `metrics` was agreed on; set once, by hello */

    atomic_llong heard_ns;
    atomic_bool leaving;
    atomic_bool fenced; /* the host answered a status_request: it has read what came before */
    atomic_uint dropped_lines;
} iswi_session;

enum { ISWI_LOADED_MAX = 1 << 20 };

/* session.c: the events of the link, and of the dispatcher. */
void iswi_session_events(iswi_session *session, iswi_link_events *events);
void iswi_session_on_idle(void *session);
void iswi_session_gather(void *session, bool on);
void iswi_session_more_waits(void *session);

void iswi_session_hello(iswi_session *session);
void iswi_session_credit(iswi_session *session, unsigned limit);

/* Wake the thread that waits for the end. */
void iswi_session_wake(iswi_session *session);

/* Record why the session ends, and close the link. */
void iswi_session_fail(iswi_session *session, isw_status status, const char *message);

/* Send a frame without which the session is nothing: if it cannot be sent, the link ends. */
void iswi_session_reply(iswi_session *session, const iswi_frame *frame);

/* status.c: answer status_request, and begin to check the worker's health as the host's hello says,
 * if both know of that; whether there is anything to check. On the link's thread. */
void iswi_session_on_status_request(iswi_session *session, uint64_t id);
void iswi_session_begin_health(iswi_session *session, const iswi_host_hello *hello);
bool iswi_session_has_checks(const iswi_session *session);

/* functions.c: answer metadata_request and load. On the link's thread. */
void iswi_session_describe(iswi_session *session, uint64_t id);
void iswi_session_load(iswi_session *session, uint64_t id, const iswi_load *load);

/* reload.c: take a new environment, and read the configuration again on a thread of its
 * own. On the link's thread. */
void iswi_session_reload(iswi_session *session, uint64_t id, const iswi_reload *reload);

/* Wait for that thread, if there is one. Once no frames come any more. */
void iswi_session_end_reload(iswi_session *session);

/* metrics.c: answer metrics_request, on the link's thread; and the last frames. */
void iswi_session_on_metrics_request(iswi_session *session, uint64_t id);
void iswi_session_goodbye(iswi_session *session);

/* The entry that the host loaded under `number`, or NULL. */
iswi_entry *iswi_session_entry(iswi_session *session, uint64_t number);

/* End the session because the other side broke the protocol. */
void iswi_session_violation(iswi_session *session, const isw_error *error);

/* invocation.c: the job of the pool. */
void iswi_invocation_run(void *session, iswi_job *job);

/* streams.c: frames of bodies in pieces. on_stream_frame is for chunk and window, on the
 * link's thread. */
void iswi_session_on_stream_frame(iswi_session *session, const iswi_frame *frame);
iswi_host_side iswi_session_host_side(iswi_session *session);

/* log.c: log lines on their way to the host. */
void iswi_session_log(void *session, isw_context *ctx, const iswi_log *line);
isw_log_level iswi_session_threshold(void *session, const char *category);
void iswi_session_set_levels(iswi_session *session, const isw_pairs *levels);

#endif
