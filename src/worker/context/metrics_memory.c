/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series in memory that the host has given, so that they outlive a crash (PROTOCOL.md, section 15).
 * Invariant: a record is whole before its size is set, and neither changes nor goes, but for its
 * numbers.
 */
#include "worker/context/metrics.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "wire/metrics_memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct iswi_metrics_memory {
    iswi_counted_head head;
    unsigned char records[ISWI_METRICS_MEMORY_BYTES - sizeof(iswi_counted_head)];
};

/* NULL: it is none that we know. */
static iswi_metrics_memory *map(int fd)
{
    struct stat info;
    iswi_metrics_memory *memory;

    if (fstat(fd, &info) != 0 || info.st_size != ISWI_METRICS_MEMORY_BYTES)
        return NULL;
    memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (memory->head.magic == ISWI_METRICS_MEMORY_MAGIC &&
        memory->head.version == ISWI_METRICS_MEMORY_VERSION &&
        !atomic_exchange(&memory->head.taken, 1))
        return memory;
    munmap(memory, sizeof *memory);
    return NULL;
}

void iswi_metrics_attach(isw_metrics *metrics)
{
    const char *text = getenv("ISOWORKER_METRICS_FD");
    char *end;
    long fd = text && *text ? strtol(text, &end, 10) : -1;

    if (fd < 0 || fd > 65535 || *end || fcntl((int)fd, F_GETFD) < 0)
        return;
    unsetenv("ISOWORKER_METRICS_FD");
    metrics->memory = map((int)fd);
    close((int)fd);
}

void iswi_metrics_detach(isw_metrics *metrics)
{
    if (metrics->memory)
        munmap(metrics->memory, sizeof *metrics->memory);
    metrics->memory = NULL;
}

/* A frame of the series alone, that has not been told yet. */
static bool describe(isw_series *series, iswi_buffer *out)
{
    iswi_frame frame = { .kind = ISWI_METRICS };
    isw_error error = { ISW_OK, "" };
    iswi_arena arena;
    bool done;

    iswi_arena_init(&arena, 4096);
    done = iswi_metrics_tell_one(series, &arena, &frame.as.metrics) &&
           iswi_frame_encode(&frame, out, &error) == ISW_OK;
    iswi_arena_fini(&arena);
    return done;
}

/* Behind all others; NULL: there is no room. Only one thread of this process comes here at a time,
 * but a child that it has forked may, too. */
static iswi_counted_record *reserve(iswi_metrics_memory *memory, size_t size)
{
    uint64_t used = atomic_load(&memory->head.next);

    do {
        if (used > sizeof memory->records || size > sizeof memory->records - used)
            return NULL;
    } while (!atomic_compare_exchange_weak(&memory->head.next, &used, used + size));
    return (iswi_counted_record *)(memory->records + used);
}

void iswi_metrics_keep(isw_metrics *metrics, isw_series *series, size_t numbers)
{
    iswi_counted_record *record = NULL;
    iswi_buffer frame = { 0 };
    size_t size = 0;

    if (!metrics->memory)
        return;
    if (describe(series, &frame)) {
        size = (sizeof *record + numbers * sizeof *record->number + frame.size + 7) / 8 * 8;
        record = reserve(metrics->memory, size);
    }
    if (record) {
        record->numbers = (uint32_t)numbers;
        record->described = (uint32_t)frame.size;
        memcpy((void *)&record->number[numbers], frame.data, frame.size);
        atomic_store_explicit(&record->size, (uint32_t)size, memory_order_release);
        series->numbers = record->number;
        series->kept = true;
    } else {
        atomic_store(&metrics->memory->head.elsewhere, 1);
    }
    iswi_buffer_fini(&frame);
}

/* -- After a fork ------------------------------------------------------------------------------ */

/* Nobody else counts yet. */
static void move(isw_metrics *metrics, isw_series *series, size_t numbers)
{
    _Atomic uint64_t *before = series->numbers;
    uint64_t *counted = iswi_calloc(numbers, sizeof *counted);

    for (size_t i = 0; counted && i < numbers; i++)
        counted[i] = atomic_exchange(&before[i], 0);
    iswi_metrics_keep(metrics, series, numbers);
    for (size_t i = 0; counted && i < numbers; i++)
        atomic_store(&series->numbers[i], counted[i]);
    iswi_free(counted);
}

void iswi_metrics_forked(isw_metrics *metrics)
{
    iswi_metrics_attach(metrics);
    for (const iswi_family *family = metrics->first; metrics->memory && family;
         family = family->next)
        for (isw_series *series = family->first; series; series = series->sibling)
            move(metrics, series, family->metric.bound_count ? family->metric.bound_count + 2 : 1);
}
