/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_CLOUDEVENT_H
#define ISOWORKER_CLOUDEVENT_H

/*
 * CloudEvents 1.0 by HTTP: events that a function gets (ISW_CLOUDEVENT of function.h), and that any
 * function sends.
 *
 *     static isw_status on_paid(isw_context *ctx)
 *     {
 *         isw_cloudevent event;
 *         order order;
 *
 *         if (isw_cloudevent_get(ctx, &event) != ISW_OK ||
 *             isw_bind_payload(ctx, "order", order_fields, &order) != ISW_OK)
 *             return ISW_E_INVALID;
 *         event = (isw_cloudevent){ .type = isw_str_of("com.example.order.shipped"),
 *                                   .subject = isw_str_of(order.id) };
 *         return isw_cloudevent_put(ctx, "shipped", &event);
 *     }
 *
 * Whichever mode an event came in, the trigger is the HTTP request with its data as the body
 * (isw_http_request, isw_bind_payload), so that a chain with auth, validate and the like is as for any
 * HTTP function. Of a batch each event is an invocation of its own, several at a time. A function that
 * has failed gets its event again, if its sender is like most: one that it has seen is known by source
 * and id.
 *
 * Properties of the trigger: route, as ISW_HTTP has it; types and sources, patterns (* and ?) separated
 * by spaces, of the events that it is given (others are taken and dropped); origins, likewise, who may
 * send events, of those senders that ask before they do. A sender that does not ask is not held up by
 * it: that is what auth is for.
 *
 * On the invocation's thread; what is handed out lives as long as the invocation.
 */
#include <isoworker/context.h>

ISW_BEGIN_DECLS

/* Views; empty, and NONE: there is none. */
typedef struct isw_cloudevent {
    isw_str id, source, type; /* of an event that was got never empty */
    isw_str subject, time;    /* the second as RFC 3339 has it */
    isw_str data_content_type, data_schema;
    isw_value data;     /* got: JSON and text as such, by the content type; else bytes */
    isw_map extensions; /* other attributes: small letters and digits; strings, integers, booleans */
} isw_cloudevent;

/* The event that the function was given. Errors: ISW_E_NOT_FOUND for a function of another trigger,
 * ISW_E_NO_MEMORY, both recorded on ctx; *out is zero then. */
ISW_API isw_status isw_cloudevent_get(isw_context *ctx, isw_cloudevent *out);

/* Send an event by the output `output`, which is declared as { "name", "cloudevents", ISW_OUT,
 * properties }: its data is any value, as the body of a message is (isw_queue_put). The host makes an
 * id and a time where there is none, and has type and source of the properties; where to, and in which
 * mode, likewise. It is sent when the function succeeds, and until its receiver takes it (isoworker(1),
 * "Webhooks"). Errors: those of isw_context_emit. An attribute that cannot be one is the invocation's
 * failure. */
ISW_API isw_status isw_cloudevent_put(isw_context *ctx, const char *output,
                                      const isw_cloudevent *event);

ISW_END_DECLS

#endif
