/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_SETTINGS_H
#define ISWI_HOST_HTTP_SETTINGS_H

/* `http` of host.yaml. Inside the room. */
#include "host/engine/trigger.h"
#include "host/http/access_log.h"
#include "host/http/caller.h"
#include "host/http/tls_settings.h"
#include "host/system/address.h"

typedef struct iswi_http_settings {
    bool enabled;
    isw_option_strings listen;
    const char *socket_mode, *prefix;
    int64_t body_limit, body_memory, answer_memory;
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    int64_t connections, connections_per_address;
    int64_t threads;
    bool http2;
    bool probes;
    iswi_http_tls_settings tls;
    isw_option_strings trusted_proxies;
    int64_t proxy_headers; /* iswi_forwarded_by */
    bool proxy_protocol;
    isw_option_strings deadlines_from;
    iswi_access_log_settings access_log;
} iswi_http_settings;

extern const iswi_settings_group iswi_http_settings_group;

/* The same where nothing listens by it, so that its certificates may be missing. */
extern const iswi_settings_group iswi_http_indoors_group;

/* The addresses to listen at, which are the caller's to give to iswi_free: those of the settings,
 * but for what a command said. Errors: ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_http_settings_addresses(const iswi_http_settings *settings,
                                        const iswi_trigger_start *with, iswi_address **out,
                                        size_t *count, isw_error *error);

/* Whose word counts; its networks are the caller's to fini. Errors: ISW_E_NO_MEMORY; what
 * is wrong with them was refused. */
isw_status iswi_http_settings_trust(const iswi_http_settings *settings, iswi_http_trust *out,
                                    isw_error *error);

/* `socket_mode` as a number. */
unsigned iswi_http_settings_mode(const iswi_http_settings *settings);

#endif
