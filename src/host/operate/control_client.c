/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the control socket. Invariant: it costs at most a request and a batch of lines of
 * memory (or one report), whatever it sends and however slowly it reads; nothing it does is waited
 * for.
 */
#include "host/operate/control_client.h"

#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/operate/command.h"
#include "host/operate/control_request.h"
#include "host/operate/succession.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MS = 1000000, BATCH_BYTES = 32 * 1024, STALL_MS = 10000, LOOK_AGAIN_MS = 10,
       BATCHES_MOST = 4 };

typedef enum phase {
    ASKING,  /* its line is awaited */
    WAITING, /* for a drain */
    RESTARTING, /* processes are replaced */
    UPGRADING,  /* a successor starts */
    QUEUEING,   /* the broker does something */
    COMMANDING, /* a trigger does what it was asked to */
    LISTING, /* lines of the journal */
    ENDING   /* what is in `out` is the rest */
} phase;

struct iswi_control_client {
    iswi_operate *operate;
    int fd;
    phase phase;
    int64_t since_ns;    /* of its connection, or of its last progress */
    int64_t until_ns;    /* of the wait for a drain, or a restart */
    iswi_restart *restart; /* NULL: it has not asked for one */
    iswi_messages *messages; /* likewise */
    iswi_arena arena;    /* of the request */
    iswi_control_request asked;
    iswi_command trigger;
    iswi_buffer in, out;
    size_t sent;         /* of `out` */
    iswi_journal_filter filter;
    uint64_t next, lost; /* lines */
    bool more;           /* it has had its turn, and there is more for it */
    bool sent_on;        /* it knows that another host has this one's place */
};

/* -- Life -------------------------------------------------------------------------------------- */

iswi_control_client *iswi_control_client_create(iswi_operate *operate, int fd)
{
    iswi_control_client *client = iswi_calloc(1, sizeof *client);

    if (!client) {
        close(fd);
        return NULL;
    }
    client->operate = operate;
    client->fd = fd;
    client->since_ns = iswi_now_ns();
    iswi_arena_init(&client->arena, 1024);
    return client;
}

void iswi_control_client_destroy(iswi_control_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    iswi_free(client->restart);
    iswi_messages_leave(client->messages);
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
    if (client->phase == ASKING)
        return POLLIN;
    return client->sent < client->out.size ? POLLOUT : 0;
}

int64_t iswi_control_client_due_ns(const iswi_control_client *client)
{
    if (client->more)
        return 0;
    switch (client->phase) {
    case ASKING:
        return client->since_ns + ISWI_CONTROL_ASK_MS * (int64_t)MS;
    case WAITING:
    case RESTARTING:
    case UPGRADING:
    case QUEUEING:
    case COMMANDING:
        return iswi_now_ns() + LOOK_AGAIN_MS * MS;
    case ENDING:
        return client->since_ns + STALL_MS * (int64_t)MS;
    case LISTING:
        break;
    }
    return INT64_MAX;
}

int64_t iswi_control_client_stalled_ns(const iswi_control_client *client)
{
    return client->sent < client->out.size ? client->since_ns : INT64_MAX;
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void say(iswi_control_client *client, const char *member, const char *text)
{
    iswi_buffer_printf(&client->out, "{\"%s\":", member);
    iswi_json_string(&client->out, isw_str_of(text));
    iswi_buffer_append_text(&client->out, "}\n");
}

static isw_log_level lowest_level(const iswi_logging_settings *logging)
{
    const iswi_level_rule *rules = logging->levels.items;
    int64_t lowest = logging->level;

    for (size_t i = 0; i < logging->levels.count; i++)
        if (rules[i].level < lowest)
            lowest = rules[i].level;
    return (isw_log_level)lowest;
}

static void begin_logs(iswi_control_client *client)
{
    const iswi_control_request *asked = &client->asked;
    isw_log_level lowest = lowest_level(&iswi_host_settings_of(client->operate->host)->logging);
    isw_log_level level = ISW_LOG_TRACE;
    char text[192];

    if (asked->level && !iswi_log_level_parse(isw_str_of(asked->level), &level)) {
        say(client, "error", "level is one of trace, debug, info, warning, error, critical");
        return;
    }
    client->phase = LISTING;
    client->filter =
        (iswi_journal_filter){ level, asked->function, asked->category, asked->invocation };
    client->next =
        iswi_journal_tail(client->operate->journal, &client->filter, (size_t)asked->lines);
    if (!asked->level || level >= lowest)
        return;
    snprintf(text, sizeof text,
             "lines below %s are not there: this host does not ask its workers for them "
             "(logging.level and logging.levels of host.yaml)", isw_log_level_name(lowest));
    say(client, "notice", text);
}

static void begin_restart(iswi_control_client *client)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_restart_begin(client->operate->host, client->asked.worker, &client->restart,
                           &error) != ISW_OK) {
        say(client, "error", error.message);
        return;
    }
    client->phase = RESTARTING;
    client->until_ns = iswi_now_ns() + client->asked.wait_ms * MS;
}

static void begin_upgrade(iswi_control_client *client)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_succession_start(client->operate->succession, &error) != ISW_OK) {
        say(client, "error", error.message);
        return;
    }
    client->phase = UPGRADING;
    client->until_ns = iswi_now_ns() + client->asked.wait_ms * MS;
}

/* A successor's connection is the succession's from here on. */
static void begin_succession(iswi_control_client *client)
{
    isw_error error = { ISW_OK, "" };

    if (client->asked.why)
        iswi_succession_excuse(client->operate->succession, client->asked.why);
    else if (iswi_succession_take(client->operate->succession, client->fd, &error) == ISW_OK)
        client->fd = -1;
    else
        say(client, "error", error.message);
}

static void begin_queue(iswi_control_client *client)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_messages_begin(client->operate->host, &client->asked.messages, &client->messages,
                            &error) == ISW_OK)
        client->phase = QUEUEING;
    else
        say(client, "error", error.message);
}

static void answer(iswi_control_client *client)
{
    iswi_host *host = client->operate->host;

    client->phase = ENDING;
    switch ((iswi_control_command)client->asked.command) {
    case ISWI_CONTROL_STATUS:
        iswi_report(client->operate, &client->out);
        break;
    case ISWI_CONTROL_READY:
        iswi_report_ready(host, &client->out);
        break;
    case ISWI_CONTROL_DRAIN:
        iswi_host_drain(host);
        client->phase = WAITING;
        client->until_ns = iswi_now_ns() + client->asked.wait_ms * MS;
        break;
    case ISWI_CONTROL_RESUME:
        iswi_host_resume(host);
        iswi_report_drain(host, &client->out);
        break;
    case ISWI_CONTROL_RESTART:
        begin_restart(client);
        break;
    case ISWI_CONTROL_LOGS:
        begin_logs(client);
        break;
    case ISWI_CONTROL_TRIGGER:
        client->phase = COMMANDING;
        client->trigger = (iswi_command){ .type = client->asked.type,
                                          .command = { client->asked.verb, client->asked.name,
                                                       false } };
        client->until_ns = iswi_now_ns() + client->asked.wait_ms * MS;
        break;
    case ISWI_CONTROL_UPGRADE:
        begin_upgrade(client);
        break;
    case ISWI_CONTROL_SUCCEED:
        begin_succession(client);
        break;
    case ISWI_CONTROL_QUEUE:
        begin_queue(client);
        break;
    }
}

static void read_request(iswi_control_client *client, size_t size)
{
    isw_error error = { ISW_OK, "" };
    isw_status status = iswi_control_request_read(
        &client->arena, (isw_str){ (char *)client->in.data, size }, &client->asked, &error);

    if (status == ISW_OK) {
        answer(client);
        return;
    }
    client->phase = ENDING;
    say(client, "error", error.message);
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
        client->phase = ENDING;
        say(client, "error", "a request is one line of JSON, not so long");
    }
    return true;
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* Have a trigger do what it was asked for, or look whether it has. */
static void go_on(iswi_control_client *client, int64_t now_ns)
{
    isw_error error = { ISW_OK, "" };
    isw_status status = iswi_command_try(client->operate->host, &client->trigger, &client->out,
                                         &error);

    if (status == ISW_E_BUSY && now_ns < client->until_ns) {
        iswi_buffer_reset(&client->out);
        return;
    }
    client->phase = ENDING;
    if (status != ISW_OK && status != ISW_E_BUSY)
        say(client, "error", error.message);
}

/* Who follows the lines of a host may follow those of the next one. */
static void send_on(iswi_control_client *client)
{
    if (client->sent_on || !iswi_succession_is_over(client->operate->succession))
        return;
    client->sent_on = true;
    iswi_buffer_append_text(&client->out, "{\"succeeded\":true}\n");
}

/* Put what comes next into `out`, which is empty. */
static void refill(iswi_control_client *client, int64_t now_ns)
{
    iswi_journal *journal = client->operate->journal;

    if (client->phase == WAITING &&
        (iswi_host_in_flight(client->operate->host) == 0 || now_ns >= client->until_ns ||
         iswi_host_phase(client->operate->host) != ISWI_PHASE_DRAINING)) {
        iswi_report_drain(client->operate->host, &client->out);
        client->phase = ENDING;
    } else if (client->phase == RESTARTING) {
        bool over = iswi_restart_state_of(client->restart) != ISWI_RESTART_GOES_ON;

        iswi_restart_tell(client->restart, &client->out);
        if (over || now_ns >= client->until_ns) {
            iswi_restart_conclude(client->restart, &client->out);
            client->phase = ENDING;
        }
    } else if (client->phase == UPGRADING) {
        const iswi_succession *succession = client->operate->succession;

        if (!iswi_succession_goes_on(succession) || now_ns >= client->until_ns) {
            iswi_succession_tell(succession, &client->out);
            client->phase = ENDING;
        }
    } else if (client->phase == QUEUEING) {
        if (iswi_messages_tell(client->messages, &client->out))
            client->phase = ENDING;
    } else if (client->phase == COMMANDING) {
        go_on(client, now_ns);
    } else if (client->phase == LISTING) {
        iswi_buffer lines = { 0 };

        iswi_journal_read(journal, &client->filter, &client->next, BATCH_BYTES, &lines,
                          &client->lost);
        if (client->lost)
            iswi_buffer_printf(&client->out, "{\"lost\":%llu}\n",
                               (unsigned long long)client->lost);
        client->lost = 0;
        iswi_buffer_append(&client->out, lines.data, lines.size);
        client->out.failed = client->out.failed || lines.failed;
        iswi_buffer_fini(&lines);
        send_on(client);
        if (client->out.size == 0 && !client->asked.follow)
            client->phase = ENDING;
    }
}

/* Whether what it waits for is looked at again by and by. */
static bool looks_again(const iswi_control_client *client)
{
    return client->phase == WAITING || client->phase == RESTARTING ||
           client->phase == UPGRADING || client->phase == QUEUEING || client->phase == COMMANDING;
}

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
    if (events & (POLLHUP | POLLERR) && client->phase != ASKING)
        return false;
    if (client->phase == ASKING && !receive(client, now_ns))
        return false;
    client->more = false;
    for (int i = 0; client->phase != ASKING && i < BATCHES_MOST; i++) {
        if (client->sent == client->out.size)
            refill(client, now_ns);
        if (client->out.failed || (client->out.size == 0 && client->phase == ENDING))
            return false;
        if (client->out.size == 0 && looks_again(client))
            return true;
        if (client->out.size == 0 && iswi_journal_arm(client->operate->journal, client->next))
            return true; /* all that there is now was sent */
        if (!send_some(client, now_ns))
            return false;
        if (client->sent < client->out.size)
            return client->phase != ENDING || now_ns - client->since_ns < STALL_MS * (int64_t)MS;
    }
    client->more = client->phase != ASKING;
    return true;
}
