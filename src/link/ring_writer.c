/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: frames leave in the order in which they came, so that nothing goes past an outbox that
 * is not empty. */
#include "link/ring_writer.h"

#include "base/clock.h"
#include "link/sp.h"

static size_t size_of(const isw_bytes *pieces, unsigned count)
{
    size_t size = 0;

    for (unsigned i = 0; i < count; i++)
        size += pieces[i].size;
    return size;
}

static void publish(iswi_ring_writer *writer)
{
    iswi_ring_publish(writer->ring);
    if (!writer->quiet)
        iswi_ring_wake(writer->ring);
}

static size_t room(iswi_ring_writer *writer)
{
    return iswi_ring_room(writer->ring, &writer->broken);
}

static size_t put(iswi_ring_writer *writer, const void *bytes, size_t size)
{
    return iswi_ring_write(writer->ring, bytes, size, &writer->broken);
}

/* -- At once ----------------------------------------------------------------------------------- */

/* A large frame into the arena, if that has room. */
static bool lend(iswi_ring_writer *writer, const isw_bytes *pieces, unsigned count, size_t size)
{
    unsigned char record[ISWI_SP_LOAN_BYTES];
    iswi_loan loan;
    unsigned char *at;

    if (size < ISWI_LOAN_LEAST || room(writer) < sizeof record)
        return false;
    at = iswi_lender_take(&writer->lender, size, iswi_now_ns(), &loan);
    if (!at)
        return false;
    for (unsigned i = 0; i < count; i++) {
        memcpy(at, pieces[i].data, pieces[i].size);
        at += pieces[i].size;
    }
    iswi_sp_loan_record(&loan, record);
    put(writer, record, sizeof record);
    publish(writer);
    return true;
}

/* A frame without its long piece, which goes into the arena, if there is room for both. */
static bool lend_apart(iswi_ring_writer *writer, const isw_bytes *pieces, unsigned count,
                       unsigned apart)
{
    unsigned char record[ISWI_SP_APART_BYTES];
    const isw_bytes *part = &pieces[apart];
    size_t rest = size_of(pieces, count) - part->size;
    iswi_loan loan;
    unsigned char *at;

    if (part->size < ISWI_LOAN_LEAST || rest > ISWI_SP_APART_REST_MOST || rest >= part->size ||
        room(writer) < sizeof record + rest)
        return false;
    at = iswi_lender_take(&writer->lender, part->size, iswi_now_ns(), &loan);
    if (!at)
        return false;
    memcpy(at, part->data, part->size);
    iswi_sp_apart_record(&loan, rest, record);
    put(writer, record, sizeof record);
    for (unsigned i = 0; i < count; i++)
        if (i != apart)
            put(writer, pieces[i].data, pieces[i].size);
    publish(writer);
    return true;
}

static bool write_whole(iswi_ring_writer *writer, const isw_bytes *pieces, unsigned count,
                        size_t size)
{
    unsigned char head[ISWI_SP_HEAD_BYTES];

    if (room(writer) < size + sizeof head)
        return false;
    iswi_sp_head(size, head);
    put(writer, head, sizeof head);
    for (unsigned i = 0; i < count; i++)
        put(writer, pieces[i].data, pieces[i].size);
    publish(writer);
    return true;
}

/* -- What waits -------------------------------------------------------------------------------- */

/* The batch that was under way is all there. */
static void end_batch(iswi_ring_writer *writer)
{
    iswi_outbox_give_back(&writer->outbox, writer->sending);
    writer->sending = NULL;
}

/* Begin the next batch, or lend it as a whole. False: there is none, or no room for its begin. */
static bool begin_batch(iswi_ring_writer *writer)
{
    unsigned char head[ISWI_SP_HEAD_BYTES];
    isw_bytes bytes;

    if (room(writer) < ISWI_SP_LOAN_BYTES)
        return false;
    writer->sending = iswi_outbox_take(&writer->outbox);
    if (!writer->sending)
        return false;
    bytes = (isw_bytes){ writer->sending->bytes.data, writer->sending->bytes.size };
    writer->sent = 0;
    if (lend(writer, &bytes, 1, bytes.size)) {
        writer->sent = bytes.size;
    } else {
        iswi_sp_head(bytes.size, head);
        put(writer, head, sizeof head);
    }
    return true;
}

/* Put what the ring has room for of the batch that is under way, and of those that follow. */
static void write_some(iswi_ring_writer *writer)
{
    bool wrote = false;

    while (writer->sending || begin_batch(writer)) {
        writer->sent += put(writer, writer->sending->bytes.data + writer->sent,
                            writer->sending->bytes.size - writer->sent);
        wrote = true;
        if (writer->sent < writer->sending->bytes.size)
            break;
        end_batch(writer);
    }
    if (wrote)
        publish(writer);
}

void iswi_ring_writer_flush(iswi_ring_writer *writer)
{
    do
        write_some(writer);
    while (!writer->broken && iswi_ring_writer_waits(writer) &&
           iswi_ring_await_room(writer->ring, writer->sending ? 1 : ISWI_SP_LOAN_BYTES,
                                &writer->broken));
}

isw_status iswi_ring_writer_send(iswi_ring_writer *writer, const isw_bytes *pieces,
                                 unsigned count)
{
    size_t size = size_of(pieces, count);
    isw_status status;

    if (!iswi_ring_writer_waits(writer) && (lend(writer, pieces, count, size) ||
                                            write_whole(writer, pieces, count, size)))
        return ISW_OK;
    status = iswi_outbox_add(&writer->outbox, pieces, count);
    iswi_ring_writer_flush(writer);
    return status;
}

isw_status iswi_ring_writer_send_apart(iswi_ring_writer *writer, const isw_bytes *pieces,
                                       unsigned count, unsigned apart)
{
    if (!iswi_ring_writer_waits(writer) && lend_apart(writer, pieces, count, apart))
        return ISW_OK;
    return iswi_ring_writer_send(writer, pieces, count);
}

void iswi_ring_writer_fini(iswi_ring_writer *writer)
{
    if (writer->sending)
        iswi_outbox_give_back(&writer->outbox, writer->sending);
    iswi_outbox_fini(&writer->outbox);
}
