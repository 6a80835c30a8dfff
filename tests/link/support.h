/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_LINK_SUPPORT_H
#define ISW_TESTS_LINK_SUPPORT_H

/* Two ends of a lane for tests. Each end checks what arrives on the link's thread, where cmocka may
 * not assert, and counts it under a lock; a test waits for the counts. */
#include "support/main.h"

#include "link/link.h"

#include <pthread.h>

enum { SENDERS = 2 };

/* What a test frame begins with. The link knows nothing of it. */
typedef struct header {
    uint32_t size; /* of the whole frame */
    uint32_t sender;
    uint32_t sequence;
} header;

typedef struct end {
    iswi_link *link;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    unsigned messages, frames, closed;
    unsigned expected[SENDERS]; /* the next sequence of each sender */
    const char *broken;         /* the first thing that was not as it should be */
    unsigned keep;              /* so many messages are kept in `kept` */
    iswi_message *kept;
    bool reads_not;         /* an event waits until this is false again */
    bool closes_on_message; /* from within the event */
    iswi_watch lifeline;    /* on the pair's reactor, if the link has one */
    iswi_reactor *minder;   /* NULL: it has none */
} end;

typedef struct pair {
    end a, b;
    char folder[32]; /* of the socket; "" for none */
    iswi_reactor *reactor; /* of the host's end; NULL: it has none, or somebody else's */
} pair;

typedef struct lane {
    const char *name;
    void (*open)(pair *both);
    bool gathers; /* frames that wait go out in one message */
} lane;

extern const lane lanes[];
extern const size_t lane_count;

/* Make both ends; pair_close destroys what is left of them and asserts that nothing was broken. */
void pair_open(pair *both, const lane *kind);
void pair_close(pair *both);

/* Destroy one end: from then on it has had its on_closed and gets no event. */
void end_destroy(end *one);

/* A ring whose ends speak on the socket so far; how long its host's reactor stays awake. */
void open_ring_on_socket(pair *both, int64_t spin_us);

iswi_reactor *make_reactor(int64_t spin_us);
int make_bell(void);
void make_folder(char folder[32]);
iswi_link_events events_of(end *one);
void end_init(end *one);
void end_fini(end *one);

/* Send one frame of `size` bytes that bears sender and sequence. */
isw_status end_send(end *one, unsigned sender, unsigned sequence, size_t size);

/* Send `count` frames in a thread of their own. */
typedef struct sending {
    end *from;
    unsigned sender, count;
    size_t size;
    isw_status status; /* the first that was not ISW_OK */
    pthread_t thread;
} sending;
void sending_start(sending *job, end *from, unsigned sender, unsigned count, size_t size);
void sending_join(sending *job); /* asserts that all were taken */

/* Wait until so many frames came, or on_closed did; fail the test after half a minute. */
void wait_for_frames(end *one, unsigned frames);
void wait_for_message(end *one);
void wait_for_closed(end *one);

/* Keep so many of the messages that come; how often the end was told; and how many frames came. */
void end_keep(end *one, unsigned messages);
unsigned end_closed(end *one);
unsigned end_frames(end *one);

/* Set a flag of `one` under its lock and wake its events. */
void end_set(end *one, bool *flag, bool value);

#endif
