/* SPDX-License-Identifier: Apache-2.0 */
/* What a front needs beside its numbers. Invariant: who opened a log, or certificates, closes it. */
#include "host/http/conditions.h"

#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"

static void say_tls(void *user, isw_log_level level, const char *text)
{
    iswi_say(user, level, "http.tls: %s", text);
}

/* A line of the front and of the access log. */
static void say_log(void *user, isw_log_level level, const char *text)
{
    iswi_say(user, level, "http: %s", text);
}

static isw_status open_log(iswi_host *host, iswi_http_conditions *own,
                           const iswi_http_conditions *before, isw_error *error)
{
    if (before && iswi_config_equal(iswi_access_log_rows, &own->settings->access_log,
                                    &before->settings->access_log)) {
        own->access_log = before->access_log;
        return ISW_OK;
    }
    own->owns_log = true;
    return iswi_access_log_open(&own->settings->access_log, iswi_host_data_folder(host), say_log, host,
                                &own->access_log, error);
}

static isw_status open_tls(iswi_host *host, iswi_http_conditions *own,
                           const iswi_http_conditions *before, isw_error *error)
{
    if (before && own->settings->http2 == before->settings->http2 &&
        iswi_config_equal(iswi_http_tls_rows, &own->settings->tls, &before->settings->tls)) {
        own->tls = before->tls;
        return ISW_OK;
    }
    own->owns_tls = true;
    return iswi_http_tls_open(&own->settings->tls, own->settings->http2, say_tls, host, &own->tls,
                              error);
}

isw_status iswi_http_conditions_make(iswi_host *host, const iswi_http_settings *settings,
                                     const iswi_http_conditions *before, bool secure,
                                     iswi_http_conditions **out, isw_error *error)
{
    iswi_http_conditions *own = iswi_calloc(1, sizeof *own);
    isw_status status;

    if (!own)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for HTTP");
    own->settings = settings;
    own->awaits = iswi_host_awaits(host);
    status = iswi_http_settings_trust(settings, &own->trust, error);
    if (status == ISW_OK)
        status = open_log(host, own, before, error);
    if (status == ISW_OK && secure)
        status = open_tls(host, own, before, error);
    if (status == ISW_OK)
        *out = own;
    else
        iswi_http_conditions_free(own);
    return status;
}

void iswi_http_conditions_free(iswi_http_conditions *conditions)
{
    if (!conditions)
        return;
    if (conditions->owns_tls)
        iswi_tls_destroy(conditions->tls);
    if (conditions->owns_log)
        iswi_access_log_close(conditions->access_log);
    iswi_networks_fini(&conditions->trust.proxies);
    iswi_networks_fini(&conditions->trust.callers);
    iswi_free(conditions);
}

iswi_http_options iswi_http_conditions_options(const iswi_http_conditions *conditions,
                                               const iswi_host_settings *all)
{
    const iswi_http_settings *settings = conditions->settings;

    return (iswi_http_options){
        .socket_mode = iswi_http_settings_mode(settings),
        .prefix = settings->prefix,
        .body_limit_bytes = settings->body_limit,
        .body_memory_bytes = settings->body_memory,
        .answer_memory_bytes = settings->answer_memory,
        .header_timeout_ms = settings->header_timeout_ms,
        .body_timeout_ms = settings->body_timeout_ms,
        .idle_timeout_ms = settings->idle_timeout_ms,
        .connections = settings->connections,
        .connections_per_ip = settings->connections_per_address,
        .threads = (unsigned)settings->threads,
        .early_limit = (size_t)all->queue.limit,
        .early_wait_ms = conditions->awaits ? INT32_MAX : all->queue.wait_ms,
        .http1_only = !settings->http2,
        .probes = settings->probes,
        .trust = &conditions->trust,
        .access_log = conditions->access_log,
        .tls = conditions->tls,
    };
}
