/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring, its bell, and the memory they lie in. Invariant: a position of the other side is read
 * once, checked against our own, and only then used; an offset is always masked.
 */
#include "link/ring.h"

#include "link/futex.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* -- Positions --------------------------------------------------------------------------------- */

/* Our own position is written by one thread at a time, and looked at by others that only wait. */
static uint64_t position_of(const iswi_ring *ring)
{
    return atomic_load_explicit(&ring->position, memory_order_relaxed);
}

static void set_position(iswi_ring *ring, uint64_t position)
{
    atomic_store_explicit(&ring->position, position, memory_order_relaxed);
}

static void copy_in(iswi_ring *ring, const unsigned char *from, size_t size)
{
    size_t offset = (size_t)(position_of(ring) & (ring->size - 1));
    size_t first = ring->size - offset < size ? (size_t)ring->size - offset : size;

    memcpy(ring->bytes + offset, from, first);
    memcpy(ring->bytes, from + first, size - first);
}

static void copy_out(const iswi_ring *ring, unsigned char *to, size_t size)
{
    size_t offset = (size_t)(position_of(ring) & (ring->size - 1));
    size_t first = ring->size - offset < size ? (size_t)ring->size - offset : size;

    memcpy(to, ring->bytes + offset, first);
    memcpy(to + first, ring->bytes, size - first);
}

size_t iswi_ring_write(iswi_ring *ring, const void *bytes, size_t size, bool *broken)
{
    size_t room = iswi_ring_room(ring, broken);

    if (size > room)
        size = room;
    copy_in(ring, bytes, size);
    set_position(ring, position_of(ring) + size);
    return size;
}

void iswi_ring_publish(iswi_ring *ring)
{
    atomic_store_explicit(&ring->words->tail, position_of(ring), memory_order_release);
}

size_t iswi_ring_room(const iswi_ring *ring, bool *broken)
{
    uint64_t head = atomic_load_explicit(&ring->words->head, memory_order_acquire);
    uint64_t used = position_of(ring) - head;

    if (used > ring->size) {
        *broken = true;
        return 0;
    }
    return (size_t)(ring->size - used);
}

bool iswi_ring_await_room(iswi_ring *ring, size_t need, bool *broken)
{
    atomic_store(&ring->words->cramped, 1);
    atomic_thread_fence(memory_order_seq_cst);
    return iswi_ring_room(ring, broken) >= need;
}

size_t iswi_ring_read(iswi_ring *ring, void *bytes, size_t size, bool *cramped, bool *broken)
{
    uint64_t tail = atomic_load_explicit(&ring->words->tail, memory_order_acquire);
    uint64_t there = tail - position_of(ring);

    if (there > ring->size) {
        *broken = true;
        return 0;
    }
    if (size > there)
        size = (size_t)there;
    if (!size)
        return 0;
    copy_out(ring, bytes, size);
    set_position(ring, position_of(ring) + size);
    /* Sequentially consistent: either we see that the writer is cramped, or it sees the room. */
    atomic_store(&ring->words->head, position_of(ring));
    if (atomic_load(&ring->words->cramped)) {
        atomic_store(&ring->words->cramped, 0);
        *cramped = true;
    }
    return size;
}

/* -- The bell ---------------------------------------------------------------------------------- */

void iswi_ring_set_sleeps(iswi_ring *ring, bool sleeps)
{
    atomic_store(&ring->words->sleeps, sleeps);
    atomic_thread_fence(memory_order_seq_cst); /* before the look at tail, iswi_ring_wake */
}

void iswi_ring_stay_awake(iswi_ring *ring)
{
    atomic_store_explicit(&ring->words->sleeps, 0, memory_order_relaxed);
}

uint32_t iswi_ring_bell(const iswi_ring *ring)
{
    return atomic_load(&ring->words->bell);
}

void iswi_ring_sleep(iswi_ring *ring, uint32_t seen, int64_t timeout_us)
{
    iswi_futex_wait(&ring->words->bell, seen, timeout_us < 0 ? -1 : timeout_us * 1000, 1);
}

static void wake_most(iswi_ring *ring, int most)
{
    atomic_fetch_add(&ring->words->bell, 1);
    iswi_futex_wake(&ring->words->bell, most, 1);
}

void iswi_ring_wake_all(iswi_ring *ring)
{
    wake_most(ring, INT_MAX);
}

void iswi_ring_wake_always(iswi_ring *ring)
{
    uint64_t one = 1;

    if (ring->bell < 0)
        wake_most(ring, 1);
    else if (write(ring->bell, &one, sizeof one) < 0)
        return; /* its count is full, which wakes as well */
}

void iswi_ring_wake(iswi_ring *ring)
{
    /* Pairs with iswi_ring_set_sleeps: either we see that it sleeps, or it sees what we wrote. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&ring->words->sleeps, memory_order_relaxed))
        return;
    atomic_store_explicit(&ring->words->sleeps, 0, memory_order_relaxed);
    iswi_ring_wake_always(ring);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static bool map(iswi_ring_memory *memory, int fd)
{
    unsigned char *base =
        mmap(NULL, ISWI_RING_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    unsigned char *arenas = base + ISWI_RING_PAGE + 2 * ISWI_RING_BYTES;

    if (base == MAP_FAILED)
        return false;
    memory->base = base;
    memory->marks = (_Atomic uint32_t *)(base + sizeof(iswi_ring_words));
    memory->down = (iswi_ring){ .words = (iswi_ring_words *)base,
                                .bytes = base + ISWI_RING_PAGE,
                                .size = ISWI_RING_BYTES,
                                .bell = -1 };
    memory->up = (iswi_ring){ .words = (iswi_ring_words *)(base + ISWI_RING_PAGE / 2),
                              .bytes = base + ISWI_RING_PAGE + ISWI_RING_BYTES,
                              .size = ISWI_RING_BYTES,
                              .bell = -1 };
    memory->down_arena = (iswi_arena_memory){
        .words = (iswi_loan_words *)(base + ISWI_RING_PAGE / 4), .bytes = arenas,
        .size = ISWI_ARENA_BYTES, .loans = ISWI_LOANS };
    memory->up_arena = (iswi_arena_memory){
        .words = (iswi_loan_words *)(base + ISWI_RING_PAGE * 3 / 4),
        .bytes = arenas + ISWI_ARENA_BYTES,
        .size = ISWI_ARENA_BYTES, .loans = ISWI_LOANS };
    return true;
}

static bool map_wide(iswi_ring_memory *memory, int fd)
{
    unsigned char *base =
        mmap(NULL, ISWI_WIDE_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    unsigned char *arenas = base + ISWI_WIDE_PAGE;

    if (base == MAP_FAILED)
        return false;
    memory->wide_base = base;
    memory->down_wide = (iswi_arena_memory){ .words = (iswi_loan_words *)base,
                                             .bytes = arenas,
                                             .size = ISWI_WIDE_ARENA_BYTES,
                                             .loans = ISWI_WIDE_LOANS };
    memory->up_wide = (iswi_arena_memory){ .words = (iswi_loan_words *)base + 1,
                                           .bytes = arenas + ISWI_WIDE_ARENA_BYTES,
                                           .size = ISWI_WIDE_ARENA_BYTES,
                                           .loans = ISWI_WIDE_LOANS };
    return true;
}

typedef bool (*map_fn)(iswi_ring_memory *memory, int fd);

static bool create(const char *name, off_t size, map_fn map_it, iswi_ring_memory *memory, int *fd)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return false;
    if (ftruncate(*fd, size) == 0 &&
        fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 &&
        map_it(memory, *fd))
        return true;
    close(*fd);
    *fd = -1;
    return false;
}

static bool map_made(off_t size, map_fn map_it, iswi_ring_memory *memory, int fd)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return false;
    if (info.st_size != size || !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK)) {
        errno = EINVAL;
        return false;
    }
    return map_it(memory, fd);
}

bool iswi_ring_memory_create(iswi_ring_memory *memory, int *fd)
{
    memory->wide_base = NULL;
    return create("isoworker-ring", ISWI_RING_MEMORY, map, memory, fd);
}

bool iswi_ring_memory_map(iswi_ring_memory *memory, int fd)
{
    memory->wide_base = NULL;
    return map_made(ISWI_RING_MEMORY, map, memory, fd);
}

bool iswi_ring_memory_widen(iswi_ring_memory *memory, int *fd)
{
    return create("isoworker-arena", ISWI_WIDE_MEMORY, map_wide, memory, fd);
}

bool iswi_ring_memory_map_wide(iswi_ring_memory *memory, int fd)
{
    return map_made(ISWI_WIDE_MEMORY, map_wide, memory, fd);
}

void iswi_ring_memory_unmap(iswi_ring_memory *memory)
{
    if (memory->base)
        munmap(memory->base, ISWI_RING_MEMORY);
    if (memory->wide_base)
        munmap(memory->wide_base, ISWI_WIDE_MEMORY);
    memory->base = memory->wide_base = NULL;
}

/* -- Marks ------------------------------------------------------------------------------------- */

static_assert(sizeof(iswi_ring_words) + ISWI_RING_MARKS * sizeof(uint32_t) <= ISWI_RING_PAGE / 4,
              "marks lie behind the words of the first ring");

/* Its place, by the rule of PROTOCOL.md, section 11. */
static size_t place_of(uint64_t id)
{
    return (size_t)(id & 0xffff);
}

void iswi_ring_mark(const iswi_ring_memory *memory, uint64_t id)
{
    if (place_of(id) >= ISWI_RING_MARKS)
        return;
    atomic_store_explicit(&memory->marks[place_of(id)], (uint32_t)(id >> 16),
                          memory_order_relaxed);
    atomic_thread_fence(memory_order_release); /* before all that the function writes */
}

bool iswi_ring_is_marked(const iswi_ring_memory *memory, uint64_t id)
{
    return place_of(id) >= ISWI_RING_MARKS ||
           atomic_load(&memory->marks[place_of(id)]) == (uint32_t)(id >> 16);
}
