/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_TLS_SETTINGS_H
#define ISWI_HOST_HTTP_TLS_SETTINGS_H

/* `http.tls` of host.yaml: what addresses that begin with https:// show, and whom they take. */
#include "config/config.h"
#include "host/tls/tls.h"

typedef struct iswi_http_tls_settings {
    iswi_tls_certificate first; /* without a chain: there is no TLS */
    isw_option_list others;     /* of iswi_tls_certificate */
    const char *client_ca;
    int64_t client;
    int64_t min_version;
} iswi_http_tls_settings;

extern const isw_option iswi_http_tls_rows[];

/* Whether its files can be used, and it is meant: `address` is the first one over TLS, NULL if
 * there is none. Refuses at the place of what is wrong. Blocks on files. */
isw_status iswi_http_tls_check(iswi_config *config, const iswi_http_tls_settings *settings,
                               const char *address, isw_error *error);

/* Read the files; what is to be said of them goes to the hook. *out is NULL where there is no TLS.
 * `http2`: it is offered. The settings outlive it. Errors: as iswi_tls_create. */
isw_status iswi_http_tls_open(const iswi_http_tls_settings *settings, bool http2,
                              void (*say)(void *user, isw_log_level level, const char *text),
                              void *user, iswi_tls **out, isw_error *error);

#endif
