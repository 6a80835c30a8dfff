/* SPDX-License-Identifier: Apache-2.0 */
/* Records of batches as messages: views of the event, which outlives them. */
#include "host/lambda/internal.h"

#include "base/base64.h"
#include "base/text.h"
#include "broker/driver.h"
#include "value/value.h"

enum { MS_PER_S = 1000 };

static const char no_memory[] = "cannot be read: there is no memory for it";
static const char json_type[] = "application/json";

/* Attributes are numbers as text. */
static int64_t number_of(const isw_value *map, const char *name)
{
    const isw_value *found = iswi_lambda_member(map, name);
    int64_t number = 0;

    if (found && found->type == ISW_VALUE_INT)
        return found->as.integer;
    if (found && found->type == ISW_VALUE_DOUBLE)
        return (int64_t)found->as.real;
    if (!found || found->type != ISW_VALUE_STRING || found->as.string.size > 18)
        return 0;
    for (size_t i = 0; i < found->as.string.size; i++) {
        const char digit = found->as.string.data[i];

        if (digit < '0' || digit > '9')
            return 0;
        number = 10 * number + (digit - '0');
    }
    return number;
}

/* Whoever put it says what it is, or it looks like an object or a list; other text may be meant as
 * text. */
static isw_str type_of(iswi_lambda_slot *slot, isw_str said, isw_str body)
{
    isw_str rest = body;
    isw_value value;

    if (said.size)
        return said;
    while (rest.size && strchr(" \t\r\n", *rest.data)) {
        rest.data++;
        rest.size--;
    }
    if (rest.size && (*rest.data == '{' || *rest.data == '[') &&
        iswi_json_parse(&slot->arena, body, &value, NULL) == ISW_OK)
        return isw_str_of(json_type);
    return isw_str_of("text/plain");
}

static isw_str said_type(const isw_value *attributes, const char *member)
{
    static const char *const names[] = { "content-type", "Content-Type", "contentType" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const isw_str text =
            iswi_lambda_text(iswi_lambda_member(attributes, names[i]), member);

        if (text.size)
            return text;
    }
    return (isw_str){ NULL, 0 };
}

static bool read_sqs(iswi_lambda_slot *slot, const isw_value *record, iswi_delivery *out)
{
    const isw_value *attributes = iswi_lambda_member(record, "attributes");
    const isw_str body = iswi_lambda_text(record, "body");
    const int64_t count = number_of(attributes, "ApproximateReceiveCount");

    out->id = iswi_lambda_text(record, "messageId");
    out->body = (isw_bytes){ body.data, body.size };
    out->content_type =
        type_of(slot, said_type(iswi_lambda_member(record, "messageAttributes"), "stringValue"), body);
    out->key = iswi_lambda_text(attributes, "MessageGroupId");
    out->put_ms = number_of(attributes, "SentTimestamp");
    out->attempt = count > 0 ? (unsigned)count : 1;
    out->trace =
        iswi_lambda_traceparent(iswi_lambda_text(attributes, "AWSTraceHeader"), &slot->arena);
    return true;
}

static bool read_kinesis(iswi_lambda_slot *slot, const isw_value *record, iswi_delivery *out,
                         const char **wrong)
{
    const isw_value *kinesis = iswi_lambda_member(record, "kinesis");
    const isw_value *arrived = iswi_lambda_member(kinesis, "approximateArrivalTimestamp");

    out->id = iswi_lambda_text(kinesis, "sequenceNumber");
    out->key = iswi_lambda_text(kinesis, "partitionKey");
    if (arrived && arrived->type == ISW_VALUE_DOUBLE)
        out->put_ms = (int64_t)(arrived->as.real * MS_PER_S);
    else
        out->put_ms = number_of(kinesis, "approximateArrivalTimestamp") * MS_PER_S;
    if (iswi_base64_read(&slot->arena, iswi_lambda_text(kinesis, "data"), &out->body) != ISW_OK) {
        *wrong = "has data that is no base64";
        return false;
    }
    out->content_type = iswi_utf8_valid(out->body.data, out->body.size)
                            ? type_of(slot, (isw_str){ NULL, 0 },
                                      (isw_str){ out->body.data, out->body.size })
                            : (isw_str){ NULL, 0 };
    return true;
}

static bool write_body(iswi_lambda_slot *slot, const isw_value *value, iswi_delivery *out)
{
    isw_str text;

    out->content_type = isw_str_of(json_type);
    if (iswi_json_write(&slot->arena, value, &text, NULL) != ISW_OK)
        return false;
    out->body = (isw_bytes){ text.data, text.size };
    return true;
}

/* A change is not in the table any more: what is known of it is the record. */
static bool read_dynamodb(iswi_lambda_slot *slot, const isw_value *record, iswi_delivery *out)
{
    const isw_value *change = iswi_lambda_member(record, "dynamodb");

    out->id = iswi_lambda_text(change, "SequenceNumber");
    out->put_ms = number_of(change, "ApproximateCreationDateTime") * MS_PER_S;
    return write_body(slot, record, out);
}

static bool read_sns(iswi_lambda_slot *slot, const isw_value *record, iswi_delivery *out)
{
    const isw_value *told = iswi_lambda_member(record, "Sns");
    const isw_str body = iswi_lambda_text(told, "Message");

    out->id = iswi_lambda_text(told, "MessageId");
    out->body = (isw_bytes){ body.data, body.size };
    out->content_type =
        type_of(slot, said_type(iswi_lambda_member(told, "MessageAttributes"), "Value"), body);
    out->put_ms = iswi_lambda_instant(iswi_lambda_text(told, "Timestamp")) * MS_PER_S;
    return true;
}

/* All of it is the body; without a name of its own it has that of the invocation. */
static bool read_notice(iswi_lambda_slot *slot, const isw_value *record, iswi_delivery *out)
{
    const isw_value *mail = iswi_lambda_member(iswi_lambda_member(record, "ses"), "mail");
    const isw_value *file = iswi_lambda_member(iswi_lambda_member(record, "s3"), "object");
    const isw_str time = mail ? iswi_lambda_text(mail, "timestamp")
                              : iswi_lambda_text(record, "eventTime");

    out->id = mail ? iswi_lambda_text(mail, "messageId") : iswi_lambda_text(file, "sequencer");
    out->id = out->id.size ? out->id : slot->invocation.id;
    out->put_ms = iswi_lambda_instant(time) * MS_PER_S;
    return write_body(slot, record, out);
}

/* What happened is the body, and who says so stands beside it. */
static bool read_happening(iswi_lambda_slot *slot, const isw_value *event, iswi_delivery *out)
{
    const isw_value *detail = iswi_lambda_member(event, "detail");
    const isw_str id = iswi_lambda_text(event, "id");

    out->id = id.size ? id : slot->invocation.id;
    out->put_ms = iswi_lambda_instant(iswi_lambda_text(event, "time")) * MS_PER_S;
    return write_body(slot, detail ? detail : event, out);
}

/* -- All of them ------------------------------------------------------------------------------- */

/* What of a record became the body, and what it is a member of; NULL: all of it. */
static const char *body_of(iswi_lambda_kind kind, const isw_value **of)
{
    switch (kind) {
    case ISWI_LAMBDA_SQS:
        return "body";
    case ISWI_LAMBDA_KINESIS:
        return "kinesis";
    case ISWI_LAMBDA_SNS:
        *of = iswi_lambda_member(*of, "Sns");
        return "Message";
    case ISWI_LAMBDA_EVENTBRIDGE:
    case ISWI_LAMBDA_SCHEDULE:
        return "detail";
    default:
        return NULL;
    }
}

/* All but what became the body. */
static bool describe(iswi_lambda_slot *slot, const isw_value *record, isw_map *more)
{
    const char *body = body_of(slot->event.kind, &record);
    const size_t count = body && record ? record->as.map.count : 0;
    isw_named_value *items = iswi_arena_alloc(&slot->arena, (count + 1) * sizeof *items);
    isw_named_value whole;
    size_t kept = 0;

    if (!body) {
        *more = iswi_lambda_metadata(slot, NULL);
        return more->items != NULL;
    }
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!isw_str_equal(record->as.map.items[i].name, isw_str_of(body)))
            items[kept++] = record->as.map.items[i];
    whole = isw_named("record", isw_value_map(items, kept));
    *more = iswi_lambda_metadata(slot, &whole);
    return more->items != NULL;
}

/* The others have one at least, that of the invocation. */
static const char *lacks_id(iswi_lambda_kind kind)
{
    switch (kind) {
    case ISWI_LAMBDA_SQS:
        return "has no messageId";
    case ISWI_LAMBDA_KINESIS:
        return "has no kinesis.sequenceNumber";
    case ISWI_LAMBDA_DYNAMODB:
        return "has no dynamodb.SequenceNumber";
    case ISWI_LAMBDA_SNS:
        return "has no Sns.MessageId";
    default:
        return "has no id";
    }
}

iswi_delivery *iswi_lambda_record_read(iswi_lambda_slot *slot, const isw_value *record,
                                       isw_map *more, const char **wrong)
{
    iswi_delivery *out;
    bool fine;

    *wrong = "is no object";
    if (record->type != ISW_VALUE_MAP && slot->event.kind != ISWI_LAMBDA_OTHER)
        return NULL;
    *wrong = no_memory;
    out = iswi_delivery_create();
    if (!out)
        return NULL;
    out->attempt = 1;
    switch (slot->event.kind) {
    case ISWI_LAMBDA_SQS:
        fine = read_sqs(slot, record, out);
        break;
    case ISWI_LAMBDA_KINESIS:
        fine = read_kinesis(slot, record, out, wrong);
        break;
    case ISWI_LAMBDA_DYNAMODB:
        fine = read_dynamodb(slot, record, out);
        break;
    case ISWI_LAMBDA_SNS:
        fine = read_sns(slot, record, out);
        break;
    case ISWI_LAMBDA_EVENTBRIDGE:
    case ISWI_LAMBDA_SCHEDULE:
        fine = read_happening(slot, record, out);
        break;
    default:
        fine = read_notice(slot, record, out);
    }
    if (fine && out->id.size && describe(slot, record, more))
        return out;
    if (fine && !out->id.size)
        *wrong = lacks_id(slot->event.kind);
    iswi_delivery_free(out);
    return NULL;
}
