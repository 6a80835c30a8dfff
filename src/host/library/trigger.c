/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that nothing but their name calls: ISW_TRIGGER("call", NULL). What makes their calls is
 * the program around the host, so that a host which is none's part serves none of them. */
#include "host/library/trigger.h"

typedef struct no_properties {
    char nothing;
} no_properties;

static const isw_option no_rows[] = { { 0 } };

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    (void)error;
    *self = with->host;
    return ISW_OK;
}

static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **set)
{
    (void)entries;
    (void)count;
    (void)refuse;
    (void)user;
    *set = NULL;
    return ISW_OK;
}

static void publish(void *self, void *set, iswi_more more)
{
    (void)self;
    (void)set;
    (void)more;
}

static void stop(void *self)
{
    (void)self;
}

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    (void)self;
    (void)entry;
    (void)arena;
    out->text = "by name";
}

const iswi_trigger iswi_call_trigger = {
    .type = "call",
    .title = "call by name",
    .properties = no_rows,
    .properties_size = sizeof(no_properties),
    .start = start,
    .arrange = arrange,
    .publish = publish,
    .stop = stop,
    .tell = tell,
};
