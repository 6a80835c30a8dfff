/* SPDX-License-Identifier: Apache-2.0 */
/* Middleware that writes down what it does. */
#include "pipeline/support.h"

#include <stdarg.h>
#include <stdio.h>

char life[256];

static void append(char *to, const char *format, ...) ISW_PRINTF(2, 3);

static void append(char *to, const char *format, ...)
{
    size_t used = strlen(to);
    va_list args;

    va_start(args, format);
    vsnprintf(to + used, 256 - used, format, args);
    va_end(args);
}

typedef struct named {
    const char *as;
    bool fail;
} named;

static const isw_option named_rows[] = {
    { .name = "as", .type = ISW_OPTION_STRING, .default_value = "x",
      .offset = offsetof(named, as) },
    { .name = "fail", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(named, fail) },
    { 0 },
};

static isw_status mark(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    isw_status status;

    append(ctx->trace, "%s(", ((const named *)isw_instance_options(self))->as);
    status = isw_next_run(next, ctx);
    append(ctx->trace, ")");
    return status;
}

static isw_status block(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    (void)next;
    append(ctx->trace, "block");
    return ISW_E_FORBIDDEN;
}

typedef struct again_options {
    int64_t times;
} again_options;

static const isw_option again_rows[] = {
    { .name = "times", .type = ISW_OPTION_INT, .default_value = "3",
      .offset = offsetof(again_options, times) },
    { 0 },
};

static isw_status again(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const again_options *opt = isw_instance_options(self);
    isw_status status = ISW_E_FAILED;

    for (int64_t i = 0; i < opt->times && status != ISW_OK; i++) {
        ctx->run.failure.status = ISW_OK;
        status = isw_next_run(next, ctx);
    }
    return status;
}

static isw_status count(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    unsigned *own = isw_next_state(next, ctx);
    unsigned *shared = isw_instance_state(self);
    isw_status status;

    (*own)++;
    append(ctx->trace, "%s%u.%u ", ((const named *)isw_instance_options(self))->as, *own,
           ++*shared);
    status = isw_next_run(next, ctx);
    (*own)++;
    return status;
}

static isw_status start(isw_instance *self, isw_error *error)
{
    const named *opt = isw_instance_options(self);

    append(life, opt->fail ? "!%s " : "+%s ", opt->as);
    return opt->fail ? isw_error_set(error, ISW_E_UNAVAILABLE, "%s is closed today", opt->as)
                     : ISW_OK;
}

static void stop(isw_instance *self)
{
    append(life, "-%s ", ((const named *)isw_instance_options(self))->as);
}

/* That `as` is a secret, and the origin that may call. */
static void tell(isw_instance *self, isw_facts *facts)
{
    const named *opt = isw_instance_options(self);
    const char *origin = opt->as;

    isw_facts_secret(facts, ISW_SECRET_HEADER, opt->as);
    isw_facts_secret(facts, ISW_SECRET_ANYWHERE, opt->as);
    isw_facts_secret(facts, ISW_SECRET_QUERY, "");
    isw_facts_secret(facts, ISW_SECRET_QUERY, NULL);
    isw_facts_cors(facts, &(isw_cors){ .origins = &origin, .origin_count = 1, .methods = "GET" });
}

static const isw_middleware known[] = {
    { .size = sizeof(isw_middleware), .name = "mark", .options = named_rows,
      .options_size = sizeof(named), .invoke = mark },
    { .size = sizeof(isw_middleware), .name = "block", .invoke = block },
    { .size = sizeof(isw_middleware), .name = "again", .options = again_rows,
      .options_size = sizeof(again_options), .invoke = again },
    { .size = sizeof(isw_middleware), .name = "count", .options = named_rows,
      .options_size = sizeof(named), .instance_size = sizeof(unsigned),
      .invocation_size = sizeof(unsigned), .invoke = count },
    { .size = sizeof(isw_middleware), .name = "teller", .options = named_rows,
      .options_size = sizeof(named), .invoke = mark, .tell = tell },
    { .size = offsetof(isw_middleware, tell), .name = "old", .options = named_rows,
      .options_size = sizeof(named), .invoke = mark, .tell = tell },
    { .size = sizeof(isw_middleware), .name = "live", .options = named_rows,
      .options_size = sizeof(named), .start = start, .stop = stop, .invoke = mark },
};

static isw_status load(fixture *f, const char *yaml, const iswi_pipeline *old,
                       iswi_pipeline **out)
{
    isw_option rows[] = {
        { .name = "middleware", .type = ISWI_OPTION_NAMED_LIST, .optional = true },
        { 0 },
    };
    iswi_config *config = NULL;
    const void *list = &f->list;
    char text[1024];
    isw_status status;

    snprintf(text, sizeof text, "middleware: %s\n", yaml);
    rows[0].group = iswi_pipeline_rows(&f->registry, &f->arena);
    status = iswi_config_open_text("w.yaml", text, strlen(text), NULL, &config, &f->error);
    if (status == ISW_OK)
        status = iswi_config_load(config, rows, sizeof(iswi_named_list), &list, &f->error);
    if (status == ISW_OK)
        status = iswi_pipeline_create(&f->registry, config, list, NULL, old, out, &f->error);
    f->list = *(const iswi_named_list *)list;
    iswi_config_close(config);
    return status;
}

void fixture_init(fixture *f, const char *yaml)
{
    memset(f, 0, sizeof *f);
    life[0] = '\0';
    iswi_arena_init(&f->arena, 4096);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_int_equal(iswi_registry_add(&f->registry, &known[i], NULL), ISW_OK);
    load(f, yaml, NULL, &f->pipeline);
}

isw_status fixture_reload(fixture *f, const char *yaml)
{
    iswi_pipeline *old = f->pipeline;
    isw_status status = load(f, yaml, old, &f->pipeline);

    if (status == ISW_OK)
        iswi_pipeline_destroy(old);
    return status;
}

void fixture_fini(fixture *f)
{
    iswi_pipeline_destroy(f->pipeline);
    iswi_arena_fini(&f->arena);
    iswi_registry_fini(&f->registry);
}

static isw_status handler(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    (void)next;
    append(ctx->trace, "handler");
    if (!ctx->failures_left)
        return ISW_OK;
    ctx->failures_left--;
    return ISW_E_UNAVAILABLE;
}

static bool has_header(const isw_context *ctx, const char *name)
{
    return ctx->header && strcmp(ctx->header, name) == 0;
}

isw_status run_function(fixture *f, isw_context *ctx, const isw_function *function)
{
    const iswi_ends ends = { .handler = handler, .has_header = has_header };
    iswi_chain chain;

    if (f->error.status != ISW_OK)
        fail_msg("%s", f->error.message);
    assert_int_equal(iswi_pipeline_chain(f->pipeline, function, ends, &f->arena, &chain), ISW_OK);
    assert_true(chain.state_bytes <= sizeof ctx->state);
    memset(ctx->state, 0xa5, sizeof ctx->state); /* the chain clears what it uses */
    ctx->run.chain_state = ctx->state;
    return isw_next_run(chain.steps, ctx);
}

void assert_trace(fixture *f, const char *expected)
{
    static const isw_function sample = { .name = "sample", .trigger = ISW_HTTP(NULL, NULL) };
    isw_context ctx = { .trace = "" };

    run_function(f, &ctx, &sample);
    assert_string_equal(ctx.trace, expected);
}
