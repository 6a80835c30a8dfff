/* SPDX-License-Identifier: Apache-2.0 */
#include "host/lambda/event.h"

#include "value/value.h"

#include <string.h>

const char *iswi_lambda_kind_name(iswi_lambda_kind kind)
{
    static const char *const names[] = {
        [ISWI_LAMBDA_REST] = "apigateway-v1",
        [ISWI_LAMBDA_HTTP] = "apigateway-v2",
        [ISWI_LAMBDA_URL] = "function-url",
        [ISWI_LAMBDA_ALB] = "alb",
        [ISWI_LAMBDA_SQS] = "sqs",
        [ISWI_LAMBDA_KINESIS] = "kinesis",
        [ISWI_LAMBDA_DYNAMODB] = "dynamodb",
        [ISWI_LAMBDA_SCHEDULE] = "schedule",
        [ISWI_LAMBDA_EVENTBRIDGE] = "eventbridge",
        [ISWI_LAMBDA_S3] = "s3",
        [ISWI_LAMBDA_SNS] = "sns",
        [ISWI_LAMBDA_SES] = "ses",
        [ISWI_LAMBDA_OTHER] = "other",
    };

    return names[kind];
}

const isw_value *iswi_lambda_member(const isw_value *map, const char *name)
{
    for (size_t i = 0; map && map->type == ISW_VALUE_MAP && i < map->as.map.count; i++)
        if (isw_str_equal(map->as.map.items[i].name, isw_str_of(name)))
            return &map->as.map.items[i].value;
    return NULL;
}

isw_str iswi_lambda_text(const isw_value *map, const char *name)
{
    const isw_value *found = iswi_lambda_member(map, name);

    return found && found->type == ISW_VALUE_STRING ? found->as.string : (isw_str){ "", 0 };
}

static bool is(isw_str text, const char *other)
{
    return isw_str_equal(text, isw_str_of(other));
}

/* -- HTTP -------------------------------------------------------------------------------------- */

static bool has(isw_str text, const char *part)
{
    return text.size && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

static iswi_lambda_kind kind_of_request(const isw_value *event, const isw_value *context)
{
    if (iswi_lambda_member(context, "elb"))
        return ISWI_LAMBDA_ALB;
    if (iswi_lambda_member(context, "http") && is(iswi_lambda_text(event, "version"), "2.0"))
        return has(iswi_lambda_text(context, "domainName"), ".lambda-url.") ? ISWI_LAMBDA_URL
                                                                            : ISWI_LAMBDA_HTTP;
    return iswi_lambda_text(event, "httpMethod").size ? ISWI_LAMBDA_REST : ISWI_LAMBDA_OTHER;
}

/* -- Records ----------------------------------------------------------------------------------- */

typedef struct record_source {
    const char *source;
    iswi_lambda_kind kind;
} record_source;

static const record_source record_sources[] = {
    { "aws:sqs", ISWI_LAMBDA_SQS },           { "aws:kinesis", ISWI_LAMBDA_KINESIS },
    { "aws:dynamodb", ISWI_LAMBDA_DYNAMODB }, { "aws:s3", ISWI_LAMBDA_S3 },
    { "aws:sns", ISWI_LAMBDA_SNS },           { "aws:ses", ISWI_LAMBDA_SES },
};

/* Whichever of them spells it. */
static isw_str source_of(const isw_value *record)
{
    isw_str source = iswi_lambda_text(record, "eventSource");

    return source.size ? source : iswi_lambda_text(record, "EventSource");
}

static isw_str arn_of(const isw_value *record, iswi_lambda_kind kind)
{
    if (kind == ISWI_LAMBDA_S3)
        return iswi_lambda_text(
            iswi_lambda_member(iswi_lambda_member(record, "s3"), "bucket"), "arn");
    if (kind == ISWI_LAMBDA_SNS)
        return iswi_lambda_text(iswi_lambda_member(record, "Sns"), "TopicArn");
    return iswi_lambda_text(record, "eventSourceARN");
}

static void read_records(iswi_lambda_event *out, const isw_value *records)
{
    const isw_value *first = records->as.array.items;

    out->records = records;
    out->source = source_of(first);
    for (size_t i = 0; i < sizeof record_sources / sizeof record_sources[0]; i++)
        if (is(out->source, record_sources[i].source))
            out->kind = record_sources[i].kind;
    out->arn = arn_of(first, out->kind);
}

/* -- Everything -------------------------------------------------------------------------------- */

static void read_scheduled(iswi_lambda_event *out)
{
    const isw_value *resources = iswi_lambda_member(&out->value, "resources");

    out->source = iswi_lambda_text(&out->value, "source");
    out->kind = is(iswi_lambda_text(&out->value, "detail-type"), "Scheduled Event") &&
                        (is(out->source, "aws.events") || is(out->source, "aws.scheduler"))
                    ? ISWI_LAMBDA_SCHEDULE
                    : ISWI_LAMBDA_EVENTBRIDGE;
    if (resources && resources->type == ISW_VALUE_ARRAY && resources->as.array.count &&
        resources->as.array.items[0].type == ISW_VALUE_STRING)
        out->arn = resources->as.array.items[0].as.string;
}

static isw_str last_part(isw_str text, char separator)
{
    const char *at = text.size ? memrchr(text.data, separator, text.size) : NULL;

    return at ? (isw_str){ at + 1, text.size - (size_t)(at + 1 - text.data) } : text;
}

/* "arn:aws:sqs:eu-west-1:1:orders", "arn:aws:dynamodb:eu-west-1:1:table/orders/stream/2024...",
 * "arn:aws:events:eu-west-1:1:rule/nightly", and of a schedule the group stands before it. */
static isw_str resource_of(isw_str arn, iswi_lambda_kind kind)
{
    isw_str rest = last_part(arn, ':');
    const char *slash;

    if (kind != ISWI_LAMBDA_DYNAMODB)
        return last_part(rest, '/');
    slash = memmem(arn.data, arn.size, ":table/", 7);
    if (!slash)
        return last_part(rest, '/');
    slash += 7;
    rest = (isw_str){ slash, arn.size - (size_t)(slash - arn.data) };
    slash = memchr(rest.data, '/', rest.size);
    return (isw_str){ rest.data, slash ? (size_t)(slash - rest.data) : rest.size };
}

isw_status iswi_lambda_event_read(isw_str json, iswi_arena *arena, iswi_lambda_event *out,
                                  isw_error *error)
{
    const isw_value *context;
    const isw_value *records;
    isw_status status;

    *out = (iswi_lambda_event){ .kind = ISWI_LAMBDA_OTHER };
    status = iswi_json_parse(arena, json, &out->value, error);
    if (status != ISW_OK)
        return status;
    context = iswi_lambda_member(&out->value, "requestContext");
    records = iswi_lambda_member(&out->value, "Records");
    if (context)
        out->kind = kind_of_request(&out->value, context);
    else if (records && records->type == ISW_VALUE_ARRAY && records->as.array.count)
        read_records(out, records);
    else if (iswi_lambda_text(&out->value, "source").size &&
             iswi_lambda_text(&out->value, "detail-type").size)
        read_scheduled(out);
    out->resource = resource_of(out->arn, out->kind);
    return ISW_OK;
}
