/* SPDX-License-Identifier: Apache-2.0 */
/* Records in memory, for hosts whose timers need remember nothing when they end. */
#include "base/alloc.h"
#include "host/timer/state.h"

#include <pthread.h>

typedef struct kept {
    struct kept *next;
    char *text;
    uint64_t version;
    char name[ISWI_TIMER_NAME_BYTES];
} kept;

typedef struct memory_store {
    iswi_timer_store store;
    pthread_mutex_t lock;
    kept *first;
} memory_store;

static kept *find(memory_store *memory, const char *name)
{
    kept *at = memory->first;

    while (at && strcmp(at->name, name) != 0)
        at = at->next;
    return at;
}

static void read_one(iswi_timer_store *store, const char *name, iswi_timer_state_fn done,
                     void *user)
{
    memory_store *memory = (memory_store *)store;
    isw_error error = { ISW_OK, "" };
    char *text = NULL;
    uint64_t version = 0;
    kept *one;

    pthread_mutex_lock(&memory->lock);
    one = find(memory, name);
    if (one) {
        text = iswi_strdup(one->text);
        version = one->version;
    }
    pthread_mutex_unlock(&memory->lock);
    if (one && !text)
        isw_error_set(&error, ISW_E_NO_MEMORY, "no memory for a record");
    done(user, &error, isw_str_of(text), version);
    iswi_free(text);
}

static kept *add(memory_store *memory, const char *name)
{
    kept *one = iswi_calloc(1, sizeof *one);

    if (!one)
        return NULL;
    strncpy(one->name, name, sizeof one->name - 1);
    one->next = memory->first;
    memory->first = one;
    return one;
}

static isw_status replace(memory_store *memory, const char *name, isw_str text, uint64_t version,
                          uint64_t *now, isw_error *error)
{
    kept *one = find(memory, name);
    char *copy;

    *now = one ? one->version : 0;
    if (*now != version)
        return isw_error_set(error, ISW_E_CONFLICT, "another host has written it meanwhile");
    copy = iswi_strndup(text.data, text.size);
    one = one ? one : copy ? add(memory, name) : NULL;
    if (!copy || !one) {
        iswi_free(copy);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a record");
    }
    iswi_free(one->text);
    one->text = copy;
    *now = ++one->version;
    return ISW_OK;
}

static void write_one(iswi_timer_store *store, const char *name, isw_str text, uint64_t version,
                      iswi_timer_state_fn done, void *user)
{
    memory_store *memory = (memory_store *)store;
    isw_error error = { ISW_OK, "" };
    uint64_t now;

    pthread_mutex_lock(&memory->lock);
    replace(memory, name, text, version, &now, &error);
    pthread_mutex_unlock(&memory->lock);
    done(user, &error, isw_str_of(NULL), now);
}

static void close_all(iswi_timer_store *store)
{
    memory_store *memory = (memory_store *)store;
    kept *one;

    while ((one = memory->first) != NULL) {
        memory->first = one->next;
        iswi_free(one->text);
        iswi_free(one);
    }
    pthread_mutex_destroy(&memory->lock);
    iswi_free(memory);
}

iswi_timer_store *iswi_timer_memory_store(void)
{
    memory_store *memory = iswi_calloc(1, sizeof *memory);

    if (!memory)
        return NULL;
    memory->store = (iswi_timer_store){ .read = read_one, .write = write_one, .close = close_all };
    pthread_mutex_init(&memory->lock, NULL);
    return &memory->store;
}
