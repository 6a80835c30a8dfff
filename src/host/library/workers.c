/* SPDX-License-Identifier: Apache-2.0 */
/* Workers from calls: they become the YAML that host.yaml would be, so that one table says what is
 * right, and what is left out. */
#include "host/library/library.h"

#include "base/alloc.h"
#include "base/number.h"
#include "base/text.h"

#include <stdio.h>

/* -- Writing ----------------------------------------------------------------------------------- */

/* JSON is YAML; a `$` begins a variable there. */
static void put_text(iswi_buffer *out, const char *text)
{
    iswi_buffer doubled = { 0 };

    for (; *text; text++)
        iswi_buffer_append(&doubled, *text == '$' ? "$$" : text, *text == '$' ? 2 : 1);
    iswi_json_string(out, (isw_str){ (const char *)doubled.data, doubled.size });
    out->failed = out->failed || doubled.failed;
    iswi_buffer_fini(&doubled);
}

static void put_one(iswi_buffer *out, const char *key, const char *text)
{
    if (!text)
        return;
    iswi_buffer_printf(out, ", \"%s\": ", key);
    put_text(out, text);
}

static void put_list(iswi_buffer *out, const char *key, const char *const *items)
{
    if (!items)
        return;
    iswi_buffer_printf(out, ", \"%s\": [", key);
    for (size_t i = 0; items[i]; i++) {
        iswi_buffer_append_text(out, i ? ", " : "");
        put_text(out, items[i]);
    }
    iswi_buffer_append_text(out, "]");
}

static void put_number(iswi_buffer *out, const char *key, unsigned number, const char *unit)
{
    if (number)
        iswi_buffer_printf(out, ", \"%s\": %u%s", key, number, unit);
}

static void put_large(iswi_buffer *out, const char *key, uint64_t number, const char *unit)
{
    if (number)
        iswi_buffer_printf(out, ", \"%s\": %llu%s", key, (unsigned long long)number, unit);
}

static void put_real(iswi_buffer *out, const char *key, double number)
{
    char text[ISWI_DOUBLE_BYTES];

    if (number == 0)
        return;
    iswi_double_text(number, text);
    iswi_buffer_printf(out, ", \"%s\": %s", key, text);
}

/* A number, or a group. */
static void put_processes(iswi_buffer *out, const isw_host_worker *worker)
{
    if (!worker->processes_max) {
        put_number(out, "processes", worker->processes, "");
        return;
    }
    iswi_buffer_printf(out, ", \"processes\": {\"min\": %u", worker->processes_min);
    put_number(out, "count", worker->processes, ""); /* which is refused */
    put_number(out, "max", worker->processes_max, "");
    put_real(out, "target", worker->processes_target);
    put_number(out, "keep", worker->processes_keep_ms, "ms");
    iswi_buffer_append_text(out, "}");
}

/* Of what was put into `inner`, if anything was; ends that. */
static void put_group(iswi_buffer *out, const char *key, iswi_buffer *inner)
{
    if (inner->size)
        iswi_buffer_printf(out, ", \"%s\": {%.*s}", key, (int)inner->size - 2,
                           (const char *)inner->data + 2);
    out->failed = out->failed || inner->failed;
    iswi_buffer_fini(inner);
}

static void put_recycle(iswi_buffer *out, const isw_host_worker *worker)
{
    iswi_buffer inner = { 0 };

    put_large(&inner, "invocations", worker->recycle_invocations, "");
    put_large(&inner, "age", worker->recycle_age_ms, "ms");
    put_large(&inner, "memory", worker->recycle_memory, "");
    put_group(out, "recycle_after", &inner);
}

static void put_health(iswi_buffer *out, const isw_host_worker *worker)
{
    iswi_buffer inner = { 0 };

    put_number(&inner, "every", worker->health_every_ms, "ms");
    put_number(&inner, "timeout", worker->health_timeout_ms, "ms");
    put_number(&inner, "failures", worker->health_failures, "");
    put_number(&inner, "restart_after", worker->health_restart_after_ms, "ms");
    put_group(out, "health", &inner);
}

/* "nofile=1024" becomes "nofile": "1024". */
static void put_rlimits(iswi_buffer *out, const char *const *limits)
{
    if (!limits || !*limits)
        return;
    iswi_buffer_append_text(out, ", \"rlimits\": {");
    for (size_t i = 0; limits[i]; i++) {
        size_t size = strcspn(limits[i], "=");

        iswi_buffer_append_text(out, i ? ", " : "");
        iswi_json_string(out, (isw_str){ limits[i], size });
        iswi_buffer_append_text(out, ": ");
        put_text(out, limits[i] + size + (limits[i][size] == '='));
    }
    iswi_buffer_append_text(out, "}");
}

static void put_bounds(iswi_buffer *out, const isw_host_worker *worker)
{
    put_large(out, "memory_limit", worker->memory_limit, "");
    put_real(out, "cpu_limit", worker->cpu_limit);
    put_number(out, "pids_limit", worker->pids_limit, "");
    put_recycle(out, worker);
    if (worker->nice)
        iswi_buffer_printf(out, ", \"nice\": %d", worker->nice);
    put_one(out, "user", worker->user);
    put_one(out, "group", worker->group);
    put_rlimits(out, worker->rlimits);
}

static void put_worker(iswi_buffer *out, const isw_host_worker *worker)
{
    iswi_buffer_append_text(out, "  - {\"name\": ");
    put_text(out, worker->name);
    put_list(out, "command", worker->command);
    put_one(out, "isolation", worker->isolation);
    put_one(out, "config", worker->config);
    put_one(out, "directory", worker->directory);
    put_list(out, "environment", worker->environment);
    put_processes(out, worker);
    put_one(out, "start", worker->start);
    put_number(out, "start_timeout", worker->start_timeout_ms, "ms");
    put_number(out, "stop_timeout", worker->stop_timeout_ms, "ms");
    put_number(out, "restart_delay", worker->restart_delay_ms, "ms");
    put_number(out, "give_up_after", worker->give_up_after, "");
    put_bounds(out, worker);
    put_health(out, worker);
    iswi_buffer_append_text(out, "}\n");
}

/* -- Adding ------------------------------------------------------------------------------------ */

/* What is wrong with the one worker of `text`, without the place in a text that nobody has seen. */
static isw_status check(isw_host *host, const char *name, iswi_buffer *text, isw_error *error)
{
    iswi_settings_groups groups = iswi_triggers_groups(host->triggers);
    const iswi_host_settings *settings = NULL;
    iswi_config *config = NULL;
    isw_error own = { ISW_OK, "" };
    const char *what = own.message;
    const char *named;

    if (iswi_host_settings_read_text(host->folder, (const char *)text->data, text->size, &groups,
                                     NULL, &config, &settings, &own) == ISW_OK) {
        iswi_config_close(config);
        return ISW_OK;
    }
    named = strstr(what, "/(yaml):");
    if (named && (named = strstr(named, ": ")) != NULL)
        what = named + 2;
    if (strncmp(what, "worker \"", 8) == 0)
        return isw_error_set(error, own.status, "%s", what);
    return isw_error_set(error, own.status, "worker \"%s\": %s", name, what);
}

static isw_status add(isw_host *host, const isw_host_worker *worker, isw_error *error)
{
    iswi_buffer text = { 0 };
    isw_status status;
    const char *name;

    iswi_buffer_append_text(&text, "workers:\n");
    put_worker(&text, worker);
    status = text.failed ? isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a worker")
                         : check(host, worker->name, &text, error);
    iswi_buffer_fini(&text);
    if (status != ISW_OK)
        return status;
    name = iswi_arena_strndup(&host->arena, worker->name, strlen(worker->name));
    if (!name || !iswi_grow(&host->names, &host->name_capacity, host->name_count,
                            sizeof host->names[0]))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a worker");
    host->names[host->name_count++] = name;
    put_worker(&host->workers, worker);
    return ISW_OK;
}

isw_status isw_host_add_worker(isw_host *host, const isw_host_worker *worker, isw_error *error)
{
    static const isw_host_worker standard = ISW_HOST_WORKER_INIT;
    static const char *const nothing[] = { NULL };
    isw_host_worker own = standard;

    memcpy(&own, worker, worker->size < sizeof own ? worker->size : sizeof own);
    if (!own.name)
        own.name = "";
    if (!own.command)
        own.command = nothing;
    if (host->options.folder || host->begun)
        return isw_error_set(error, ISW_E_UNSUPPORTED,
                             host->begun ? "worker \"%s\" comes too late: workers are added before "
                                           "the host is started"
                                         : "worker \"%s\" cannot be added: the host has those that "
                                           "host.yaml names", own.name);
    for (size_t i = 0; i < host->name_count; i++)
        if (strcmp(host->names[i], own.name) == 0)
            return isw_error_set(error, ISW_E_CONFLICT, "there are two workers named \"%s\"",
                                 own.name);
    return add(host, &own, error);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static bool says(const iswi_config *config, const char *group, const char *name)
{
    const iswi_node *node = iswi_node_find(iswi_config_root(config), group);

    return node && (!name || iswi_node_find(node, name));
}

/* Nobody looks for such a host, by HTTP or by its folder, unless that was asked for. */
static bool wants_http(const isw_host *host)
{
    const char *yaml = host->options.yaml;
    iswi_config *config = NULL;
    bool wants = host->addresses || host->options.port >= 0;

    if (!wants && yaml &&
        iswi_config_open_text("", yaml, strlen(yaml), NULL, &config, NULL) == ISW_OK)
        wants = says(config, "http", NULL);
    iswi_config_close(config);
    return wants;
}

static isw_status read_text(isw_host *host, const iswi_settings_groups *groups, isw_error *error)
{
    const char *yaml = host->options.yaml ? host->options.yaml : "";
    iswi_buffer text = { 0 };
    isw_status status;

    iswi_buffer_printf(&text, "%s\n%s%s", yaml, wants_http(host) ? "" : "http: {enabled: false}\n",
                       host->workers.size ? "workers:\n" : "");
    iswi_buffer_append(&text, host->workers.data, host->workers.size);
    if (text.failed || host->workers.failed)
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for settings");
    else if (!*yaml && !host->workers.size)
        status = isw_error_set(error, ISW_E_CONFIG,
                               "the host has no worker; add one before it is started");
    else
        status = iswi_host_settings_read_text(host->folder, (const char *)text.data, text.size,
                                              groups, &host->faults, &host->config,
                                              &host->settings, error);
    iswi_buffer_fini(&text);
    host->hidden = status == ISW_OK && !says(host->config, "host", "control");
    return status;
}

isw_status iswi_library_read(isw_host *host, isw_error *error)
{
    iswi_settings_groups groups = iswi_triggers_groups(host->triggers);

    if (host->options.folder)
        return iswi_host_settings_read(host->folder, &groups, &host->faults, &host->config,
                                       &host->settings, error);
    return read_text(host, &groups, error);
}
