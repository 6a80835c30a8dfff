/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floors. All are measured by one loop over a `line` that can send and receive one message.
 * Invariant: no more is in flight than the line holds by itself, so that two blocking sides never
 * wait for each other's room.
 */
#include "bench/floors.h"

#include "bench/clock.h"
#include "bench/process.h"
#include "cli/helper.h"
#include "link/ring.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TIMEOUT_MS = 5000,
    SPIN_NS = 50000,
    MESSAGE_MAX = ISWI_BENCH_PAYLOAD_MAX + 4
};

/* -- The loop ---------------------------------------------------------------------------------- */

typedef struct line {
    bool (*send)(struct line *line, uint32_t size);
    bool (*receive)(struct line *line, uint32_t size);
    unsigned char *bytes; /* MESSAGE_MAX */
    int64_t started_ns; /* when the echo was */
    pid_t peer;         /* the echo */
    nng_socket nng;
    int fd;
    iswi_ring_memory memory;
} line;

static bool run(void *user, iswi_bench_samples *samples, int64_t ns)
{
    line *l = user;
    int64_t began = iswi_bench_now_ns();
    int64_t starts[ISWI_BENCH_WINDOW];
    uint64_t sent = 0;
    bool over = false;

    while (!over || sent > samples->done) {
        over = sent && (over || sent >= samples->most || iswi_bench_is_over(began + ns));
        while (!over && sent - samples->done < samples->in_flight && sent < samples->most) {
            starts[sent++ % ISWI_BENCH_WINDOW] = iswi_bench_now_ns();
            if (!l->send(l, samples->payload))
                return false;
        }
        if (sent == samples->done)
            break;
        if (!l->receive(l, samples->payload))
            return false;
        iswi_bench_note(samples,
                        iswi_bench_now_ns() - starts[samples->done % ISWI_BENCH_WINDOW]);
        if (samples->mode == ISWI_BENCH_SILENCE)
            iswi_bench_sleep_ns(ISWI_BENCH_SILENCE_NS);
    }
    samples->elapsed_ns = iswi_bench_now_ns() - began;
    return true;
}

/* As many as `room` bytes hold. */
static uint32_t window_of(uint32_t room, uint32_t payload)
{
    uint32_t most = room / (payload + 64);

    return most < 1 ? 1 : most < ISWI_BENCH_WINDOW ? most : ISWI_BENCH_WINDOW;
}

static bool carry_out(const iswi_bench_plan *plan, line *l,
                      uint32_t (*window)(void *user, uint32_t payload))
{
    iswi_bench_subject subject = { run, window, l, l->started_ns, l->peer };
    bool ok;

    l->bytes = calloc(1, MESSAGE_MAX);
    ok = l->bytes && iswi_bench_carry_out(plan, &subject);
    free(l->bytes);
    return ok;
}

static pid_t spawn_echo(const char *word, const char *argument, int handed)
{
    static const char program[] = "isoworker-bench-echo";
    char *argv[] = { (char *)program, (char *)word, (char *)argument, NULL };
    char path[PATH_MAX];

    return iswi_cli_find_helper(program, path) ? iswi_bench_spawn(path, argv, handed, -1) : 0;
}

/* -- nng --------------------------------------------------------------------------------------- */

static bool open_nng(nng_socket *socket)
{
    return nng_pair0_open(socket) == 0 &&
           nng_socket_set_int(*socket, NNG_OPT_SENDBUF, 2 * ISWI_BENCH_WINDOW) == 0 &&
           nng_socket_set_int(*socket, NNG_OPT_RECVBUF, 2 * ISWI_BENCH_WINDOW) == 0 &&
           nng_socket_set_size(*socket, NNG_OPT_RECVMAXSZ, 2 * ISWI_BENCH_PAYLOAD_MAX) == 0;
}

static bool send_nng(line *l, uint32_t size)
{
    nng_msg *message;

    if (nng_msg_alloc(&message, 0) != 0)
        return false;
    if (nng_msg_append(message, l->bytes, size) == 0 && nng_sendmsg(l->nng, message, 0) == 0)
        return true;
    nng_msg_free(message);
    return false;
}

static bool receive_nng(line *l, uint32_t size)
{
    nng_msg *message;
    bool right;

    if (nng_recvmsg(l->nng, &message, 0) != 0)
        return false;
    right = nng_msg_len(message) == size;
    nng_msg_free(message);
    return right;
}

static uint32_t window_nng(void *user, uint32_t payload)
{
    (void)user;
    (void)payload; /* its queues count messages */
    return ISWI_BENCH_WINDOW;
}

/* It listens and the echo dials, as our host and its worker do: nobody tries in vain, and the first
 * message waits for who comes. */
bool iswi_bench_measure_nng(const iswi_bench_plan *plan)
{
    line l = { .send = send_nng, .receive = receive_nng };
    char folder[] = "/tmp/isoworker-bench-XXXXXX";
    char url[64];
    bool ok;

    if (!mkdtemp(folder))
        return false;
    snprintf(url, sizeof url, "ipc://%s/nng", folder);
    ok = open_nng(&l.nng) && nng_socket_set_ms(l.nng, NNG_OPT_RECVTIMEO, TIMEOUT_MS) == 0 &&
         nng_socket_set_ms(l.nng, NNG_OPT_SENDTIMEO, TIMEOUT_MS) == 0 &&
         nng_listen(l.nng, url, NULL, 0) == 0;
    l.started_ns = iswi_bench_now_ns();
    if (ok)
        l.peer = spawn_echo("nng", url, -1);
    ok = l.peer && carry_out(plan, &l, window_nng);
    nng_close(l.nng);
    iswi_bench_end(l.peer);
    unlink(url + sizeof "ipc://" - 1);
    rmdir(folder);
    return ok;
}

bool iswi_bench_echo_nng(const char *url)
{
    nng_socket socket;
    nng_msg *message;

    if (!open_nng(&socket) || nng_dial(socket, url, NULL, 0) != 0)
        return false;
    while (nng_recvmsg(socket, &message, 0) == 0)
        if (nng_sendmsg(socket, message, 0) != 0)
            return false;
    return true;
}

/* -- A Unix socket ----------------------------------------------------------------------------- */

/* A message is its size in four bytes and so many more. */
static bool send_unix(line *l, uint32_t size)
{
    memcpy(l->bytes, &size, sizeof size);
    return iswi_bench_write_all(l->fd, l->bytes, sizeof size + size);
}

static bool receive_unix(line *l, uint32_t size)
{
    return iswi_bench_read_all(l->fd, l->bytes, sizeof size + size);
}

/* A socket of the usual size holds more, whatever it adds to each message. */
static uint32_t window_unix(void *user, uint32_t payload)
{
    (void)user;
    return payload < 1024 ? ISWI_BENCH_WINDOW : window_of(160 * 1024, payload);
}

bool iswi_bench_measure_unix(const iswi_bench_plan *plan)
{
    line l = { .send = send_unix, .receive = receive_unix };
    struct timeval timeout = { TIMEOUT_MS / 1000, 0 };
    int ends[2];
    bool ok;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    l.peer = spawn_echo("unix", "-", ends[1]);
    close(ends[1]);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    l.fd = ends[0];
    ok = l.peer && carry_out(plan, &l, window_unix);
    close(ends[0]);
    iswi_bench_end(l.peer);
    return ok;
}

/* How many of the first `have` bytes are whole messages. */
static size_t whole_messages(const unsigned char *bytes, size_t have)
{
    size_t at = 0;
    uint32_t size;

    while (have - at >= sizeof size) {
        memcpy(&size, bytes + at, sizeof size);
        if (have - at - sizeof size < size)
            break;
        at += sizeof size + size;
    }
    return at;
}

/* Takes in what is there and sends the messages back that are whole, together. */
bool iswi_bench_echo_unix(int fd)
{
    unsigned char *bytes = malloc(MESSAGE_MAX);
    size_t have = 0;
    ssize_t got;

    while (bytes && (got = read(fd, bytes + have, MESSAGE_MAX - have)) > 0) {
        size_t whole;

        have += (size_t)got;
        whole = whole_messages(bytes, have);
        if (!iswi_bench_write_all(fd, bytes, whole))
            break;
        memmove(bytes, bytes + whole, have - whole);
        have -= whole;
    }
    free(bytes);
    return bytes != NULL;
}

/* -- A ring ------------------------------------------------------------------------------------ */

static bool write_ring(iswi_ring *ring, const unsigned char *bytes, size_t size)
{
    int64_t until = iswi_bench_now_ns() + TIMEOUT_MS * 1000000LL;
    bool broken = false;

    for (;;) {
        size_t step = iswi_ring_write(ring, bytes, size, &broken);

        iswi_ring_publish(ring);
        iswi_ring_wake(ring);
        bytes += step;
        size -= step;
        if (!size || broken)
            return !broken;
        sched_yield(); /* the reader makes room */
        if (iswi_bench_now_ns() > until)
            return false;
    }
}

/* Spin for a while, then sleep. False when nothing came in all the time that one waits. */
static bool await_ring(iswi_ring *ring, int64_t timeout_ns)
{
    int64_t began = iswi_bench_now_ns();

    while (!iswi_ring_ready(ring)) {
        uint32_t seen = iswi_ring_bell(ring);
        int64_t waited = iswi_bench_now_ns() - began;

        if (waited > timeout_ns)
            return false;
        for (int i = 0; i < 64 && !iswi_ring_ready(ring); i++)
            atomic_signal_fence(memory_order_seq_cst);
        if (waited < SPIN_NS) {
            sched_yield();
            continue;
        }
        iswi_ring_set_sleeps(ring, true);
        if (!iswi_ring_ready(ring))
            iswi_ring_sleep(ring, seen, timeout_ns / 1000);
        iswi_ring_set_sleeps(ring, false);
    }
    return true;
}

static bool read_ring(iswi_ring *ring, unsigned char *bytes, size_t size, int64_t timeout_ns)
{
    bool cramped = false;
    bool broken = false;

    while (size) {
        size_t step = iswi_ring_read(ring, bytes, size, &cramped, &broken);

        bytes += step;
        size -= step;
        if (broken || (!step && !await_ring(ring, timeout_ns)))
            return false;
    }
    return true;
}

static bool send_ring(line *l, uint32_t size)
{
    memcpy(l->bytes, &size, sizeof size);
    return write_ring(&l->memory.down, l->bytes, sizeof size + size);
}

static bool receive_ring(line *l, uint32_t size)
{
    return read_ring(&l->memory.up, l->bytes, sizeof size + size, TIMEOUT_MS * 1000000LL);
}

static uint32_t window_ring(void *user, uint32_t payload)
{
    (void)user;
    return window_of(ISWI_RING_BYTES, payload);
}

bool iswi_bench_measure_ring(const iswi_bench_plan *plan)
{
    line l = { .send = send_ring, .receive = receive_ring };
    bool ok;
    int fd;

    if (!iswi_ring_memory_create(&l.memory, &fd))
        return false;
    l.peer = spawn_echo("ring", "-", fd);
    close(fd);
    ok = l.peer && carry_out(plan, &l, window_ring);
    iswi_bench_end(l.peer);
    iswi_ring_memory_unmap(&l.memory);
    return ok;
}

bool iswi_bench_echo_ring(int fd)
{
    unsigned char *bytes = malloc(MESSAGE_MAX);
    const int64_t long_ns = 60 * 1000000000LL; /* then whoever measures is gone */
    iswi_ring_memory memory = { 0 };
    uint32_t size;

    if (bytes && iswi_ring_memory_map(&memory, fd))
        while (read_ring(&memory.down, bytes, sizeof size, long_ns)) {
            memcpy(&size, bytes, sizeof size);
            if (size > ISWI_BENCH_PAYLOAD_MAX ||
                !read_ring(&memory.down, bytes + sizeof size, size, long_ns) ||
                !write_ring(&memory.up, bytes, sizeof size + size))
                break;
        }
    iswi_ring_memory_unmap(&memory);
    free(bytes);
    return true;
}
