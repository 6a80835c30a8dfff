/* SPDX-License-Identifier: Apache-2.0 */
#include "host/azure/boxes.h"

#include "base/alloc.h"
#include "host/cloudevents/cloudevents.h"
#include "host/sinks/sinks.h"
#include "host/webhooks/webhooks.h"

typedef struct boxes {
    iswi_outbox box; /* first */
    iswi_outbox *there, *here; /* NULL: nothing was put out so */
    iswi_outbox_done_fn done;
    void *user;
} boxes;

static void drop(iswi_outbox *box)
{
    boxes *both = (boxes *)box;

    if (both->there)
        both->there->drop(both->there);
    if (both->here)
        both->here->drop(both->here);
    iswi_free(both);
}

static void finish(boxes *both, const isw_error *error)
{
    both->done(both->user, error);
    iswi_free(both);
}

static void on_here(void *user, const isw_error *error)
{
    finish(user, error);
}

static void on_there(void *user, const isw_error *error)
{
    boxes *both = user;

    if (error->status == ISW_OK && both->here) {
        both->here->put(both->here, on_here, both);
        return;
    }
    if (both->here)
        both->here->drop(both->here);
    finish(both, error);
}

static void put(iswi_outbox *box, iswi_outbox_done_fn done, void *user)
{
    static const isw_error fine = { ISW_OK, "" };
    boxes *both = (boxes *)box;

    both->done = done;
    both->user = user;
    if (both->there)
        both->there->put(both->there, on_there, both);
    else
        on_there(both, &fine);
}

static boxes *of(iswi_outbox **box)
{
    boxes *both = (boxes *)*box;

    if (both || !(both = iswi_calloc(1, sizeof *both)))
        return both;
    both->box = (iswi_outbox){ put, drop };
    *box = &both->box;
    return both;
}

iswi_outbox **iswi_azure_box_there(iswi_outbox **box)
{
    boxes *both = of(box);

    return both ? &both->there : NULL;
}

/* -- What is sent here ------------------------------------------------------------------------- */

static isw_status keep_here(const iswi_sink *sink, void *self, const iswi_sink_item *item,
                            iswi_outbox **box, isw_error *error)
{
    boxes *both = of(box);

    return both ? sink->keep(self, item, &both->here, error)
                : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
}

static isw_status keep_request(void *self, const iswi_sink_item *item, iswi_outbox **box,
                               isw_error *error)
{
    return keep_here(&iswi_webhook_sink, self, item, box, error);
}

static isw_status keep_event(void *self, const iswi_sink_item *item, iswi_outbox **box,
                             isw_error *error)
{
    return keep_here(&iswi_cloudevents_sink, self, item, box, error);
}

void iswi_azure_sent_here(iswi_sink out[ISWI_AZURE_SENT_HERE])
{
    out[0] = iswi_webhook_sink;
    out[0].keep = keep_request;
    out[1] = iswi_cloudevents_sink;
    out[1].keep = keep_event;
}

bool iswi_azure_comes_by_http(const char *trigger_type)
{
    return strcmp(trigger_type, "http") == 0 ||
           strcmp(trigger_type, iswi_cloudevents_dialect.trigger.type) == 0;
}

bool iswi_azure_stays_here(const char *type)
{
    const char *const types[] = { iswi_webhook_sink.type, iswi_cloudevents_sink.type,
                                  iswi_sink_file.type, iswi_sink_log.type };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}
