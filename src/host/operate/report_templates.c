/* SPDX-License-Identifier: Apache-2.0 */
/* The templates of workers with `start: warm`. */
#include "host/operate/report.h"

#include "host/engine/look.h"

static const char *state_name(iswi_template_state state)
{
    switch (state) {
    case ISWI_TEMPLATE_NONE:
        return "waiting";
    case ISWI_TEMPLATE_STARTING:
        return "starting";
    case ISWI_TEMPLATE_READY:
        return "ready";
    case ISWI_TEMPLATE_ENDING:
        return "ending";
    case ISWI_TEMPLATE_REFUSED:
        break;
    }
    return "refused";
}

bool iswi_report_templates(iswi_host *host, iswi_report_all *all, iswi_arena *arena)
{
    size_t count = iswi_host_worker_count(host);

    all->templates = iswi_arena_calloc(arena, count + 1, sizeof *all->templates);
    for (size_t i = 0; all->templates && i < count; i++) {
        iswi_report_template *out = &all->templates[all->template_count];
        iswi_template_look look;

        if (!iswi_host_template_look_at(host, i, &look) || !iswi_host_needs_worker(host, i))
            continue;
        *out = (iswi_report_template){ .worker = iswi_host_worker_name(host, i),
                                       .pid = look.pid,
                                       .state = state_name(look.state),
                                       .resident_bytes = (int64_t)look.resident_bytes,
                                       .forked = (int64_t)look.forked,
                                       .spawned = (int64_t)look.spawned };
        if (*look.why)
            out->detail = iswi_arena_printf(arena, "%s", look.why);
        all->template_count++;
    }
    return all->templates != NULL;
}
