/* SPDX-License-Identifier: Apache-2.0 */
/* Writing under one lock, reading under another. Invariant: what is read is read under `reading`,
 * so that events come one at a time, and on_closed last. */
#include "link/ring_end.h"

#include "base/clock.h"

#include <stddef.h>

enum {
    SILENCE_NS = 100000000, /* after which we may take time to give memory back */
    TRIM_EVERY_NS = 1000000000 /* a part of it, if there is no silence */
};

/* The end is done with, and nothing that lies in its memory is held any more. */
static void on_released(iswi_borrower *borrower)
{
    iswi_ring_end *end = (iswi_ring_end *)((char *)borrower - offsetof(iswi_ring_end, borrower));

    iswi_ring_memory_unmap(&end->memory);
    end->gone(end);
}

void iswi_ring_end_init(iswi_ring_end *end, const iswi_ring_options *options,
                        const iswi_link_events *events, void (*gone)(iswi_ring_end *end))
{
    iswi_ring_memory *memory = &end->memory;
    bool is_host = options->is_host;

    end->events = *events;
    end->gone = gone;
    end->memory = options->memory;
    end->in = is_host ? &memory->up : &memory->down;
    end->out = end->writer.ring = is_host ? &memory->down : &memory->up;
    end->writer.lender.arena = is_host ? memory->down_arena : memory->up_arena;
    end->borrower.arena = is_host ? memory->up_arena : memory->down_arena;
    end->borrower.wide = is_host ? memory->up_wide : memory->down_wide;
    end->borrower.copies = is_host;
    end->borrower.end = on_released;
    atomic_init(&end->borrower.holders, 1);
    end->reader.borrower = &end->borrower;
    end->reader.greeted = true;
    pthread_mutex_init(&end->lock, NULL);
    pthread_mutex_init(&end->reading, NULL);
}

void iswi_ring_end_fini(iswi_ring_end *end)
{
    iswi_ring_writer_fini(&end->writer);
    iswi_sp_reader_fini(&end->reader);
    pthread_mutex_destroy(&end->reading);
    pthread_mutex_destroy(&end->lock);
    iswi_borrower_release(&end->borrower);
}

/* -- Writing ----------------------------------------------------------------------------------- */

void iswi_ring_end_upgrade(iswi_ring_end *end)
{
    pthread_mutex_lock(&end->lock);
    end->upgraded = true;
    pthread_mutex_unlock(&end->lock);
}

void iswi_ring_end_agree(iswi_ring_end *end, unsigned extras)
{
    bool is_host = end->borrower.copies;

    pthread_mutex_lock(&end->lock);
    if (extras & ISWI_LINK_WIDE)
        end->writer.lender.arena = is_host ? end->memory.down_wide : end->memory.up_wide;
    end->apart = extras & ISWI_LINK_APART && !is_host; /* a worker sends so, */
    pthread_mutex_unlock(&end->lock);
    if (extras & ISWI_LINK_WIDE)
        atomic_store(&end->borrower.is_wide, true);
    atomic_store(&end->marks, extras & ISWI_LINK_BEGUN);
    atomic_store(&end->reader.takes_apart, extras & ISWI_LINK_APART && is_host); /* a host takes it */
}

/* With the lock: something was written, or was to be. What waits is said before the writer asks for
 * room (again), so that whoever is woken for that knows. */
static void settle(iswi_ring_end *end)
{
    end->writer.quiet = false;
    if (iswi_ring_writer_waits(&end->writer)) {
        atomic_store(&end->waits, true);
        iswi_ring_writer_flush(&end->writer);
    }
    if (end->writer.broken)
        iswi_link_close(end->inner);
}

isw_status iswi_ring_end_send(iswi_ring_end *end, const isw_bytes *pieces, unsigned count,
                              unsigned apart, bool quiet)
{
    isw_status status;

    pthread_mutex_lock(&end->lock);
    end->writer.quiet = quiet;
    if (!end->upgraded) {
        status = iswi_link_send_pieces(end->inner, pieces, count);
    } else if (end->closed) {
        status = ISW_E_CLOSED;
    } else {
        status = end->apart && apart < count
                     ? iswi_ring_writer_send_apart(&end->writer, pieces, count, apart)
                     : iswi_ring_writer_send(&end->writer, pieces, count);
        settle(end);
    }
    pthread_mutex_unlock(&end->lock);
    return status;
}

void iswi_ring_end_wake(iswi_ring_end *end)
{
    iswi_ring_wake(end->out);
}

void iswi_ring_end_flush(iswi_ring_end *end)
{
    if (!atomic_load(&end->waits))
        return;
    pthread_mutex_lock(&end->lock);
    atomic_store(&end->waits, false);
    if (!end->closed)
        settle(end);
    pthread_mutex_unlock(&end->lock);
}

/* -- Reading ----------------------------------------------------------------------------------- */

size_t iswi_ring_end_take(iswi_ring_end *end)
{
    bool cramped = false;
    size_t got = 0;
    void *at;
    size_t room;

    pthread_mutex_lock(&end->reading);
    if (!end->broken && !end->told) {
        end->broken = iswi_sp_reader_space(&end->reader, &at, &room) != ISW_OK;
        if (!end->broken)
            got = iswi_ring_read(end->in, at, room, &cramped, &end->broken);
        if (got)
            end->broken = iswi_sp_reader_deliver(&end->reader, got, end->events.on_message,
                                                 end->events.user) != ISW_OK;
        if (end->broken)
            iswi_link_close(end->inner);
    }
    pthread_mutex_unlock(&end->reading);
    if (cramped)
        iswi_ring_wake_always(end->out);
    return got;
}

bool iswi_ring_end_has_input(iswi_ring_end *end)
{
    bool ready;

    pthread_mutex_lock(&end->reading);
    ready = !end->broken && !end->told && iswi_ring_ready(end->in);
    pthread_mutex_unlock(&end->reading);
    return ready;
}

bool iswi_ring_end_is_told(iswi_ring_end *end)
{
    bool told;

    pthread_mutex_lock(&end->reading);
    told = end->told;
    pthread_mutex_unlock(&end->reading);
    return told;
}

/* Give memory back that is not used: all of it after some silence, else a part. */
static void trim(iswi_ring_end *end, int64_t now_ns, bool silent)
{
    bool more;

    end->trimmed_ns = now_ns;
    do {
        pthread_mutex_lock(&end->lock);
        more = iswi_lender_trim(&end->writer.lender, now_ns);
        pthread_mutex_unlock(&end->lock);
    } while (more && silent && !iswi_ring_ready(end->in));
}

void iswi_ring_end_note_work(iswi_ring_end *end)
{
    int64_t now_ns = iswi_lately_ns();
    int64_t before_ns = atomic_load_explicit(&end->busy_ns, memory_order_relaxed);
    bool silent = now_ns - before_ns >= SILENCE_NS;

    atomic_store_explicit(&end->busy_ns, now_ns, memory_order_relaxed);
    if (silent || now_ns - end->trimmed_ns >= TRIM_EVERY_NS)
        trim(end, now_ns, silent);
}

void iswi_ring_end_tell_closed(iswi_ring_end *end)
{
    pthread_mutex_lock(&end->reading);
    if (!end->told)
        end->events.on_closed(end->events.user);
    end->told = true;
    pthread_mutex_unlock(&end->reading);
}
