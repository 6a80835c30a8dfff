/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small program whose plug-ins crash and hang, and which goes on. It called them as functions of
 * its own; now they are a program beside it, plugins.c, and it calls them by name.
 *
 * RUN     plugin_survivor count crash count hang count
 */
#include <isoworker/host.h>

#include <stdio.h>

static isw_host *start(isw_error *error)
{
    static const char *const command[] = { "plugins", NULL }; /* beside this program, or in PATH */
    isw_host_worker plugins = ISW_HOST_WORKER_INIT;
    isw_host *host = NULL;

    plugins.name = "plugins";
    plugins.command = command;
    if (isw_host_create(NULL, &host, error) == ISW_OK &&
        isw_host_add_worker(host, &plugins, error) == ISW_OK &&
        isw_host_start(host, error) == ISW_OK)
        return host;
    isw_host_destroy(host);
    return NULL;
}

/* Was: printf("%s: %d\n", plugin, the_plugin("some text")). */
static void use(isw_host *host, const char *plugin)
{
    isw_value text = isw_value_string("some text");
    isw_error error = { ISW_OK, "" };
    isw_host_result result;

    isw_host_wait_ready(host, 30000, NULL); /* what has crashed is started again */
    if (isw_host_invoke(host, plugin, &text, 1000, &result, &error) == ISW_OK)
        printf("%s: %lld\n", plugin, (long long)result.result.as.integer);
    else
        printf("%s: %s\n", plugin, error.message);
    isw_host_result_release(&result);
}

int main(int argc, char **argv)
{
    isw_error error = { ISW_OK, "" };
    isw_host *host = start(&error);

    if (!host)
        fprintf(stderr, "%s\n", error.message);
    for (int i = 1; host && i < argc; i++)
        use(host, argv[i]);
    isw_host_destroy(host);
    return host ? 0 : 1;
}
