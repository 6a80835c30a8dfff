/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker of the conformance suite for triggers. Its functions have the trigger that the
 * environment names: CONFORMING_TYPE, and for the function `wrong` the property CONFORMING_WRONG.
 * With CONFORMING_LATE it waits for a byte from the file `late`, and then has one function of that
 * name.
 */
#include <isoworker/isoworker.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static isw_status echo(isw_context *ctx)
{
    const isw_value result = isw_value_string("echo");

    return isw_context_set_result(ctx, &result);
}

static isw_status dies(isw_context *ctx)
{
    (void)ctx;
    raise(SIGKILL);
    return ISW_OK;
}

/* One byte to or from a named pipe of the test. */
static bool pass_byte(const char *name, bool out)
{
    int fd = open(name, (out ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    char byte = 0;
    bool passed = fd >= 0 && (out ? write(fd, &byte, 1) : read(fd, &byte, 1)) == 1;

    if (fd >= 0)
        close(fd);
    return passed;
}

/* Says that it has begun, and ends when it may. */
static isw_status gate(isw_context *ctx)
{
    if (!pass_byte("begun", true) || !pass_byte("gate", false))
        return isw_fail(ctx, ISW_E_IO, "the test has no pipes");
    return echo(ctx);
}

int main(int argc, char **argv)
{
    const char *type = getenv("CONFORMING_TYPE");
    const isw_property wrong[] = { { getenv("CONFORMING_WRONG"), "x" }, { NULL, NULL } };
    const isw_function all[] = {
        { .name = "echo", .trigger = ISW_TRIGGER(type, NULL), .handler = echo },
        { .name = "gate", .trigger = ISW_TRIGGER(type, NULL), .handler = gate },
        { .name = "dies", .trigger = ISW_TRIGGER(type, NULL), .handler = dies },
        { .name = "wrong", .trigger = ISW_TRIGGER(type, wrong), .handler = echo },
        { .name = "streams", .trigger = ISW_TRIGGER(type, NULL), .handler = echo,
          .streams = true },
        { 0 },
    };
    const isw_function late[] = {
        { .name = "late", .trigger = ISW_TRIGGER(type, NULL), .handler = echo },
        { 0 },
    };
    bool is_late = getenv("CONFORMING_LATE") != NULL;

    if (is_late && !pass_byte("late", false))
        return 1;
    return isw_main(argc, argv, is_late ? late : all);
}
