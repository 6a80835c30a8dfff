/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file begins with a page that says which tables it has. Whoever reads or changes that page has
 * a record lock on it, which is the process's own and goes with it; and each process has one, shared,
 * on a byte for each table that it uses, so that a table without one is nobody's.
 */
#include "store/directory.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "store/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    TABLES = 48,
    USED_AT = 1 << 20 /* bytes of locks; no data's */
};

#define MAGIC UINT64_C(0x31656c6261546957)

typedef struct entry {
    uint64_t name[2]; /* hash of name and shape; both 0: not in use */
    uint64_t secret[2];
    uint64_t offset, bytes;
} entry;

typedef struct page {
    uint64_t magic;
    uint64_t end; /* of the last table */
    entry tables[TABLES];
} page;

_Static_assert(sizeof(page) <= PAGE, "the directory is one page");

struct iswi_memory {
    int fd; /* -1: each store has memory of its own. Closing it would end all locks */
    page *directory;
    unsigned users[TABLES]; /* in this process */
};

iswi_memory *iswi_memory_create(int fd)
{
    iswi_memory *memory = iswi_calloc(1, sizeof *memory);
    void *mapped = MAP_FAILED;

    if (!memory)
        return NULL;
    if (fd >= 0 && (lseek(fd, 0, SEEK_END) >= PAGE || ftruncate(fd, PAGE) == 0))
        mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memory->fd = mapped == MAP_FAILED ? -1 : fd;
    memory->directory = mapped == MAP_FAILED ? NULL : mapped;
    if (fd >= 0 && memory->fd < 0)
        close(fd);
    return memory;
}

void iswi_memory_destroy(iswi_memory *memory)
{
    if (!memory)
        return;
    if (memory->directory)
        munmap(memory->directory, PAGE);
    if (memory->fd >= 0)
        close(memory->fd);
    iswi_free(memory);
}

int iswi_memory_file(const iswi_memory *memory)
{
    return memory->fd;
}

static bool set_lock(const iswi_memory *memory, int command, short type, off_t at)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
    int failed;

    do
        failed = fcntl(memory->fd, command, &lock);
    while (failed && errno == EINTR);
    return failed == 0;
}

/* This process uses it. */
static void lock_table(const iswi_memory *memory, unsigned number)
{
    set_lock(memory, F_SETLK, F_RDLCK, USED_AT + (off_t)number);
}

/* -- Tables in the file ------------------------------------------------------------------------ */

/* With the page's lock, as what follows. */
static entry *find(page *directory, const uint64_t name[2])
{
    for (unsigned i = 0; i < TABLES; i++)
        if (directory->tables[i].name[0] == name[0] && directory->tables[i].name[1] == name[1])
            return &directory->tables[i];
    return NULL;
}

/* A place for one more, if need be that of a table which no process has: its memory goes. */
static entry *find_free(iswi_memory *memory)
{
    static const uint64_t none[2];
    page *directory = memory->directory;
    entry *found = find(directory, none);

    for (unsigned i = 0; !found && i < TABLES; i++) {
        entry *at = &directory->tables[i];

        if (memory->users[i] || !set_lock(memory, F_SETLK, F_WRLCK, USED_AT + (off_t)i))
            continue;
        set_lock(memory, F_SETLK, F_UNLCK, USED_AT + (off_t)i);
        *at = (entry){ .offset = at->offset, .bytes = at->bytes };
        fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at->offset,
                  (off_t)at->bytes);
        found = at;
    }
    return found;
}

static bool map(const iswi_memory *memory, const entry *at, iswi_region *out)
{
    out->table = mmap(NULL, out->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd,
                      (off_t)at->offset);
    return out->table != MAP_FAILED;
}

/* Its name comes last: until then the page says nothing of it. */
static entry *make(iswi_memory *memory, const uint64_t name[2], const iswi_table_shape *shape,
                   iswi_region *out)
{
    page *directory = memory->directory;
    entry *at = find_free(memory);

    if (!at) {
        errno = ENOSPC;
        return NULL;
    }
    if (directory->end < PAGE)
        directory->end = PAGE;
    *at = (entry){ .offset = directory->end, .bytes = out->bytes };
    if (!iswi_random(at->secret, sizeof at->secret) ||
        ftruncate(memory->fd, (off_t)(at->offset + at->bytes)) != 0 || !map(memory, at, out))
        return NULL;
    iswi_table_init(shape, out->table);
    directory->end = at->offset + at->bytes;
    memcpy(at->name, name, sizeof at->name);
    return at;
}

static bool open_shared(iswi_memory *memory, const uint64_t name[2], const iswi_table_shape *shape,
                        iswi_region *out)
{
    page *directory = memory->directory;
    entry *at;
    bool mapped;

    if (!directory->magic)
        directory->magic = MAGIC;
    at = find(directory, name);
    mapped = at ? at->bytes == out->bytes && map(memory, at, out)
                : (at = make(memory, name, shape, out)) != NULL;
    if (!mapped)
        return false;
    memcpy(out->secret, at->secret, sizeof out->secret);
    out->number = (unsigned)(at - directory->tables);
    if (memory->users[out->number]++ == 0)
        lock_table(memory, out->number);
    return true;
}

/* Record locks stay with the parent. */
void iswi_memory_forked(iswi_memory *memory)
{
    for (unsigned i = 0; memory->fd >= 0 && i < TABLES; i++)
        if (memory->users[i])
            lock_table(memory, i);
}

/* -- Both -------------------------------------------------------------------------------------- */

static void name_of(const char *name, const iswi_table_shape *shape, uint64_t out[2])
{
    static const uint64_t none[2];
    const isw_str parts[] = { isw_str_of(name), { (const char *)shape, sizeof *shape } };

    iswi_store_hash(none, (isw_store_key){ parts, 2 }, out);
}

static bool open_private(const iswi_table_shape *shape, iswi_region *out)
{
    out->table = mmap(NULL, out->bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (out->table == MAP_FAILED)
        return false;
    if (!iswi_random(out->secret, sizeof out->secret)) {
        munmap(out->table, out->bytes);
        return false;
    }
    iswi_table_init(shape, out->table);
    return true;
}

isw_status iswi_memory_open(iswi_memory *memory, const char *name, const iswi_table_shape *shape,
                            iswi_region *out, isw_error *error)
{
    bool opened = false;
    uint64_t hash[2];

    *out = (iswi_region){ .bytes = (shape->bytes + PAGE - 1) / PAGE * PAGE };
    name_of(name, shape, hash);
    if (memory->fd < 0) {
        opened = open_private(shape, out);
    } else if (set_lock(memory, F_SETLKW, F_WRLCK, 0)) {
        opened = open_shared(memory, hash, shape, out);
        set_lock(memory, F_SETLK, F_UNLCK, 0);
    }
    return opened ? ISW_OK
                  : isw_error_set(error, errno == ENOMEM ? ISW_E_NO_MEMORY : ISW_E_IO,
                                  "no memory for a store: %s", strerror(errno));
}

void iswi_memory_close(iswi_memory *memory, iswi_region *region)
{
    munmap(region->table, region->bytes);
    if (memory->fd >= 0 && --memory->users[region->number] == 0)
        set_lock(memory, F_SETLK, F_UNLCK, USED_AT + (off_t)region->number);
}
