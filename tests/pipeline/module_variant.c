/* SPDX-License-Identifier: Apache-2.0 */
/* Modules with one thing wrong or special each; VARIANT says which. */
#include <isoworker/sys/module.h>

#define OTHER_ABI 1
#define NOTHING 2
#define BAD_OPTION 3
#define TWINS 4
#define FUTURE 5
#define FUNCTIONS 6
#define BUILT_IN 7
#define SIZE 8

isw_status isw_from_the_future(isw_context *ctx);

static isw_status pass(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    (void)ctx;
    (void)next;
#if VARIANT == FUTURE
    return isw_from_the_future(ctx);
#else
    return ISW_OK;
#endif
}

static const isw_option rows[] = {
    { .name = "level", .type = ISW_OPTION_INT, .default_value = "much" },
    { 0 },
};

const isw_middleware one = {
    .size = VARIANT == SIZE ? 8 : sizeof(isw_middleware),
    .name = VARIANT == BUILT_IN ? "logging" : "one",
    .options = VARIANT == BAD_OPTION ? rows : NULL,
    .options_size = sizeof(int64_t),
    .invoke = pass,
};

#if VARIANT == OTHER_ABI || VARIANT == NOTHING
extern ISW_API const isw_module isw_module_exports;
const isw_module isw_module_exports = { VARIANT == OTHER_ABI ? 99 : ISW_MODULE_ABI, "9.9.9", NULL };
#elif VARIANT == TWINS
static const isw_middleware two = { .size = sizeof(isw_middleware), .name = "one", .invoke = pass };
ISW_MODULE(&one, &two);
#elif VARIANT == FUNCTIONS
static isw_status answer(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}
static const isw_function functions[] = {
    { .name = "answer", .trigger = ISW_TRIGGER("timer", NULL), .handler = answer },
    { 0 },
};
static const isw_app app = { .functions = functions };
ISW_APP_MODULE(&app);
#else
ISW_MODULE(&one);
#endif
