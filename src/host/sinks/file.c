/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON at the end of a file below the application's folder. Each is written whole by one
 * call, so that threads and hosts do not mix them; the file is opened each time, so that whoever
 * moves it away gets a new one. */
#include "base/alloc.h"
#include "host/engine/look.h"
#include "host/sinks/sinks.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

typedef struct file_properties {
    const char *path;
} file_properties;

static const isw_option properties[] = {
    { .name = "path", .type = ISW_OPTION_STRING, .offset = offsetof(file_properties, path),
      .help = "a file below the application's folder" },
    { 0 },
};

typedef struct file_sink {
    const iswi_host *host;
    const char *path; /* as the function says it */
    char whole[];
} file_sink;

static isw_status check_sink(const iswi_sink_check *with, const void *given, isw_error *error)
{
    const char *path = ((const file_properties *)given)->path;

    (void)with;
    if (!*path)
        return isw_error_set(error, ISW_E_CONFIG, "its path is empty; name a file below the "
                                                  "application's folder");
    if (*path == '/' || strstr(path, ".."))
        return isw_error_set(error, ISW_E_CONFIG, "its path leaves the application's folder");
    return ISW_OK;
}

static isw_status open_sink(iswi_host *host, const iswi_sink_place *place, const void *given,
                            void **self, isw_error *error)
{
    const char *path = ((const file_properties *)given)->path;
    const char *folder = iswi_host_data_folder(host);
    size_t size = strlen(folder) + strlen(path) + sizeof "/";
    file_sink *sink;

    (void)place;
    if (check_sink(NULL, given, error) != ISW_OK)
        return error->status;
    sink = iswi_alloc(sizeof *sink + size);
    if (!sink)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    sink->host = host;
    sink->path = path;
    snprintf(sink->whole, size, "%s/%s", folder, path);
    *self = sink;
    return ISW_OK;
}

static bool append_line(const char *path, const iswi_buffer *line)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t written;

    if (fd < 0)
        return false;
    written = write(fd, line->data, line->size);
    close(fd);
    if (written >= 0 && (size_t)written < line->size)
        errno = ENOSPC;
    return written == (ssize_t)line->size;
}

static isw_status put(void *self, const iswi_sink_item *item, isw_error *error)
{
    const file_sink *sink = self;
    iswi_buffer line = { 0 };
    isw_status status = ISW_OK;

    iswi_sink_text(sink->host, item, &line);
    if (!iswi_buffer_append(&line, "\n", 1))
        status = isw_error_set(error, ISW_E_NO_MEMORY, "%s: no memory for a line", sink->path);
    else if (!append_line(sink->whole, &line))
        status = isw_error_set(error, ISW_E_IO, "%s: %s", sink->path, strerror(errno));
    iswi_buffer_fini(&line);
    return status;
}

const iswi_sink iswi_sink_file = {
    .type = "file",
    .properties = properties,
    .properties_size = sizeof(file_properties),
    .check = check_sink,
    .open = open_sink,
    .put = put,
    .close = iswi_free,
};
