/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one that comes. Invariant: what was left stays the other one's until this host has said that it
 * is ready, or the other one is gone.
 */
#include "host/operate/takeover.h"

#include "base/alloc.h"
#include "base/text.h"
#include "host/operate/control_path.h"
#include "host/operate/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 10 };

typedef enum step {
    STARTS,  /* its workers do */
    IS_READY,
    ASKS,    /* it has said so, and is to hear that the other one leaves */
    IS_DONE
} step;

struct iswi_takeover {
    iswi_handover line;
    iswi_legacy legacy;
    pid_t before;
    atomic_int step;
    bool gone; /* the other one */
};

/* -- Its begin --------------------------------------------------------------------------------- */

static void be_patient(int fd)
{
    struct timeval patience = { .tv_sec = PATIENCE_S };

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static isw_status ask(iswi_takeover *takeover, isw_error *error)
{
    static const char request[] = "{\"command\":\"succeed\"}\n";
    struct ucred peer = { .pid = 0 };
    socklen_t size = sizeof peer;

    be_patient(takeover->line.fd);
    if (getsockopt(takeover->line.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        takeover->before = peer.pid;
    if (send(takeover->line.fd, request, sizeof request - 1, MSG_NOSIGNAL) ==
        (ssize_t)sizeof request - 1)
        return ISW_OK;
    return isw_error_set(error, ISW_E_IO, "the host that runs cannot be asked: %s",
                         strerror(errno));
}

/* What a line says beside what it leaves; *over: it is the last one. */
static isw_status heed(const iswi_handover_line *line, bool *over, isw_error *error)
{
    *over = line->state && strcmp(line->state, "given") == 0;
    if (!line->error)
        return ISW_OK;
    return isw_error_set(error, ISW_E_CONFLICT, "the host that runs keeps its place: %s",
                         line->error);
}

static isw_status receive(iswi_takeover *takeover, isw_error *error)
{
    isw_status status = ISW_OK;
    bool over = false;
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    while (status == ISW_OK && !over) {
        iswi_handover_line line;

        status = iswi_handover_next(&takeover->line, &arena, &line, &takeover->legacy);
        if (status == ISW_OK)
            status = heed(&line, &over, error);
        else if (status != ISW_E_NOT_FOUND)
            isw_error_set(error, status, "what the host that runs leaves cannot be read; is it of "
                          "another version?");
        else if (iswi_handover_read(&takeover->line) > 0)
            status = ISW_OK;
        else
            status = isw_error_set(error, ISW_E_IO, "the host that runs, pid %ld, does not say what "
                                   "it leaves", (long)takeover->before);
    }
    iswi_arena_fini(&arena);
    return status;
}

isw_status iswi_takeover_begin(const char *folder, const char *path, iswi_takeover **out,
                               isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    iswi_takeover *takeover;
    int fd = -1;

    *out = NULL;
    if ((path ? iswi_control_connect_at(path, &fd, &own)
              : iswi_control_connect(folder, &fd, &own)) != ISW_OK)
        return own.status == ISW_E_NOT_FOUND
                   ? ISW_OK
                   : isw_error_set(error, own.status, "%s", own.message);
    takeover = iswi_calloc(1, sizeof *takeover);
    if (!takeover) {
        close(fd);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory to take the place of a host");
    }
    takeover->line.fd = fd;
    if (ask(takeover, error) != ISW_OK || receive(takeover, error) != ISW_OK) {
        iswi_takeover_destroy(takeover);
        return error->status;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    *out = takeover;
    return ISW_OK;
}

iswi_legacy *iswi_takeover_legacy(iswi_takeover *takeover)
{
    return takeover ? &takeover->legacy : NULL;
}

pid_t iswi_takeover_before(const iswi_takeover *takeover)
{
    return takeover->before;
}

/* -- It does not come to it -------------------------------------------------------------------- */

void iswi_takeover_refuse(iswi_takeover *takeover, const char *why)
{
    const iswi_handover_line failed = { .state = "failed", .why = why };

    if (takeover && takeover->line.fd >= 0 && atomic_load(&takeover->step) != IS_DONE)
        iswi_handover_send(takeover->line.fd, &failed, NULL);
}

/* The host has heard it once it closes. */
void iswi_takeover_excuse(const char *path, const char *why)
{
    iswi_buffer request = { 0 };
    char rest[64];
    int fd = -1;

    if (iswi_control_connect_at(path, &fd, NULL) != ISW_OK)
        return;
    be_patient(fd);
    iswi_buffer_append_text(&request, "{\"command\":\"succeed\",\"why\":");
    iswi_json_string(&request, isw_str_of(why));
    iswi_buffer_append_text(&request, "}\n");
    if (!request.failed && send(fd, request.data, request.size, MSG_NOSIGNAL) > 0)
        while (recv(fd, rest, sizeof rest, 0) > 0)
            ;
    iswi_buffer_fini(&request);
    close(fd);
}

void iswi_takeover_destroy(iswi_takeover *takeover)
{
    if (!takeover)
        return;
    iswi_handover_fini(&takeover->line);
    iswi_legacy_fini(&takeover->legacy);
    iswi_free(takeover);
}

/* -- It comes to it ---------------------------------------------------------------------------- */

bool iswi_takeover_ready(iswi_takeover *takeover)
{
    int expected = STARTS;

    return atomic_compare_exchange_strong(&takeover->step, &expected, IS_READY);
}

bool iswi_takeover_is_done(const iswi_takeover *takeover)
{
    return !takeover || atomic_load(&takeover->step) == IS_DONE;
}

int iswi_takeover_fd(const iswi_takeover *takeover)
{
    return takeover ? takeover->line.fd : -1;
}

static void note_left(void *user, const iswi_handover_line *line)
{
    bool *left = user;

    *left = *left || (line->state && strcmp(line->state, "left") == 0);
}

/* What the other one says; true: that it leaves. */
static bool has_left(iswi_takeover *takeover)
{
    bool left = false;

    if (!iswi_handover_listen(&takeover->line, &takeover->legacy, note_left, &left)) {
        takeover->gone = true;
        iswi_handover_fini(&takeover->line);
    }
    return left;
}

iswi_takeover_state iswi_takeover_turn(iswi_takeover *takeover)
{
    static const iswi_handover_line ready = { .state = "ready" };
    bool left = false;

    if (iswi_takeover_is_done(takeover))
        return ISWI_TAKEOVER_OVER;
    if (takeover->line.fd >= 0)
        left = has_left(takeover);
    if (atomic_load(&takeover->step) == IS_READY && !takeover->gone) {
        takeover->gone = !iswi_handover_send(takeover->line.fd, &ready, NULL);
        atomic_store(&takeover->step, ASKS);
    }
    if (atomic_load(&takeover->step) == STARTS || !(left || takeover->gone))
        return ISWI_TAKEOVER_WAITS;
    atomic_store(&takeover->step, IS_DONE);
    iswi_handover_fini(&takeover->line);
    return ISWI_TAKEOVER_DONE;
}
