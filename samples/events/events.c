/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event says that an order was paid; another one says to whoever wants to know that it is shipped. It
 * is sent once this function has succeeded, and again until it has arrived: by hand a receiver is
 * `nc -l -p 8080`, which does not answer, so that the event comes again. What is on its way is a message:
 *
 *     isoworker queue peek http.ship.shipped -C samples/events
 *
 * RUN     isoworker run samples/events
 *         curl -i -H 'content-type: application/cloudevents+json' \
 *              -d '{"specversion":"1.0","id":"1","source":"/shop","type":"com.example.order.paid",
 *                   "subject":"o1","data":{"item":"tea"}}' http://127.0.0.1:7071/api/paid
 * OUTPUT  HTTP/1.1 204 No Content
 */
#include <isoworker/isoworker.h>

typedef struct order {
    const char *item;
} order;

static const isw_field order_fields[] = {
    { ISW_FIELD(STRING, order, item), .required = true, .min = 1 },
    { 0 },
};

static const isw_property as_events[] = { { "type", "com.example.order.shipped" }, { 0 } };
static const isw_binding outputs[] = { { "shipped", "cloudevents", ISW_OUT, as_events }, { 0 } };

static isw_status ship(isw_context *ctx)
{
    isw_cloudevent shipped = { 0 };
    isw_cloudevent paid;
    order order;

    if (isw_cloudevent_get(ctx, &paid) != ISW_OK ||
        isw_bind_payload(ctx, "order", order_fields, &order) != ISW_OK)
        return ISW_E_INVALID;
    shipped.subject = paid.subject;
    shipped.data = isw_value_string(isw_context_printf(ctx, "one box of %s", order.item));
    return isw_cloudevent_put(ctx, "shipped", &shipped);
}

static const isw_function functions[] = {
    { .name = "ship", .trigger = ISW_CLOUDEVENT("paid"), .handler = ship, .bindings = outputs },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
