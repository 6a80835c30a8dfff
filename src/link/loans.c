/* SPDX-License-Identifier: Apache-2.0 */
/* First fit among what is lent. Invariant: what the other side can write is one bit for each loan;
 * places and sizes are read from our own memory, or bounded before they are used. */
#include "link/loans.h"

#include <sys/mman.h>

enum {
    TRIM_NS_SECONDS = 5,
    TRIM_BYTES = 4 * 1024 * 1024, /* at a time: some 0.3 ms */
    ALIGNMENT = 64,
    PAGE = 64 * 1024 /* the largest there is */
};

#define TRIM_AFTER_NS ((int64_t)TRIM_NS_SECONDS * 1000000000)

static uint64_t round_up(uint64_t size, uint64_t to)
{
    return (size + to - 1) & ~(to - 1);
}

/* -- Lending ----------------------------------------------------------------------------------- */

static bool is_back(const iswi_lender *lender, unsigned number)
{
    return !atomic_load_explicit(&lender->arena.words->lent[number], memory_order_acquire);
}

/* Forget what came back. */
static void sweep(iswi_lender *lender)
{
    unsigned left = 0;

    for (unsigned i = 0; i < lender->count; i++) {
        unsigned number = lender->order[i];

        if (is_back(lender, number))
            lender->sizes[number] = 0;
        else
            lender->order[left++] = (uint16_t)number;
    }
    lender->count = left;
}

/* The first gap for `size` bytes: its offset, and its place in the order. */
static bool find_gap(const iswi_lender *lender, uint64_t size, uint64_t *offset, unsigned *place)
{
    *offset = 0;
    for (*place = 0; *place < lender->count; ++*place) {
        unsigned number = lender->order[*place];

        if (lender->offsets[number] - *offset >= size)
            return true;
        *offset = lender->offsets[number] + lender->sizes[number];
    }
    return lender->arena.size - *offset >= size;
}

static unsigned free_number(const iswi_lender *lender)
{
    unsigned number = 0;

    while (lender->sizes[number])
        number++;
    return number;
}

/* Memory is needed up to there. */
static void note_need(iswi_lender *lender, uint64_t end, int64_t now_ns)
{
    if (lender->touched == 0)
        lender->needed_ns = now_ns;
    if (lender->touched < end)
        lender->touched = end;
    if (lender->needed < end)
        lender->needed = end;
}

static uint64_t end_of_last(const iswi_lender *lender)
{
    unsigned number = lender->count ? lender->order[lender->count - 1] : 0;

    return lender->count ? lender->offsets[number] + lender->sizes[number] : 0;
}

void *iswi_lender_take(iswi_lender *lender, size_t size, int64_t now_ns, iswi_loan *loan)
{
    uint64_t rounded = round_up(size, ALIGNMENT);
    uint64_t offset;
    unsigned place;
    unsigned number;

    if (!size || size > lender->arena.size)
        return NULL;
    sweep(lender);
    if (lender->count == lender->arena.loans || !find_gap(lender, rounded, &offset, &place))
        return NULL;
    number = free_number(lender);
    memmove(&lender->order[place + 1], &lender->order[place],
            (lender->count - place) * sizeof lender->order[0]);
    lender->order[place] = (uint16_t)number;
    lender->count++;
    lender->offsets[number] = offset;
    lender->sizes[number] = rounded;
    lender->since_ns[number] = now_ns;
    note_need(lender, offset + rounded, now_ns);
    atomic_store_explicit(&lender->arena.words->lent[number], 1, memory_order_relaxed);
    *loan = (iswi_loan){ size, offset, number };
    return lender->arena.bytes + offset;
}

int64_t iswi_lender_oldest_ns(iswi_lender *lender)
{
    int64_t oldest = 0;

    sweep(lender);
    for (unsigned i = 0; i < lender->count; i++) {
        int64_t since = lender->since_ns[lender->order[i]];

        if (!oldest || since < oldest)
            oldest = since;
    }
    return oldest;
}

bool iswi_lender_trim(iswi_lender *lender, int64_t now_ns)
{
    uint64_t end = round_up(lender->touched, PAGE);
    uint64_t least; /* what is to stay */
    uint64_t from;

    if (end == 0 || now_ns - lender->needed_ns < TRIM_AFTER_NS)
        return false;
    sweep(lender);
    if (lender->needed < end_of_last(lender))
        lender->needed = end_of_last(lender);
    least = round_up(lender->needed, PAGE);
    from = end - least > TRIM_BYTES ? end - TRIM_BYTES : least;
    if (from < end) {
        madvise(lender->arena.bytes + from, end - from, MADV_REMOVE);
        lender->touched = from;
    }
    if (from > least)
        return true;
    lender->needed = 0; /* and see what is from now on */
    lender->needed_ns = now_ns;
    return false;
}

/* -- Borrowing --------------------------------------------------------------------------------- */

void iswi_borrower_release(iswi_borrower *borrower)
{
    if (atomic_fetch_sub_explicit(&borrower->holders, 1, memory_order_acq_rel) == 1)
        borrower->end(borrower);
}

static const iswi_arena_memory *arena_of(const iswi_borrower *borrower)
{
    return atomic_load_explicit(&borrower->is_wide, memory_order_acquire) ? &borrower->wide
                                                                          : &borrower->arena;
}

static void set_back(iswi_borrower *borrower, unsigned number)
{
    atomic_store_explicit(&arena_of(borrower)->words->lent[number], 0, memory_order_release);
}

static void give_back(iswi_message *message)
{
    iswi_borrowed *borrowed = (iswi_borrowed *)message; /* the first member */
    iswi_borrower *borrower = borrowed->borrower;

    atomic_fetch_sub_explicit(&borrower->bytes, message->bytes.size, memory_order_relaxed);
    /* Before the word, upon which the other side may lend it again. */
    atomic_store_explicit(&borrowed->held, false, memory_order_release);
    set_back(borrower, (unsigned)(borrowed - borrower->borrowed));
    iswi_borrower_release(borrower);
}

static isw_status copy(iswi_borrower *borrower, const iswi_loan *loan, iswi_message **out)
{
    *out = iswi_message_copy(arena_of(borrower)->bytes + loan->offset, (size_t)loan->size);
    if (!*out)
        return ISW_E_NO_MEMORY;
    set_back(borrower, loan->number);
    return ISW_OK;
}

static isw_status view(iswi_borrower *borrower, const iswi_loan *loan, iswi_message **out)
{
    iswi_borrowed *borrowed = &borrower->borrowed[loan->number];

    atomic_fetch_add_explicit(&borrower->holders, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&borrower->bytes, (size_t)loan->size, memory_order_relaxed);
    atomic_store_explicit(&borrowed->held, true, memory_order_relaxed);
    borrowed->borrower = borrower;
    borrowed->message.bytes =
        (isw_bytes){ arena_of(borrower)->bytes + loan->offset, (size_t)loan->size };
    borrowed->message.end = give_back;
    atomic_store(&borrowed->message.holders, 1);
    *out = &borrowed->message;
    return ISW_OK;
}

static bool can_be(const iswi_borrower *borrower, const iswi_loan *loan)
{
    const iswi_arena_memory *arena = arena_of(borrower);

    return loan->number < arena->loans && loan->offset <= arena->size &&
           loan->size <= arena->size - loan->offset &&
           !atomic_load_explicit(&borrower->borrowed[loan->number].held, memory_order_acquire);
}

isw_status iswi_borrower_message(iswi_borrower *borrower, const iswi_loan *loan,
                                 iswi_message **out)
{
    if (!can_be(borrower, loan))
        return ISW_E_PROTOCOL;
    return borrower->copies ? copy(borrower, loan, out) : view(borrower, loan, out);
}

isw_status iswi_borrower_apart(iswi_borrower *borrower, const iswi_loan *loan, iswi_message **out)
{
    if (!can_be(borrower, loan))
        return ISW_E_PROTOCOL;
    return atomic_load_explicit(&borrower->bytes, memory_order_relaxed) + loan->size >
                   arena_of(borrower)->size / 2
               ? copy(borrower, loan, out)
               : view(borrower, loan, out);
}
