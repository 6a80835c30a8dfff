/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_ORDERS_H
#define SAMPLES_ORDERS_H

/* An order as it travels: JSON. */
#include <isoworker/isoworker.h>

typedef struct order {
    const char *id, *customer, *item;
    int64_t quantity;
} order;

static const isw_field order_fields[] = {
    { ISW_FIELD(STRING, order, id), .required = true, .min = 1, .max = 64 },
    { ISW_FIELD(STRING, order, customer), .required = true, .min = 1, .max = 64 },
    { ISW_FIELD(STRING, order, item), .required = true, .min = 1 },
    { ISW_FIELD(INT, order, quantity), .default_value = "1", .min = 1, .max = 99 },
    { 0 },
};

#endif
