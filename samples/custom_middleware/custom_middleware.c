/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A middleware of one's own: it wants to know the tenant of each request, counts the requests, and
 * marks the answers. worker.yaml says where it stands and for which functions.
 *
 * RUN     isoworker run samples/custom_middleware
 *         curl -i -H "x-tenant: acme" http://127.0.0.1:7071/api/stock
 * OUTPUT  x-served: 1 for acme
 *         12 pens
 */
#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>
#include <stdatomic.h>

typedef struct options { const char *header; } options;

static const isw_option rows[] = {
    { .name = "header", .type = ISW_OPTION_STRING, .default_value = "x-tenant",
      .offset = offsetof(options, header), .help = "the header that names the tenant" },
    { 0 },
};

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    atomic_int *served = isw_instance_state(self); /* of all invocations */
    const char *name = isw_http_header(ctx, opt->header);
    isw_status status;

    if (!name)
        return isw_fail(ctx, ISW_E_INVALID, "say who you are in the header %s", opt->header);
    isw_log_push_scope(ctx, "tenant", name);
    status = isw_next_run(next, ctx);
    isw_log_pop_scope(ctx);
    if (status == ISW_OK)
        isw_http_set_header(ctx, "x-served", isw_context_printf(ctx, "%d for %s",
                                                                atomic_fetch_add(served, 1) + 1,
                                                                name));
    return status;
}

static const isw_middleware tenant = {
    .size = sizeof(isw_middleware), .name = "tenant", .summary = "who is served",
    .options = rows, .options_size = sizeof(options), .instance_size = sizeof(atomic_int),
    .invoke = invoke,
};

static isw_status stock(isw_context *ctx) { return isw_http_reply(ctx, 200, NULL, "12 pens\n"); }

static const isw_function functions[] = {
    { .name = "stock", .trigger = ISW_HTTP("GET", "stock"), .handler = stock },
    { .name = "open", .trigger = ISW_HTTP("GET", "open"), .handler = stock },
    { 0 },
};
static const isw_middleware *const middleware[] = { &tenant, NULL };

int main(int argc, char **argv)
{
    return isw_app_main(argc, argv, &(isw_app){ .functions = functions, .middleware = middleware });
}
