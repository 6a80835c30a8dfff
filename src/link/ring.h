/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_RING_H
#define ISWI_LINK_RING_H

/*
 * A ring of bytes in shared memory, one writer and one reader, each in another process
 * (PROTOCOL.md, section 11). It carries a stream: messages with a length of 4 bytes before each.
 * Nothing that the other side can write is believed: each side keeps its own position, and bounds
 * the other's by it.
 *
 * A reader that found nothing for a while sleeps on the ring's bell, a futex or a descriptor; a
 * writer rings it only when it says that it sleeps. A writer without room says so, and the reader
 * then rings the bell of the opposite ring, where the writer's process sleeps.
 */
#include "link/loans.h"

#include <stdalign.h>
#include <stdatomic.h>

/* The words of one ring in shared memory; each in a cache line of its own. */
typedef struct iswi_ring_words {
    alignas(64) _Atomic uint64_t tail; /* bytes ever written */
    alignas(64) _Atomic uint64_t head; /* bytes ever read */
    alignas(64) _Atomic uint32_t bell; /* futex: changes with each ring of it */
    _Atomic uint32_t sleeps;           /* the reader sleeps, or is about to */
    alignas(64) _Atomic uint32_t cramped; /* the writer waits for room */
} iswi_ring_words;

typedef struct iswi_ring {
    iswi_ring_words *words;
    unsigned char *bytes;
    uint64_t size;     /* a power of two */
    _Atomic uint64_t position; /* our own: tail of the writer, head of the reader */
    int bell; /* eventfd of its reader, for the writer to ring; -1: the futex */
} iswi_ring;

/* Writer: copy as much of `bytes` as there is room for; returns how much. The reader sees it after
 * iswi_ring_publish. Sets *broken when the reader's position cannot be. */
size_t iswi_ring_write(iswi_ring *ring, const void *bytes, size_t size, bool *broken);
void iswi_ring_publish(iswi_ring *ring);

/* Writer: how many bytes there is room for. Sets *broken as above. */
size_t iswi_ring_room(const iswi_ring *ring, bool *broken);

/* Writer: ask to be woken when there is room for `need` bytes. True if there is by now. Sets
 * *broken as above. */
bool iswi_ring_await_room(iswi_ring *ring, size_t need, bool *broken);

/* Reader: copy up to `size` bytes and free their room; returns how many. Sets *cramped when the
 * writer waits for room, and *broken when the writer's position cannot be. */
size_t iswi_ring_read(iswi_ring *ring, void *bytes, size_t size, bool *cramped, bool *broken);

/* Reader: whether something can be read (or the writer's position cannot be). */
static inline bool iswi_ring_ready(const iswi_ring *ring)
{
    return atomic_load_explicit(&ring->words->tail, memory_order_acquire) !=
           atomic_load_explicit(&ring->position, memory_order_relaxed);
}

/* Reader: say whether to be woken; then look again, for what came meanwhile rings no bell. The
 * second says that it need not be, and costs nothing. */
void iswi_ring_set_sleeps(iswi_ring *ring, bool sleeps);
void iswi_ring_stay_awake(iswi_ring *ring);

/* Reader: sleep until the bell changes from `seen`, at most `timeout_us` (-1: for ever). */
uint32_t iswi_ring_bell(const iswi_ring *ring);
void iswi_ring_sleep(iswi_ring *ring, uint32_t seen, int64_t timeout_us);

/* Ring the bell if the reader says that it sleeps; or in any case. One thread is woken. */
void iswi_ring_wake(iswi_ring *ring);
void iswi_ring_wake_always(iswi_ring *ring);

/* Reader: wake all threads that sleep on it. */
void iswi_ring_wake_all(iswi_ring *ring);

/* -- The memory of both rings and both arenas -------------------------------------------------- */

enum {
    ISWI_RING_BYTES = 512 * 1024, /* of each direction */
    ISWI_RING_PAGE = 4096,
    ISWI_RING_MARKS = 192,
    ISWI_RING_MEMORY = ISWI_RING_PAGE + 2 * ISWI_RING_BYTES + 2 * ISWI_ARENA_BYTES,
    ISWI_WIDE_PAGE = 64 * 1024,
    ISWI_WIDE_MEMORY = ISWI_WIDE_PAGE + 2 * ISWI_WIDE_ARENA_BYTES
};

typedef struct iswi_ring_memory {
    void *base;
    iswi_ring down; /* from host to worker */
    iswi_ring up;   /* from worker to host */
    iswi_arena_memory down_arena, up_arena;
    _Atomic uint32_t *marks; /* ISWI_RING_MARKS, of invocations that were begun; worker's */
    void *wide_base; /* NULL: there are no wide arenas */
    iswi_arena_memory down_wide, up_wide;
} iswi_ring_memory;

/* A new memory, sealed against shrinking and growing; *fd is the caller's to close. Linux. False
 * with errno set. */
bool iswi_ring_memory_create(iswi_ring_memory *memory, int *fd);

/* Map what a host handed down. False with errno set, EINVAL for what is no such memory. */
bool iswi_ring_memory_map(iswi_ring_memory *memory, int fd);

/* The same for the wide arenas beside it. */
bool iswi_ring_memory_widen(iswi_ring_memory *memory, int *fd);
bool iswi_ring_memory_map_wide(iswi_ring_memory *memory, int fd);

void iswi_ring_memory_unmap(iswi_ring_memory *memory);

/* Worker: mark invocation `id` as begun, before anything of it is done. Host: whether it was
 * marked, or cannot be; whatever it says concerns that worker's calls alone. Any thread. */
void iswi_ring_mark(const iswi_ring_memory *memory, uint64_t id);
bool iswi_ring_is_marked(const iswi_ring_memory *memory, uint64_t id);

#endif
