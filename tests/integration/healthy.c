/* SPDX-License-Identifier: Apache-2.0 */
/* A worker whose start, health and end are what files of its folder say, read when they count. */
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURN_US = 2000, TURNS_MAX = 30000 };

/* What a file says, without its last line break; NULL: it is not there. */
static const char *read_file(const char *name, char room[256])
{
    FILE *file = fopen(name, "re");
    size_t size = file ? fread(room, 1, 255, file) : 0;

    if (!file)
        return NULL;
    fclose(file);
    room[size] = '\0';
    room[strcspn(room, "\n")] = '\0';
    return room;
}

/* As long as the file says that, but not for ever. */
static void wait_while(const char *name, const char *says)
{
    char room[256];

    for (int i = 0; i < TURNS_MAX; i++) {
        const char *text = read_file(name, room);

        if (says ? !text || strcmp(text, says) != 0 : text != NULL)
            return;
        usleep(TURN_US);
    }
}

/* A line in the file that TRACE names, if it is set. */
static void leave_trace(const char *what)
{
    const char *path = getenv("TRACE");
    FILE *file = path ? fopen(path, "ae") : NULL;

    if (!file)
        return;
    fprintf(file, "%s\n", what);
    fclose(file);
}

/* -- Start and end ----------------------------------------------------------------------------- */

static isw_status open_store(isw_resolver *from, void *user, void **out, isw_error *error)
{
    char room[256];
    const char *fate = read_file("start", room);

    (void)from;
    wait_while("start", "hang");
    if (fate && strncmp(fate, "config ", 7) == 0)
        return isw_error_set(error, ISW_E_CONFIG, "%s", fate + 7);
    if (fate && strncmp(fate, "fail ", 5) == 0)
        return isw_error_set(error, ISW_E_UNAUTHENTICATED, "%s", fate + 5);
    leave_trace("open");
    *out = user;
    return ISW_OK;
}

static void close_store(void *store, void *user)
{
    (void)store;
    (void)user;
    wait_while("end", "hang");
    leave_trace("close");
}

static isw_status begin(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)from;
    (void)user;
    (void)out;
    (void)error;
    leave_trace("begin");
    return ISW_OK;
}

static void end(void *nothing, void *user)
{
    (void)user;
    leave_trace(nothing ? "end of something" : "end");
}

/* -- Health ------------------------------------------------------------------------------------ */

static isw_status find_why(const char *file, isw_error *error)
{
    char room[256];
    const char *why = read_file(file, room);

    wait_while(file, "hang");
    return why && strcmp(why, "hang") != 0 ? isw_error_set(error, ISW_E_UNAVAILABLE, "%s", why)
                                           : ISW_OK;
}

/* `sick` is of all processes, `sick.PID` of one, and `sick.but` of all but the one that it names. */
static isw_status check(isw_resolver *from, void *user, void **out, isw_error *error)
{
    char own[32];
    char room[256];
    const char *but = read_file("sick.but", room);

    (void)user;
    (void)out;
    snprintf(own, sizeof own, "sick.%d", (int)getpid());
    if (!ISW_NEED(from, char, "store"))
        return ISW_E_UNAVAILABLE;
    if (but && atoi(but) != getpid())
        return isw_error_set(error, ISW_E_UNAVAILABLE, "not %s", but);
    if (find_why(own, error) != ISW_OK)
        return ISW_E_UNAVAILABLE;
    return find_why("sick", error);
}

/* -- Functions --------------------------------------------------------------------------------- */

static isw_status who(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%d %s", (int)getpid(),
                          ISW_SERVICE(ctx, char, "store"));
}

static isw_status hold(isw_context *ctx)
{
    printf("holding in %d\n", (int)getpid());
    wait_while("held", "");
    return who(ctx);
}

static isw_status keep(isw_context *ctx)
{
    (void)ctx;
    wait_while("held", "");
    return ISW_OK;
}

static const isw_function functions[] = {
    { .name = "who", .trigger = ISW_HTTP("GET", "who"), .handler = who },
    { .name = "hold", .trigger = ISW_HTTP("GET", "hold"), .handler = hold, .timeout_ms = 60000 },
    { .name = "keep", .trigger = ISW_QUEUE("keep"), .handler = keep, .timeout_ms = 60000 },
    { 0 },
};
static const char *const store[] = { "store", NULL };
static char name[] = "the store";
static const isw_service services[] = {
    { "store", "char", ISW_EAGER_SINGLETON, open_store, close_store, name, NULL },
    { .name = "hook", .lifetime = ISW_EAGER_SINGLETON, .create = begin, .destroy = end },
    { .name = "disk", .lifetime = ISW_HEALTH_CHECK, .create = check, .needs = store },
    { 0 },
};
static const isw_app app = { .functions = functions, .services = services };

#ifdef MODULE
ISW_APP_MODULE(&app);
#else
int main(int argc, char **argv)
{
    return isw_app_main(argc, argv, &app);
}
#endif
