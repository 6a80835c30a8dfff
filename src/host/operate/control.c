/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control's thread: it takes connections in, gives each its turn, and looks after what others
 * wait for. Invariant: it never blocks but in poll, so that no client holds up another, nor the
 * host.
 */
#include "host/operate/control.h"

#include "host/engine/log.h"
#include "host/engine/look.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "host/operate/control_client.h"
#include "host/operate/control_door.h"
#include "host/operate/control_path.h"
#include "host/operate/succession.h"
#include "host/operate/takeover.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MS = 1000000,
    CLIENTS_MAX = 16,
    STALL_MS = 5000, /* such a client makes room for a new one */
    LOOK_AGAIN_MS = 5,
    DEAF_MS = 100,
    JOURNAL_BYTES = 4 << 20
};

struct iswi_control {
    iswi_operate *operate;
    iswi_control_door door;
    pthread_t thread;
    bool running;
    int wake;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards what follows */
    iswi_wait *waits;
    bool closed; /* nobody looks at them any more */
    /* Only the thread: */
    iswi_control_client *clients[CLIENTS_MAX];
    unsigned count;
    int64_t deaf_until_ns; /* no descriptors were left */
};

void iswi_control_wake(iswi_control *control)
{
    uint64_t one = 1;

    (void)!write(control->wake, &one, sizeof one); /* if it is full, it is awake */
}

static void wake(void *user)
{
    iswi_control_wake(user);
}

/* -- Waits ------------------------------------------------------------------------------------- */

void iswi_control_wait(iswi_control *control, iswi_wait *wait)
{
    bool closed;

    pthread_mutex_lock(&control->lock);
    closed = control->closed;
    if (!closed) {
        wait->next = control->waits;
        control->waits = wait;
    }
    pthread_mutex_unlock(&control->lock);
    if (closed)
        wait->done(wait, false);
    else
        wake(control);
}

/* All of them, for this thread to look at. */
static iswi_wait *take_waits(iswi_control *control)
{
    iswi_wait *waits;

    pthread_mutex_lock(&control->lock);
    waits = control->waits;
    control->waits = NULL;
    pthread_mutex_unlock(&control->lock);
    return waits;
}

static void put_back(iswi_control *control, iswi_wait *wait)
{
    pthread_mutex_lock(&control->lock);
    wait->next = control->waits;
    control->waits = wait;
    pthread_mutex_unlock(&control->lock);
}

/* When to look again. */
static int64_t look_at_waits(iswi_control *control, int64_t now_ns)
{
    int64_t due_ns = INT64_MAX;
    iswi_wait *next;

    for (iswi_wait *wait = take_waits(control); wait; wait = next) {
        bool over = wait->over(wait);

        next = wait->next;
        if (over || now_ns >= wait->until_ns) {
            wait->done(wait, over);
        } else {
            due_ns = now_ns + LOOK_AGAIN_MS * MS;
            put_back(control, wait);
        }
    }
    return due_ns;
}

/* -- Clients ----------------------------------------------------------------------------------- */

static void drop(iswi_control *control, unsigned index)
{
    iswi_control_client_destroy(control->clients[index]);
    control->clients[index] = control->clients[--control->count];
}

/* Of those that do not read the one that has not for the longest. */
static bool make_room(iswi_control *control, int64_t now_ns)
{
    unsigned worst = 0;

    for (unsigned i = 1; i < control->count; i++)
        if (iswi_control_client_stalled_ns(control->clients[i]) <
            iswi_control_client_stalled_ns(control->clients[worst]))
            worst = i;
    if (iswi_control_client_stalled_ns(control->clients[worst]) > now_ns - STALL_MS * (int64_t)MS)
        return false;
    drop(control, worst);
    return true;
}

static void refuse(int fd)
{
    static const char text[] = "{\"error\":\"this host has as many visitors as it takes; close "
                               "one, such as an isoworker logs -f\"}\n";

    send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void take_in(iswi_control *control, int64_t now_ns)
{
    int fd = accept4(control->door.socket.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    iswi_control_client *client;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            control->deaf_until_ns = now_ns + DEAF_MS * MS;
        return;
    }
    if (!iswi_control_trusts(fd, geteuid())) {
        close(fd);
        return;
    }
    if (control->count == CLIENTS_MAX && !make_room(control, now_ns)) {
        refuse(fd);
        return;
    }
    client = iswi_control_client_create(control->operate, fd);
    if (client)
        control->clients[control->count++] = client;
}

/* -- The thread -------------------------------------------------------------------------------- */

typedef struct round {
    struct pollfd fds[CLIENTS_MAX + 4]; /* of the clients, then ours */
    unsigned count;                     /* of clients */
    int64_t due_ns;
} round;

static void prepare(iswi_control *control, round *r)
{
    r->count = control->count;
    for (unsigned i = 0; i < r->count; i++) {
        int64_t due_ns = iswi_control_client_due_ns(control->clients[i]);

        r->fds[i] = (struct pollfd){ .fd = iswi_control_client_fd(control->clients[i]),
                                     .events = iswi_control_client_events(control->clients[i]) };
        r->due_ns = due_ns < r->due_ns ? due_ns : r->due_ns;
    }
    r->fds[r->count + 2] = (struct pollfd){ .fd = iswi_succession_fd(control->operate->succession),
                                            .events = POLLIN };
    r->fds[r->count + 3] = (struct pollfd){ .fd = iswi_takeover_fd(control->operate->takeover),
                                            .events = POLLIN };
    r->fds[r->count] = (struct pollfd){ .fd = control->wake, .events = POLLIN };
    r->fds[r->count + 1] = (struct pollfd){ .fd = control->door.socket.listener,
                                            .events = POLLIN };
    if (iswi_now_ns() < control->deaf_until_ns) {
        r->fds[r->count + 1].fd = -1;
        r->due_ns = control->deaf_until_ns < r->due_ns ? control->deaf_until_ns : r->due_ns;
    }
}

static int timeout_of(int64_t due_ns)
{
    int64_t left_ms = (due_ns - iswi_now_ns() + MS - 1) / MS;

    if (due_ns == INT64_MAX)
        return -1;
    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

static void go_round(iswi_control *control, const round *r)
{
    int64_t now_ns = iswi_now_ns();
    uint64_t rung;

    if (r->fds[r->count].revents)
        (void)!read(control->wake, &rung, sizeof rung);
    /* From the end, so that the place of one that is dropped is filled by one that had its turn. */
    for (unsigned i = r->count; i-- > 0;)
        if (!iswi_control_client_turn(control->clients[i], r->fds[i].revents, now_ns))
            drop(control, i);
    if (r->fds[r->count + 1].revents)
        take_in(control, now_ns);
}

static void *run(void *user)
{
    iswi_control *control = user;

    bool succeeds = false; /* somebody who does, has said something */

    iswi_thread_name("isw-control");
    while (!atomic_load(&control->stopping)) {
        round r = { .due_ns = look_at_waits(control, iswi_now_ns()) };

        iswi_succession_turn(control->operate->succession, succeeds, iswi_now_ns(), &r.due_ns);
        iswi_control_door_tend(&control->door, iswi_now_ns(), &r.due_ns);
        prepare(control, &r);
        poll(r.fds, r.count + 4, timeout_of(r.due_ns));
        succeeds = r.fds[r.count + 2].revents != 0;
        go_round(control, &r);
        if (iswi_takeover_turn(control->operate->takeover) == ISWI_TAKEOVER_DONE)
            iswi_control_door_take(&control->door);
    }
    return NULL;
}

/* -- Life -------------------------------------------------------------------------------------- */

isw_status iswi_control_start(iswi_control *control, isw_error *error)
{
    sigset_t all;
    sigset_t before;
    int cause;

    sigfillset(&all); /* signals are the program's business */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    cause = pthread_create(&control->thread, NULL, run, control);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    control->running = cause == 0;
    if (cause)
        return isw_error_set(error, ISW_E_IO, "no thread for the control socket: %s",
                             strerror(cause));
    return ISW_OK;
}

isw_status iswi_control_create(iswi_operate *operate, const char *path, isw_error *error)
{
    const iswi_host_options *options = &iswi_host_settings_of(operate->host)->host;
    iswi_control *control = iswi_calloc(1, sizeof *control);

    if (!control)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the control socket");
    control->operate = operate;
    iswi_control_door_init(&control->door, operate);
    pthread_mutex_init(&control->lock, NULL);
    operate->control = control;
    control->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (control->wake < 0)
        return isw_error_set(error, ISW_E_IO, "no descriptor for the control socket: %s",
                             strerror(errno));
    if (iswi_succession_create(operate, &control->door, error) != ISW_OK)
        return error->status;
    if (!path && (operate->hidden || !iswi_host_has_control(options)))
        return ISW_OK;
    operate->journal =
        iswi_journal_create((size_t)options->log_lines, JOURNAL_BYTES, wake, control);
    if (!operate->journal)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for host.log_lines");
    operate->console.journal = operate->journal;
    return iswi_control_door_listen(&control->door, path, error);
}

void iswi_control_stop(iswi_control *control)
{
    iswi_wait *next;

    if (!control)
        return;
    atomic_store(&control->stopping, true);
    if (control->running) {
        wake(control);
        pthread_join(control->thread, NULL);
        control->running = false;
    }
    pthread_mutex_lock(&control->lock);
    control->closed = true;
    pthread_mutex_unlock(&control->lock);
    for (iswi_wait *wait = take_waits(control); wait; wait = next) {
        next = wait->next;
        wait->done(wait, false);
    }
    while (control->count)
        drop(control, 0);
    iswi_control_door_close(&control->door);
    iswi_succession_end(control->operate->succession);
}

void iswi_control_free(iswi_control *control)
{
    if (!control)
        return;
    if (control->wake >= 0)
        close(control->wake);
    pthread_mutex_destroy(&control->lock);
    iswi_free(control);
}
