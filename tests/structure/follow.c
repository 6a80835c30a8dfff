/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded into the host and its workers: while `on` is set, each function that begins is written down
 * in a file that all of them share, in the one order in which they began. The functions were compiled
 * to call this (ISOWORKER_FOLLOW); without it, they call a stand-in of the C library.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 1 << 20 };

/* As way.py reads it. */
typedef struct step {
    uint64_t function;
    uint64_t pid;
} step;

typedef struct record {
    atomic_uint_fast64_t on;
    atomic_uint_fast64_t count; /* may be more than there is room for */
    step steps[MOST];
} record;

static record *shared;
static uint64_t own_pid;

#define INSTEAD_OF_LIBC __attribute__((visibility("default"))) void

INSTEAD_OF_LIBC __cyg_profile_func_enter(void *function, void *caller);
INSTEAD_OF_LIBC __cyg_profile_func_exit(void *function, void *caller);

static __attribute__((constructor)) void begin(void)
{
    const char *path = getenv("ISOWORKER_FOLLOW");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof(record)) == 0)
        memory = mmap(NULL, sizeof(record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    own_pid = (uint64_t)getpid();
    shared = memory == MAP_FAILED ? NULL : memory;
}

void __cyg_profile_func_enter(void *function, void *caller)
{
    uint64_t at;

    (void)caller;
    if (!shared || !atomic_load_explicit(&shared->on, memory_order_relaxed))
        return;
    at = atomic_fetch_add(&shared->count, 1);
    if (at < MOST)
        shared->steps[at] = (step){ (uint64_t)(uintptr_t)function, own_pid };
}

void __cyg_profile_func_exit(void *function, void *caller)
{
    (void)function;
    (void)caller;
}
