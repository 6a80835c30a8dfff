/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders come by HTTP and go into a queue: the answer is given once the order is durable, and what is
 * done with it takes as long as it takes (work.c).
 *
 * RUN     isoworker run samples/orders
 *         curl -H 'content-type: application/json' \
 *              -d '{"id":"o1","customer":"ada","item":"tea","quantity":2}' \
 *              http://127.0.0.1:7071/api/orders
 *         isoworker queue list -C samples/orders
 * OUTPUT  order o1 is taken
 */
#include "orders.h"

static const isw_property to_orders[] = { { "queue", "orders" }, { 0 } };
static const isw_binding outputs[] = { { "orders", "queue", ISW_OUT, to_orders }, { 0 } };

/* The same order twice is one; those of a customer are done one after the other. */
static isw_status take(isw_context *ctx)
{
    const isw_value *body = isw_context_trigger(ctx);
    isw_queue_options options = { 0 };
    isw_value message;
    order order;

    if (isw_bind_payload(ctx, "order", order_fields, &order) != ISW_OK)
        return ISW_E_INVALID;
    options.id = order.id;
    options.key = order.customer;
    message = isw_value_text((isw_str){ isw_value_payload(body).data, isw_value_payload(body).size });
    message.type = ISW_VALUE_JSON;
    if (isw_queue_put(ctx, "orders", &message, &options) != ISW_OK)
        return ISW_E_FAILED;
    return isw_http_reply(ctx, 202, "text/plain", "order %s is taken\n", order.id);
}

static const isw_function functions[] = {
    { .name = "take", .trigger = ISW_HTTP("POST", "orders"), .handler = take, .bindings = outputs,
      .body = order_fields },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
