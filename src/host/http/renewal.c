/* SPDX-License-Identifier: Apache-2.0 */
/* Another host.yaml, for the front: all that may fail is made ready first, and taken at once or not
 * at all. No connection is closed for it. */
#include "host/http/instance.h"

#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"

static void say_addresses(const iswi_http_instance *trigger)
{
    iswi_buffer text = { 0 };

    for (size_t i = 0; iswi_http_url(trigger->front, i); i++)
        iswi_buffer_printf(&text, "%s%s", i ? ", " : "", iswi_http_url(trigger->front, i));
    iswi_say(trigger->host, ISW_LOG_INFO, "http: it listens at %.*s now", (int)text.size,
             (const char *)text.data);
    iswi_buffer_fini(&text);
}

static bool same_addresses(const iswi_http_settings *a, const iswi_http_settings *b)
{
    bool same = a->listen.count == b->listen.count;

    for (size_t i = 0; same && i < a->listen.count; i++)
        same = strcmp(a->listen.items[i], b->listen.items[i]) == 0;
    return same;
}

static void take(iswi_http_instance *trigger)
{
    const iswi_http_settings *before = trigger->now->settings;

    trigger->next->before = trigger->now;
    atomic_store(&trigger->now, trigger->next);
    iswi_http_take_terms(trigger->front, trigger->terms);
    if (trigger->commanded && !same_addresses(before, trigger->next->settings))
        iswi_say(trigger->host, ISW_LOG_WARNING,
                 "http.listen: the addresses that a command gave stay; those of host.yaml are for "
                 "a host that is started without");
    if (!trigger->doors)
        return;
    iswi_http_take_doors(trigger->front, trigger->doors);
    say_addresses(trigger);
}

void iswi_http_renew(void *self, bool taken)
{
    iswi_http_instance *trigger = self;

    if (taken && trigger->next) {
        take(trigger);
    } else {
        iswi_http_doors_free(trigger->doors);
        iswi_http_terms_free(trigger->terms);
        iswi_http_conditions_free(trigger->next);
    }
    trigger->next = NULL;
    trigger->terms = NULL;
    trigger->doors = NULL;
}

static isw_status prepare_doors(iswi_http_instance *trigger, iswi_http_options *options,
                                isw_error *error)
{
    const iswi_http_conditions *now = trigger->now;
    const iswi_trigger_start as_said = { .host = trigger->host, .port = -1 };
    iswi_address *addresses;
    isw_status status;

    if (trigger->commanded || same_addresses(now->settings, trigger->next->settings))
        return ISW_OK;
    status = iswi_http_settings_addresses(trigger->next->settings, &as_said, &addresses,
                                          &options->listen_count, error);
    if (status != ISW_OK)
        return status;
    options->folder = iswi_host_folder(trigger->host);
    options->listen = addresses;
    status = iswi_http_doors_make(trigger->front, options, &trigger->doors, error);
    iswi_free(addresses);
    return status;
}

isw_status iswi_http_prepare(void *self, const void *settings, const iswi_host_settings *all,
                             isw_error *error)
{
    iswi_http_instance *trigger = self;
    iswi_http_options options;
    isw_status status;

    if (!trigger->front)
        return ISW_OK;
    status = iswi_http_conditions_make(trigger->host, settings, trigger->now, !trigger->plain,
                                       &trigger->next, error);
    if (status != ISW_OK)
        return status;
    options = iswi_http_conditions_options(trigger->next, all);
    if (trigger->commanded && trigger->secure && !options.tls)
        status = isw_error_set(error, ISW_E_CONFIG,
                               "http.tls: the address that a command gave needs a certificate");
    if (status == ISW_OK)
        status = iswi_http_terms_make(&options, &trigger->terms, error);
    if (status == ISW_OK)
        status = prepare_doors(trigger, &options, error);
    if (status != ISW_OK)
        iswi_http_renew(trigger, false);
    return status;
}
