/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_FILE_INTERNAL_H
#define ISWI_HOST_FILE_INTERNAL_H

/*
 * A file's way: found in the inbox of a function, put as a message into the queue of that inbox, and
 * noted in a record, so that it is not found again; from there on it is the queue's. One thread for
 * all inboxes watches folders, reads them, and waits for the broker; it alone touches what is not
 * said to be others' too.
 */
#include "broker/broker.h"
#include "host/queue/feed.h"
#include "host/queue/queue.h"

#include <pthread.h>
#include <stdatomic.h>

/* -- What functions say ------------------------------------------------------------------------ */

typedef struct iswi_file_properties {
    iswi_feed_properties feed; /* first */
    const char *path, *pattern;
    const char *done; /* NULL: files stay where they are */
    bool recursive;
    int64_t quiet_ms;
} iswi_file_properties;

/* -- Files that were found --------------------------------------------------------------------- */

/* What tells a file from another one that had, or has, its name. */
typedef struct iswi_file_identity {
    uint64_t inode;
    int64_t size, modified_ns;
} iswi_file_identity;

static inline bool iswi_file_same(const iswi_file_identity *a, const iswi_file_identity *b)
{
    return a->inode == b->inode && a->size == b->size && a->modified_ns == b->modified_ns;
}

typedef struct iswi_known_file {
    struct iswi_known_file *next; /* in its bucket */
    iswi_file_identity identity;
    uint64_t version; /* of its record; 0: there is none yet */
    unsigned seen;    /* in which scan it was last */
    int64_t at_ns;    /* of one that may not be whole: when it is looked at again */
    char name[];      /* below the folder */
} iswi_known_file;

/* By name. Empty when zeroed. */
typedef struct iswi_known {
    iswi_known_file **buckets;
    size_t bucket_count, count;
} iswi_known;

iswi_known_file *iswi_known_find(const iswi_known *known, const char *name);
iswi_known_file *iswi_known_add(iswi_known *known, const char *name); /* NULL: no memory */
void iswi_known_remove(iswi_known *known, const char *name);
void iswi_known_clear(iswi_known *known);

/* The first one, or that behind `file`; NULL: that was all. */
iswi_known_file *iswi_known_next(const iswi_known *known, const iswi_known_file *file);

/* Of a name, the same on all machines. */
uint64_t iswi_file_hash(const char *name);

/* -- Inboxes ----------------------------------------------------------------------------------- */

/* What is to become durable: a file that was found, or that is there no more. */
typedef struct iswi_file_task {
    struct iswi_file_task *next;
    bool gone;
    bool put; /* its message lies in the queue, */
    bool again; /* and may have been put before */
    iswi_file_identity identity;
    uint64_t version; /* of the record of one that is gone */
    char name[];
} iswi_file_task;

/* A folder that is watched. */
typedef struct iswi_file_watch {
    int number;  /* of inotify; -1: over */
    char *name;  /* below the inbox; "": that itself */
} iswi_file_watch;

typedef struct iswi_files iswi_files;

/* One function. Lives as long as its trigger. */
typedef struct iswi_inbox {
    iswi_files *files;
    const iswi_entry *entry;
    const iswi_file_properties *properties;
    char queue[ISWI_QUEUE_NAME_MAX + 1];
    char *path, *done; /* absolute; the second may be NULL */
    atomic_ullong found;
    struct iswi_inbox *next;

    bool served;                       /* with the lock of all */
    char why[ISW_ERROR_MESSAGE_BYTES]; /* what is in its way; likewise; "": nothing */

    bool open;
    bool lost; /* its folder is there no more */
    unsigned scans;
    iswi_known known;
    iswi_file_watch *watches;
    size_t watch_count, watch_capacity;
    iswi_file_task *tasks, **last_task;
    size_t group; /* messages that are put at once */
    iswi_known young;  /* those of which nobody knows whether they are whole */
    int64_t young_ns;  /* when the first of them is looked at again */
    int64_t again_ns; /* what failed is tried again then */
} iswi_inbox;

/* A file that its function is done with. */
typedef struct iswi_file_done {
    struct iswi_file_done *next;
    const iswi_entry *entry;
    isw_str body;
    char id[ISWI_MESSAGE_ID_MAX + 1];
    char text[];
} iswi_file_done;

/* The instance of a host. */
struct iswi_files {
    iswi_host *host;
    iswi_broker *broker;
    iswi_feed *feed;
    _Atomic(iswi_inbox *) inboxes; /* of all that were ever published; grows at the front */
    pthread_mutex_t lock;          /* guards what follows */
    bool held, ends, has_thread;
    iswi_file_done *done;
    pthread_t thread;
    int wake;   /* an eventfd */
    int notify; /* the thread's; -1: nothing is watched */
};

/* thread.c: begin to watch, if that is not done; it sees what is published, held and done with once
 * it is woken. Errors: ISW_E_IO. */
isw_status iswi_files_begin(iswi_files *files, isw_error *error);
void iswi_files_wake(iswi_files *files); /* any thread */
void iswi_files_end(iswi_files *files);  /* waits for it */

/* inbox.c: NULL: no memory. */
iswi_inbox *iswi_inbox_create(iswi_files *files, const iswi_entry *entry);
void iswi_inbox_destroy(iswi_inbox *inbox);

/* Watch the folder, and find what came while nobody did; or no more, which forgets all. Errors are
 * said, and tried again. */
void iswi_inbox_open(iswi_inbox *inbox, int64_t now_ns);
void iswi_inbox_close(iswi_inbox *inbox);

/* trouble.c: something is in the way of it, until `now_ns` and a moment; NULL: nothing is any more. */
void iswi_inbox_fail(iswi_inbox *inbox, int64_t now_ns, const char *why);

/* What is due now. Sets *next_ns to when it wants to be called again, if that is sooner. */
void iswi_inbox_tend(iswi_inbox *inbox, int64_t now_ns, int64_t *next_ns);

/* look.c: there may be such a file, which somebody has closed just now or not. */
void iswi_inbox_look(iswi_inbox *inbox, const char *name, bool closed, int64_t now_ns);
void iswi_inbox_forget(iswi_inbox *inbox, const char *name);
void iswi_inbox_look_at_young(iswi_inbox *inbox, int64_t now_ns, int64_t *next_ns);

/* watch.c: watch its folder, with those below it, and look at all that is there; or once more. False
 * with errno, for the folder itself. */
bool iswi_inbox_scan(iswi_inbox *inbox, int64_t now_ns);
void iswi_inbox_unwatch(iswi_inbox *inbox);

struct inotify_event;
void iswi_inbox_event(iswi_inbox *inbox, const struct inotify_event *event, int64_t now_ns);

/* message.c: a file as a message, in the arena, and what its function sees. */
bool iswi_file_message(const iswi_inbox *inbox, const iswi_file_task *task, iswi_arena *arena,
                       iswi_queue_put *out);
void iswi_file_id(const iswi_file_identity *identity, const char *name,
                  char id[ISWI_MESSAGE_ID_MAX + 1]);
isw_value iswi_file_value(const iswi_delivery *message, iswi_arena *arena);

/* keep.c: make durable what is to be. */
void iswi_inbox_keep(iswi_inbox *inbox, int64_t now_ns, int64_t *next_ns);

/* Read from records what was found before. Errors: those of the broker. */
isw_status iswi_inbox_recall(iswi_inbox *inbox, isw_error *error);

/* done.c: its function is done with the file that this was about; and with those whose messages are
 * no more, though they are here; or with this one, if it was before the file was found (again). */
void iswi_inbox_finish(iswi_inbox *inbox, const iswi_file_done *done);
isw_status iswi_inbox_finish_rest(iswi_inbox *inbox, isw_error *error);
isw_status iswi_inbox_finish_early(iswi_inbox *inbox, const iswi_file_task *task,
                                   isw_error *error);

#endif
