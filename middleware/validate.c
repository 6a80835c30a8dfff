/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate: refuses requests before the function sees them. What the function itself asks of its
 * body and query stands in its field tables, isw_function.body and .query (bind.h), the same that
 * isw_bind_payload fills a struct by; the options add what holds for all requests. In this order:
 *
 *     a header that is required and missing      400
 *     a body that is too long                    413
 *     a body of another content type             415
 *     a query or a body that does not fit        400, with the path and what was expected there:
 *                                                "body.lines[3].quantity: expected integer, ..."
 *
 * Unlike the sentences of other failures these are the caller's to read: the answer is a problem
 * document (RFC 9457) that has it as its detail. Other triggers than HTTP are checked by the body's
 * table alone, and fail with ISW_E_INVALID. A body that streams is not looked at.
 */
#include <isoworker/bind.h>
#include <isoworker/http.h>
#include <isoworker/sys/middleware.h>
#include <inttypes.h>
#include <stddef.h>

typedef struct options {
    isw_option_strings headers;
    isw_option_strings content_types;
    int64_t max_body;
} options;

static const isw_option rows[] = {
    { .name = "headers", .type = ISW_OPTION_STRINGS, .default_value = "[]",
      .offset = offsetof(options, headers), .help = "that a request must have" },
    { .name = "content_types", .type = ISW_OPTION_STRINGS, .default_value = "[]",
      .offset = offsetof(options, content_types),
      .help = "that a body may have, such as application/json; none: any" },
    { .name = "max_body", .type = ISW_OPTION_SIZE, .default_value = "0",
      .offset = offsetof(options, max_body), .help = "bytes of a body at most; 0: any" },
    { 0 },
};

/* -- Room for what a table fills --------------------------------------------------------------- */

static size_t size_of(const isw_field *fields);

static size_t size_of_row(const isw_field *row)
{
    switch (row->type) {
    case ISW_FIELD_BOOL:
        return sizeof(bool);
    case ISW_FIELD_INT:
    case ISW_FIELD_ENUM:
        return sizeof(int64_t);
    case ISW_FIELD_DOUBLE:
        return sizeof(double);
    case ISW_FIELD_STRING:
    case ISW_FIELD_ARRAY:
        return sizeof(void *);
    case ISW_FIELD_BYTES:
        return sizeof(isw_bytes);
    case ISW_FIELD_VALUE:
        return sizeof(isw_value);
    case ISW_FIELD_STRUCT:
        return size_of(row->fields);
    }
    return 0;
}

static size_t size_of(const isw_field *fields)
{
    size_t size = 1;

    for (const isw_field *row = fields; row->name; row++) {
        size_t end = row->offset + size_of_row(row);
        size_t count_end =
            row->type == ISW_FIELD_ARRAY ? row->count_offset + sizeof(size_t) : 0;

        size = end > size ? end : size;
        size = count_end > size ? count_end : size;
    }
    return size;
}

/* -- Checks ------------------------------------------------------------------------------------ */

/* Each records the failure and returns its status. */
static isw_status check_headers(isw_context *ctx, const options *opt)
{
    for (size_t i = 0; i < opt->headers.count; i++)
        if (!isw_http_header(ctx, opt->headers.items[i]))
            return isw_fail(ctx, ISW_E_INVALID, "the header %s is missing", opt->headers.items[i]);
    return ISW_OK;
}

static isw_status check_size(isw_context *ctx, const options *opt)
{
    size_t size = isw_http_body(ctx).size;

    if (!opt->max_body || size <= (uint64_t)opt->max_body)
        return ISW_OK;
    return isw_fail(ctx, ISW_E_TOO_LARGE, "the body has %zu bytes, at most %" PRId64 " are taken",
                    size, opt->max_body);
}

static bool is_known_type(const isw_context *ctx, const options *opt)
{
    bool known = opt->content_types.count == 0 || isw_http_body(ctx).size == 0;

    for (size_t i = 0; !known && i < opt->content_types.count; i++)
        known = isw_http_content_type_is(ctx, opt->content_types.items[i]);
    return known;
}

static isw_status check_tables(isw_context *ctx)
{
    const isw_function *function = isw_context_function(ctx);
    const isw_http *http = isw_http_request(ctx);
    isw_status status = ISW_OK;
    void *room;

    if (function->query && http) {
        room = isw_context_alloc(ctx, size_of(function->query));
        status = room ? isw_bind_pairs(ctx, &http->query, "query", function->query, room)
                      : isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for the query");
    }
    if (status == ISW_OK && function->body && !function->streams) {
        room = isw_context_alloc(ctx, size_of(function->body));
        status = room ? isw_bind_payload(ctx, "body", function->body, room)
                      : isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for the body");
    }
    return status;
}

static isw_status answer(isw_context *ctx, isw_status status, int http_status)
{
    if (isw_http_request(ctx) && status != ISW_E_NO_MEMORY)
        isw_http_reply_problem(ctx, http_status, NULL, isw_context_failure(ctx)->message);
    return status;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    isw_status status = ISW_OK;

    if (isw_http_request(ctx)) {
        status = check_headers(ctx, opt);
        if (status == ISW_OK)
            status = check_size(ctx, opt);
        if (status == ISW_OK && !is_known_type(ctx, opt)) {
            const char *type = isw_http_header(ctx, "content-type");

            isw_fail(ctx, ISW_E_INVALID, "a body of the type %s is not taken",
                     type ? type : "(none)");
            return answer(ctx, ISW_E_INVALID, 415);
        }
    }
    if (status == ISW_OK)
        status = check_tables(ctx);
    return status == ISW_OK ? isw_next_run(next, ctx)
                            : answer(ctx, status, isw_status_http(status));
}

static void tell(isw_instance *self, isw_facts *facts)
{
    (void)self;
    isw_facts_reads(facts, "body query");
    isw_facts_not_outside(facts, "compress", "bodies that come compressed fit no table");
}

const isw_middleware isw_middleware_validate = {
    .size = sizeof(isw_middleware),
    .name = "validate",
    .summary = "refuses requests that do not fit the function's field tables",
    .options = rows,
    .options_size = sizeof(options),
    .invoke = invoke,
    .tell = tell,
};
