/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of orders. `pack` is given them from the queue, one at a time for a customer; it cannot
 * find unicorns, is asked again twice, and then such an order is dead until somebody replays it:
 *
 *     isoworker queue dead orders -C samples/orders
 *     isoworker queue replay orders -C samples/orders
 *
 * What it has packed it puts into another queue, in the step in which the order is done with: both or
 * neither. `ship` takes that in batches.
 */
#include "orders.h"

#include <string.h>

static const isw_property to_parcels[] = { { "queue", "parcels" }, { 0 } };
static const isw_binding outputs[] = { { "parcels", "queue", ISW_OUT, to_parcels }, { 0 } };

static isw_status pack(isw_context *ctx)
{
    isw_value parcel;
    order order;

    if (isw_bind_payload(ctx, "order", order_fields, &order) != ISW_OK)
        return ISW_E_INVALID;
    if (strcmp(order.item, "unicorn") == 0)
        return isw_fail(ctx, ISW_E_UNAVAILABLE, "there is no unicorn in the store");
    parcel = isw_value_string(isw_context_printf(ctx, "%s: %lld x %s for %s", order.id,
                                                 (long long)order.quantity, order.item,
                                                 order.customer));
    return isw_queue_put(ctx, "parcels", &parcel, NULL);
}

static isw_status ship(isw_context *ctx)
{
    for (size_t i = 0; i < isw_queue_count(ctx); i++) {
        isw_queue_message message;

        if (isw_queue_message_at(ctx, i, &message) != ISW_OK)
            return ISW_E_FAILED;
        isw_log(ctx, ISW_LOG_INFO, "shipped %.*s", (int)isw_value_payload(message.body).size,
                (const char *)isw_value_payload(message.body).data);
    }
    return ISW_OK;
}

static const isw_property patiently[] = { { "retry_delay", "200ms" }, { 0 } };
static const isw_property by_the_van[] = { { "batch_size", "10" }, { "batch_wait", "100ms" }, { 0 } };

static const isw_function functions[] = {
    { .name = "pack", .trigger = { "queue", NULL, NULL, "orders", patiently }, .handler = pack,
      .bindings = outputs },
    { .name = "ship", .trigger = { "queue", NULL, NULL, "parcels", by_the_van }, .handler = ship },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
