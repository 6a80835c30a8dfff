/* SPDX-License-Identifier: Apache-2.0 */
/* The file trigger: what functions say of their folders, and the instance of a host. */
#include "host/file/trigger.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "broker/driver.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/file/internal.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

/* -- Functions --------------------------------------------------------------------------------- */

static const isw_option property_rows[] = {
    { .name = "path", .type = ISW_OPTION_STRING, .offset = offsetof(iswi_file_properties, path),
      .help = "the folder: absolute, or below that of host.yaml, where it is made if there is none" },
    { .name = "pattern", .type = ISW_OPTION_STRING, .default_value = "*",
      .offset = offsetof(iswi_file_properties, pattern),
      .help = "of file names, as a shell has it: *.csv" },
    { .name = "recursive", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(iswi_file_properties, recursive), .help = "also in folders below" },
    { .name = "done", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_file_properties, done),
      .help = "the folder to which files are moved that the function is done with; left out: they stay" },
    { .name = "quiet", .type = ISW_OPTION_DURATION, .default_value = "2s",
      .max = ISWI_FEED_DELAY_MAX, .offset = offsetof(iswi_file_properties, quiet_ms),
      .help = "for which a file that was there before anybody looked has not changed when it is taken" },
    ISWI_FEED_ROWS,
    { 0 },
};

typedef struct file_set {
    size_t count;
    const iswi_entry *entries[];
} file_set;

/* What is wrong with it, as the end of a sentence; NULL: nothing. */
static const char *fault_of(const iswi_entry *entry)
{
    const iswi_file_properties *properties = entry->properties;

    if (!*properties->path)
        return "\"path\" is the name of a folder";
    if (!*properties->pattern || strchr(properties->pattern, '/'))
        return "\"pattern\" is of the names of files, such as *.csv, without a '/'";
    if (properties->done && strcmp(properties->done, properties->path) == 0)
        return "\"done\" is another folder than \"path\"";
    if (strlen(entry->name) + sizeof ISWI_QUEUE_OF_FILES - 1 > ISWI_QUEUE_NAME_MAX)
        return "its name is too long for the queue " ISWI_QUEUE_OF_FILES "NAME";
    return NULL;
}

/* One whose queue is the entry's, too; NULL: there is none. */
static const iswi_entry *rival_of(const file_set *set, const iswi_entry *entry)
{
    for (size_t i = 0; i < set->count; i++)
        if (iswi_entry_is_namesake(set->entries[i], entry))
            return set->entries[i];
    return NULL;
}

/* Two may have the files of one folder, unless one of them moves them away. */
static const iswi_entry *mover_of(const file_set *set, const iswi_entry *entry)
{
    const iswi_file_properties *own = entry->properties;

    for (size_t i = 0; i < set->count; i++) {
        const iswi_file_properties *other = set->entries[i]->properties;

        if ((own->done || other->done) && strcmp(own->path, other->path) == 0)
            return set->entries[i];
    }
    return NULL;
}

static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **out)
{
    file_set *set = iswi_calloc(1, sizeof *set + count * sizeof(iswi_entry *));

    if (!set)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const char *fault = fault_of(entries[i]);
        const iswi_entry *rival = rival_of(set, entries[i]);
        const iswi_entry *mover = fault || rival ? NULL : mover_of(set, entries[i]);

        if (fault)
            refuse(user, entries[i], NULL, "its folder cannot be watched", fault);
        else if (rival)
            refuse(user, entries[i], rival, "another worker's function has its name",
                   "both would take files from the queue " ISWI_QUEUE_OF_FILES
                   "NAME of their one name; " ISWI_NAMESAKE_REMEDY);
        else if (mover)
            refuse(user, entries[i], mover, "another function has the files of its folder",
                   "one of them moves the files of their folder away (\"done\"), perhaps before the "
                   "other has them; give each a folder of its own");
        else
            set->entries[set->count++] = entries[i];
    }
    *out = set;
    return ISW_OK;
}

/* -- Messages ---------------------------------------------------------------------------------- */

static void name_queue(const iswi_entry *entry, char name[ISWI_QUEUE_NAME_MAX + 1])
{
    snprintf(name, ISWI_QUEUE_NAME_MAX + 1, ISWI_QUEUE_OF_FILES "%s", entry->name);
}

static const char *queue_of(const iswi_entry *entry, iswi_arena *arena)
{
    return iswi_arena_printf(arena, ISWI_QUEUE_OF_FILES "%s", entry->name);
}

/* Moving takes a file system, which may take its time: that is the thread's. */
static void completed(void *user, const iswi_entry *entry, const iswi_delivery *message)
{
    const iswi_file_properties *properties = entry->properties;
    iswi_files *files = user;
    iswi_file_done *done;

    if (!properties->done)
        return;
    done = iswi_calloc(1, sizeof *done + message->body.size + 1);
    if (!done)
        return; /* it is moved when the host starts again */
    done->entry = entry;
    done->body = (isw_str){ done->text, message->body.size };
    if (message->body.size)
        memcpy(done->text, message->body.data, message->body.size);
    snprintf(done->id, sizeof done->id, "%.*s", (int)message->id.size, message->id.data);
    pthread_mutex_lock(&files->lock);
    done->next = files->done;
    files->done = done;
    pthread_mutex_unlock(&files->lock);
    iswi_files_wake(files);
}

static const iswi_feed_kind kind = {
    .type = "file", .queue = name_queue, .body = iswi_file_value, .completed = completed
};

/* -- An instance ------------------------------------------------------------------------------- */

static void destroy(iswi_files *files)
{
    iswi_inbox *at = atomic_load(&files->inboxes);

    while (at) {
        iswi_inbox *next = at->next;

        iswi_inbox_destroy(at);
        at = next;
    }
    if (files->notify >= 0)
        close(files->notify);
    while (files->done) {
        iswi_file_done *done = files->done;

        files->done = done->next;
        iswi_free(done);
    }
    iswi_feed_destroy(files->feed);
    pthread_mutex_destroy(&files->lock);
    iswi_free(files);
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    iswi_files *files = iswi_calloc(1, sizeof *files);

    if (!files)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for files");
    files->host = with->host;
    files->broker = iswi_host_broker(with->host);
    files->wake = files->notify = -1;
    pthread_mutex_init(&files->lock, NULL);
    files->feed = iswi_feed_create(with->host, &kind, files);
    if (!files->feed) {
        destroy(files);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for files");
    }
    *self = files;
    return ISW_OK;
}

static bool has(const file_set *set, const iswi_entry *entry)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->entries[i] == entry)
            return true;
    return false;
}

static iswi_inbox *find(iswi_files *files, const iswi_entry *entry)
{
    iswi_inbox *at = atomic_load(&files->inboxes);

    while (at && at->entry != entry)
        at = at->next;
    return at;
}

static void add(iswi_files *files, const iswi_entry *entry)
{
    iswi_inbox *inbox = iswi_inbox_create(files, entry);

    if (!inbox) {
        iswi_say(files->host, ISW_LOG_CRITICAL, "no memory for the folder of function %s",
                 entry->name);
        return;
    }
    if (!(iswi_broker_abilities(files->broker) & ISWI_BROKER_RECORDS))
        iswi_function_say(entry->function, ISW_LOG_WARNING, "", isw_str_of(NULL),
                          "which files it was given is known as long as this host runs: where "
                          "queues.store has messages there are no records");
    inbox->next = atomic_load(&files->inboxes);
    atomic_store(&files->inboxes, inbox);
}

static void publish(void *self, void *user, iswi_more more)
{
    isw_error error = { ISW_OK, "" };
    iswi_files *files = self;
    file_set *set = user;

    (void)more;
    iswi_feed_publish(files->feed, set->entries, set->count);
    for (size_t i = 0; i < set->count; i++)
        if (!find(files, set->entries[i]))
            add(files, set->entries[i]);
    pthread_mutex_lock(&files->lock);
    for (iswi_inbox *at = atomic_load(&files->inboxes); at; at = at->next)
        at->served = has(set, at->entry);
    pthread_mutex_unlock(&files->lock);
    if (set->count && iswi_files_begin(files, &error) != ISW_OK)
        iswi_say(files->host, ISW_LOG_CRITICAL, "%s", error.message);
    iswi_files_wake(files);
    iswi_free(set);
}

static void hold(void *self, bool on)
{
    iswi_files *files = self;

    iswi_feed_hold(files->feed, on);
    pthread_mutex_lock(&files->lock);
    files->held = on;
    pthread_mutex_unlock(&files->lock);
    iswi_files_wake(files);
}

static void quiesce(void *self)
{
    hold(self, true);
}

static void tend(void *self, bool asked, int64_t now_ns, int64_t *next_ns)
{
    (void)asked;
    iswi_feed_tend(((iswi_files *)self)->feed, now_ns, next_ns);
}

static size_t admitted(void *self)
{
    return iswi_feed_admitted(((iswi_files *)self)->feed);
}

/* The broker is closed: the thread waits for nothing. */
static void stop(void *self)
{
    iswi_files_end(self);
    destroy(self);
}

/* -- What it tells ----------------------------------------------------------------------------- */

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    const iswi_file_properties *properties = entry->properties;

    (void)self;
    out->text = iswi_arena_printf(arena, "files %s/%s", properties->path, properties->pattern);
}

static void rows(void *self, iswi_trigger_row_fn row, void *user)
{
    iswi_files *files = self;

    for (const iswi_inbox *at = atomic_load(&files->inboxes); at; at = at->next)
        row(user, &(iswi_trigger_row){ .name = "file_found_total",
                                       .help = "Files that came into a folder.",
                                       .counts = true,
                                       .label = "function",
                                       .value = at->entry->name,
                                       .number = (double)atomic_load(&at->found) });
    iswi_feed_rows(files->feed, row, user);
}

static void attend(void *self, iswi_trigger_attend_fn add_one, void *user)
{
    char sentence[2 * ISW_ERROR_MESSAGE_BYTES];
    iswi_files *files = self;

    for (iswi_inbox *at = atomic_load(&files->inboxes); at; at = at->next) {
        pthread_mutex_lock(&files->lock);
        snprintf(sentence, sizeof sentence, "function %s gets no files: %s", at->entry->name,
                 at->why);
        if (!at->served || !*at->why)
            *sentence = '\0';
        pthread_mutex_unlock(&files->lock);
        if (*sentence)
            add_one(user, sentence);
    }
    iswi_feed_attend(files->feed, add_one, user);
}

static isw_status make_up(void *self, const iswi_entry *entry, const iswi_made_up *event,
                          iswi_arena *arena, iswi_call *call, isw_error *error)
{
    return iswi_feed_make_up(((iswi_files *)self)->feed, entry, event, arena, call, error);
}

const iswi_trigger iswi_file_trigger = {
    .type = "file",
    .title = "files",
    .properties = property_rows,
    .properties_size = sizeof(iswi_file_properties),
    .start = start,
    .arrange = arrange,
    .discard = iswi_free,
    .publish = publish,
    .hold = hold,
    .tend = tend,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .tell = tell,
    .rows = rows,
    .attend = attend,
    .make_up = make_up,
    .queue = queue_of,
};
