/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/access_log.h"

#include "base/alloc.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct iswi_access_log {
    iswi_access_form form;
    bool query;
    iswi_log_file *file;
    void (*say)(void *user, isw_log_level level, const char *text);
    void *user;
};

enum { LONGEST = 2 * PATH_MAX }; /* text of a path */

static const char *const forms[] = { "text", "json", "combined", NULL };

const isw_option iswi_access_log_rows[] = {
    { .name = "to", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_access_log_settings, to),
      .help = "stderr, or a file, which SIGHUP has opened again; left out: no log" },
    { .name = "form", .type = ISW_OPTION_ENUM, .choices = forms, .default_value = "text",
      .offset = offsetof(iswi_access_log_settings, form), .help = "combined: as Apache has it" },
    { .name = "query", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(iswi_access_log_settings, query),
      .help = "with what stands behind ? in a path, where secrets may be" },
    { 0 },
};

/* Where it lies; NULL: standard error. What is cut is longer than the system takes, which says so. */
static const char *path_of(const iswi_access_log_settings *settings, const char *folder,
                           char path[LONGEST])
{
    bool relative = settings->to[0] != '/';
    int size;

    if (strcmp(settings->to, "stderr") == 0)
        return NULL;
    size = snprintf(path, LONGEST, "%s%s%s", relative ? folder : "", relative ? "/" : "",
                    settings->to);
    return size < 0 ? "" : path;
}

/* NULL, or why no file can be made or appended to there. */
static const char *not_a_place(const char *path)
{
    char folder[LONGEST];
    char *slash;
    struct stat found;

    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return "it is a folder";
    if (access(path, W_OK) == 0)
        return NULL;
    if (errno != ENOENT)
        return strerror(errno);
    snprintf(folder, sizeof folder, "%s", path);
    slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    return access(folder, W_OK | X_OK) == 0 ? NULL : strerror(errno);
}

isw_status iswi_access_log_check(iswi_config *config, const iswi_access_log_settings *settings,
                                 isw_error *error)
{
    const iswi_node *http = iswi_node_find(iswi_config_root(config), "http");
    const iswi_node *group = iswi_node_find(http, "access_log");
    const iswi_node *to = iswi_node_find(group, "to");
    const char *why = NULL;
    const char *path;

    if (!settings->to && (!group || !group->child_count))
        return ISW_OK;
    if (!settings->to)
        return iswi_config_refuse(config, group, error,
                                  "access_log does not say where to; write to: stderr, or to: and "
                                  "the path of a file, or leave access_log out");
    path = strcmp(settings->to, "stderr") != 0 ? iswi_config_path(config, settings->to) : NULL;
    if (!settings->to[0])
        why = "write stderr, or the path of a file";
    else if (path)
        why = not_a_place(path);
    if (!why)
        return ISW_OK;
    return iswi_config_refuse(config, to, error, "no access log can be written to \"%s\": %s",
                              settings->to, why);
}

static void on_said(void *user, bool wrong, const char *sentence)
{
    const iswi_access_log *log = user;

    log->say(log->user, wrong ? ISW_LOG_ERROR : ISW_LOG_INFO, sentence);
}

isw_status iswi_access_log_open(const iswi_access_log_settings *settings, const char *folder,
                                void (*say)(void *user, isw_log_level level, const char *text),
                                void *user, iswi_access_log **out, isw_error *error)
{
    iswi_log_file_options options = { .say = on_said };
    iswi_access_log *log;
    char path[LONGEST];

    *out = NULL;
    if (!settings->to)
        return ISW_OK;
    log = iswi_calloc(1, sizeof *log);
    if (!log)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the access log");
    *log = (iswi_access_log){ .form = (iswi_access_form)settings->form,
                              .query = settings->query,
                              .say = say,
                              .user = user };
    options.path = path_of(settings, folder, path);
    options.user = log;
    if (iswi_log_file_open(&options, &log->file, error) == ISW_OK) {
        *out = log;
        return ISW_OK;
    }
    iswi_free(log);
    return error->status;
}

void iswi_access_log_add(iswi_access_log *log, const iswi_access *access)
{
    iswi_buffer line = { 0 };

    if (!log)
        return;
    iswi_access_write(access, log->form, log->query, &line);
    if (!line.failed)
        iswi_log_file_add(log->file, line.data, line.size);
    iswi_buffer_fini(&line);
}

void iswi_access_log_reopen(iswi_access_log *log)
{
    if (log)
        iswi_log_file_reopen(log->file);
}

uint64_t iswi_access_log_lost(const iswi_access_log *log)
{
    return log ? iswi_log_file_lost(log->file) : 0;
}

void iswi_access_log_close(iswi_access_log *log)
{
    if (!log)
        return;
    iswi_log_file_close(log->file);
    iswi_free(log);
}
