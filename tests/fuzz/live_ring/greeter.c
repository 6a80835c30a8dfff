/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attacker's half that is a process: it says hello, hands the shared memory and the host's bell
 * to the fuzz target over the socket `lifeline` in its folder, and stays until one of its two
 * sockets ends. It begins on the ring, with wide arenas; or, with LIVE_RING_BY_SOCKET in its environment, on the
 * socket, where it gets the ring lane agreed. Invariant: after its hello it never touches the rings;
 * all that happens there is the target's.
 */
#include "link/ring.h"
#include "wire/frame.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { TOKEN_BYTES = 32, HEAD_BYTES = 9 };

static const unsigned char greeting[] = { 0, 'S', 'P', 0, 0, 0x10, 0, 0 };

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    perror(what);
    _exit(EX_UNAVAILABLE);
}

static int number_of(const char *variable)
{
    const char *text = getenv(variable);

    must(text != NULL, variable);
    return atoi(text);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(strlen(path) < sizeof address.sun_path, path);
    strcpy(address.sun_path, path);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, path);
    return fd;
}

/* As a session that begins there does. */
static void write_to_ring(int fd, int bell, const unsigned char *head, const iswi_buffer *bytes)
{
    iswi_ring_memory memory = { 0 };
    bool broken = false;

    must(iswi_ring_memory_map(&memory, fd), "ring");
    memory.up.bell = bell;
    must(iswi_ring_write(&memory.up, head, HEAD_BYTES, &broken) == HEAD_BYTES &&
             iswi_ring_write(&memory.up, bytes->data, bytes->size, &broken) == bytes->size,
         "ring");
    iswi_ring_publish(&memory.up);
    iswi_ring_wake(&memory.up);
    iswi_ring_memory_unmap(&memory);
}

static void say_hello(int host, int memory, int bell)
{
    const isw_pair both[] = { { isw_str_of("apart"), isw_str_of("1") },
                              { isw_str_of("ring"), isw_str_of("1") } };
    const isw_pair begun[] = { { isw_str_of("apart"), isw_str_of("1") },
                               { isw_str_of("arena"), isw_str_of("1") } };
    unsigned char token[2 * TOKEN_BYTES];
    iswi_frame frame = { .kind = ISWI_WORKER_HELLO };
    iswi_worker_hello *hello = &frame.as.worker_hello;
    unsigned char head[HEAD_BYTES] = { 1 };
    iswi_buffer bytes = { 0 };

    must(read(number_of("ISOWORKER_TOKEN_FD"), token, sizeof token) == sizeof token, "token");
    hello->protocol_min = hello->protocol_max = 1;
    hello->token = (isw_bytes){ token, TOKEN_BYTES };
    hello->capabilities = (isw_pairs){ bell < 0 ? both : begun, 2 };
    hello->pid = (uint64_t)getpid();
    must(iswi_frame_encode(&frame, &bytes, NULL) == ISW_OK && bytes.size < 256, "hello");
    head[HEAD_BYTES - 1] = (unsigned char)bytes.size;
    if (bell >= 0)
        write_to_ring(memory, bell, head, &bytes);
    else
        must(write(host, greeting, sizeof greeting) == sizeof greeting &&
                 write(host, head, sizeof head) == sizeof head &&
                 write(host, bytes.data, bytes.size) == (ssize_t)bytes.size,
             "host");
    iswi_buffer_fini(&bytes);
}

static void hand_over(int lifeline, int fd, bool more)
{
    char one = more;
    struct iovec byte = { &one, 1 };
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS } };
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1,
                              .msg_control = &control, .msg_controllen = sizeof control };

    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    must(sendmsg(lifeline, &message, 0) == 1, "lifeline");
}

/* Whether more may come; what came is of no interest. */
static bool drain(const struct pollfd *look)
{
    char bytes[4096];

    return !look->revents || read(look->fd, bytes, sizeof bytes) > 0;
}

int main(void)
{
    int ring = number_of("ISOWORKER_RING_FD");
    int bell = getenv("LIVE_RING_BY_SOCKET") ? -1 : number_of("ISOWORKER_BELL_FD");
    struct pollfd both[2] = { { .fd = connect_to("lifeline"), .events = POLLIN } };

    both[1] = (struct pollfd){ .fd = connect_to(getenv("ISOWORKER_URL") + strlen("ipc://")),
                               .events = POLLIN };
    say_hello(both[1].fd, ring, bell);
    hand_over(both[0].fd, ring, bell >= 0);
    if (bell >= 0) {
        hand_over(both[0].fd, bell, true);
        hand_over(both[0].fd, number_of("ISOWORKER_ARENA_FD"), false);
    }
    do
        must(poll(both, 2, -1) > 0, "poll");
    while (drain(&both[0]) && drain(&both[1]));
    return 0;
}
