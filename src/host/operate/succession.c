/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one that goes. Invariant: until the successor says that it is ready nothing of this host is
 * another than before, and whatever becomes of the successor costs nothing but a line of the log.
 */
#include "host/operate/succession.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/operate/control.h"
#include "host/operate/handover.h"
#include "host/operate/report.h"
#include "host/system/replacement.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MS = 1000000, LOOK_AGAIN_MS = 10, WHY_BYTES = 1024, LAST_WORDS = 16 };

struct iswi_succession {
    iswi_operate *operate;
    iswi_succession_options options;
    iswi_control_door *door;
    atomic_int state;
    pid_t child; /* that was started here, and not waited for; 0: none */
    pid_t pid;   /* of the one that is to succeed; 0: it has not asked yet */
    iswi_handover line;
    int64_t begun_ns, took_ms;
    char why[WHY_BYTES]; /* it failed */
};

isw_status iswi_succession_create(iswi_operate *operate, iswi_control_door *door, isw_error *error)
{
    iswi_succession *succession = iswi_calloc(1, sizeof *succession);

    if (!succession)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a successor");
    succession->operate = operate;
    succession->options = operate->succession_options;
    succession->door = door;
    succession->line.fd = -1;
    operate->succession = succession;
    return ISW_OK;
}

void iswi_succession_free(iswi_succession *succession)
{
    iswi_free(succession);
}

/* -- How it stands ----------------------------------------------------------------------------- */

iswi_succession_state iswi_succession_state_of(const iswi_succession *succession)
{
    return (iswi_succession_state)atomic_load(&succession->state);
}

bool iswi_succession_goes_on(const iswi_succession *succession)
{
    return succession && atomic_load(&succession->state) == ISWI_SUCCESSION_GOES_ON;
}

bool iswi_succession_is_over(const iswi_succession *succession)
{
    return succession && atomic_load(&succession->state) == ISWI_SUCCESSION_DONE;
}

void iswi_succession_tell(const iswi_succession *succession, iswi_buffer *out)
{
    static const char *const names[] = { [ISWI_SUCCESSION_NONE] = "none",
                                         [ISWI_SUCCESSION_GOES_ON] = "starting",
                                         [ISWI_SUCCESSION_DONE] = "done",
                                         [ISWI_SUCCESSION_FAILED] = "failed" };
    const iswi_succession_state state = iswi_succession_state_of(succession);
    iswi_succeeded told = { .state = names[state],
                            .before = getpid(),
                            .pid = succession->pid ? succession->pid : succession->child,
                            .took_ms = succession->took_ms,
                            .why = state == ISWI_SUCCESSION_FAILED ? succession->why : NULL };
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    iswi_report_struct(iswi_succeeded_fields, &told, &arena, out);
    iswi_arena_fini(&arena);
}

/* -- Its begin --------------------------------------------------------------------------------- */

static void begin(iswi_succession *succession)
{
    succession->begun_ns = iswi_now_ns();
    succession->took_ms = 0;
    *succession->why = '\0';
    atomic_store(&succession->state, ISWI_SUCCESSION_GOES_ON);
    iswi_host_wake(succession->operate->host); /* for the service manager */
}

/* Whether there can be one now. */
static isw_status check(const iswi_succession *succession, isw_error *error)
{
    if (iswi_succession_is_over(succession))
        return isw_error_set(error, ISW_E_BUSY, "pid %ld has taken the place of this host already",
                             (long)succession->pid);
    if (iswi_host_phase(succession->operate->host) == ISWI_PHASE_STOPPING)
        return isw_error_set(error, ISW_E_BUSY, "this host stops");
    return ISW_OK;
}

static isw_status refuse_second(pid_t first, isw_error *error)
{
    return isw_error_set(error, ISW_E_BUSY, "another one is about to take the place of this host, "
                         "pid %ld", (long)first);
}

static bool is_looked_after(const iswi_succession *succession)
{
    return succession->options.watched || succession->operate->service;
}

isw_status iswi_succession_start(iswi_succession *succession, isw_error *error)
{
    const iswi_succession_options *options = &succession->options;

    if (check(succession, error) != ISW_OK)
        return error->status;
    if (iswi_succession_goes_on(succession))
        return refuse_second(succession->pid ? succession->pid : succession->child, error);
    if (!options->command)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "this host cannot start its successor: it is "
                             "a part of another program, or has a debugger in its terminal");
    if (iswi_host_has_guests(succession->operate->host))
        return isw_error_set(error, ISW_E_UNSUPPORTED, "this host waits for a worker that a person "
                             "starts (--wait-for), which would have to come to its successor by "
                             "itself: end it and start it again");
    if (!is_looked_after(succession) && iswi_replacement_is_in_front())
        return isw_error_set(error, ISW_E_UNSUPPORTED, "this host runs in a terminal, whose shell "
                             "would take its end for that of its job: `isoworker run --replace` in "
                             "another terminal takes its place there");
    if (iswi_replacement_start(options->command, succession->door->socket.path, &succession->child,
                               error) != ISW_OK)
        return error->status;
    succession->pid = 0;
    begin(succession);
    return ISW_OK;
}

static pid_t peer_of(int fd)
{
    struct ucred peer = { .pid = 0 };
    socklen_t size = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

static isw_status give(iswi_succession *succession, int fd, isw_error *error)
{
    iswi_operate *operate = succession->operate;
    static const iswi_handover_line given = { .state = "given" };
    iswi_legacy legacy = { NULL, 0, 0 };
    bool fine = iswi_host_give(operate->host, &legacy) &&
                (!operate->admin || iswi_http_give(operate->admin, &legacy));

    if (!fine)
        isw_error_set(error, ISW_E_NO_MEMORY, "no memory, or no descriptors, for what is left");
    else if (!iswi_handover_send_all(fd, &legacy) || !iswi_handover_send(fd, &given, NULL))
        isw_error_set(error, ISW_E_IO, "it does not take what is left to it: %s", strerror(errno));
    iswi_legacy_fini(&legacy);
    return error->status;
}

isw_status iswi_succession_take(iswi_succession *succession, int fd, isw_error *error)
{
    pid_t pid = peer_of(fd);
    bool own = pid && pid == succession->child;

    if (check(succession, error) != ISW_OK)
        return error->status;
    if (iswi_succession_goes_on(succession) && (succession->pid || !own))
        return refuse_second(succession->pid ? succession->pid : succession->child, error);
    if (!own && is_looked_after(succession))
        return isw_error_set(error, ISW_E_UNSUPPORTED, "this host, pid %ld, is looked after by a "
                             "service manager or as process 1, which would take its end for that "
                             "of the service: `isoworker upgrade` has it start its successor "
                             "itself", (long)getpid());
    if (give(succession, fd, error) != ISW_OK)
        return error->status;
    if (!iswi_succession_goes_on(succession))
        begin(succession);
    succession->pid = pid;
    succession->line = (iswi_handover){ .fd = fd };
    iswi_say(succession->operate->host, ISW_LOG_INFO,
             "pid %ld starts, and is to take the place of this host", (long)pid);
    return ISW_OK;
}

/* -- Its end ----------------------------------------------------------------------------------- */

static void fail(iswi_succession *succession, const char *why)
{
    if (!succession->pid)
        succession->pid = succession->child;
    if (!*succession->why)
        snprintf(succession->why, sizeof succession->why, "%s", why);
    iswi_handover_fini(&succession->line);
    succession->took_ms = (iswi_now_ns() - succession->begun_ns) / MS;
    iswi_say(succession->operate->host, ISW_LOG_WARNING,
             "this host goes on, and pid %ld has not taken its place: %s", (long)succession->pid,
             succession->why);
    atomic_store(&succession->state, ISWI_SUCCESSION_FAILED);
    iswi_host_wake(succession->operate->host);
}

void iswi_succession_excuse(iswi_succession *succession, const char *why)
{
    if (iswi_succession_goes_on(succession) && !*succession->why)
        snprintf(succession->why, sizeof succession->why, "%s", why);
}

/* All is the successor's from here on; the order is that of what must not be missed: whoever looks
 * after this process hears of the other before this one gives anything up. */
static void give_way(iswi_succession *succession)
{
    static const iswi_handover_line left = { .state = "left" };
    iswi_operate *operate = succession->operate;
    iswi_legacy idle = { NULL, 0, 0 };

    succession->took_ms = (iswi_now_ns() - succession->begun_ns) / MS;
    atomic_store(&succession->state, ISWI_SUCCESSION_DONE);
    iswi_service_replaced(operate->service, succession->pid);
    if (succession->options.replaced)
        succession->options.replaced(succession->options.user, succession->pid);
    iswi_host_leave(operate->host, succession->pid);
    iswi_host_hand_on(operate->host, &idle);
    if (operate->admin)
        iswi_http_hand_on(operate->admin, &idle);
    if (!iswi_control_door_give(succession->door, succession->line.fd) ||
        !iswi_handover_send_all(succession->line.fd, &idle) ||
        !iswi_handover_send(succession->line.fd, &left, NULL))
        iswi_say(operate->host, ISW_LOG_WARNING, "pid %ld may not have got the control socket, or "
                 "all of %zu connections: %s", (long)succession->pid, idle.count, strerror(errno));
    iswi_legacy_fini(&idle);
    iswi_handover_fini(&succession->line);
}

static void heed(void *user, const iswi_handover_line *line)
{
    iswi_succession *succession = user;

    if (line->state && strcmp(line->state, "ready") == 0)
        give_way(succession);
    else if (line->state && strcmp(line->state, "failed") == 0)
        iswi_succession_excuse(succession, line->why ? line->why : "it does not say why");
}

static void listen_to(iswi_succession *succession)
{
    iswi_legacy nothing = { NULL, 0, 0 };
    bool there = iswi_handover_listen(&succession->line, &nothing, heed, succession);

    iswi_legacy_fini(&nothing);
    if (there || succession->line.fd < 0)
        return;
    if (iswi_succession_goes_on(succession) && succession->pid != succession->child)
        fail(succession, "it ended");
    else
        iswi_handover_fini(&succession->line); /* the end of one of ours follows */
}

/* One of ours: it is waited for, also when it has taken our place. What it said last is heard
 * first. */
static void look_after(iswi_succession *succession)
{
    char text[128];
    int status;
    pid_t ended = waitpid(succession->child, &status, WNOHANG);

    if (ended == 0 || (ended < 0 && errno == EINTR))
        return;
    for (int i = 0; i < LAST_WORDS && succession->line.fd >= 0; i++)
        listen_to(succession);
    if (ended > 0 && WIFEXITED(status))
        snprintf(text, sizeof text, "it exited with status %d; it has said why among the lines of "
                 "this host's output", WEXITSTATUS(status));
    else
        snprintf(text, sizeof text, "it was ended by signal %d", ended > 0 ? WTERMSIG(status) : 0);
    if (iswi_succession_goes_on(succession))
        fail(succession, text);
    succession->child = 0;
}

int iswi_succession_fd(const iswi_succession *succession)
{
    return succession ? succession->line.fd : -1;
}

void iswi_succession_turn(iswi_succession *succession, bool readable, int64_t now_ns,
                          int64_t *due_ns)
{
    if (!succession)
        return;
    if (readable && succession->line.fd >= 0)
        listen_to(succession);
    if (succession->child)
        look_after(succession);
    if (succession->child && now_ns + LOOK_AGAIN_MS * MS < *due_ns)
        *due_ns = now_ns + LOOK_AGAIN_MS * MS;
}

void iswi_succession_end(iswi_succession *succession)
{
    if (!succession)
        return;
    if (iswi_succession_goes_on(succession) && succession->child) {
        kill(succession->child, SIGTERM);
        waitpid(succession->child, NULL, 0);
    }
    iswi_handover_fini(&succession->line);
}
