/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that nothing but their name calls: ISW_TRIGGER("call", NULL). What makes their calls is
 * the program around the host, so that a host which is none's part serves none of them. */
#include "host/library/trigger.h"

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
    .properties = iswi_passive_properties,
    .properties_size = ISWI_PASSIVE_SIZE,
    .start = iswi_passive_start,
    .arrange = iswi_passive_arrange,
    .publish = iswi_passive_publish,
    .stop = iswi_passive_stop,
    .tell = tell,
};
