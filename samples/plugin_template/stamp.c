/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plug-in: the middleware `stamp`, which puts a header on every answer. worker.yaml names the
 * shared object where it stands in the chain. Copy this folder to begin your own; it needs nothing
 * of isoworker but what is installed.
 *
 * RUN     cmake -B build && cmake --build build     (or: make, and then . instead of build)
 *         isoworker run build
 *         curl -i http://127.0.0.1:7071/api/greet/Ada
 *         isoworker explain build/stamp.so
 * OUTPUT  x-stamp: seen
 *         Good day, Ada!
 */
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>
#include <stddef.h>

typedef struct options { const char *text; } options;

static const isw_option rows[] = {
    { .name = "text", .type = ISW_OPTION_STRING, .default_value = "seen",
      .offset = offsetof(options, text), .help = "what the header x-stamp says" },
    { 0 },
};

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    isw_status status = isw_next_run(next, ctx);

    return status == ISW_OK ? isw_http_set_header(ctx, "x-stamp", opt->text) : status;
}

static const isw_middleware stamp = {
    .size = sizeof(isw_middleware), .name = "stamp", .summary = "put a header on every answer",
    .options = rows, .options_size = sizeof(options), .invoke = invoke,
};

ISW_MODULE(&stamp);
