/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON body as a C struct, and a struct as the answer; what does not fit is refused by its path.
 *
 * RUN     isoworker run samples/struct_binding
 *         curl -H content-type:application/json http://127.0.0.1:7071/api/orders \
 *              -d '{"customer": "Ada", "lines": [{"item": "pen", "quantity": 3, "price": 1.5}]}'
 * OUTPUT  {"customer":"Ada","total":4.5}
 */
#include <isoworker/isoworker.h>

typedef struct line {
    const char *item;
    int64_t quantity;
    double price;
} line;
typedef struct order {
    const char *customer;
    line *lines;
    size_t line_count;
} order;
typedef struct receipt {
    const char *customer;
    double total;
} receipt;
static const isw_field line_fields[] = {
    { ISW_FIELD(STRING, line, item), .required = true },
    { ISW_FIELD(INT, line, quantity), .default_value = "1", .min = 1, .max = 99 },
    { ISW_FIELD(DOUBLE, line, price), .required = true },
    { 0 },
};
static const isw_field order_fields[] = {
    { ISW_FIELD(STRING, order, customer), .required = true },
    { ISW_FIELD_LIST(STRUCT, order, lines, line_count), .fields = line_fields,
      .item_size = sizeof(line) },
    { 0 },
};
static const isw_field receipt_fields[] = {
    { ISW_FIELD(STRING, receipt, customer) },
    { ISW_FIELD(DOUBLE, receipt, total) },
    { 0 },
};

static isw_status place(isw_context *ctx)
{
    order o;
    isw_status status = isw_bind_payload(ctx, "order", order_fields, &o);
    receipt r = { status == ISW_OK ? o.customer : NULL, 0 };

    for (size_t i = 0; status == ISW_OK && i < o.line_count; i++)
        r.total += (double)o.lines[i].quantity * o.lines[i].price;
    return status == ISW_OK ? isw_http_reply_struct(ctx, 201, receipt_fields, &r) : status;
}

static const isw_function functions[] = {
    { .name = "place", .trigger = ISW_HTTP("POST", "orders"), .handler = place },
    { 0 },
};

int main(int argc, char **argv) { return isw_main(argc, argv, functions); }
