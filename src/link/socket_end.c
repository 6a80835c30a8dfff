/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: while a message is under way something is left of it in `parts`. */
#include "link/socket_end.h"

void iswi_socket_end_init(iswi_socket_end *end, const iswi_link_ops *ops,
                          const iswi_link_events *events,
                          void (*transmit)(iswi_socket_end *end))
{
    end->link = (iswi_link){ ops, *events };
    end->reader.chunk_bytes = ISWI_SP_SOCKET_CHUNK_BYTES;
    end->transmit = transmit;
    pthread_mutex_init(&end->lock, NULL);
}

void iswi_socket_end_fini(iswi_socket_end *end)
{
    if (end->sending)
        iswi_outbox_give_back(&end->outbox, end->sending);
    iswi_outbox_fini(&end->outbox);
    iswi_sp_reader_fini(&end->reader);
    pthread_mutex_destroy(&end->lock);
}

/* -- Sending ----------------------------------------------------------------------------------- */

isw_status iswi_socket_end_send(iswi_link *link, const isw_bytes *pieces, unsigned count)
{
    iswi_socket_end *end = (iswi_socket_end *)link;
    isw_status status;

    pthread_mutex_lock(&end->lock);
    status = end->mute ? ISW_E_CLOSED : iswi_outbox_add(&end->outbox, pieces, count);
    if (status == ISW_OK)
        end->transmit(end);
    pthread_mutex_unlock(&end->lock);
    return status;
}

void iswi_socket_end_gather(iswi_link *link, bool on)
{
    iswi_socket_end *end = (iswi_socket_end *)link;

    pthread_mutex_lock(&end->lock);
    end->gatherers += on ? 1 : -1;
    end->transmit(end);
    pthread_mutex_unlock(&end->lock);
}

size_t iswi_socket_end_backlog(iswi_link *link)
{
    iswi_socket_end *end = (iswi_socket_end *)link;
    size_t bytes;

    pthread_mutex_lock(&end->lock);
    bytes = end->outbox.bytes;
    pthread_mutex_unlock(&end->lock);
    return bytes;
}

iswi_peer iswi_socket_end_peer(iswi_link *link)
{
    iswi_socket_end *end = (iswi_socket_end *)link;
    iswi_peer peer;

    pthread_mutex_lock(&end->lock);
    peer = end->peer;
    pthread_mutex_unlock(&end->lock);
    return peer;
}

static bool is_under_way(const iswi_socket_end *end)
{
    return end->parts[0].iov_len || end->parts[1].iov_len;
}

bool iswi_socket_end_begin(iswi_socket_end *end)
{
    size_t size = 0;

    if (end->mute || is_under_way(end))
        return !end->mute;
    if (end->gatherers)
        return false;
    end->sending = iswi_outbox_take(&end->outbox);
    if (!end->greeted) {
        memcpy(end->head, iswi_sp_greeting, ISWI_SP_GREETING_BYTES);
        size = ISWI_SP_GREETING_BYTES;
        end->greeted = true;
    }
    if (end->sending) {
        iswi_sp_head(end->sending->bytes.size, end->head + size);
        size += ISWI_SP_HEAD_BYTES;
        end->parts[1] = (struct iovec){ end->sending->bytes.data, end->sending->bytes.size };
    }
    end->parts[0] = (struct iovec){ end->head, size };
    return size > 0;
}

void iswi_socket_end_advance(iswi_socket_end *end, size_t sent)
{
    for (unsigned i = 0; i < ISWI_SOCKET_PARTS && sent; i++) {
        size_t step = sent < end->parts[i].iov_len ? sent : end->parts[i].iov_len;

        end->parts[i].iov_base = (char *)end->parts[i].iov_base + step;
        end->parts[i].iov_len -= step;
        sent -= step;
    }
    if (is_under_way(end))
        return;
    if (end->sending)
        iswi_outbox_give_back(&end->outbox, end->sending);
    end->sending = NULL;
}

/* -- Receiving --------------------------------------------------------------------------------- */

bool iswi_socket_end_deliver(iswi_socket_end *end, size_t size)
{
    const iswi_link_events *events = &end->link.events;
    isw_status status;

    iswi_socket_end_gather(&end->link, true);
    status = iswi_sp_reader_deliver(&end->reader, size, events->on_message, events->user);
    iswi_socket_end_gather(&end->link, false);
    return status == ISW_OK;
}
