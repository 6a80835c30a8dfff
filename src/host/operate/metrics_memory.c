/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a worker counts. Invariant: the worker may write anything there at any time, so each
 * value is looked at in a copy, and each size is held to what is there. */
#include "host/operate/metrics_memory.h"

#include "base/alloc.h"
#include "wire/metrics_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BYTES = ISWI_METRICS_MEMORY_BYTES,
    NUMBERS_MAX = 2 + ISWI_METRIC_BOUNDS_MAX, /* a sum, and a count for each bucket */
    FRAME_BYTES = 4096
};

void iswi_metrics_memory_init(iswi_metrics_memory *memory)
{
    *memory = (iswi_metrics_memory){ .fd = -1 };
    pthread_mutex_init(&memory->lock, NULL);
}

void iswi_metrics_memory_fini(iswi_metrics_memory *memory)
{
    iswi_metrics_memory_end(memory);
    iswi_free(memory->told);
    pthread_mutex_destroy(&memory->lock);
}

/* With the lock. */
static void drop(iswi_metrics_memory *memory)
{
    if (memory->base)
        munmap(memory->base, BYTES);
    if (memory->fd >= 0)
        close(memory->fd);
    memory->base = NULL;
    memory->fd = -1;
}

/* The same. False: there is none to be had. */
static bool make(iswi_metrics_memory *memory)
{
    void *base;

    memory->fd = memfd_create("isoworker-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory->fd < 0 || ftruncate(memory->fd, BYTES) != 0 ||
        fcntl(memory->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return false;
    base = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
    if (base == MAP_FAILED)
        return false;
    memory->base = base;
    return true;
}

int iswi_metrics_memory_begin(iswi_metrics_memory *memory)
{
    iswi_counted_head *head;
    int fd;

    pthread_mutex_lock(&memory->lock);
    drop(memory);
    memory->broken = false;
    memory->known = 0;
    if (make(memory)) {
        head = (iswi_counted_head *)memory->base;
        head->magic = ISWI_METRICS_MEMORY_MAGIC;
        head->version = ISWI_METRICS_MEMORY_VERSION;
    } else {
        drop(memory);
    }
    fd = memory->fd;
    pthread_mutex_unlock(&memory->lock);
    return fd;
}

void iswi_metrics_memory_end(iswi_metrics_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    drop(memory);
    pthread_mutex_unlock(&memory->lock);
}

bool iswi_metrics_memory_says_all(iswi_metrics_memory *memory)
{
    const iswi_counted_head *head;
    bool all;

    pthread_mutex_lock(&memory->lock);
    head = (const iswi_counted_head *)memory->base;
    all = head && atomic_load(&head->taken) && !atomic_load(&head->elsewhere);
    pthread_mutex_unlock(&memory->lock);
    return all;
}

/* -- One record -------------------------------------------------------------------------------- */

/* A copy of it. */
typedef struct record {
    size_t at, size, numbers, described;
    const _Atomic uint64_t *shared; /* where its numbers are */
    uint64_t number[NUMBERS_MAX];
} record;

typedef struct reading {
    iswi_metrics_memory *memory;
    iswi_metrics_table *table;
    iswi_metrics_share *share;
    const void *process;
    iswi_arena arena; /* of one record */
    size_t index;     /* of the record, */
    size_t told;      /* and of its first number in memory->told */
} reading;

static isw_status refuse(const record *r, const char *why, isw_error *error)
{
    return isw_error_set(error, ISW_E_PROTOCOL, "the record at byte %zu %s", r->at, why);
}

/* ISW_E_NOT_FOUND: there are no more. */
static isw_status copy(const reading *t, record *r, isw_error *error)
{
    const iswi_counted_record *shared = (const void *)(t->memory->base + r->at);

    if (BYTES - r->at < sizeof *shared)
        return ISW_E_NOT_FOUND;
    r->size = atomic_load_explicit(&shared->size, memory_order_acquire);
    if (!r->size)
        return ISW_E_NOT_FOUND;
    r->numbers = *(const volatile uint32_t *)&shared->numbers;
    r->described = *(const volatile uint32_t *)&shared->described;
    if (t->index == ISWI_METRICS_MEMORY_RECORDS)
        return refuse(r, "is one more than may be", error);
    if (r->size % 8 || r->size > BYTES - r->at)
        return refuse(r, "is longer than what is there", error);
    if (!r->numbers || r->numbers > NUMBERS_MAX || r->described > r->size ||
        sizeof *shared + r->numbers * sizeof *r->number + r->described > r->size)
        return refuse(r, "has no room for its numbers", error);
    r->shared = shared->number;
    for (size_t i = 0; i < r->numbers; i++)
        r->number[i] = atomic_load_explicit(&r->shared[i], memory_order_relaxed);
    return ISW_OK;
}

/* What its numbers are, from a copy of the frame. */
static isw_status describe(reading *t, const record *r, iswi_frame *frame, isw_error *error)
{
    unsigned char *bytes = iswi_arena_alloc(&t->arena, r->described + 1);
    const iswi_wire_metrics *metrics = &frame->as.metrics;
    const iswi_wire_family *family;
    size_t used = 0;
    bool histogram;

    if (!bytes)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory to read it");
    memcpy(bytes, (const void *)&r->shared[r->numbers], r->described);
    if (iswi_frame_decode(bytes, r->described, &t->arena, frame, &used, error) != ISW_OK)
        return error->status;
    if (frame->kind != ISWI_METRICS || metrics->families.count != 1 ||
        metrics->families.items[0].series.count != 1)
        return refuse(r, "is not of one series", error);
    family = &metrics->families.items[0];
    histogram = family->type == ISWI_METRIC_HISTOGRAM;
    if (histogram && family->bounds.type != ISW_VALUE_ARRAY)
        return refuse(r, "has no bounds", error);
    return r->numbers == (histogram ? family->bounds.as.array.count + 2 : 1)
               ? ISW_OK
               : refuse(r, "has not as many numbers as its metric", error);
}

static double as_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* How it has changed goes to the table. */
static isw_status take(reading *t, const record *r, const uint64_t *told, isw_error *error)
{
    isw_value counts[NUMBERS_MAX];
    double value = as_double(r->number[0]);
    iswi_wire_family family;
    iswi_wire_series series;
    iswi_frame frame;

    if (describe(t, r, &frame, error) != ISW_OK)
        return error->status;
    family = frame.as.metrics.families.items[0];
    series = family.series.items[0];
    if (family.type != ISWI_METRIC_GAUGE)
        value -= as_double(told[0]);
    series.value = isw_value_double(value);
    for (size_t i = 1; i < r->numbers; i++)
        counts[i - 1] = isw_value_int((int64_t)(r->number[i] - told[i]));
    series.counts = isw_value_array(counts, r->numbers - 1);
    family.series.items = &series;
    frame.as.metrics.families.items = &family;
    return iswi_metrics_take(t->table, t->share, t->process, &frame.as.metrics, error);
}

/* -- All --------------------------------------------------------------------------------------- */

/* Zeros for a record that is new. False: no memory. */
static bool make_room(const reading *t, const record *r)
{
    iswi_metrics_memory *memory = t->memory;

    while (t->told + r->numbers > memory->told_capacity)
        if (!iswi_grow(&memory->told, &memory->told_capacity, memory->told_capacity,
                       sizeof *memory->told))
            return false;
    memset(memory->told + t->told, 0, r->numbers * sizeof *memory->told);
    return true;
}

static isw_status read_one(reading *t, const record *r, isw_error *error)
{
    bool is_new = t->index >= t->memory->known;
    uint64_t *told;

    if (is_new && !make_room(t, r))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory to read it");
    if (t->told + r->numbers > t->memory->told_capacity)
        return refuse(r, "has more numbers than it had", error);
    told = t->memory->told + t->told;
    if (!is_new && memcmp(told, r->number, r->numbers * sizeof *told) == 0)
        return ISW_OK;
    iswi_arena_reset(&t->arena);
    if (take(t, r, told, error) != ISW_OK)
        return error->status;
    memcpy(told, r->number, r->numbers * sizeof *told);
    if (is_new)
        t->memory->known = t->index + 1;
    return ISW_OK;
}

static isw_status read_all(reading *t, isw_error *error)
{
    record r = { .at = sizeof(iswi_counted_head) };
    isw_status status;

    while ((status = copy(t, &r, error)) == ISW_OK) {
        status = read_one(t, &r, error);
        if (status != ISW_OK)
            return status;
        t->index++;
        t->told += r.numbers;
        r.at += r.size;
    }
    return status == ISW_E_NOT_FOUND ? ISW_OK : status;
}

isw_status iswi_metrics_memory_read(iswi_metrics_memory *memory, iswi_metrics_table *table,
                                    iswi_metrics_share *share, const void *process,
                                    isw_error *error)
{
    reading t = { .memory = memory, .table = table, .share = share, .process = process };
    isw_status status = ISW_OK;

    iswi_arena_init(&t.arena, FRAME_BYTES);
    pthread_mutex_lock(&memory->lock);
    if (memory->base && !memory->broken)
        status = read_all(&t, error);
    if (status == ISW_E_PROTOCOL)
        memory->broken = true;
    pthread_mutex_unlock(&memory->lock);
    iswi_arena_fini(&t.arena);
    return status == ISW_E_PROTOCOL ? status : ISW_OK; /* else the next time has it */
}
