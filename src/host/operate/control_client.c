/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the control socket. Invariant: it costs at most a request and a batch of lines of
 * memory (or one report, or what one function has answered), whatever it sends and however slowly
 * it reads; nothing it does is waited for.
 */
#include "host/operate/control_client.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/operate/control_task.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MS = 1000000, BATCH_BYTES = 32 * 1024, STALL_MS = 10000, LOOK_AGAIN_MS = 10,
       BATCHES_MOST = 4 };

struct iswi_control_client {
    int fd;
    bool asking;         /* its line is awaited */
    bool more;           /* it has had its turn, and there is more for it */
    int64_t since_ns;    /* of its connection, or of its last progress */
    iswi_arena arena;    /* of the request */
    iswi_control_request asked;
    iswi_control_task task;
    iswi_buffer in, out;
    size_t sent;         /* of `out` */
};

/* -- Life -------------------------------------------------------------------------------------- */

iswi_control_client *iswi_control_client_create(iswi_operate *operate, int fd)
{
    iswi_control_client *client = iswi_calloc(1, sizeof *client);

    if (!client) {
        close(fd);
        return NULL;
    }
    client->task.operate = operate;
    client->asking = true;
    client->fd = fd;
    client->since_ns = iswi_now_ns();
    iswi_arena_init(&client->arena, 1024);
    return client;
}

void iswi_control_client_destroy(iswi_control_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    iswi_control_task_leave(&client->task);
    iswi_arena_fini(&client->arena);
    iswi_buffer_fini(&client->in);
    iswi_buffer_fini(&client->out);
    iswi_free(client);
}

int iswi_control_client_fd(const iswi_control_client *client)
{
    return client->fd;
}

/* A connection that has asked is not read again: what a flood sends stays with its sender. */
short iswi_control_client_events(const iswi_control_client *client)
{
    if (client->asking)
        return POLLIN;
    return client->sent < client->out.size ? POLLOUT : 0;
}

/* What is in `out` is the rest. */
static bool is_over(const iswi_control_client *client)
{
    return !client->asking && client->task.step == ISWI_CONTROL_OVER;
}

int64_t iswi_control_client_due_ns(const iswi_control_client *client)
{
    if (client->more)
        return 0;
    if (client->asking)
        return client->since_ns + ISWI_CONTROL_ASK_MS * (int64_t)MS;
    if (iswi_control_task_looks_again(&client->task))
        return iswi_now_ns() + LOOK_AGAIN_MS * MS;
    return is_over(client) ? client->since_ns + STALL_MS * (int64_t)MS : INT64_MAX;
}

int64_t iswi_control_client_stalled_ns(const iswi_control_client *client)
{
    return client->sent < client->out.size ? client->since_ns : INT64_MAX;
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void read_request(iswi_control_client *client, size_t size)
{
    isw_error error = { ISW_OK, "" };
    isw_status status = iswi_control_request_read(
        &client->arena, (isw_str){ (char *)client->in.data, size }, &client->asked, &error);

    client->asking = false;
    client->task.step = ISWI_CONTROL_OVER;
    if (status == ISW_OK)
        iswi_control_task_begin(&client->task, &client->asked, &client->fd, &client->out);
    else
        iswi_control_refuse(&client->out, &error);
}

/* False: it left, or asks for too long. */
static bool receive(iswi_control_client *client, int64_t now_ns)
{
    char block[4096];
    ssize_t got = recv(client->fd, block, sizeof block, MSG_DONTWAIT);
    size_t before = client->in.size;
    const unsigned char *end;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return now_ns - client->since_ns < ISWI_CONTROL_ASK_MS * (int64_t)MS;
    if (got <= 0 || !iswi_buffer_append(&client->in, block, (size_t)got))
        return false;
    end = memchr(client->in.data + before, '\n', client->in.size - before);
    if (end) {
        client->since_ns = now_ns;
        read_request(client, (size_t)(end - client->in.data));
    } else if (client->in.size >= ISWI_CONTROL_REQUEST_MAX) {
        client->since_ns = now_ns;
        client->asking = false;
        client->task.step = ISWI_CONTROL_OVER;
        iswi_control_refuse(&client->out,
                            &(isw_error){ ISW_E_TOO_LARGE,
                                          "a request is one line of JSON, not so long" });
    }
    return true;
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* False: the peer is gone. */
static bool send_some(iswi_control_client *client, int64_t now_ns)
{
    while (client->sent < client->out.size) {
        ssize_t put = send(client->fd, client->out.data + client->sent,
                           client->out.size - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno == EAGAIN;
        client->sent += (size_t)put;
        client->since_ns = now_ns;
    }
    client->sent = 0;
    if (client->out.capacity > 2 * BATCH_BYTES)
        iswi_buffer_fini(&client->out);
    iswi_buffer_reset(&client->out);
    return true;
}

bool iswi_control_client_turn(iswi_control_client *client, short events, int64_t now_ns)
{
    const iswi_control_task *task = &client->task;

    if (events & (POLLHUP | POLLERR) && !client->asking)
        return false;
    if (client->asking && !receive(client, now_ns))
        return false;
    client->more = false;
    for (int i = 0; !client->asking && i < BATCHES_MOST; i++) {
        if (client->sent == client->out.size)
            iswi_control_task_go_on(&client->task, &client->out, now_ns);
        if (client->out.failed || (client->out.size == 0 && is_over(client)))
            return false;
        if (client->out.size == 0 && iswi_control_task_looks_again(task))
            return true;
        if (client->out.size == 0 && iswi_journal_arm(task->operate->journal, task->next))
            return true; /* all that there is now was sent */
        if (!send_some(client, now_ns))
            return false;
        if (client->sent < client->out.size)
            return !is_over(client) || now_ns - client->since_ns < STALL_MS * (int64_t)MS;
    }
    client->more = !client->asking;
    return true;
}
