/* SPDX-License-Identifier: Apache-2.0 */
/* Lines with descriptors. Invariant: each descriptor that came is in the queue, in a legacy, or
 * closed. */
#include "host/operate/handover.h"

#include "base/alloc.h"
#include "base/text.h"
#include "value/value.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK_BYTES = 4096, LINE_MAX_BYTES = 64 * 1024, PATIENCE_MS = 5000 };

static const char *const kinds[ISWI_LEGACY_KINDS] = { [ISWI_LEGACY_LISTENER] = "listener",
                                                      [ISWI_LEGACY_CONTROL] = "control",
                                                      [ISWI_LEGACY_STORE] = "store",
                                                      [ISWI_LEGACY_CONNECTION] = "connection" };

static const isw_field line_fields[] = {
    { ISW_FIELD(STRING, iswi_handover_line, legacy) },
    { ISW_FIELD(STRING, iswi_handover_line, whose) },
    { ISW_FIELD(STRING, iswi_handover_line, asked) },
    { ISW_FIELD(INT, iswi_handover_line, fds), .min = 0, .max = ISWI_HANDOVER_FDS },
    { ISW_FIELD(STRING, iswi_handover_line, state) },
    { ISW_FIELD(STRING, iswi_handover_line, why) },
    { ISW_FIELD(STRING, iswi_handover_line, error) },
    { 0 },
};

/* -- Sending ----------------------------------------------------------------------------------- */

static void add_member(iswi_buffer *out, const char *name, const char *value)
{
    if (!value)
        return;
    iswi_buffer_printf(out, "%s\"%s\":", out->size > 1 ? "," : "", name);
    iswi_json_string(out, isw_str_of(value));
}

static void write_line(const iswi_handover_line *line, iswi_buffer *out)
{
    iswi_buffer_append_text(out, "{");
    add_member(out, "legacy", line->legacy);
    add_member(out, "whose", line->whose);
    add_member(out, "asked", line->asked);
    add_member(out, "state", line->state);
    add_member(out, "why", line->why);
    add_member(out, "error", line->error);
    if (line->fds)
        iswi_buffer_printf(out, ",\"fds\":%d", (int)line->fds);
    iswi_buffer_append_text(out, "}\n");
}

/* The other reads meanwhile. */
static bool has_room(int fd)
{
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    bool has = poll(&room, 1, PATIENCE_MS) > 0;

    if (!has)
        errno = EAGAIN;
    return has;
}

static bool send_with(int fd, const iswi_buffer *text, const int *fds, size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(ISWI_HANDOVER_FDS * sizeof(int))];
    } control = { .room = "" };
    struct iovec part = { text->data, text->size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    ssize_t sent;

    if (count) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
                                         .cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
    }
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && (errno == EINTR || (errno == EAGAIN && has_room(fd))));
    if (sent >= 0 && (size_t)sent < text->size)
        errno = EAGAIN;
    return sent == (ssize_t)text->size;
}

bool iswi_handover_send(int fd, const iswi_handover_line *line, const int *fds)
{
    iswi_buffer text = { 0 };
    bool fine;

    write_line(line, &text);
    errno = ENOMEM;
    fine = !text.failed && send_with(fd, &text, fds, (size_t)line->fds);
    iswi_buffer_fini(&text);
    return fine;
}

/* An item and its lock; or as many connections of a front as follow each other. Returns how many
 * items. */
static size_t gather(const iswi_legacy *legacy, size_t at, int fds[ISWI_HANDOVER_FDS],
                     int64_t *fd_count)
{
    const iswi_legacy_item *first = &legacy->items[at];
    size_t count = 1;

    fds[0] = first->fd;
    fds[1] = first->lock;
    *fd_count = first->lock >= 0 ? 2 : 1;
    while (first->kind == ISWI_LEGACY_CONNECTION && at + count < legacy->count &&
           count < ISWI_HANDOVER_FDS && first[count].kind == first->kind &&
           strcmp(first[count].whose, first->whose) == 0) {
        fds[count] = first[count].fd;
        *fd_count = (int64_t)++count;
    }
    return count;
}

bool iswi_handover_send_all(int fd, const iswi_legacy *legacy)
{
    size_t at = 0;

    while (at < legacy->count) {
        const iswi_legacy_item *item = &legacy->items[at];
        iswi_handover_line line = { .legacy = kinds[item->kind],
                                    .whose = item->whose,
                                    .asked = item->asked };
        int fds[ISWI_HANDOVER_FDS];

        at += gather(legacy, at, fds, &line.fds);
        if (!iswi_handover_send(fd, &line, fds))
            return false;
    }
    return true;
}

/* -- Receiving --------------------------------------------------------------------------------- */

static bool keep(iswi_handover *from, const int *fds, size_t count)
{
    size_t i = 0;

    for (; i < count; i++) {
        if (!iswi_grow(&from->fds, &from->fd_capacity, from->fd_count, sizeof *from->fds))
            break;
        from->fds[from->fd_count++] = fds[i];
    }
    for (size_t rest = i; rest < count; rest++)
        close(fds[rest]);
    return i == count;
}

static bool keep_all(iswi_handover *from, struct msghdr *message)
{
    bool fine = !(message->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
        int fds[ISWI_HANDOVER_FDS];
        size_t size = at->cmsg_len - CMSG_LEN(0);

        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS || size > sizeof fds)
            continue;
        memcpy(fds, CMSG_DATA(at), size);
        fine = keep(from, fds, size / sizeof(int)) && fine;
    }
    return fine;
}

ssize_t iswi_handover_read(iswi_handover *from)
{
    char block[BLOCK_BYTES];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(ISWI_HANDOVER_FDS * sizeof(int))];
    } control;
    struct iovec part = { block, sizeof block };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof control };
    ssize_t got;

    do
        got = recvmsg(from->fd, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got;
    if (keep_all(from, &message) && from->in.size < LINE_MAX_BYTES &&
        iswi_buffer_append(&from->in, block, (size_t)got))
        return got;
    errno = EMSGSIZE;
    return -1;
}

/* Take the first descriptors, -1 behind them; false: they did not come. */
static bool take_fds(iswi_handover *from, size_t count, int out[ISWI_HANDOVER_FDS])
{
    for (size_t i = 0; i < ISWI_HANDOVER_FDS; i++)
        out[i] = -1;
    if (!count || count > from->fd_count)
        return count == 0;
    memcpy(out, from->fds, count * sizeof *out);
    from->fd_count -= count;
    memmove(from->fds, from->fds + count, from->fd_count * sizeof *from->fds);
    return true;
}

static void close_from(const int *fds, size_t from)
{
    for (size_t i = from; i < ISWI_HANDOVER_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Own them all, or close them. */
static bool own(const iswi_handover_line *line, iswi_legacy_kind kind, const int *fds,
                iswi_legacy *legacy)
{
    const char *whose = line->whose ? line->whose : "";
    bool fine = true;

    if (kind != ISWI_LEGACY_CONNECTION) {
        close_from(fds, 2);
        return iswi_legacy_own(legacy, kind, whose, line->asked, fds[0], fds[1]);
    }
    for (int64_t i = 0; i < line->fds; i++)
        fine = iswi_legacy_own(legacy, kind, whose, NULL, fds[i], -1) && fine;
    return fine;
}

/* What is of a kind that is not known is closed. */
static isw_status take_item(iswi_handover *from, const iswi_handover_line *line,
                            iswi_legacy *legacy)
{
    int fds[ISWI_HANDOVER_FDS];

    if (!take_fds(from, (size_t)line->fds, fds))
        return ISW_E_PROTOCOL;
    for (int kind = 0; line->legacy && kind < ISWI_LEGACY_KINDS; kind++)
        if (strcmp(line->legacy, kinds[kind]) == 0 && line->fds)
            return own(line, (iswi_legacy_kind)kind, fds, legacy) ? ISW_OK : ISW_E_NO_MEMORY;
    close_from(fds, 0);
    return ISW_OK;
}

isw_status iswi_handover_next(iswi_handover *from, iswi_arena *arena, iswi_handover_line *out,
                              iswi_legacy *legacy)
{
    const unsigned char *end =
        from->in.size ? memchr(from->in.data, '\n', from->in.size) : NULL;
    size_t size = end ? (size_t)(end - from->in.data) : 0;
    const char *line;
    isw_status status;
    isw_value value;

    if (!end)
        return ISW_E_NOT_FOUND;
    line = iswi_arena_strndup(arena, (const char *)from->in.data, size);
    if (!line)
        return ISW_E_NO_MEMORY;
    *out = (iswi_handover_line){ .legacy = NULL };
    status = iswi_json_parse(arena, (isw_str){ line, size }, &value, NULL);
    if (status == ISW_OK)
        status = iswi_bind(arena, &value, "", line_fields, false, out, NULL);
    from->in.size -= size + 1;
    memmove(from->in.data, end + 1, from->in.size);
    return status == ISW_OK ? take_item(from, out, legacy) : ISW_E_PROTOCOL;
}

bool iswi_handover_listen(iswi_handover *from, iswi_legacy *legacy, iswi_handover_heed_fn heed,
                          void *user)
{
    ssize_t got = iswi_handover_read(from);
    bool there = got > 0 || (got < 0 && errno == EAGAIN);
    isw_status status = ISW_OK;
    iswi_handover_line line;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    while (status == ISW_OK || status == ISW_E_PROTOCOL) {
        status = iswi_handover_next(from, &arena, &line, legacy);
        if (status == ISW_OK)
            heed(user, &line);
    }
    iswi_arena_fini(&arena);
    return there;
}

void iswi_handover_fini(iswi_handover *from)
{
    for (size_t i = 0; i < from->fd_count; i++)
        close(from->fds[i]);
    iswi_free(from->fds);
    iswi_buffer_fini(&from->in);
    if (from->fd >= 0)
        close(from->fd);
    *from = (iswi_handover){ .fd = -1 };
}
