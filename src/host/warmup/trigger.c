/* SPDX-License-Identifier: Apache-2.0 */
/* ISW_WARMUP: nothing comes in, for it is the engine that calls such a function, once in each process
 * (host/engine/warmup.c). The table gives them a type, and says so. */
#include "host/warmup/trigger.h"

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    (void)self;
    (void)entry;
    (void)arena;
    out->text = "in each process, before its calls";
}

const iswi_trigger iswi_warmup_trigger = {
    .type = "warmup",
    .title = "warmup",
    .capabilities = ISWI_TRIGGER_WARMS,
    .properties = iswi_passive_properties,
    .properties_size = ISWI_PASSIVE_SIZE,
    .start = iswi_passive_start,
    .arrange = iswi_passive_arrange,
    .publish = iswi_passive_publish,
    .stop = iswi_passive_stop,
    .tell = tell,
};
