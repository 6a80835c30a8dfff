/* SPDX-License-Identifier: Apache-2.0 */
/* A user's program, as far from our build as it gets: one function, one middleware of its own. */
#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>
#include <stddef.h>
#include <stdio.h>

/* -- stamp: a header on every answer ----------------------------------------------------------- */

typedef struct stamp_options {
    const char *text;
} stamp_options;

static const isw_option stamp_rows[] = {
    { .name = "text", .type = ISW_OPTION_STRING, .offset = offsetof(stamp_options, text),
      .default_value = "none", .help = "value of the header x-stamp" },
    { 0 },
};

static isw_status stamp_invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const stamp_options *opt = isw_instance_options(self);
    isw_status status = isw_next_run(next, ctx);

    return status == ISW_OK ? isw_http_set_header(ctx, "x-stamp", opt->text) : status;
}

static const isw_middleware stamp = {
    .size = sizeof(isw_middleware),
    .name = "stamp",
    .summary = "put a header on every answer",
    .options = stamp_rows,
    .options_size = sizeof(stamp_options),
    .invoke = stamp_invoke,
};

/* -- The worker -------------------------------------------------------------------------------- */

static isw_status greet(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Greetings, %s, from isoworker %s\n",
                          isw_http_param(ctx, "name"), isw_version());
}

static const isw_function greeting = {
    .name = "greet", .trigger = ISW_HTTP("GET", "greet/{name}"), .handler = greet
};

int main(int argc, char **argv)
{
    isw_worker *worker = NULL;
    isw_error error = { ISW_OK, "" };
    int code = 1;

    if (isw_worker_create(NULL, &worker, &error) == ISW_OK &&
        isw_worker_add_function(worker, &greeting, &error) == ISW_OK &&
        isw_worker_add_middleware(worker, &stamp, &error) == ISW_OK)
        code = isw_worker_main(worker, argc, argv);
    else
        fprintf(stderr, "consumer: %s\n", error.message);
    isw_worker_destroy(worker);
    return code;
}
