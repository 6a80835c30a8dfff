/* SPDX-License-Identifier: Apache-2.0 */
/* Files that were found, by name. */
#include "base/alloc.h"
#include "host/file/internal.h"

enum { BUCKETS_LEAST = 64 };

/* FNV-1a. */
uint64_t iswi_file_hash(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

static iswi_known_file **bucket_of(const iswi_known *known, const char *name)
{
    return &known->buckets[iswi_file_hash(name) % known->bucket_count];
}

iswi_known_file *iswi_known_find(const iswi_known *known, const char *name)
{
    iswi_known_file *file = known->count ? *bucket_of(known, name) : NULL;

    while (file && strcmp(file->name, name) != 0)
        file = file->next;
    return file;
}

iswi_known_file *iswi_known_next(const iswi_known *known, const iswi_known_file *file)
{
    size_t bucket = 0;

    if (file && file->next)
        return file->next;
    if (file)
        bucket = (size_t)(bucket_of(known, file->name) - known->buckets) + 1;
    while (bucket < known->bucket_count && !known->buckets[bucket])
        bucket++;
    return bucket < known->bucket_count ? known->buckets[bucket] : NULL;
}

static bool grow(iswi_known *known)
{
    iswi_known bigger = { .count = known->count };
    iswi_known_file *file;

    if (known->count < known->bucket_count)
        return true;
    bigger.bucket_count = known->bucket_count ? 2 * known->bucket_count : BUCKETS_LEAST;
    bigger.buckets = iswi_calloc(bigger.bucket_count, sizeof *bigger.buckets);
    if (!bigger.buckets)
        return false;
    for (size_t i = 0; i < known->bucket_count; i++)
        while ((file = known->buckets[i]) != NULL) {
            iswi_known_file **bucket = bucket_of(&bigger, file->name);

            known->buckets[i] = file->next;
            file->next = *bucket;
            *bucket = file;
        }
    iswi_free(known->buckets);
    *known = bigger;
    return true;
}

iswi_known_file *iswi_known_add(iswi_known *known, const char *name)
{
    iswi_known_file *file = iswi_known_find(known, name);
    size_t size = strlen(name) + 1;
    iswi_known_file **bucket;

    if (file || !grow(known) || !(file = iswi_calloc(1, sizeof *file + size)))
        return file;
    memcpy(file->name, name, size);
    bucket = bucket_of(known, name);
    file->next = *bucket;
    *bucket = file;
    known->count++;
    return file;
}

void iswi_known_remove(iswi_known *known, const char *name)
{
    iswi_known_file *file = iswi_known_find(known, name);
    iswi_known_file **at = file ? bucket_of(known, name) : NULL;

    if (!file)
        return;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    iswi_free(file);
    known->count--;
}

void iswi_known_clear(iswi_known *known)
{
    for (size_t i = 0; i < known->bucket_count; i++)
        while (known->buckets[i]) {
            iswi_known_file *file = known->buckets[i];

            known->buckets[i] = file->next;
            iswi_free(file);
        }
    iswi_free(known->buckets);
    *known = (iswi_known){ .count = 0 };
}
