/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader takes whatever arrives in one chunk, so that a burst of small messages costs one read.
 * Invariant: a length is checked before memory is taken for it, and a large message is taken piece
 * by piece into its own memory, which the chunk only begins.
 */
#include "link/sp.h"

#include "base/alloc.h"
#include "wire/limits.h"

const unsigned char iswi_sp_greeting[ISWI_SP_GREETING_BYTES] = { 0, 'S', 'P', 0, 0, 0x10, 0, 0 };

static void put_number(unsigned char *at, int bytes, uint64_t number)
{
    for (int i = bytes - 1; i >= 0; i--, number >>= 8)
        at[i] = (unsigned char)number;
}

static uint64_t get_number(const unsigned char *at, int bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

void iswi_sp_head(size_t size, unsigned char head[ISWI_SP_HEAD_BYTES])
{
    head[0] = 1;
    put_number(head + 1, 8, size);
}

void iswi_sp_loan_record(const iswi_loan *loan, unsigned char record[ISWI_SP_LOAN_BYTES])
{
    record[0] = 2;
    put_number(record + 1, 8, loan->size);
    put_number(record + 9, 8, loan->offset);
    put_number(record + 17, 4, loan->number);
}

void iswi_sp_apart_record(const iswi_loan *loan, size_t rest,
                          unsigned char record[ISWI_SP_APART_BYTES])
{
    iswi_sp_loan_record(loan, record);
    record[0] = 3;
    put_number(record + ISWI_SP_LOAN_BYTES, 8, rest);
}

static iswi_loan get_loan(const unsigned char *record)
{
    return (iswi_loan){ .size = get_number(record + 1, 8),
                        .offset = get_number(record + 9, 8),
                        .number = (uint32_t)get_number(record + 17, 4) };
}

void iswi_sp_reader_fini(iswi_sp_reader *reader)
{
    iswi_message_release(reader->large);
    iswi_free(reader->chunk);
    memset(reader, 0, sizeof *reader);
}

static size_t chunk_of(const iswi_sp_reader *reader)
{
    return reader->chunk_bytes ? reader->chunk_bytes : ISWI_SP_CHUNK_BYTES;
}

isw_status iswi_sp_reader_space(iswi_sp_reader *reader, void **at, size_t *size)
{
    if (reader->large) {
        *at = reader->large_bytes + reader->large_have;
        *size = reader->large_size - reader->large_have;
        return ISW_OK;
    }
    if (!reader->chunk && !(reader->chunk = iswi_alloc(chunk_of(reader))))
        return ISW_E_NO_MEMORY;
    if (reader->begin) {
        memmove(reader->chunk, reader->chunk + reader->begin, reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->begin = 0;
    }
    *at = reader->chunk + reader->end;
    *size = chunk_of(reader) - reader->end;
    return ISW_OK;
}

static isw_status take_large(iswi_sp_reader *reader, iswi_message **out)
{
    if (reader->large_have == reader->large_size) {
        *out = reader->large;
        reader->large = NULL;
    }
    return ISW_OK;
}

/* The chunk holds less than all of it, so that it is never whole yet. */
static isw_status begin_large(iswi_sp_reader *reader, size_t size)
{
    void *bytes;

    reader->large = iswi_message_create(size, &bytes);
    if (!reader->large)
        return ISW_E_NO_MEMORY;
    reader->large_bytes = bytes;
    reader->large_size = size;
    reader->large_have = reader->end - reader->begin;
    memcpy(bytes, reader->chunk + reader->begin, reader->large_have);
    reader->begin = reader->end = 0;
    return ISW_OK;
}

static isw_status take_greeting(iswi_sp_reader *reader)
{
    if (memcmp(reader->chunk + reader->begin, iswi_sp_greeting, ISWI_SP_GREETING_BYTES) != 0)
        return ISW_E_PROTOCOL;
    reader->begin += ISWI_SP_GREETING_BYTES;
    reader->greeted = true;
    return ISW_OK;
}

static isw_status take_loan(iswi_sp_reader *reader, iswi_message **out)
{
    const unsigned char *record = reader->chunk + reader->begin;
    iswi_loan loan;

    if (reader->end - reader->begin < ISWI_SP_LOAN_BYTES)
        return ISW_OK;
    loan = get_loan(record);
    reader->begin += ISWI_SP_LOAN_BYTES;
    return iswi_borrower_message(reader->borrower, &loan, out);
}

/* Hand on the next `size` bytes, where they lie. */
static iswi_message *view_next(iswi_sp_reader *reader, size_t size)
{
    reader->view = iswi_message_view(reader->chunk + reader->begin, size);
    reader->begin += size;
    return &reader->view;
}

/* One of which a part lies apart; all that may come of it before fits into the chunk. */
static isw_status take_apart(iswi_sp_reader *reader, iswi_message **out)
{
    const unsigned char *record = reader->chunk + reader->begin;
    iswi_message *part;
    iswi_loan loan;
    uint64_t rest;
    isw_status status;

    if (reader->end - reader->begin < ISWI_SP_APART_BYTES)
        return ISW_OK;
    loan = get_loan(record);
    rest = get_number(record + ISWI_SP_LOAN_BYTES, 8);
    if (rest > ISWI_SP_APART_REST_MOST || rest >= loan.size)
        return ISW_E_PROTOCOL;
    if (reader->end - reader->begin - ISWI_SP_APART_BYTES < rest)
        return ISW_OK;
    status = iswi_borrower_apart(reader->borrower, &loan, &part);
    if (status != ISW_OK)
        return status;
    reader->begin += ISWI_SP_APART_BYTES;
    *out = view_next(reader, (size_t)rest);
    reader->view.apart = part;
    return ISW_OK;
}

/* The next whole message, held once; NULL when more bytes are needed. One that lies in the chunk is
 * a view, over with the next call. */
static isw_status next_message(iswi_sp_reader *reader, iswi_message **out)
{
    const unsigned char *head;
    uint64_t size;

    *out = NULL;
    if (reader->large)
        return take_large(reader, out);
    if (!reader->greeted) {
        if (reader->end - reader->begin < ISWI_SP_GREETING_BYTES)
            return ISW_OK;
        if (take_greeting(reader) != ISW_OK)
            return ISW_E_PROTOCOL;
    }
    if (reader->end - reader->begin < ISWI_SP_HEAD_BYTES)
        return ISW_OK;
    head = reader->chunk + reader->begin;
    if (head[0] == 2 && reader->borrower)
        return take_loan(reader, out);
    if (head[0] == 3 && reader->takes_apart)
        return take_apart(reader, out);
    size = get_number(head + 1, 8);
    if (head[0] != 1 || size > ISWI_MESSAGE_MAX_BYTES)
        return ISW_E_PROTOCOL;
    if (size > chunk_of(reader) - ISWI_SP_HEAD_BYTES) {
        reader->begin += ISWI_SP_HEAD_BYTES;
        return begin_large(reader, (size_t)size);
    }
    if (reader->end - reader->begin - ISWI_SP_HEAD_BYTES < size)
        return ISW_OK;
    reader->begin += ISWI_SP_HEAD_BYTES;
    *out = view_next(reader, (size_t)size);
    return ISW_OK;
}

isw_status iswi_sp_reader_deliver(iswi_sp_reader *reader, size_t size,
                                  void (*take)(void *user, iswi_message *message), void *user)
{
    iswi_message *message;

    if (reader->large)
        reader->large_have += size;
    else
        reader->end += size;
    do {
        isw_status status = next_message(reader, &message);

        if (status != ISW_OK)
            return status;
        if (message)
            take(user, message);
        if (message == &reader->view)
            iswi_message_release(message->apart);
        iswi_message_release(message);
    } while (message);
    return ISW_OK;
}
