/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that tells how its process began, and that may have done before it serves what a template
 * cannot hand on (TEST_WARM). */
#include <isoworker/isoworker.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static pid_t began; /* in which process main did */

static isw_status who(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%ld %ld %ld %ld", (long)getpid(),
                          (long)getppid(), (long)getpgrp(), (long)began);
}

/* What its descriptors lead to, sorted by name and without the numbers of pipes and sockets. */
static isw_status files(isw_context *ctx)
{
    struct dirent **names;
    int count = scandir("/proc/self/fd", &names, NULL, alphasort);
    const char *text = "";

    for (int i = 0; i < count; i++) {
        char path[300];
        char target[256] = "";

        snprintf(path, sizeof path, "/proc/self/fd/%s", names[i]->d_name);
        if (readlink(path, target, sizeof target - 1) > 0 && !strstr(target, "/fd"))
            text = isw_context_printf(ctx, "%s%.*s\n", text, (int)strcspn(target, "["), target);
        free(names[i]);
    }
    free(names);
    return isw_http_reply(ctx, 200, "text/plain", "%s", text);
}

static isw_status may(isw_context *ctx)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    return isw_http_reply(ctx, 200, "text/plain", "%d %lld %u", getpriority(PRIO_PROCESS, 0),
                          (long long)limit.rlim_cur, getuid());
}

/* In which process a service was made. */
static isw_status made(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%ld %ld", (long)*ISW_SERVICE(ctx, pid_t, "early"),
                          (long)*ISW_SERVICE(ctx, pid_t, "eager"));
}

static const isw_metric asked = { .name = "asked_total", .help = "Calls.", .type = ISW_COUNTER };

static isw_status count(isw_context *ctx)
{
    isw_series_add(isw_metric_series(isw_context_metrics(ctx), &asked, NULL), 1);
    return who(ctx);
}

/* An invocation's own random numbers. */
static isw_status trace(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%s", isw_context_traceparent(ctx));
}

static const isw_function functions[] = {
    { .name = "who", .trigger = ISW_HTTP("GET", "who"), .handler = who },
    { .name = "files", .trigger = ISW_HTTP("GET", "files"), .handler = files },
    { .name = "may", .trigger = ISW_HTTP("GET", "may"), .handler = may },
    { .name = "count", .trigger = ISW_HTTP("GET", "count"), .handler = count },
    { .name = "made", .trigger = ISW_HTTP("GET", "made"), .handler = made },
    { .name = "trace", .trigger = ISW_HTTP("GET", "trace"), .handler = trace },
    { 0 },
};

static void *sleep_on(void *user)
{
    for (;;)
        pause();
    return user;
}

static isw_status make(isw_resolver *from, void *user, void **out, isw_error *error)
{
    const char *mode = getenv("TEST_WARM");
    pid_t *pid = malloc(sizeof *pid);
    pthread_t thread;

    (void)from;
    if (!pid)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory");
    *out = pid;
    *pid = getpid();
    if (mode && strcmp(mode, "preload") == 0 && strcmp(user, "early") == 0)
        pthread_create(&thread, NULL, sleep_on, NULL);
    return ISW_OK;
}

static void destroy(void *service, void *user)
{
    (void)user;
    free(service);
}

static const isw_service services[] = {
    { "eager", "pid_t", ISW_EAGER_SINGLETON, make, destroy, (void *)"eager", NULL },
    { "early", "pid_t", ISW_PRELOADED_SINGLETON, make, destroy, (void *)"early", NULL },
    { 0 },
};
static const isw_app app = { .functions = functions, .services = services };

int main(int argc, char **argv)
{
    const char *mode = getenv("TEST_WARM") ? getenv("TEST_WARM") : "";
    pthread_t thread;

    began = getpid();
    if (strcmp(mode, "thread") == 0)
        pthread_create(&thread, NULL, sleep_on, NULL);
    if (strcmp(mode, "file") == 0)
        open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    if (strcmp(mode, "talk") == 0)
        fprintf(stderr, "it is warm here\n");
    if (strcmp(mode, "exit") == 0 && getenv("ISOWORKER_TEMPLATE_FD")) {
        fprintf(stderr, "no templates here\n");
        return 3;
    }
    return isw_app_main(argc, argv, &app);
}
