/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A middleware that counts for all processes of its worker: each tenant has so many calls in a time,
 * whichever process answers. What it counts is in a store, which is memory that the processes share.
 * With a line in worker.yaml it is a Redis server that all hosts share, and nothing here changes.
 *
 * RUN     isoworker run samples/quota
 *         curl -i -H "x-tenant: acme" http://127.0.0.1:7071/api/stock
 * OUTPUT  x-calls-left: 2
 *         12 pens
 */
#include <inttypes.h>
#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>
#include <isoworker/sys/store.h>

enum { OPEN, CLOSED };

typedef struct options {
    int64_t calls;
    int64_t per_ms;
    int64_t on_error;
} options;

static const char *const ways[] = { "open", "closed", NULL };

static const isw_option rows[] = {
    { .name = "calls", .type = ISW_OPTION_INT, .min = 1, .max = 1000000,
      .offset = offsetof(options, calls), .help = "of each tenant" },
    { .name = "per", .type = ISW_OPTION_DURATION, .default_value = "1h", .min = 1000,
      .max = 86400000, .offset = offsetof(options, per_ms), .help = "from the first of them on" },
    { .name = "on_error", .type = ISW_OPTION_ENUM, .default_value = "open", .choices = ways,
      .offset = offsetof(options, on_error),
      .help = "while nobody can count: open passes all, closed answers 503" },
    { 0 },
};

typedef struct state { isw_store *store; } state;

/* The store is this entry's of the YAML, in each process. It is opened once, and asked at each call. */
static isw_status start(isw_instance *self, isw_error *error)
{
    state *own = isw_instance_state(self);
    isw_store_options options = ISW_STORE_OPTIONS_INIT;

    options.entries = 10000; /* tenants; of more, those that called longest ago are forgotten */
    return isw_store_open(self, &options, &own->store, error);
}

static void stop(isw_instance *self)
{
    isw_store_close(((state *)isw_instance_state(self))->store);
}

/* `by` more calls of a tenant, or ISW_E_BUSY when that would be too many. It is one step: two
 * processes that count at the same time cannot both take the last call. */
static isw_status count(isw_instance *self, const char *tenant, int64_t by, int64_t *calls,
                        isw_error *error)
{
    const options *opt = isw_instance_options(self);
    const isw_str parts[] = { isw_str_of(tenant) };
    const isw_store_step step = { .by = by, .floor = 0, .ceiling = opt->calls,
                                  .ttl_ms = opt->per_ms, .renews = false };
    state *own = isw_instance_state(self);

    return isw_store_add(own->store, (isw_store_key){ parts, 1 }, &step, calls, error);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    const char *tenant = isw_http_header(ctx, "x-tenant");
    isw_error error = { ISW_OK, "" };
    int64_t calls = 0;
    isw_status status;

    if (!tenant)
        return isw_fail(ctx, ISW_E_INVALID, "say who you are in the header x-tenant");
    status = count(self, tenant, 1, &calls, &error);
    if (status == ISW_E_BUSY)
        return isw_fail(ctx, status, "%s has made its %" PRId64 " calls", tenant, opt->calls);
    if (status == ISW_E_UNAVAILABLE && opt->on_error == OPEN)
        return isw_next_run(next, ctx);
    if (status != ISW_OK)
        return isw_fail(ctx, status, "%s", error.message);
    isw_http_set_header(ctx, "x-calls-left", isw_context_printf(ctx, "%" PRId64,
                                                                opt->calls - calls));
    status = isw_next_run(next, ctx);
    if (isw_context_outcome(ctx, status) != ISW_OUTCOME_SUCCESS)
        count(self, tenant, -1, &calls, NULL); /* what failed costs nothing */
    return status;
}

static const isw_middleware quota = {
    .size = sizeof(isw_middleware), .name = "quota", .summary = "so many calls of each tenant",
    .options = rows, .options_size = sizeof(options), .instance_size = sizeof(state),
    .start = start, .stop = stop, .invoke = invoke,
};

static isw_status stock(isw_context *ctx) { return isw_http_reply(ctx, 200, NULL, "12 pens\n"); }

static isw_status order(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_UNAVAILABLE, "the shop is closed");
}

static const isw_function functions[] = {
    { .name = "stock", .trigger = ISW_HTTP("GET", "stock"), .handler = stock },
    { .name = "order", .trigger = ISW_HTTP("GET", "order"), .handler = order },
    { 0 },
};
static const isw_middleware *const middleware[] = { &quota, NULL };

int main(int argc, char **argv)
{
    return isw_app_main(argc, argv, &(isw_app){ .functions = functions, .middleware = middleware });
}
