/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LAMBDA_EVENT_H
#define ISWI_HOST_LAMBDA_EVENT_H

/* What an event is, by what it holds: Lambda does not say. Pure. Inside the room. */
#include "base/arena.h"

#include <isoworker/status.h>
#include <isoworker/value.h>

typedef enum iswi_lambda_kind {
    ISWI_LAMBDA_REST, /* API Gateway, payload format 1.0 */
    ISWI_LAMBDA_HTTP, /* and 2.0 */
    ISWI_LAMBDA_URL,
    ISWI_LAMBDA_ALB,
    ISWI_LAMBDA_SQS,
    ISWI_LAMBDA_KINESIS,
    ISWI_LAMBDA_DYNAMODB,
    ISWI_LAMBDA_SCHEDULE,
    ISWI_LAMBDA_EVENTBRIDGE,
    ISWI_LAMBDA_S3,
    ISWI_LAMBDA_SNS,
    ISWI_LAMBDA_SES,
    ISWI_LAMBDA_OTHER
} iswi_lambda_kind;

typedef struct iswi_lambda_event {
    iswi_lambda_kind kind;
    isw_value value;   /* all of it */
    isw_str source;    /* "aws:sqs", "aws.events": as it says itself; may be empty */
    isw_str arn;       /* of what it is from; may be empty */
    isw_str resource;  /* the last part of that: a queue, a stream, a table, a schedule, a bucket */
    const isw_value *records; /* an array; NULL: it has none */
} iswi_lambda_event;

/* "sqs": for rules and people. */
const char *iswi_lambda_kind_name(iswi_lambda_kind kind);

static inline bool iswi_lambda_is_http(iswi_lambda_kind kind)
{
    return kind <= ISWI_LAMBDA_ALB;
}

static inline bool iswi_lambda_is_batch(iswi_lambda_kind kind)
{
    return kind >= ISWI_LAMBDA_SQS && kind <= ISWI_LAMBDA_DYNAMODB;
}

/* Its records are messages, but it comes again as a whole where one of them fails. */
static inline bool iswi_lambda_is_notice(iswi_lambda_kind kind)
{
    return kind >= ISWI_LAMBDA_S3 && kind <= ISWI_LAMBDA_SES;
}

/* Read JSON into the arena. ISW_E_INVALID, with what is wrong with it; ISW_E_NO_MEMORY. */
isw_status iswi_lambda_event_read(isw_str json, iswi_arena *arena, iswi_lambda_event *out,
                                  isw_error *error);

/* A member of a map, NULL if it is none or has none; and its text, which is empty then. */
const isw_value *iswi_lambda_member(const isw_value *map, const char *name);
isw_str iswi_lambda_text(const isw_value *map, const char *name);

/* "2015-10-08T16:53:06Z", perhaps with a part of a second, which is left out, in seconds since 1970;
 * 0: it is none. */
int64_t iswi_lambda_instant(isw_str text);

/* What Lambda says of an invocation, in headers; texts may be empty. */
typedef struct iswi_lambda_invocation {
    isw_str id, function_arn, trace, client_context, identity, tenant;
    int64_t deadline_ns; /* of iswi_now_ns; 0: none */
    isw_str parent;      /* the trace as traceparent has it; empty: there is none */
} iswi_lambda_invocation;

/* Into the arena. False: no memory, or no id, without which nothing can be told of it. */
bool iswi_lambda_invocation_read(const isw_pairs *headers, iswi_arena *arena,
                                 iswi_lambda_invocation *out);

/* "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1" as a traceparent in
 * the arena; empty for what is none. */
isw_str iswi_lambda_traceparent(isw_str trace, iswi_arena *arena);

#endif
