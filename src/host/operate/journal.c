/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of lines. Invariant: entry number n, if it is kept, lies at n modulo the capacity, and the
 * kept ones are those from `oldest` to before `end`. */
#include "host/operate/journal.h"

#include "base/alloc.h"
#include "base/text.h"

#include <pthread.h>

/* One line in one block: three texts with their NULs, then the JSON. */
typedef struct entry {
    isw_log_level level;
    uint32_t category_at, invocation_at, json_at;
    size_t json_size;
    char text[];
} entry;

struct iswi_journal {
    pthread_mutex_t lock;
    entry **entries;
    size_t capacity;
    size_t bytes, bytes_most;
    uint64_t oldest, end;
    bool armed;
    void (*bell)(void *user);
    void *user;
};

iswi_journal *iswi_journal_create(size_t lines, size_t bytes, void (*bell)(void *user), void *user)
{
    iswi_journal *journal = iswi_calloc(1, sizeof *journal);

    if (!journal)
        return NULL;
    journal->entries = iswi_calloc(lines, sizeof *journal->entries);
    if (!journal->entries) {
        iswi_free(journal);
        return NULL;
    }
    pthread_mutex_init(&journal->lock, NULL);
    journal->capacity = lines;
    journal->bytes_most = bytes;
    journal->bell = bell;
    journal->user = user;
    return journal;
}

/* -- With the lock ----------------------------------------------------------------------------- */

static entry **slot(iswi_journal *journal, uint64_t number)
{
    return &journal->entries[number % journal->capacity];
}

static size_t weight(const entry *e)
{
    return e ? sizeof *e + e->json_at + e->json_size : 0;
}

static void drop_oldest(iswi_journal *journal)
{
    entry **at = slot(journal, journal->oldest++);

    journal->bytes -= weight(*at);
    iswi_free(*at);
    *at = NULL;
}

void iswi_journal_destroy(iswi_journal *journal)
{
    if (!journal)
        return;
    while (journal->oldest < journal->end)
        drop_oldest(journal);
    pthread_mutex_destroy(&journal->lock);
    iswi_free(journal->entries);
    iswi_free(journal);
}

/* -- More room, or less ------------------------------------------------------------------------ */

struct iswi_journal_room {
    size_t capacity;
    entry **entries;
};

iswi_journal_room *iswi_journal_room_make(size_t lines)
{
    iswi_journal_room *room = iswi_calloc(1, sizeof *room);

    if (!room)
        return NULL;
    room->capacity = lines;
    room->entries = iswi_calloc(lines, sizeof *room->entries);
    if (room->entries)
        return room;
    iswi_free(room);
    return NULL;
}

void iswi_journal_room_free(iswi_journal_room *room)
{
    if (!room)
        return;
    iswi_free(room->entries);
    iswi_free(room);
}

void iswi_journal_take_room(iswi_journal *journal, iswi_journal_room *room)
{
    entry **before = journal->entries;

    pthread_mutex_lock(&journal->lock);
    while (journal->end - journal->oldest > room->capacity)
        drop_oldest(journal);
    for (uint64_t at = journal->oldest; at < journal->end; at++)
        room->entries[at % room->capacity] = *slot(journal, at);
    journal->entries = room->entries;
    journal->capacity = room->capacity;
    pthread_mutex_unlock(&journal->lock);
    iswi_free(before);
    iswi_free(room);
}

/* -- Adding ------------------------------------------------------------------------------------ */

static uint32_t put(entry *e, uint32_t at, isw_str text)
{
    if (text.size)
        memcpy(e->text + at, text.data, text.size);
    e->text[at + text.size] = '\0';
    return at + (uint32_t)text.size + 1;
}

static entry *make_entry(const iswi_logline *line, const void *json, size_t size)
{
    size_t texts = line->function.size + line->category.size + line->invocation_id.size + 3;
    entry *e = iswi_alloc(sizeof *e + texts + size);

    if (!e)
        return NULL;
    e->level = line->level;
    e->category_at = put(e, 0, line->function);
    e->invocation_at = put(e, e->category_at, line->category);
    e->json_at = put(e, e->invocation_at, line->invocation_id);
    memcpy(e->text + e->json_at, json, size);
    e->json_size = size;
    return e;
}

void iswi_journal_add(iswi_journal *journal, const iswi_logline *line, const void *json,
                      size_t size)
{
    entry *e = make_entry(line, json, size);
    bool rings;

    pthread_mutex_lock(&journal->lock);
    while (journal->oldest < journal->end &&
           (journal->end - journal->oldest == journal->capacity ||
            journal->bytes + weight(e) > journal->bytes_most))
        drop_oldest(journal);
    *slot(journal, journal->end++) = e; /* NULL: a gap, which readers count as lost */
    journal->bytes += weight(e);
    rings = journal->armed;
    journal->armed = false;
    pthread_mutex_unlock(&journal->lock);
    if (rings)
        journal->bell(journal->user);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static bool passes(const entry *e, const iswi_journal_filter *filter)
{
    if (!e || e->level < filter->level)
        return false;
    if (filter->function && !iswi_glob_match(filter->function, e->text))
        return false;
    if (filter->category && !iswi_glob_match(filter->category, e->text + e->category_at))
        return false;
    return !filter->invocation || strncmp(e->text + e->invocation_at, filter->invocation,
                                          strlen(filter->invocation)) == 0;
}

uint64_t iswi_journal_tail(iswi_journal *journal, const iswi_journal_filter *filter, size_t last)
{
    uint64_t at;

    pthread_mutex_lock(&journal->lock);
    for (at = journal->end; at > journal->oldest && last; at--)
        last -= passes(*slot(journal, at - 1), filter);
    pthread_mutex_unlock(&journal->lock);
    return at;
}

void iswi_journal_read(iswi_journal *journal, const iswi_journal_filter *filter, uint64_t *next,
                       size_t most, iswi_buffer *out, uint64_t *lost)
{
    pthread_mutex_lock(&journal->lock);
    if (*next < journal->oldest) {
        *lost += journal->oldest - *next;
        *next = journal->oldest;
    }
    while (*next < journal->end && out->size < most) {
        const entry *e = *slot(journal, (*next)++);

        if (passes(e, filter))
            iswi_buffer_append(out, e->text + e->json_at, e->json_size);
        *lost += e == NULL;
    }
    pthread_mutex_unlock(&journal->lock);
}

bool iswi_journal_arm(iswi_journal *journal, uint64_t next)
{
    bool waits;

    pthread_mutex_lock(&journal->lock);
    waits = next >= journal->end;
    journal->armed = journal->armed || waits;
    pthread_mutex_unlock(&journal->lock);
    return waits;
}
