/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_LINK_H
#define ISWI_LINK_LINK_H

/*
 * A link: one end of the connection between a host and one worker process. It carries whole frames,
 * in order, and reports the end of the other side. Events come one at a time from a thread of the
 * link's: they must be quick, must not block, and may send or close, but not destroy.
 */
#include "link/extras.h"
#include "link/message.h"
#include "link/ring.h"
#include "reactor/reactor.h"
#include "wire/frame.h"

#include <isoworker/status.h>
#include <sys/types.h>

typedef struct iswi_link iswi_link;

typedef struct iswi_link_events {
    /* One message of one or more frames. Borrowed, and perhaps gone after the event: see
     * iswi_message_keep. What was kept may be released after the link was destroyed. */
    void (*on_message)(void *user, iswi_message *message);
    /* The link is over. Comes once, after the last message, also after iswi_link_close. */
    void (*on_closed)(void *user);
    void *user;
    /* For a side that can do the work that messages bring on the lane's own thread; both or none,
     * and only some lanes call them. on_turn: the messages that were there are delivered; it may
     * take as long as it likes. is_stuck: on_turn has not returned for a while; when it says true,
     * messages are delivered from another thread until on_turn returns. */
    void (*on_turn)(void *user);
    bool (*is_stuck)(void *user);
    /* The other side is there, before anything of it is read. NULL: it does not matter; only some
     * lanes call it. */
    void (*on_connected)(void *user);
    /* Of a socket that listens: whom it lets in besides our own user, if anybody. */
    bool has_guest;
    uid_t guest;
} iswi_link_events;

/* What the operating system knows of the other side; pid 0 when it knows nothing. */
typedef struct iswi_peer {
    uid_t uid;
    pid_t pid;
} iswi_peer;

enum {
    ISWI_LINK_BATCH_BYTES = 256 * 1024, /* a message of several frames stays below, */
    ISWI_LINK_BATCH_FRAMES = 512,       /* and has no more of them */
    ISWI_LINK_BACKLOG_BYTES = 256 * 1024 * 1024, /* then sends are refused */
    ISWI_LINK_BACKLOG_SOFT = 4 * 1024 * 1024     /* then what may be dropped is dropped */
};

typedef struct iswi_link_ops {
    const char *name;
    isw_status (*send)(iswi_link *link, const isw_bytes *pieces, unsigned count);
    /* NULL: all pieces travel the same way on this lane. */
    isw_status (*send_apart)(iswi_link *link, const isw_bytes *pieces, unsigned count,
                             unsigned apart);
    size_t (*backlog)(iswi_link *link);
    iswi_peer (*peer)(iswi_link *link);
    void (*close)(iswi_link *link);
    void (*destroy)(iswi_link *link);
    /* NULL, both: there is no faster lane */
    void (*upgrade)(iswi_link *link, unsigned extras);
    unsigned (*extras)(iswi_link *link); /* NULL: none */
    bool (*is_upgraded)(iswi_link *link);
    void (*gather)(iswi_link *link, bool on); /* NULL: gathering does not pay on this lane */
    int64_t (*oldest_loan_ns)(iswi_link *link); /* NULL: this lane lends nothing */
    void (*held_up)(iswi_link *link);    /* both NULL: this lane has no on_turn */
    void (*more_waits)(iswi_link *link);
    void (*mark)(iswi_link *link, uint64_t id); /* both NULL: on this lane nobody can tell */
    bool (*is_marked)(iswi_link *link, uint64_t id);
    int (*lifeline)(iswi_link *link); /* both NULL: the lane sees the end by itself */
    void (*lost)(iswi_link *link);
    void (*read)(iswi_link *link); /* NULL: it reads from the beginning */
} iswi_link_ops;

/* The head of every lane's own struct. */
struct iswi_link {
    const iswi_link_ops *ops;
    iswi_link_events events;
};

/* Send one frame, which lies in pieces (copied). Does not block: frames that wait while a message
 * is under way go out together in the next one. Errors: ISW_E_CLOSED, ISW_E_BUSY when the backlog
 * is full, ISW_E_NO_MEMORY. Any thread. */
static inline isw_status iswi_link_send_pieces(iswi_link *link, const isw_bytes *pieces,
                                               unsigned count)
{
    return link->ops->send(link, pieces, count);
}

/* The same for a frame that is in one piece. */
static inline isw_status iswi_link_send(iswi_link *link, const void *frame, size_t size)
{
    return link->ops->send(link, &(isw_bytes){ frame, size }, 1);
}

/* Encode into `encoded` and send. Errors: those of iswi_frame_gather, with a detail in *error, when
 * nothing was sent; and those of sending. */
static inline isw_status iswi_link_send_frame(iswi_link *link, const iswi_frame *frame,
                                              iswi_encoded *encoded, isw_error *error)
{
    isw_bytes pieces[ISWI_PIECES_MAX];
    isw_status status = iswi_frame_gather(frame, encoded, error);

    unsigned count;
    unsigned apart;

    if (status != ISW_OK)
        return status;
    count = iswi_encoded_pieces(encoded, pieces);
    if (!encoded->splice_count || !link->ops->send_apart)
        return iswi_link_send_pieces(link, pieces, count);
    apart = iswi_encoded_apart(encoded, frame->kind, pieces, count);
    return apart == count ? iswi_link_send_pieces(link, pieces, count)
                          : link->ops->send_apart(link, pieces, count, apart);
}

/* From `on` until it is off again, frames wait to leave in one message: for one who has several to
 * send within microseconds. Each on needs an off. Any thread. */
static inline void iswi_link_gather(iswi_link *link, bool on)
{
    if (link->ops->gather)
        link->ops->gather(link, on);
}

/* From on_turn: it will take long, perhaps until something arrives. Another thread begins to
 * deliver messages at once; is_stuck is asked, and has to say true. */
static inline void iswi_link_held_up(iswi_link *link)
{
    if (link->ops->held_up)
        link->ops->held_up(link);
}

/* From on_turn: more waits behind what is begun now. Another thread looks in from now on, lest that
 * takes long. */
static inline void iswi_link_more_waits(iswi_link *link)
{
    if (link->ops->more_waits)
        link->ops->more_waits(link);
}

/* A descriptor that hangs up when the other side is gone (poll's POLLHUP or POLLRDHUP), or this one
 * closed: whoever waits for other things anyway waits for it, too, and then calls iswi_link_lost,
 * on which on_closed follows. -1: the link sees the end by itself. Any thread. */
static inline int iswi_link_lifeline(iswi_link *link)
{
    return link->ops->lifeline ? link->ops->lifeline(link) : -1;
}

static inline void iswi_link_lost(iswi_link *link)
{
    if (link->ops->lost)
        link->ops->lost(link);
}

/* Messages come from here on, if the lane waited for that: what is sent before is on its way while
 * the threads that read are made. Once, and before anybody waits for a message. */
static inline void iswi_link_read(iswi_link *link)
{
    if (link->ops->read)
        link->ops->read(link);
}

/* Worker: say that invocation `id` is begun, where the other side sees it whatever becomes of this
 * one; nothing if that was not agreed (extras.h). Host: whether the other side has said so; true if
 * it does not. Any thread. */
static inline void iswi_link_mark(iswi_link *link, uint64_t id)
{
    if (link->ops->mark)
        link->ops->mark(link, id);
}

static inline bool iswi_link_is_marked(iswi_link *link, uint64_t id)
{
    return !link->ops->is_marked || link->ops->is_marked(link, id);
}

/* Bytes that wait to be sent. Any thread. */
static inline size_t iswi_link_backlog(iswi_link *link)
{
    return link->ops->backlog(link);
}

/* Who is at the other end; all zero before it connected. Any thread. */
static inline iswi_peer iswi_link_peer(iswi_link *link)
{
    return link->ops->peer(link);
}

/* Since when (monotonic) the other side has held the memory of a message, the one it has held
 * longest; 0: of none. Any thread. */
static inline int64_t iswi_link_oldest_loan_ns(iswi_link *link)
{
    return link->ops->oldest_loan_ns ? link->ops->oldest_loan_ns(link) : 0;
}

/* End the link. Returns at once; on_closed follows. What waits may be lost. Any thread. */
static inline void iswi_link_close(iswi_link *link)
{
    link->ops->close(link);
}

/* Free the link, closing it if it is open. Blocks until no event runs and none will. Never from an
 * event. NULL is allowed. */
static inline void iswi_link_destroy(iswi_link *link)
{
    if (link)
        link->ops->destroy(link);
}

/* Whether what is sent takes the faster lane. Any thread. */
static inline bool iswi_link_is_upgraded(iswi_link *link)
{
    return link->ops->is_upgraded && link->ops->is_upgraded(link);
}

/* Whether there is a faster lane to agree on. Any thread. */
static inline bool iswi_link_can_upgrade(iswi_link *link)
{
    return link->ops->upgrade && !iswi_link_is_upgraded(link);
}

/* What the faster lane can do beside the least (extras.h). */
static inline unsigned iswi_link_extras(iswi_link *link)
{
    return link->ops->extras ? link->ops->extras(link) : 0;
}

/* Both sides agreed: what is sent from now on takes the faster lane, if it does not take it already.
 * `extras` are those of iswi_link_extras that the hellos of both named. Once; any thread. */
static inline void iswi_link_upgrade(iswi_link *link, unsigned extras)
{
    link->ops->upgrade(link, extras);
}

/* -- Lanes ------------------------------------------------------------------------------------- */

/* Listen for one worker at `url`, ipc:// of a path that does not exist yet, in a folder that only
 * this user can enter (and its guest), on a reactor and with no thread. A peer of another user is
 * refused by the operating system's word. Events come on the reactor's thread, which outlives the link; on_connected
 * is called. Errors: ISW_E_IO naming the url, ISW_E_NO_MEMORY. */
isw_status iswi_socket_lane_listen(iswi_reactor *reactor, const char *url,
                                   const iswi_link_events *events, iswi_link **out,
                                   isw_error *error);

/* Connect to a host that listens at `url`. Blocks until connected or refused.
 * Errors: ISW_E_UNAVAILABLE naming the url, ISW_E_NO_MEMORY. */
isw_status iswi_message_lane_dial(const char *url, const iswi_link_events *events,
                                  iswi_link **out, isw_error *error);

/* What a worker shows a host on another machine, and asks of it: paths of PEM files. */
typedef struct iswi_link_far {
    const char *ca;               /* who vouches for the host, whose certificate has the URL's name */
    const char *certificate, *key; /* its own */
    bool insecure;                /* tcp://, without all of them, is meant */
} iswi_link_far;

/* The same for a `url` that may be of another machine, tls+tcp:// or tcp://. Errors, besides:
 * ISW_E_CONFIG for files, ISW_E_UNSUPPORTED where nng has no TLS. */
isw_status iswi_message_lane_dial_far(const char *url, const iswi_link_far *far,
                                      const iswi_link_events *events, iswi_link **out,
                                      isw_error *error);

/* Connect to a host there, and say nothing: it has a lifeline and nothing else. Errors:
 * ISW_E_UNAVAILABLE naming the url, ISW_E_NO_MEMORY. */
isw_status iswi_lifeline_dial(const char *url, const iswi_link_events *events, iswi_link **out,
                              isw_error *error);

/* Two ends in one process. Each is destroyed by itself. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_memory_lane_pair(const iswi_link_events *a_events, iswi_link **a,
                                 const iswi_link_events *b_events, iswi_link **b,
                                 isw_error *error);

typedef struct iswi_ring_options {
    iswi_ring_memory memory; /* moves to the link on success */
    bool is_host;
    int64_t spin_us; /* how long a reader stays awake for more; -1: as it pays off */
} iswi_ring_options;

/* The host's end on a reactor: for a worker that begins on the ring, and rings `bell`, an eventfd
 * that does not block, that reactor reads it; one that speaks on the socket first is let in as well,
 * and gets a thread with the upgrade. The reactor outlives the link. The bell moves to the link on
 * success. Linux. Errors as those of the socket lane. */
isw_status iswi_ring_lane_serve(iswi_reactor *reactor, int bell, const char *url,
                                const iswi_ring_options *options, const iswi_link_events *events,
                                iswi_link **out, isw_error *error);

/* The worker's end of it: the message lane with a ring lane beside it, until an upgrade idle. Errors
 * as those of the message lane. */
isw_status iswi_ring_lane_dial(const char *url, const iswi_ring_options *options,
                               const iswi_link_events *events, iswi_link **out,
                               isw_error *error);

/* The worker's end for a session that begins on the ring: upgraded from the begin, and with a
 * lifeline. It reads from iswi_link_read on, with threads of its own from then on. The bell moves to the link on success. Errors as above. */
isw_status iswi_ring_lane_begin(int bell, const char *url, const iswi_ring_options *options,
                                const iswi_link_events *events, iswi_link **out, isw_error *error);

#endif
