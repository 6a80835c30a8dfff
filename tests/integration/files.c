/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of files.py: functions that get files, each of which does what its content says. The
 * folder of `far` and its pattern are what FILES_PATH and FILES_PATTERN say; FILES_QUEUE: a queue of
 * which one more function wants the messages. */
#include <isoworker/isoworker.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct came {
    const char *path, *name;
    int64_t size, modified_ms, found_ms;
} came;

static const isw_field came_fields[] = {
    { ISW_FIELD(STRING, came, path), .required = true },
    { ISW_FIELD(STRING, came, name), .required = true },
    { ISW_FIELD(INT, came, size), .required = true },
    { ISW_FIELD(INT, came, modified_ms), .required = true },
    { ISW_FIELD(INT, came, found_ms), .required = true },
    { 0 },
};

static const char *read_all(isw_context *ctx, const char *path)
{
    FILE *file = fopen(path, "r");
    char text[256];
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file)
        fclose(file);
    return isw_context_strndup(ctx, text, size);
}

/* Where a host that is killed does not take it along. */
static void note(const char *name)
{
    FILE *file = fopen("ran", "a");

    if (file) {
        fprintf(file, "%s\n", name);
        fclose(file);
    }
}

static isw_status take(isw_context *ctx)
{
    isw_queue_message message;
    const char *text;
    came file;

    if (isw_bind_payload(ctx, "file", came_fields, &file) != ISW_OK ||
        isw_queue_message_at(ctx, 0, &message) != ISW_OK)
        return ISW_E_INVALID;
    text = read_all(ctx, file.path);
    isw_log(ctx, ISW_LOG_INFO, "got <%s> of %s with <%s> %lld %lld %lld at %s attempt %u of %.*s",
            file.name, isw_value_type_name(message.body->type), text, (long long)file.size,
            (long long)file.modified_ms, (long long)file.found_ms, file.path,
            message.dequeue_count, (int)message.queue.size, message.queue.data);
    if (strncmp(text, "fail", 4) == 0)
        return isw_fail(ctx, ISW_E_FAILED, "no luck with it");
    if (strncmp(text, "crash once", 10) == 0 && message.dequeue_count == 1)
        abort();
    if (strncmp(text, "remove", 6) == 0)
        remove(file.path);
    if (strncmp(text, "nap", 3) == 0) {
        isw_context_sleep(ctx, 100);
        note(file.name);
    }
    isw_log(ctx, ISW_LOG_INFO, "done <%s>", file.name);
    return ISW_OK;
}

static const isw_property inbox[] = { { "path", "inbox" },      { "pattern", "*.txt" },
                                      { "quiet", "300ms" },     { "retry_delay", "20ms" },
                                      { "retry_delay_max", "40ms" }, { 0 } };
static const isw_property tree[] = { { "path", "tree/" },
                                     { "recursive", "true" },
                                     { "done", "tree/done" },
                                     { "quiet", "50ms" },
                                     { "retry_delay", "20ms" },
                                     { 0 } };

int main(int argc, char **argv)
{
    const char *pattern = getenv("FILES_PATTERN");
    const isw_property far[] = { { "path", getenv("FILES_PATH") },
                                 { "pattern", pattern ? pattern : "*" },
                                 { "quiet", "50ms" },
                                 { 0 } };
    isw_function all[] = {
        { .name = "inbox", .trigger = ISW_TRIGGER("file", inbox), .handler = take },
        { .name = "tree", .trigger = ISW_TRIGGER("file", tree), .handler = take },
        { .name = "plain", .trigger = ISW_FILE("plain"), .handler = take },
        { 0 },
        { 0 },
    };

    if (getenv("FILES_PATH"))
        all[3] = (isw_function){ .name = "far", .trigger = ISW_TRIGGER("file", far),
                                 .handler = take };
    if (getenv("FILES_QUEUE"))
        all[3] = (isw_function){ .name = "thief", .trigger = ISW_QUEUE(getenv("FILES_QUEUE")),
                                 .handler = take };
    return isw_main(argc, argv, all);
}
