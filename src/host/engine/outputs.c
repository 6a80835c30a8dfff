/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where outputs go. This host has no queues or stores; it knows two sinks, for people and for small
 * uses: `log`, a line on its console, and `file`, a line of JSON at the end of a file below the
 * application's folder. Lines are written whole, so that threads and hosts do not mix them.
 */
#include "base/clock.h"
#include "base/logline.h"
#include "base/text.h"
#include "host/engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

const char *iswi_output_refusal(const iswi_host_output *output)
{
    if (strcmp(output->type, "log") == 0)
        return NULL;
    if (strcmp(output->type, "file") != 0)
        return "this host knows outputs of the types file and log";
    if (!*output->path)
        return "a file output needs the property path";
    if (*output->path == '/' || strstr(output->path, ".."))
        return "its path leaves the application's folder";
    return NULL;
}

static const iswi_host_output *find(const iswi_host_function *function, isw_str name)
{
    for (size_t i = 0; i < function->output_count; i++)
        if (isw_str_equal(isw_str_of(function->outputs[i].name), name))
            return &function->outputs[i];
    return NULL;
}

/* Text that is JSON goes in as it is: the worker has seen to that, or its reader will. */
static void write_value(iswi_buffer *out, const isw_value *value)
{
    if (value->type == ISW_VALUE_JSON)
        iswi_buffer_append(out, value->as.string.data, value->as.string.size);
    else if (value->type == ISW_VALUE_BYTES)
        iswi_json_string(out, (isw_str){ value->as.bytes.data, value->as.bytes.size });
    else
        iswi_json_value(out, value);
}

static bool append_line(const iswi_host *host, const char *path, const iswi_buffer *line)
{
    char whole[ISWI_PATH_MAX + 1];
    ssize_t written;
    int size = snprintf(whole, sizeof whole, "%s/%s", host->folder, path);
    int fd;

    if (size < 0 || (size_t)size >= sizeof whole) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = open(whole, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    written = write(fd, line->data, line->size);
    close(fd);
    if (written >= 0 && (size_t)written < line->size)
        errno = ENOSPC;
    return written == (ssize_t)line->size;
}

static void show(iswi_host *host, const iswi_host_function *function, const char *invocation_id,
                 isw_str name, isw_str text)
{
    iswi_logline line = { .level = ISW_LOG_INFO,
                          .time_us = iswi_wall_us(),
                          .source = isw_str_of(function->pool->settings->name),
                          .category = isw_str_of("Output"),
                          .message = text,
                          .function = isw_str_of(function->name),
                          .invocation_id = isw_str_of(invocation_id) };
    const isw_named_value fields[] = { isw_named("function", isw_value_string(function->name)),
                                       isw_named("output", isw_value_text(name)) };

    line.fields = fields;
    line.field_count = 2;
    iswi_log_line(host, &line, ISWI_SPEAKER_OTHERS);
}

void iswi_output_take(iswi_host *host, const iswi_host_function *function,
                      const char *invocation_id, isw_str name, const isw_value *value)
{
    const iswi_host_output *output = find(function, name);
    iswi_buffer line = { 0 };

    if (!output) {
        iswi_say_of(host, ISW_LOG_WARNING, function->name, invocation_id,
                    "%s has put out \"%.*s\", which it did not declare; it is dropped",
                    function->name, (int)name.size, name.size ? name.data : "");
        return;
    }
    if (iswi_output_refusal(output))
        return; /* said at the start */
    write_value(&line, value);
    if (strcmp(output->type, "log") == 0 && !line.failed) {
        show(host, function, invocation_id, name, (isw_str){ (const char *)line.data, line.size });
    } else if (iswi_buffer_append(&line, "\n", 1) && !append_line(host, output->path, &line)) {
        iswi_say_of(host, ISW_LOG_ERROR, function->name, invocation_id,
                    "output %s of %s: %s: %s", output->name, function->name, output->path,
                    strerror(errno));
    }
    iswi_buffer_fini(&line);
}
