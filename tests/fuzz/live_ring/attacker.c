/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rings as their other end. Invariant: positions are the attacker's own, whatever the script
 * did to the words; so it finds back to a proper stream when the host still follows.
 */
#include "fuzz/live_ring/attacker.h"

#include "base/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What precedes the bytes of a record on the rings: what it is, and its size. */
enum { INLINE = 1, IN_ARENA = 2, NUMBER_BYTES = 8, HEAD_BYTES = 1 + NUMBER_BYTES };

enum { TAIL_UP = ISWI_RING_PAGE / 2 }; /* where the greeter has perhaps written */

enum { WAITS = 100, TURNS_MAX = 20, WAIT_US = 1000 };

/* -- Meeting ----------------------------------------------------------------------------------- */

/* *more says whether another one follows. */
static int receive_descriptor(int lifeline, char *more)
{
    int fd = -1;
    struct iovec byte = { more, 1 };
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1,
                              .msg_control = &control, .msg_controllen = sizeof control };

    if (recvmsg(lifeline, &message, MSG_CMSG_CLOEXEC) == 1 && message.msg_controllen)
        memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
    return fd;
}

static bool map_one(attacker *a, int fd, size_t size)
{
    struct stat info;

    if (fstat(fd, &info) != 0 || info.st_size != (off_t)size ||
        mmap(a->memory + a->size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
            MAP_FAILED)
        return false;
    a->size += size;
    return true;
}

static bool map_memory(attacker *a, int fd)
{
    a->memory = mmap(NULL, ISWI_RING_MEMORY + ISWI_WIDE_MEMORY, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (a->memory == MAP_FAILED || !map_one(a, fd, ISWI_RING_MEMORY))
        return false;
    a->down = (iswi_ring){ .words = (iswi_ring_words *)a->memory,
                           .bytes = a->memory + ISWI_RING_PAGE,
                           .size = ISWI_RING_BYTES,
                           .bell = -1 };
    a->up = (iswi_ring){ .words = (iswi_ring_words *)(a->memory + ISWI_RING_PAGE / 2),
                         .bytes = a->memory + ISWI_RING_PAGE + ISWI_RING_BYTES,
                         .size = ISWI_RING_BYTES,
                         .position = atomic_load((_Atomic uint64_t *)(a->memory + TAIL_UP)),
                         .bell = -1 };
    a->down_arena = (iswi_arena_memory){ (iswi_loan_words *)(a->memory + ISWI_RING_PAGE / 4),
                                         a->memory + ATTACKER_ARENAS, ISWI_ARENA_BYTES,
                                         ISWI_LOANS };
    a->up_arena = a->down_arena;
    a->up_arena.words = (iswi_loan_words *)(a->memory + ISWI_RING_PAGE * 3 / 4);
    a->up_arena.bytes += ISWI_ARENA_BYTES;
    return true;
}

/* The wide arenas, behind it; they take the place of the others. */
static bool map_arenas(attacker *a, int fd)
{
    unsigned char *base = a->memory + a->size;

    if (!map_one(a, fd, ISWI_WIDE_MEMORY))
        return false;
    a->down_arena = (iswi_arena_memory){ (iswi_loan_words *)base, base + ISWI_WIDE_PAGE,
                                         ISWI_WIDE_ARENA_BYTES, ISWI_WIDE_LOANS };
    a->up_arena = a->down_arena;
    a->up_arena.words++;
    a->up_arena.bytes += ISWI_WIDE_ARENA_BYTES;
    return true;
}

static bool take_arenas(attacker *a)
{
    char more;
    int fd = receive_descriptor(a->lifeline, &more);
    bool mapped = fd >= 0 && map_arenas(a, fd);

    if (fd >= 0)
        close(fd);
    return mapped;
}

bool attacker_meet(attacker *a, int lifeline, int64_t patience_ns)
{
    struct pollfd look = { .fd = lifeline, .events = POLLIN };
    int64_t until = iswi_now_ns() + patience_ns;
    int fd = -1;
    char more = 0;

    *a = (attacker){ .lifeline = -1, .waits_left = WAITS };
    while (fd < 0 && iswi_now_ns() < until) {
        if (poll(&look, 1, 100) != 1)
            continue;
        a->lifeline = accept4(lifeline, NULL, NULL, SOCK_CLOEXEC);
        if (a->lifeline < 0)
            continue;
        fd = receive_descriptor(a->lifeline, &more);
        if (fd < 0)
            close(a->lifeline); /* it ended before it handed anything over */
    }
    a->inbox = malloc(ATTACKER_INBOX_BYTES);
    if (fd < 0 || !a->inbox || !map_memory(a, fd))
        return false;
    close(fd);
    if (more)
        a->up.bell = receive_descriptor(a->lifeline, &more);
    return !more || take_arenas(a);
}

void attacker_release(attacker *a)
{
    close(a->lifeline);
}

void attacker_forget(attacker *a)
{
    if (a->up.bell >= 0)
        close(a->up.bell);
    munmap(a->memory, ISWI_RING_MEMORY + ISWI_WIDE_MEMORY);
    free(a->inbox);
}

/* -- Writing ----------------------------------------------------------------------------------- */

void attacker_put(attacker *a, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    bool broken = false;

    while (size && a->waits_left) {
        size_t step = iswi_ring_write(&a->up, at, size, &broken);

        at += step;
        size -= step;
        iswi_ring_publish(&a->up);
        iswi_ring_wake(&a->up);
        if (size) {
            iswi_ring_sleep(&a->down, iswi_ring_bell(&a->down), WAIT_US);
            a->waits_left--;
        }
    }
}

static void put_number(unsigned char *at, uint64_t number)
{
    for (int i = NUMBER_BYTES; i-- > 0; number >>= 8)
        at[i] = (unsigned char)number;
}

void attacker_send(attacker *a, const iswi_frame *frame)
{
    unsigned char head[HEAD_BYTES] = { INLINE };
    iswi_buffer bytes = { 0 };

    if (iswi_frame_encode(frame, &bytes, NULL) == ISW_OK) {
        put_number(head + 1, bytes.size);
        attacker_put(a, head, sizeof head);
        attacker_put(a, bytes.data, bytes.size);
    }
    iswi_buffer_fini(&bytes);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static void send_metadata(attacker *a, uint64_t id)
{
    const isw_str type = isw_str_of("fuzz");
    const iswi_wire_function functions[] = {
        { .name = isw_str_of("attacked"), .trigger_type = type },
        { .name = isw_str_of("greeted"), .trigger_type = type },
    };
    iswi_frame frame = { .kind = ISWI_METADATA, .id = id };

    frame.as.metadata.functions.items = functions;
    frame.as.metadata.functions.count = sizeof functions / sizeof functions[0];
    attacker_send(a, &frame);
}

static void send_loaded(attacker *a, const iswi_frame *load)
{
    iswi_frame loaded = { .kind = ISWI_LOADED, .id = load->id };
    const iswi_frame credit = { .kind = ISWI_CREDIT, .as.credit.limit = ATTACKER_SEEN_MAX };

    a->function = loaded.as.loaded.function = load->as.load.function;
    attacker_send(a, &loaded);
    attacker_send(a, &credit);
}

static void on_frame(attacker *a, const iswi_frame *frame)
{
    if (frame->kind == ISWI_METADATA_REQUEST)
        send_metadata(a, frame->id);
    else if (frame->kind == ISWI_LOAD)
        send_loaded(a, frame);
    else if (frame->kind == ISWI_INVOKE)
        a->seen[a->seen_count++ % ATTACKER_SEEN_MAX] = frame->id;
}

static void on_message(attacker *a, const unsigned char *bytes, size_t size)
{
    iswi_arena arena;
    iswi_frame frame;
    size_t used;

    while (size && !a->deaf) {
        iswi_arena_init(&arena, 4096);
        a->deaf = iswi_frame_decode(bytes, size, &arena, &frame, &used, NULL) != ISW_OK;
        if (!a->deaf) {
            on_frame(a, &frame);
            bytes += used;
            size -= used;
        }
        iswi_arena_fini(&arena);
    }
}

static uint64_t number_at(const unsigned char *at, int bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

/* A message in the host's arena, given back at once. */
static void take_loan(attacker *a, const unsigned char *at)
{
    uint64_t size = number_at(at + 1, 8);
    uint32_t word = (uint32_t)number_at(at + 17, 4);

    a->offset = number_at(at + 9, 8);
    a->deaf = a->offset > a->down_arena.size || size > a->down_arena.size - a->offset ||
              word >= a->down_arena.loans;
    if (a->deaf)
        return;
    on_message(a, a->down_arena.bytes + a->offset, (size_t)size);
    if (!a->hoards)
        atomic_store(&a->down_arena.words->lent[word], 0);
}

/* The size of the record at `at`, once it is there; 0 until then. */
static size_t take_record(attacker *a, const unsigned char *at, size_t there)
{
    uint64_t number = there < HEAD_BYTES ? 0 : number_at(at + 1, NUMBER_BYTES);

    if (there < HEAD_BYTES)
        return 0;
    if (at[0] == IN_ARENA) {
        if (there < ATTACKER_LOAN_BYTES)
            return 0;
        take_loan(a, at);
        return ATTACKER_LOAN_BYTES;
    }
    a->deaf = at[0] != INLINE || number > ATTACKER_INBOX_BYTES - HEAD_BYTES;
    if (a->deaf || there - HEAD_BYTES < number)
        return 0;
    on_message(a, at + HEAD_BYTES, (size_t)number);
    return HEAD_BYTES + (size_t)number;
}

void attacker_listen(attacker *a)
{
    bool cramped = false;
    bool broken = false;

    for (int turns = 0; turns < TURNS_MAX && !a->deaf; turns++) {
        size_t begin = 0;
        size_t step = iswi_ring_read(&a->down, a->inbox + a->inbox_size,
                                     ATTACKER_INBOX_BYTES - a->inbox_size, &cramped, &broken);

        if (!step)
            break;
        a->inbox_size += step;
        while ((step = take_record(a, a->inbox + begin, a->inbox_size - begin)) != 0)
            begin += step;
        memmove(a->inbox, a->inbox + begin, a->inbox_size - begin);
        a->inbox_size -= begin;
    }
    a->deaf = a->deaf || broken;
    if (cramped)
        iswi_ring_wake_always(&a->up);
}

void attacker_answer(attacker *a)
{
    static const char text[] = "an honest answer of the attacker";

    if (a->seen_count - a->answered > ATTACKER_SEEN_MAX)
        a->answered = a->seen_count - ATTACKER_SEEN_MAX;
    for (; a->answered < a->seen_count; a->answered++) {
        iswi_frame frame = { .kind = ISWI_RESPONSE,
                             .id = a->seen[a->answered % ATTACKER_SEEN_MAX] };

        frame.as.response.outcome = ISW_OUTCOME_SUCCESS;
        frame.as.response.result = isw_value_bytes(text, sizeof text);
        attacker_send(a, &frame);
    }
}

void attacker_wait(attacker *a)
{
    uint32_t seen = iswi_ring_bell(&a->down);

    iswi_ring_set_sleeps(&a->down, true);
    if (!iswi_ring_ready(&a->down))
        iswi_ring_sleep(&a->down, seen, WAIT_US);
    iswi_ring_set_sleeps(&a->down, false);
}
