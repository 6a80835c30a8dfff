/* SPDX-License-Identifier: Apache-2.0 */
/* The frames that golden.py wrote, against our codec: what is in them, and that we write the same
 * bytes. */
#include "wire/support.h"

#include <math.h>
#include <stdlib.h>

#define ID "0123456789abcdef0123456789abcdef"
#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

typedef struct decoded {
    sample bytes;
    iswi_arena arena;
    iswi_frame frame;
} decoded;

static const iswi_frame *decoded_init(decoded *d, const char *name, uint64_t kind, uint64_t id)
{
    isw_error error = { .status = ISW_OK };
    size_t used = 0;

    d->bytes = golden(name);
    iswi_arena_init(&d->arena, 1024);
    assert_int_equal(iswi_frame_decode(d->bytes.bytes, d->bytes.size, &d->arena, &d->frame, &used,
                                       &error), ISW_OK);
    assert_int_equal(used, d->bytes.size);
    assert_int_equal(d->frame.kind, kind);
    assert_int_equal(d->frame.id, id);
    return &d->frame;
}

static void decoded_fini(decoded *d)
{
    iswi_arena_fini(&d->arena);
    sample_fini(&d->bytes);
}

static void assert_str(isw_str text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_true(isw_str_equal(text, isw_str_of(expected)));
}

static void assert_bytes(isw_bytes bytes, const char *expected, size_t size)
{
    assert_int_equal(bytes.size, size);
    assert_true(size == 0 || memcmp(bytes.data, expected, size) == 0);
}

/* `expected` is name, value, ..., NULL. */
static void assert_pairs(isw_pairs pairs, const char *const *expected)
{
    size_t count = 0;

    for (; expected[2 * count]; count++) {
        assert_true(count < pairs.count);
        assert_str(pairs.items[count].name, expected[2 * count]);
        assert_str(pairs.items[count].value, expected[2 * count + 1]);
    }
    assert_int_equal(pairs.count, count);
}

#define ASSERT_PAIRS(pairs, ...) \
    assert_pairs(pairs, (const char *const[]){ __VA_ARGS__, NULL })

static const isw_value *entry(const isw_map *named, const char *name, isw_value_type type)
{
    for (size_t i = 0; i < named->count; i++)
        if (isw_str_equal(named->items[i].name, isw_str_of(name))) {
            assert_int_equal(named->items[i].value.type, type);
            return &named->items[i].value;
        }
    fail_msg("there is no entry %s", name);
    return NULL;
}

static void encode_again(const sample *golden_frame)
{
    iswi_buffer out = { 0 };
    iswi_arena arena;
    iswi_frame frame;
    isw_error error = { .status = ISW_OK };
    size_t used = 0;

    iswi_arena_init(&arena, 1024);
    if (iswi_frame_decode(golden_frame->bytes, golden_frame->size, &arena, &frame, &used, &error) ||
        iswi_frame_encode(&frame, &out, &error))
        fail_msg("%s: %s", golden_frame->name, error.message);
    assert_int_equal(used, golden_frame->size);
    if (out.size != used || memcmp(out.data, golden_frame->bytes, used) != 0)
        fail_msg("%s: our bytes differ", golden_frame->name);
    iswi_buffer_fini(&out);
    iswi_arena_fini(&arena);
}

static void every_golden_frame_is_encoded_to_the_same_bytes(void **state)
{
    (void)state;
    golden_each(encode_again);
}

static unsigned seen_kinds;

static void note_kind(const sample *frame)
{
    uint64_t kind, id;
    size_t used;

    assert_int_equal(iswi_frame_peek(frame->bytes, frame->size, &kind, &id, &used, NULL), ISW_OK);
    assert_in_range(kind, ISWI_WORKER_HELLO, ISWI_KIND_LAST);
    seen_kinds |= 1u << kind;
}

static void there_is_a_golden_frame_of_every_kind(void **state)
{
    (void)state;
    golden_each(note_kind);
    for (unsigned kind = ISWI_WORKER_HELLO; kind <= ISWI_KIND_LAST; kind++)
        if (!(seen_kinds >> kind & 1))
            fail_msg("no golden frame of kind %s", iswi_kind_name(kind));
}

static void a_worker_hello_has_all_its_members(void **state)
{
    decoded d;
    const iswi_worker_hello *hello =
        &decoded_init(&d, "worker_hello", ISWI_WORKER_HELLO, 0)->as.worker_hello;

    (void)state;
    assert_int_equal(hello->protocol_min, 1);
    assert_int_equal(hello->protocol_max, 3);
    assert_bytes(hello->token, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
                 "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f", 32);
    assert_str(hello->runtime, "isoworker-c");
    assert_str(hello->runtime_version, "0.1.0");
    ASSERT_PAIRS(hello->capabilities, "ring", "1", "x-test", "");
    assert_int_equal(hello->pid, 4242);
    decoded_fini(&d);
}

static void a_host_hello_has_all_its_members(void **state)
{
    decoded d;
    const iswi_host_hello *hello =
        &decoded_init(&d, "host_hello", ISWI_HOST_HELLO, 0)->as.host_hello;

    (void)state;
    assert_int_equal(hello->protocol, 1);
    assert_bytes(hello->proof, "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4\xf3\xf2\xf1\xf0"
                 "\xef\xee\xed\xec\xeb\xea\xe9\xe8\xe7\xe6\xe5\xe4\xe3\xe2\xe1\xe0", 32);
    assert_str(hello->host, "isoworker");
    assert_str(hello->host_version, "0.1.0");
    ASSERT_PAIRS(hello->capabilities, "ring", "1");
    assert_int_equal(hello->heartbeat_ms, 1000);
    ASSERT_PAIRS(hello->log_levels, "*", "warning", "Function.*", "debug");
    assert_str(hello->worker, "orders/3");
    assert_str(hello->directory, "/srv/orders");
    decoded_fini(&d);
}

static void metadata_has_functions_with_bindings(void **state)
{
    decoded d;
    const iswi_metadata *metadata = &decoded_init(&d, "metadata", ISWI_METADATA, 1)->as.metadata;
    const iswi_wire_function *order = &metadata->functions.items[1];

    (void)state;
    assert_int_equal(metadata->status.code, 0);
    assert_int_equal(metadata->functions.count, 2);
    assert_str(metadata->functions.items[0].name, "hello");
    assert_str(metadata->functions.items[0].trigger_type, "http");
    ASSERT_PAIRS(metadata->functions.items[0].trigger, "methods", "GET POST", "route",
                 "hello/{name}");
    assert_false(metadata->functions.items[0].idempotent);
    assert_str(order->name, "take_order-2");
    assert_str(order->summary, "Takes one order.");
    assert_str(order->trigger_type, "queue");
    assert_str(order->trigger_binding, "order");
    ASSERT_PAIRS(order->trigger, "queue", "orders");
    ASSERT_PAIRS(order->metadata, "roles", "clerk");
    assert_int_equal(order->timeout_ms, 30000);
    assert_true(order->idempotent);
    assert_int_equal(order->chain.count, 3);
    assert_str(order->chain.items[2], "auth");
    assert_int_equal(order->bindings.count, 3);
    assert_str(order->bindings.items[0].name, "customer");
    assert_str(order->bindings.items[0].type, "table");
    assert_int_equal(order->bindings.items[0].direction, 0);
    ASSERT_PAIRS(order->bindings.items[0].properties, "table", "customers", "key", "{id}");
    assert_int_equal(order->bindings.items[1].direction, 1);
    assert_int_equal(order->bindings.items[1].properties.count, 0);
    assert_int_equal(order->bindings.items[2].direction, 2);
    decoded_fini(&d);
}

static void load_and_loaded_name_the_function(void **state)
{
    decoded d;
    const iswi_frame *frame = decoded_init(&d, "load", ISWI_LOAD, 2);

    (void)state;
    assert_int_equal(frame->as.load.function, 1);
    assert_str(frame->as.load.name, "hello");
    decoded_fini(&d);
    frame = decoded_init(&d, "loaded_failed", ISWI_LOADED, UINT64_MAX);
    assert_int_equal(frame->as.loaded.function, 0);
    assert_int_equal(frame->as.loaded.status.code, ISW_E_NOT_FOUND);
    assert_str(frame->as.loaded.status.message, "no function other");
    assert_str(frame->as.loaded.status.type, "");
    decoded_fini(&d);
}

static void assert_request(const isw_http *http)
{
    assert_str(http->method, "POST");
    assert_str(http->url, "/orders/7?dry=1&name=J%C3%BCrgen");
    ASSERT_PAIRS(http->headers, "host", "example.test", "accept", "text/plain", "accept",
                 "application/json");
    ASSERT_PAIRS(http->query, "dry", "1", "name", "J\u00fcrgen");
    ASSERT_PAIRS(http->params, "id", "7");
    assert_bytes(http->body, "{\"total\":12.5}\0\xff", 16);
    assert_str(http->client, "192.0.2.1");
    assert_int_equal(http->status, 0);
}

static void an_invoke_carries_an_http_request(void **state)
{
    decoded d;
    const iswi_invoke *invoke = &decoded_init(&d, "invoke_http", ISWI_INVOKE, 900)->as.invoke;

    (void)state;
    assert_int_equal(invoke->function, 1);
    assert_str(invoke->invocation_id, ID);
    assert_int_equal(invoke->trigger.type, ISW_VALUE_HTTP);
    assert_request(invoke->trigger.as.http);
    assert_int_equal(invoke->timeout_ms, 30000);
    assert_int_equal(invoke->inputs.count, 0);
    assert_int_equal(invoke->trigger_metadata.count, 0);
    assert_int_equal(invoke->trace.parent.size, 0);
    assert_int_equal(invoke->retry.count, 0);
    decoded_fini(&d);
}

static void assert_blob(const isw_model *model)
{
    assert_str(model->version, "1.0");
    assert_str(model->source, "AzureStorageBlobs");
    assert_str(model->content_type, "application/json");
    assert_bytes(model->content, "{\"Blob\":\"a/b\"}", 14);
}

static void an_invoke_has_all_its_members(void **state)
{
    decoded d;
    const iswi_frame *frame = decoded_init(&d, "invoke_full", ISWI_INVOKE, UINT64_C(1) << 32);
    const iswi_invoke *invoke = &frame->as.invoke;

    (void)state;
    assert_int_equal(invoke->function, 65535);
    assert_int_equal(invoke->trigger.type, ISW_VALUE_JSON);
    assert_str(invoke->trigger.as.string, "{\"id\":7}");
    assert_int_equal(invoke->inputs.count, 2);
    assert_blob(entry(&invoke->inputs, "customer", ISW_VALUE_MODEL)->as.model);
    assert_int_equal(entry(&invoke->inputs, "n", ISW_VALUE_INT)->as.integer, -1);
    assert_int_equal(entry(&invoke->trigger_metadata, "dequeue_count", ISW_VALUE_INT)->as.integer,
                     3);
    assert_false(entry(&invoke->trigger_metadata, "first", ISW_VALUE_BOOL)->as.boolean);
    assert_int_equal(invoke->timeout_ms, UINT64_C(1) << 32);
    assert_str(invoke->trace.parent, PARENT);
    assert_str(invoke->trace.state, "vendor=1");
    ASSERT_PAIRS(invoke->trace.baggage, "user", "7");
    assert_int_equal(invoke->retry.count, 2);
    assert_int_equal(invoke->retry.max, 5);
    assert_str(invoke->retry.last_error, "the worker ended before it answered");
    decoded_fini(&d);
}

static void assert_int_entries(const isw_map *named)
{
    static const char *const edges[] = {
        "0", "1", "127", "128", "255", "256", "65535", "65536", "4294967295", "4294967296",
        "9223372036854775807", "-1", "-32", "-33", "-128", "-129", "-32768", "-32769",
        "-2147483648", "-2147483649", "-9223372036854775808",
    };

    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        char name[32] = "int ";

        strcat(name, edges[i]);
        assert_true(entry(named, name, ISW_VALUE_INT)->as.integer == strtoll(edges[i], NULL, 10));
    }
}

static void every_type_of_data_arrives_as_it_was(void **state)
{
    decoded d;
    const isw_map *named =
        &decoded_init(&d, "invoke_inputs_of_each_type", ISWI_INVOKE, 903)->as.invoke.inputs;
    double zero;

    (void)state;
    entry(named, "none", ISW_VALUE_NONE);
    assert_str(entry(named, "string", ISW_VALUE_STRING)->as.string, "gr\u00fc\u00dfe \U0001f600");
    assert_str(entry(named, "empty_string", ISW_VALUE_STRING)->as.string, "");
    assert_str(entry(named, "json", ISW_VALUE_JSON)->as.string, "{\"a\":[1,2,{\"b\":null}]}");
    assert_bytes(entry(named, "bytes", ISW_VALUE_BYTES)->as.bytes, "\x00\x80\xff", 3);
    assert_bytes(entry(named, "empty_bytes", ISW_VALUE_BYTES)->as.bytes, "", 0);
    assert_true(entry(named, "double", ISW_VALUE_DOUBLE)->as.real == 0.1);
    zero = entry(named, "negative_zero", ISW_VALUE_DOUBLE)->as.real;
    assert_true(zero == 0 && signbit(zero));
    assert_true(entry(named, "infinity", ISW_VALUE_DOUBLE)->as.real == -INFINITY);
    assert_true(entry(named, "true", ISW_VALUE_BOOL)->as.boolean);
    assert_false(entry(named, "false", ISW_VALUE_BOOL)->as.boolean);
    assert_request(entry(named, "http", ISW_VALUE_HTTP)->as.http);
    assert_int_equal(entry(named, "empty_http", ISW_VALUE_HTTP)->as.http->headers.count, 0);
    assert_blob(entry(named, "model", ISW_VALUE_MODEL)->as.model);
    assert_int_entries(named);
    decoded_fini(&d);
}

/* Element `index` of an array of `count` elements of `type`. */
static const isw_value *element(const isw_map *named, const char *name, isw_value_type type,
                               size_t count, size_t index)
{
    const isw_value *data = entry(named, name, ISW_VALUE_ARRAY);

    assert_int_equal(data->as.array.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(data->as.array.items[i].type, type);
    return count ? &data->as.array.items[index] : NULL;
}

static void every_type_of_array_arrives_as_it_was(void **state)
{
    decoded d;
    const iswi_response *response =
        &decoded_init(&d, "response_arrays", ISWI_RESPONSE, 900)->as.response;
    const isw_map *named = &response->outputs;

    (void)state;
    assert_int_equal(response->outcome, ISW_OUTCOME_SUCCESS);
    assert_str(element(named, "strings", ISW_VALUE_STRING, 3, 2)->as.string, "\u00e7");
    assert_null(element(named, "empty", ISW_VALUE_STRING, 0, 0));
    assert_str(element(named, "jsons", ISW_VALUE_JSON, 2, 1)->as.string, "{}");
    assert_bytes(element(named, "bytes", ISW_VALUE_BYTES, 2, 1)->as.bytes, "\xfe", 1);
    assert_int_equal(element(named, "ints", ISW_VALUE_INT, 22, 0)->as.integer, -2);
    assert_int_equal(element(named, "ints", ISW_VALUE_INT, 22, 21)->as.integer, 19);
    assert_true(element(named, "doubles", ISW_VALUE_DOUBLE, 2, 1)->as.real == -2.5);
    assert_true(element(named, "bools", ISW_VALUE_BOOL, 2, 0)->as.boolean);
    assert_blob(element(named, "models", ISW_VALUE_MODEL, 2, 0)->as.model);
    assert_int_equal(element(named, "models", ISW_VALUE_MODEL, 2, 1)->as.model->content.size, 0);
    decoded_fini(&d);
}

static void responses_say_how_the_invocation_ended(void **state)
{
    decoded d;
    const iswi_response *r = &decoded_init(&d, "response_success", ISWI_RESPONSE, 900)->as.response;

    (void)state;
    assert_int_equal(r->outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(r->result.as.http->status, 200);
    assert_bytes(r->result.as.http->body, "Hello, Ada!\n", 12);
    decoded_fini(&d);
    r = &decoded_init(&d, "response_least", ISWI_RESPONSE, 900)->as.response;
    assert_int_equal(r->outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r->result.type, ISW_VALUE_NONE);
    decoded_fini(&d);
    r = &decoded_init(&d, "response_failed", ISWI_RESPONSE, 900)->as.response;
    assert_int_equal(r->status.code, ISW_E_INVALID);
    assert_str(r->status.message, "no total");
    assert_str(r->status.type, "ValueError");
    assert_int_equal(r->result.as.http->status, 400);
    decoded_fini(&d);
    r = &decoded_init(&d, "response_retry_later", ISWI_RESPONSE, 900)->as.response;
    assert_int_equal(r->outcome, ISW_OUTCOME_RETRY_LATER);
    assert_int_equal(r->retry_after_ms, 1500);
    decoded_fini(&d);
    r = &decoded_init(&d, "response_principal", ISWI_RESPONSE, 900)->as.response;
    assert_str(r->principal, "Ada");
    decoded_fini(&d);

    r = &decoded_init(&d, "response_took", ISWI_RESPONSE, 901)->as.response;
    assert_int_equal(r->took_ns, 1500000000);
    decoded_fini(&d);
    r = &decoded_init(&d, "response_outputs", ISWI_RESPONSE, 900)->as.response;
    assert_bytes(entry(&r->outputs, "receipt", ISW_VALUE_BYTES)->as.bytes, "%PDF", 4);
    ASSERT_PAIRS(r->trace_attributes, "orders.count", "3");
    decoded_fini(&d);
}

static void a_log_has_all_its_members(void **state)
{
    decoded d;
    const iswi_log *line = &decoded_init(&d, "log", ISWI_LOG, 900)->as.log;

    (void)state;
    assert_int_equal(line->level, 2);
    assert_str(line->category, "Function.hello");
    assert_str(line->message, "said hello");
    assert_int_equal(line->time_us, UINT64_C(1700000000123456));
    assert_str(entry(&line->fields, "name", ISW_VALUE_STRING)->as.string, "Ada");
    assert_true(entry(&line->fields, "took_ms", ISW_VALUE_DOUBLE)->as.real == 0.25);
    assert_int_equal(line->invocation.size + line->function.size, 0);
    decoded_fini(&d);
    line = &decoded_init(&d, "log_after", ISWI_LOG, 900)->as.log;
    assert_str(line->message, "afterwards");
    assert_str(line->invocation, "0123456789abcdef0123456789abcdef");
    assert_str(line->function, "hello");
    decoded_fini(&d);
}

static void the_frames_of_the_life_cycle_have_their_members(void **state)
{
    decoded d;

    (void)state;
    decoded_init(&d, "cancel", ISWI_CANCEL, 900);
    assert_int_equal(d.frame.as.cancel.reason, ISWI_CANCEL_DEADLINE);
    assert_int_equal(d.frame.as.cancel.grace_ms, 5000);
    decoded_fini(&d);
    decoded_init(&d, "status", ISWI_STATUS, 77);
    assert_int_equal(d.frame.as.status.running, 2);
    assert_int_equal(d.frame.as.status.waiting, 1);
    assert_int_equal(d.frame.as.status.resident_bytes, 12345678);
    decoded_fini(&d);
    decoded_init(&d, "credit", ISWI_CREDIT, 0);
    assert_int_equal(d.frame.as.credit.limit, 16);
    decoded_fini(&d);
    decoded_init(&d, "reload", ISWI_RELOAD, 3);
    ASSERT_PAIRS(d.frame.as.reload.environment, "PATH", "/bin", "OLD", "");
    assert_str(d.frame.as.reload.directory, "/srv/orders");
    decoded_fini(&d);
    decoded_init(&d, "reload_configuration", ISWI_RELOAD, 3);
    assert_true(d.frame.as.reload.configuration);
    assert_int_equal(d.frame.as.reload.environment.count, 0);
    decoded_fini(&d);
    decoded_init(&d, "reloaded_failed", ISWI_RELOADED, 3);
    assert_int_equal(d.frame.as.reloaded.status.code, ISW_E_IO);
    decoded_fini(&d);
    decoded_init(&d, "warmed_failed", ISWI_WARMED, 4);
    assert_str(d.frame.as.warmed.status.type, "ImportError");
    decoded_fini(&d);
    decoded_init(&d, "terminate", ISWI_TERMINATE, 0);
    assert_int_equal(d.frame.as.terminate.grace_ms, 10000);
    decoded_fini(&d);
    decoded_init(&d, "error", ISWI_ERROR, 0);
    assert_int_equal(d.frame.as.error.status.code, ISW_E_PROTOCOL);
    decoded_fini(&d);
}

static void metrics_have_families_with_series(void **state)
{
    decoded d;
    const iswi_wire_metrics *metrics =
        &decoded_init(&d, "metrics", ISWI_METRICS, 7)->as.metrics;
    const iswi_wire_family *orders = &metrics->families.items[0];
    const iswi_wire_family *pool = &metrics->families.items[1];
    const iswi_wire_family *wait = &metrics->families.items[2];

    (void)state;
    assert_int_equal(metrics->families.count, 3);
    assert_true(metrics->more);
    assert_str(orders->name, "orders_total");
    assert_str(orders->help, "Orders that were taken.");
    assert_int_equal(orders->type, ISWI_METRIC_COUNTER);
    assert_int_equal(orders->labels.count, 2);
    assert_str(orders->labels.items[1], "kind");
    assert_int_equal(orders->series.count, 2);
    assert_str(orders->series.items[0].labels.items[1], "gr\xc3\xb6\xc3\x9f" "er");
    assert_true(orders->series.items[1].value.as.real == 0.5);
    assert_int_equal(pool->type, ISWI_METRIC_GAUGE);
    assert_true(pool->series.items[0].value.as.real == -2.0);
    assert_int_equal(wait->type, ISWI_METRIC_HISTOGRAM);
    assert_int_equal(wait->bounds.as.array.count, 2);
    assert_true(wait->bounds.as.array.items[0].as.real == 0.1);
    assert_int_equal(wait->series.items[0].counts.as.array.items[2].as.integer, 300);
    decoded_fini(&d);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_golden_frame_is_encoded_to_the_same_bytes),
    cmocka_unit_test(there_is_a_golden_frame_of_every_kind),
    cmocka_unit_test(a_worker_hello_has_all_its_members),
    cmocka_unit_test(a_host_hello_has_all_its_members),
    cmocka_unit_test(metadata_has_functions_with_bindings),
    cmocka_unit_test(load_and_loaded_name_the_function),
    cmocka_unit_test(an_invoke_carries_an_http_request),
    cmocka_unit_test(an_invoke_has_all_its_members),
    cmocka_unit_test(every_type_of_data_arrives_as_it_was),
    cmocka_unit_test(every_type_of_array_arrives_as_it_was),
    cmocka_unit_test(responses_say_how_the_invocation_ended),
    cmocka_unit_test(a_log_has_all_its_members),
    cmocka_unit_test(the_frames_of_the_life_cycle_have_their_members),
    cmocka_unit_test(metrics_have_families_with_series),
};

ISW_TEST_MAIN(tests)
