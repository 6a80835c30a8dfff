/* SPDX-License-Identifier: Apache-2.0 */
/* What triggers tell of themselves, for the status. */
#include "host/engine/trigger.h"
#include "host/operate/control.h"
#include "host/operate/report.h"

/* Rows are counted first: they have no end that is known. */
typedef struct gathered {
    iswi_arena *arena;
    iswi_report_number *numbers; /* NULL: they are counted */
    size_t count, most;
} gathered;

static const char *kept(const gathered *all, const char *text)
{
    return text ? iswi_arena_printf(all->arena, "%s", text) : NULL;
}

static void take_row(void *user, const iswi_trigger_row *row)
{
    gathered *all = user;

    if (row->buckets)
        return; /* for the metrics alone */
    if (all->numbers && all->count == all->most)
        return; /* it came since they were counted */
    if (all->numbers)
        all->numbers[all->count] = (iswi_report_number){ .name = kept(all, row->name),
                                                         .label = kept(all, row->label),
                                                         .value = kept(all, row->value),
                                                         .number = (int64_t)row->number };
    all->count++;
}

static bool take_rows(const iswi_trigger *trigger, void *self, iswi_report_trigger *out,
                      iswi_arena *arena)
{
    gathered counted = { .arena = arena };
    gathered all = { .arena = arena };

    if (!trigger->rows)
        return true;
    trigger->rows(self, take_row, &counted);
    all.most = counted.count;
    all.numbers = iswi_arena_calloc(arena, counted.count + 1, sizeof *all.numbers);
    if (!all.numbers)
        return false;
    trigger->rows(self, take_row, &all);
    out->numbers = all.numbers;
    out->number_count = all.count;
    return true;
}

static bool take_urls(const iswi_trigger *trigger, void *self, iswi_report_trigger *out,
                      iswi_arena *arena)
{
    while (trigger->address && trigger->address(self, out->url_count))
        out->url_count++;
    out->urls = iswi_arena_calloc(arena, out->url_count + 1, sizeof *out->urls);
    for (size_t i = 0; out->urls && i < out->url_count; i++)
        out->urls[i] = trigger->address(self, i);
    out->url = out->urls && out->url_count ? out->urls[0] : NULL;
    return out->urls != NULL;
}

bool iswi_report_triggers(const iswi_host *host, iswi_report_all *all, iswi_arena *arena)
{
    size_t count = iswi_host_trigger_count(host);

    all->triggers = iswi_arena_calloc(arena, count + 1, sizeof *all->triggers);
    for (size_t i = 0; all->triggers && i < count; i++) {
        iswi_report_trigger *out = &all->triggers[i];
        void *self;
        const iswi_trigger *trigger = iswi_host_trigger(host, i, &self);

        out->type = trigger->type;
        if (!take_urls(trigger, self, out, arena))
            return false;
        if (!take_rows(trigger, self, out, arena))
            return false;
        all->trigger_count++;
    }
    return all->triggers != NULL;
}
