/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: only the reactor's thread reads, so that a look at the ring needs no lock. */
#include "link/ring_source.h"

static iswi_ring_source *of(const iswi_source *source)
{
    return (iswi_ring_source *)source; /* the first member */
}

static bool is_ready(const iswi_source *source)
{
    const iswi_ring_end *end = of(source)->end;

    return iswi_ring_ready(end->in) && !end->broken && !end->told;
}

static void take_turn(iswi_source *source)
{
    iswi_ring_end *end = of(source)->end;

    atomic_store_explicit(&of(source)->armed, false, memory_order_relaxed);
    if (!of(source)->heard && is_ready(source)) {
        of(source)->heard = true;
        iswi_ring_end_upgrade(end);
    }
    if (iswi_ring_end_take(end))
        iswi_ring_end_note_work(end);
    iswi_ring_end_flush(end);
}

static void arm(iswi_source *source, bool armed)
{
    atomic_store_explicit(&of(source)->armed, armed, memory_order_release);
    if (armed)
        iswi_ring_set_sleeps(of(source)->end->in, true);
    else
        iswi_ring_stay_awake(of(source)->end->in);
}

bool iswi_ring_source_begin(iswi_ring_source *source, iswi_ring_end *end, iswi_reactor *reactor,
                            int bell)
{
    source->end = end;
    source->source =
        (iswi_source){ .ready = is_ready, .turn = take_turn, .arm = arm, .bell = bell };
    source->reads = iswi_source_begin(reactor, &source->source);
    return source->reads;
}

void iswi_ring_source_stop(iswi_ring_source *source)
{
    if (!source->reads)
        return;
    source->reads = false;
    atomic_store(&source->armed, false);
    iswi_source_end(&source->source);
}

void iswi_ring_source_end(iswi_ring_source *source)
{
    int64_t left = ISWI_RING_BYTES;
    size_t got;

    while (left > 0 && (got = iswi_ring_end_take(source->end)) != 0)
        left -= (int64_t)got;
    iswi_ring_source_stop(source);
    iswi_ring_end_tell_closed(source->end);
}
