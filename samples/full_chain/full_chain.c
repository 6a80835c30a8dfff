/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shop behind a full chain: worker.yaml puts eleven middleware before functions that know of none
 * of them. See what each does:
 *
 *   isoworker run samples/full_chain
 *   curl -i localhost:7071/api/quote                  fails each other time: tried again
 *   curl -i localhost:7071/api/stock                  one that always fails: the circuit opens
 *   curl -i localhost:7071/api/catalog --compressed   gzip, for those who take it
 *   curl -i -d '{"item":"tea"}' -H 'content-type: application/json' -H 'idempotency-key: 1' \
 *        localhost:7071/api/orders                    ordered once, however often it is sent
 *   isoworker status samples/full_chain               says where `admin` is, with its /metrics
 */
#include <isoworker/isoworker.h>
#include <stdatomic.h>

typedef struct order {
    const char *item;
    int64_t quantity;
} order;

static const isw_field order_fields[] = {
    { ISW_FIELD(STRING, order, item), .required = true, .min = 1, .max = 40 },
    { ISW_FIELD(INT, order, quantity), .default_value = "1", .min = 1, .max = 99 },
    { 0 },
};

/* `validate` has seen to it that the body fits. */
static isw_status order_place(isw_context *ctx)
{
    static atomic_int orders;
    order o;
    isw_status status = isw_bind_payload(ctx, "order", order_fields, &o);

    if (status != ISW_OK)
        return status;
    return isw_http_reply(ctx, 201, "text/plain", "order %d: %d of %s\n",
                          atomic_fetch_add(&orders, 1) + 1, (int)o.quantity, o.item);
}

/* Large enough to be worth compressing. */
static isw_status catalog(isw_context *ctx)
{
    isw_value items[100];

    for (size_t i = 0; i < 100; i++) {
        const char *name = isw_context_printf(ctx, "tea of the best kind, number %zu", i + 1);

        if (!name)
            return ISW_E_NO_MEMORY;
        items[i] = isw_value_string(name);
    }
    return isw_http_reply_json(ctx, 200, &(isw_value){ .type = ISW_VALUE_ARRAY,
                                                       .as.array = { items, 100 } });
}

/* Idempotent, so that `retry` may ask the supplier again. */
static isw_status quote(isw_context *ctx)
{
    static atomic_int calls;
    unsigned span = isw_span_begin(ctx, "ask the supplier");
    bool fails = atomic_fetch_add(&calls, 1) % 2 == 0;

    isw_span_end(ctx, span, fails ? ISW_E_UNAVAILABLE : ISW_OK);
    if (fails)
        return isw_fail(ctx, ISW_E_UNAVAILABLE, "the supplier does not answer");
    return isw_http_reply(ctx, 200, "text/plain", "2.40 a bag\n");
}

static isw_status stock(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_UNAVAILABLE, "the warehouse is closed");
}

static isw_status slow(isw_context *ctx)
{
    if (isw_context_sleep(ctx, 60000) != ISW_OK)
        return isw_fail(ctx, ISW_E_CANCELLED, "told to stop");
    return isw_http_reply(ctx, 200, "text/plain", "at last\n");
}

static const isw_function functions[] = {
    { .name = "order_place", .trigger = ISW_HTTP("POST", "orders"), .handler = order_place,
      .body = order_fields },
    { .name = "catalog", .trigger = ISW_HTTP("GET", NULL), .handler = catalog },
    { .name = "quote", .trigger = ISW_HTTP("GET", NULL), .handler = quote, .idempotent = true },
    { .name = "stock", .trigger = ISW_HTTP("GET", NULL), .handler = stock },
    { .name = "slow", .trigger = ISW_HTTP("GET", NULL), .handler = slow },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
