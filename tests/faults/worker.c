/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that bear witness. A message is "NUMBER KIND"; what happens to it is a line of the file
 * FAULTS_LOG, written by one call each: "b NUMBER ATTEMPT PID" when its run begins, "e NUMBER PID" when
 * that ends well, "x NUMBER HERE THERE" when another run of it goes on, with the hosts of both (as
 * FAULTS_HOST names them), "o NUMBER ID" when its output arrives. A run holds a lock on a file of the
 * message's, which goes with the process, however that ends.
 */
#include <isoworker/isoworker.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { RUN_MS = 4 };

static void witness(const char *line)
{
    int fd = open(getenv("FAULTS_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line))
        abort();
    close(fd);
}

/* POST put?delay=MILLISECONDS with the message as its body: answered once it is durable. */
static isw_status put(isw_context *ctx)
{
    const isw_bytes body = isw_value_payload(isw_context_trigger(ctx));
    const isw_value value = isw_value_text((isw_str){ body.data, body.size });
    const char *delay = isw_http_query(ctx, "delay");
    const isw_queue_options options = { .delay_ms = delay ? (uint32_t)atoi(delay) : 0 };

    if (isw_queue_put(ctx, "jobs", &value, &options) != ISW_OK)
        return ISW_E_FAILED;
    return isw_http_reply(ctx, 202, "text/plain", "put\n");
}

/* The descriptor of the lock; -1: another run has it, which is told. */
static int lock_run(isw_context *ctx, long number)
{
    const char *path = isw_context_printf(ctx, "%s.%ld", getenv("FAULTS_LOG"), number);
    const char *here = getenv("FAULTS_HOST");
    char there[8] = "?";
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        abort();
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        (void)!pwrite(fd, here, strlen(here) + 1, 0);
        return fd;
    }
    (void)!pread(fd, there, sizeof there - 1, 0);
    close(fd);
    witness(isw_context_printf(ctx, "x %ld %s %s\n", number, here, there));
    return -1;
}

static isw_status behave(isw_context *ctx, const char *kind, bool first)
{
    isw_context_sleep(ctx, RUN_MS);
    if (strcmp(kind, "poison") == 0 || (first && strcmp(kind, "crash") == 0))
        abort();
    if (first && strcmp(kind, "hang") == 0)
        for (;;)
            pause();
    if (first && strcmp(kind, "fail") == 0)
        return isw_fail(ctx, ISW_E_FAILED, "the first time it fails");
    return ISW_OK;
}

static isw_status job(isw_context *ctx)
{
    isw_queue_message message;
    isw_value output;
    char kind[16] = "";
    char *text;
    long number;
    int lock;

    if (isw_queue_message_at(ctx, 0, &message) != ISW_OK)
        return ISW_E_FAILED;
    text = isw_context_strndup(ctx, isw_value_payload(message.body).data,
                               isw_value_payload(message.body).size);
    number = strtol(text, &text, 10);
    sscanf(text, " %15s", kind);
    lock = lock_run(ctx, number);
    witness(isw_context_printf(ctx, "b %ld %u %d\n", number, message.dequeue_count, (int)getpid()));
    if (behave(ctx, kind, message.dequeue_count == 1) != ISW_OK) {
        close(lock);
        return ISW_E_FAILED;
    }
    output = isw_value_string(isw_context_printf(ctx, "%ld", number));
    if (isw_queue_put(ctx, "outs", &output, NULL) != ISW_OK) {
        close(lock);
        return ISW_E_FAILED;
    }
    witness(isw_context_printf(ctx, "e %ld %d\n", number, (int)getpid()));
    close(lock);
    return ISW_OK;
}

static isw_status out(isw_context *ctx)
{
    isw_queue_message message;

    if (isw_queue_message_at(ctx, 0, &message) != ISW_OK)
        return ISW_E_FAILED;
    witness(isw_context_printf(ctx, "o %.*s %.*s\n", (int)isw_value_payload(message.body).size,
                               (const char *)isw_value_payload(message.body).data,
                               (int)message.id.size, message.id.data));
    return ISW_OK;
}

static const isw_property to_jobs[] = { { "queue", "jobs" }, { 0 } };
static const isw_property to_outs[] = { { "queue", "outs" }, { 0 } };
static const isw_binding jobs[] = { { "jobs", "queue", ISW_OUT, to_jobs }, { 0 } };
static const isw_binding outs[] = { { "outs", "queue", ISW_OUT, to_outs }, { 0 } };
static const isw_property soon[] = { { "retry_delay", "10ms" }, { "retry_delay_max", "160ms" }, { 0 } };

static const isw_function functions[] = {
    { .name = "put", .trigger = ISW_HTTP("POST", "put"), .handler = put, .bindings = jobs },
    { .name = "job", .trigger = { "queue", NULL, NULL, "jobs", soon }, .handler = job,
      .bindings = outs, .timeout_ms = 250 },
    { .name = "out", .trigger = { "queue", NULL, NULL, "outs", soon }, .handler = out },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
