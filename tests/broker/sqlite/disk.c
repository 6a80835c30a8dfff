/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sqlite/disk.h"

#include "support/main.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 8, SECTOR = 512 };

/* A write that is not on the disk for sure. Of a truncation `data` is NULL and `at` the size. */
typedef struct change {
    struct change *next;
    int64_t at;
    int size;
    unsigned char *data;
} change;

typedef struct image {
    char name[64]; /* without its folder */
    bool is_there; /* its entry in the folder is on the disk */
    unsigned char *data; /* what was synced */
    int64_t size, capacity;
    int64_t now; /* its size, as the program sees it */
    change *first, **end;
} image;

static struct {
    pthread_mutex_t lock;
    sqlite3_vfs vfs, *real;
    image images[FILES_MAX];
    int count;
    uint64_t seed;
    int cut_in, fail_one_of, syncs;
    bool cut;
    int64_t limit;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct file {
    sqlite3_file base;
    image *of;
    sqlite3_file *real; /* behind this one */
} file;

static uint64_t chance(uint64_t below)
{
    disk.seed = disk.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (disk.seed >> 33) % below;
}

/* -- Images ------------------------------------------------------------------------------------ */

static image *image_of(const char *path)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

    for (int i = 0; i < disk.count; i++)
        if (strcmp(disk.images[i].name, name) == 0)
            return &disk.images[i];
    assert_true(disk.count < FILES_MAX);
    snprintf(disk.images[disk.count].name, sizeof disk.images[0].name, "%s", name);
    disk.images[disk.count].end = &disk.images[disk.count].first;
    return &disk.images[disk.count++];
}

static void put_bytes(image *of, int64_t at, const unsigned char *data, int size)
{
    if (at + size > of->capacity) {
        of->capacity = (at + size) * 2;
        of->data = realloc(of->data, (size_t)of->capacity);
        assert_non_null(of->data);
    }
    if (at > of->size)
        memset(of->data + of->size, 0, (size_t)(at - of->size));
    memcpy(of->data + at, data, (size_t)size);
    of->size = at + size > of->size ? at + size : of->size;
}

static void apply(image *of, const change *one)
{
    if (one->data)
        put_bytes(of, one->at, one->data, one->size);
    else if (one->at < of->size)
        of->size = one->at;
}

/* All of it, or some of its sectors, or nothing. */
static void apply_by_chance(image *of, const change *one)
{
    const uint64_t how = chance(4);

    if (how == 0)
        return;
    if (how < 3 || !one->data) {
        apply(of, one);
        return;
    }
    for (int at = 0; at < one->size; at += SECTOR)
        if (chance(2))
            put_bytes(of, one->at + at, one->data + at,
                      one->size - at < SECTOR ? one->size - at : SECTOR);
}

static void forget_changes(image *of, void (*with)(image *, const change *))
{
    while (of->first) {
        change *one = of->first;

        of->first = one->next;
        if (with)
            with(of, one);
        free(one->data);
        free(one);
    }
    of->end = &of->first;
}

static void note(image *of, int64_t at, const void *data, int size)
{
    change *one = calloc(1, sizeof *one);

    assert_non_null(one);
    one->at = at;
    one->size = size;
    if (data) {
        one->data = malloc((size_t)size);
        assert_non_null(one->data);
        memcpy(one->data, data, (size_t)size);
    }
    *of->end = one;
    of->end = &one->next;
}

static void cut(void)
{
    disk.cut = true;
    for (int i = 0; i < disk.count; i++) {
        image *of = &disk.images[i];

        if (!of->is_there)
            of->is_there = chance(2);
        forget_changes(of, apply_by_chance);
    }
}

/* SQLITE_OK, or why not. Under the lock. */
static int may_go_on(void)
{
    if (!disk.cut && disk.cut_in > 0 && --disk.cut_in == 0)
        cut();
    if (disk.cut || (disk.fail_one_of && chance((uint64_t)disk.fail_one_of) == 0))
        return SQLITE_IOERR;
    return SQLITE_OK;
}

/* -- Files ------------------------------------------------------------------------------------- */

static sqlite3_file *real(sqlite3_file *of)
{
    return ((file *)of)->real;
}

static int on_close(sqlite3_file *of)
{
    return real(of)->pMethods->xClose(real(of));
}

static int on_read(sqlite3_file *of, void *to, int size, sqlite3_int64 at)
{
    return real(of)->pMethods->xRead(real(of), to, size, at);
}

static int64_t used(void)
{
    int64_t sum = 0;

    for (int i = 0; i < disk.count; i++)
        sum += disk.images[i].now;
    return sum;
}

static int on_write(sqlite3_file *of, const void *data, int size, sqlite3_int64 at)
{
    image *is = ((file *)of)->of;
    int code;

    pthread_mutex_lock(&disk.lock);
    code = may_go_on();
    if (code == SQLITE_OK && at + size > is->now && disk.limit >= 0 &&
        used() + at + size - is->now > disk.limit)
        code = SQLITE_FULL;
    if (code == SQLITE_OK) {
        note(is, at, data, size);
        is->now = at + size > is->now ? at + size : is->now;
    }
    pthread_mutex_unlock(&disk.lock);
    return code ? code : real(of)->pMethods->xWrite(real(of), data, size, at);
}

static int on_truncate(sqlite3_file *of, sqlite3_int64 size)
{
    image *is = ((file *)of)->of;
    int code;

    pthread_mutex_lock(&disk.lock);
    code = may_go_on();
    if (code == SQLITE_OK) {
        note(is, size, NULL, 0);
        is->now = size < is->now ? size : is->now;
    }
    pthread_mutex_unlock(&disk.lock);
    return code ? code : real(of)->pMethods->xTruncate(real(of), size);
}

/* With its entry in the folder, as SQLite syncs that with a new file. The real one is not: power is
 * not cut but here. */
static int on_sync(sqlite3_file *of, int flags)
{
    image *is = ((file *)of)->of;
    int code;

    (void)flags;
    pthread_mutex_lock(&disk.lock);
    code = may_go_on();
    if (code == SQLITE_OK) {
        is->is_there = true;
        disk.syncs++;
        forget_changes(is, apply);
    }
    pthread_mutex_unlock(&disk.lock);
    return code;
}

static int on_size(sqlite3_file *of, sqlite3_int64 *size)
{
    return real(of)->pMethods->xFileSize(real(of), size);
}

static int on_lock(sqlite3_file *of, int how)
{
    return real(of)->pMethods->xLock(real(of), how);
}

static int on_unlock(sqlite3_file *of, int how)
{
    return real(of)->pMethods->xUnlock(real(of), how);
}

static int on_look(sqlite3_file *of, int *out)
{
    return real(of)->pMethods->xCheckReservedLock(real(of), out);
}

static int on_control(sqlite3_file *of, int what, void *value)
{
    if (what == SQLITE_FCNTL_SIZE_HINT)
        return SQLITE_OK; /* it would make the file larger than what was written */
    return real(of)->pMethods->xFileControl(real(of), what, value);
}

static int on_sector(sqlite3_file *of)
{
    (void)of;
    return SECTOR;
}

/* None: a write may be torn, and those that follow each other be swapped. */
static int on_promises(sqlite3_file *of)
{
    (void)of;
    return 0;
}

/* Of version 1: there is no shared memory and no map, as there is to be none. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_look,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_promises,
};

/* -- The disk ---------------------------------------------------------------------------------- */

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *of, int flags, int *out)
{
    file *is = (file *)of;
    sqlite3_int64 size = 0;
    int code;

    (void)vfs;
    is->real = (sqlite3_file *)&is[1];
    is->base.pMethods = NULL;
    code = disk.real->xOpen(disk.real, name, is->real, flags, out);
    if (code != SQLITE_OK)
        return code;
    if (!name) {
        fail_msg("a temporary file was opened");
        return SQLITE_CANTOPEN;
    }
    is->real->pMethods->xFileSize(is->real, &size);
    pthread_mutex_lock(&disk.lock);
    is->of = image_of(name);
    is->of->now = size;
    if (flags & SQLITE_OPEN_MAIN_DB)
        is->of->is_there = true; /* made, and its folder synced, before SQLite has it */
    pthread_mutex_unlock(&disk.lock);
    is->base.pMethods = &methods;
    return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    image *of;

    (void)vfs;
    pthread_mutex_lock(&disk.lock);
    of = image_of(name);
    if (!disk.cut) {
        forget_changes(of, NULL);
        of->size = of->now = 0;
        of->is_there = false; /* at the latest: it was not in use any more */
    }
    pthread_mutex_unlock(&disk.lock);
    return disk.cut ? SQLITE_IOERR : disk.real->xDelete(disk.real, name, sync);
}

void disk_begin(uint64_t seed)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "isw-disk";
    disk.vfs.pNext = NULL;
    disk.vfs.szOsFile = (int)sizeof(file) + disk.real->szOsFile;
    disk.vfs.xOpen = on_open;
    disk.vfs.xDelete = on_delete;
    disk.seed = seed;
    disk.cut = false;
    disk.cut_in = disk.fail_one_of = disk.syncs = 0;
    disk.limit = -1;
    assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

void disk_end(void)
{
    sqlite3_vfs_unregister(&disk.vfs);
    sqlite3_vfs_register(disk.real, 1);
    for (int i = 0; i < disk.count; i++) {
        forget_changes(&disk.images[i], NULL);
        free(disk.images[i].data);
    }
    memset(disk.images, 0, sizeof disk.images);
    disk.count = 0;
}

static void set(int *what, int value)
{
    pthread_mutex_lock(&disk.lock);
    *what = value;
    pthread_mutex_unlock(&disk.lock);
}

void disk_cut_after(int operations)
{
    set(&disk.cut_in, operations);
}

void disk_fail_one_of(int operations)
{
    set(&disk.fail_one_of, operations);
}

bool disk_is_cut(void)
{
    bool is;

    pthread_mutex_lock(&disk.lock);
    is = disk.cut;
    pthread_mutex_unlock(&disk.lock);
    return is;
}

void disk_limit(int64_t bytes)
{
    pthread_mutex_lock(&disk.lock);
    disk.limit = bytes;
    pthread_mutex_unlock(&disk.lock);
}

int64_t disk_used(void)
{
    int64_t sum;

    pthread_mutex_lock(&disk.lock);
    sum = used();
    pthread_mutex_unlock(&disk.lock);
    return sum;
}

int disk_syncs(void)
{
    int syncs;

    pthread_mutex_lock(&disk.lock);
    syncs = disk.syncs;
    pthread_mutex_unlock(&disk.lock);
    return syncs;
}

void disk_save(const char *folder)
{
    for (int i = 0; i < disk.count; i++) {
        const image *of = &disk.images[i];
        char path[256];
        FILE *out;

        if (!of->is_there)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, of->name);
        out = fopen(path, "wb");
        assert_non_null(out);
        if (of->size)
            assert_int_equal(fwrite(of->data, 1, (size_t)of->size, out), of->size);
        assert_int_equal(fclose(out), 0);
    }
}
