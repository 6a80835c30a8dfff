/* SPDX-License-Identifier: Apache-2.0 */
/* Records of batches as messages: views of the event, which outlives them. */
#include "host/lambda/internal.h"

#include "base/base64.h"
#include "base/text.h"
#include "broker/driver.h"
#include "value/value.h"

enum { MS_PER_S = 1000 };

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

static isw_str said_type(const isw_value *attributes)
{
    static const char *const names[] = { "content-type", "Content-Type", "contentType" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const isw_str text =
            iswi_lambda_text(iswi_lambda_member(attributes, names[i]), "stringValue");

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
        type_of(slot, said_type(iswi_lambda_member(record, "messageAttributes")), body);
    out->key = iswi_lambda_text(attributes, "MessageGroupId");
    out->put_ms = number_of(attributes, "SentTimestamp");
    out->attempt = count > 0 ? (unsigned)count : 1;
    out->trace =
        iswi_lambda_traceparent(iswi_lambda_text(attributes, "AWSTraceHeader"), &slot->arena);
    return true;
}

static bool read_kinesis(iswi_lambda_slot *slot, const isw_value *record, iswi_delivery *out)
{
    const isw_value *kinesis = iswi_lambda_member(record, "kinesis");
    const isw_value *arrived = iswi_lambda_member(kinesis, "approximateArrivalTimestamp");

    out->id = iswi_lambda_text(kinesis, "sequenceNumber");
    out->key = iswi_lambda_text(kinesis, "partitionKey");
    if (arrived && arrived->type == ISW_VALUE_DOUBLE)
        out->put_ms = (int64_t)(arrived->as.real * MS_PER_S);
    else
        out->put_ms = number_of(kinesis, "approximateArrivalTimestamp") * MS_PER_S;
    out->attempt = 1;
    if (iswi_base64_read(&slot->arena, iswi_lambda_text(kinesis, "data"), &out->body) != ISW_OK)
        return false;
    out->content_type = iswi_utf8_valid(out->body.data, out->body.size)
                            ? type_of(slot, (isw_str){ NULL, 0 },
                                      (isw_str){ out->body.data, out->body.size })
                            : (isw_str){ NULL, 0 };
    return true;
}

/* A change is not in the table any more: what is known of it is the record. */
static bool read_dynamodb(iswi_lambda_slot *slot, const isw_value *record, iswi_delivery *out)
{
    const isw_value *change = iswi_lambda_member(record, "dynamodb");
    isw_str text;

    out->id = iswi_lambda_text(change, "SequenceNumber");
    out->put_ms = number_of(change, "ApproximateCreationDateTime") * MS_PER_S;
    out->attempt = 1;
    out->content_type = isw_str_of(json_type);
    if (iswi_json_write(&slot->arena, record, &text, NULL) != ISW_OK)
        return false;
    out->body = (isw_bytes){ text.data, text.size };
    return true;
}

/* All but what became the body. */
static bool describe(iswi_lambda_slot *slot, const isw_value *record, isw_map *more)
{
    const char *body = slot->event.kind == ISWI_LAMBDA_SQS ? "body" : "kinesis";
    const size_t count = record->as.map.count;
    isw_named_value *items = iswi_arena_alloc(&slot->arena, (count + 1) * sizeof *items);
    isw_named_value whole;
    size_t kept = 0;

    if (slot->event.kind == ISWI_LAMBDA_DYNAMODB) {
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

iswi_delivery *iswi_lambda_record_read(iswi_lambda_slot *slot, const isw_value *record,
                                       isw_map *more)
{
    iswi_delivery *out = record->type == ISW_VALUE_MAP ? iswi_delivery_create() : NULL;
    bool fine;

    if (!out)
        return NULL;
    if (slot->event.kind == ISWI_LAMBDA_SQS)
        fine = read_sqs(slot, record, out);
    else if (slot->event.kind == ISWI_LAMBDA_KINESIS)
        fine = read_kinesis(slot, record, out);
    else
        fine = read_dynamodb(slot, record, out);
    if (fine && out->id.size && describe(slot, record, more))
        return out;
    iswi_delivery_free(out);
    return NULL;
}
