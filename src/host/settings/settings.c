/* SPDX-License-Identifier: Apache-2.0 */
/* The option tables of host.yaml, and that of a whole file, with the groups of others. */
#include "host/settings/rows.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

static const char *const formats[] = { "text", "json", NULL };
static const char *const levels[] = { "trace", "debug",    "info", "warning",
                                      "error", "critical", "none", NULL };

static const char *const cgroups[] = { "auto", "required", "off", NULL };

static const isw_option host_rows[] = {
    ROW(iswi_host_options, heartbeat_ms, DURATION, "heartbeat", "2s", 0, HOUR_MS,
        "how often workers are asked whether they live; 0: never"),
    ROW(iswi_host_options, function_timeout_ms, DURATION, "function_timeout", "30s", 0, DAY_MS,
        "for functions that name none; 0: none"),
    ROW(iswi_host_options, cancel_grace_ms, DURATION, "cancel_grace", "2s", 0, HOUR_MS,
        "from the cancel of an invocation (its deadline, or the end of shutdown_grace) to the "
        "end of its process"),
    ROW(iswi_host_options, shutdown_grace_ms, DURATION, "shutdown_grace", "10s", 0, HOUR_MS,
        "for what is in flight when the host stops, or a process whose place is needed; then it is "
        "cancelled (cancel_grace)"),
    ROW(iswi_host_options, control, STRING, "control", "true", 0, 0,
        "answer isoworker status, logs, drain and resume: true, false, or the path of the socket "
        "to do so at, for a host that they do not find by its folder"),
    ROW(iswi_host_options, log_lines, INT, "log_lines", "1000", 1, 100000,
        "last lines that isoworker logs can show"),
    { .name = "cgroups", .type = ISW_OPTION_ENUM, .choices = cgroups, .default_value = "auto",
      .offset = offsetof(iswi_host_options, cgroups),
      .help = "a group of cgroup v2 for each process of a worker, where the host may make one "
              "(Delegate=yes in its unit): auto; required: do not start without; off" },
    { 0 },
};

static const isw_option record_rows[] = {
    ROW(iswi_record_settings, keep, INT, "keep", "1000", 1, 1000000,
        "files at most; the oldest goes for the newest"),
    ROW(iswi_record_settings, body_limit, SIZE, "body_limit", "1MiB", 0, 64 << 20,
        "larger bodies are left out"),
    MAYBE(iswi_record_settings, redact, STRINGS, "redact",
          "names of more secrets, patterns in lower case (* and ?)"),
    { 0 },
};

static const isw_option admin_rows[] = {
    MAYBE(iswi_admin_settings, listen, STRING, "listen",
          "address of /health, /ready, /startup, /status, /metrics and more; left out: none"),
    ROW(iswi_admin_settings, open, BOOL, "open", "false", 0, 0,
        "let other machines read there, unauthenticated; only this one may drain and restart"),
    { 0 },
};

static const isw_option level_rows[] = {
    { .name = "category", .type = ISW_OPTION_STRING,
      .offset = offsetof(iswi_level_rule, category), .help = "pattern (* and ?)" },
    { .name = "level", .type = ISW_OPTION_ENUM, .choices = levels,
      .offset = offsetof(iswi_level_rule, level), .help = "lowest level that is shown" },
    { 0 },
};

static const isw_option logging_rows[] = {
    { .name = "format", .type = ISW_OPTION_ENUM, .choices = formats, .default_value = "text",
      .offset = offsetof(iswi_logging_settings, format), .help = "for people or for machines" },
    { .name = "level", .type = ISW_OPTION_ENUM, .choices = levels, .default_value = "info",
      .offset = offsetof(iswi_logging_settings, level), .help = "lowest level that is shown" },
    { .name = "levels", .type = ISW_OPTION_GROUP_LIST, .optional = true, .group = level_rows,
      .group_size = sizeof(iswi_level_rule), .offset = offsetof(iswi_logging_settings, levels),
      .help = "by category; the last match counts" },
    { 0 },
};

static const isw_option queue_rows[] = {
    ROW(iswi_queue_settings, limit, INT, "limit", "1000", 0, 1000000,
        "calls of a worker that may wait for a process; what is more gets 503, of the function "
        "with most; 0: none waits"),
    ROW(iswi_queue_settings, wait_ms, DURATION, "wait", "10s", 1, DAY_MS,
        "for so long, and no longer than their own time; then they get 503"),
    { 0 },
};

static const isw_option function_rows[] = {
    { .name = "name", .type = ISW_OPTION_STRING, .offset = offsetof(iswi_function_settings, name),
      .help = "pattern (* and ?)" },
    ROW(iswi_function_settings, timeout_ms, DURATION, "timeout", "0", 0, DAY_MS,
        "instead of its own; 0: none"),
    { 0 },
};

#define GROUP(member, yaml, rows, st, text)                                                   \
    { .name = (yaml), .type = ISW_OPTION_GROUP, .group = (rows), .group_size = sizeof(st),    \
      .offset = offsetof(iswi_host_settings, member), .help = (text) }
#define GROUPS(member, yaml, rows, st, maybe, text)                                           \
    { .name = (yaml), .type = ISW_OPTION_GROUP_LIST, .group = (rows),                         \
      .group_size = sizeof(st), .offset = offsetof(iswi_host_settings, member),               \
      .optional = (maybe), .help = (text) }

static const isw_option own_rows[] = {
    GROUP(host, "host", host_rows, iswi_host_options, "the host itself"),
    GROUP(record, "record", record_rows, iswi_record_settings, "what `run --record DIR` writes"),
    GROUP(admin, "admin", admin_rows, iswi_admin_settings, "HTTP for operators and probes"),
    GROUP(logging, "logging", logging_rows, iswi_logging_settings, "what is shown"),
    GROUP(queue, "queue", queue_rows, iswi_queue_settings,
          "calls that find no process ready, or none with room"),
    GROUP(queues, "queues", iswi_queues_rows, iswi_queues_settings,
          "messages, for functions with a queue and outputs into one"),
    GROUPS(functions, "functions", function_rows, iswi_function_settings, true,
           "settings of functions; the last match counts"),
    GROUPS(workers, "workers", iswi_worker_rows, iswi_worker_settings, false, "the programs to run"),
    { 0 },
};

/* -- With the groups of others ----------------------------------------------------------------- */

enum {
    OWN_ROWS = sizeof own_rows / sizeof own_rows[0], /* the last one ends the table */
    FIRST_OWN = 1                                    /* "host"; the others follow behind it */
};

_Static_assert(OWN_ROWS + ISWI_SETTINGS_GROUPS_MAX <= ISWI_SETTINGS_ROWS_MAX, "they have room");

void iswi_host_settings_table(const iswi_settings_groups *groups, iswi_settings_table *out)
{
    size_t count = FIRST_OWN;

    memcpy(out->rows, own_rows, FIRST_OWN * sizeof own_rows[0]);
    for (size_t i = 0; i < groups->count; i++) {
        const iswi_settings_group *group = groups->items[i];

        out->rows[count++] = (isw_option){ .name = group->name,
                                           .type = ISW_OPTION_GROUP,
                                           .group = group->options,
                                           .group_size = group->size,
                                           .offset = iswi_host_settings_offset(groups, i),
                                           .help = group->summary };
    }
    memcpy(out->rows + count, own_rows + FIRST_OWN, (OWN_ROWS - FIRST_OWN) * sizeof own_rows[0]);
    out->size = iswi_host_settings_offset(groups, groups->count);
}

static isw_status load(const char *folder, const iswi_settings_groups *groups,
                       iswi_config **config, const iswi_host_settings **out, isw_error *error)
{
    const void *loaded = NULL;
    iswi_settings_table table;
    isw_status status;

    iswi_host_settings_table(groups, &table);
    status = iswi_config_load(*config, table.rows, table.size, &loaded, error);
    if (status == ISW_OK)
        status = iswi_host_settings_check(*config, folder, groups, loaded, error);
    if (status != ISW_OK) {
        iswi_config_close(*config);
        *config = NULL;
        return status;
    }
    iswi_config_told(*config);
    *out = loaded;
    return ISW_OK;
}

static isw_status open_in(const char *folder, iswi_faults *faults, iswi_config **config,
                          isw_error *error)
{
    char path[PATH_MAX + 16];
    isw_error own = { ISW_OK, "" };
    isw_status status;

    snprintf(path, sizeof path, "%s/host.yaml", folder);
    status = iswi_config_open(path, faults, config, &own);
    if (status != ISW_OK && faults && !faults->count)
        iswi_faults_add(faults, own.message); /* there is no file */
    if (status != ISW_OK)
        return isw_error_set(error, status, "%s", own.message);
    return ISW_OK;
}

isw_status iswi_host_settings_read(const char *folder, const iswi_settings_groups *groups,
                                   iswi_faults *faults, iswi_config **config,
                                   const iswi_host_settings **out, isw_error *error)
{
    isw_status status = open_in(folder, faults, config, error);

    return status == ISW_OK ? load(folder, groups, config, out, error) : status;
}

isw_status iswi_host_settings_survey(const char *folder, const iswi_settings_groups *groups,
                                     iswi_faults *faults, iswi_config **config,
                                     const iswi_host_settings **out, isw_error *error)
{
    isw_status status = open_in(folder, faults, config, error);

    if (status == ISW_OK)
        iswi_config_spare_secrets(*config);
    return status == ISW_OK ? load(folder, groups, config, out, error) : status;
}

isw_status iswi_host_settings_read_text(const char *folder, const char *text, size_t size,
                                        const iswi_settings_groups *groups, iswi_faults *faults,
                                        iswi_config **config, const iswi_host_settings **out,
                                        isw_error *error)
{
    char name[PATH_MAX + 16];
    isw_status status;

    snprintf(name, sizeof name, "%s/(yaml)", folder);
    status = iswi_config_open_text(name, text, size, faults, config, error);
    return status == ISW_OK ? load(folder, groups, config, out, error) : status;
}

void iswi_host_settings_reference(const iswi_settings_groups *groups, iswi_buffer *out)
{
    iswi_settings_table table;

    iswi_host_settings_table(groups, &table);
    iswi_config_reference(table.rows, 2, out);
}
