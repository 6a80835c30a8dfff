/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates are files of host.yaml like others: what is wrong with one stands at its place
 * there, at a start and with `isoworker check`, and not in a log once a client comes. */
#include "host/http/tls_settings.h"

#include <stddef.h>

static const char *const clients[] = { "require", "request", NULL };
static const char *const versions[] = { "1.2", "1.3", NULL };

static const isw_option certificate_rows[] = {
    { .name = "certificate", .type = ISW_OPTION_PATH,
      .offset = offsetof(iswi_tls_certificate, chain), .help = "PEM, as above" },
    { .name = "key", .type = ISW_OPTION_PATH, .offset = offsetof(iswi_tls_certificate, key),
      .help = "PEM, as above" },
    { 0 },
};

const isw_option iswi_http_tls_rows[] = {
    { .name = "certificate", .type = ISW_OPTION_PATH,
      .offset = offsetof(iswi_http_tls_settings, first.chain),
      .help = "PEM: the server's, then those that vouch for it; read again when it changes" },
    { .name = "key", .type = ISW_OPTION_PATH, .offset = offsetof(iswi_http_tls_settings, first.key),
      .help = "PEM, without a password" },
    { .name = "others", .type = ISW_OPTION_GROUP_LIST, .optional = true,
      .offset = offsetof(iswi_http_tls_settings, others), .group = certificate_rows,
      .group_size = sizeof(iswi_tls_certificate),
      .help = "for clients that ask for one of their names (SNI)" },
    { .name = "client_ca", .type = ISW_OPTION_PATH, .optional = true,
      .offset = offsetof(iswi_http_tls_settings, client_ca),
      .help = "PEM: who vouches for clients; left out: they are not asked for certificates" },
    { .name = "client", .type = ISW_OPTION_ENUM, .default_value = "require", .choices = clients,
      .offset = offsetof(iswi_http_tls_settings, client),
      .help = "with client_ca: whether a client must have one, or may" },
    { .name = "min_version", .type = ISW_OPTION_ENUM, .default_value = "1.2", .choices = versions,
      .offset = offsetof(iswi_http_tls_settings, min_version), .help = "of TLS" },
    { 0 },
};

static iswi_tls_options options_of(const iswi_http_tls_settings *settings)
{
    return (iswi_tls_options){
        .first = settings->first,
        .others = settings->others.items,
        .other_count = settings->others.count,
        .client_ca = settings->client_ca,
        .client_optional = settings->client == 1,
        .least = settings->min_version == 1 ? ISWI_TLS_1_3 : ISWI_TLS_1_2,
    };
}

/* -- What is wrong with them ------------------------------------------------------------------- */

/* A path of names from `node` on; it ends where one was left out. */
static const iswi_node *node_of(const iswi_node *node, const char *name)
{
    const iswi_node *child = iswi_node_find(node, name);

    return child ? child : node;
}

static const iswi_node *place_of(const iswi_node *tls, const iswi_tls_fault *fault)
{
    const iswi_node *files = tls;

    if (fault->file == ISWI_TLS_FAULT_CLIENT_CA)
        return node_of(tls, "client_ca");
    if (fault->certificate)
        files = &iswi_node_find(tls, "others")->children[fault->certificate - 1];
    return node_of(files, fault->file == ISWI_TLS_FAULT_KEY ? "key" : "certificate");
}

isw_status iswi_http_tls_check(iswi_config *config, const iswi_http_tls_settings *settings,
                               const char *address, isw_error *error)
{
    const iswi_node *http = iswi_node_find(iswi_config_root(config), "http");
    const iswi_node *tls = node_of(http, "tls");
    const iswi_tls_options options = options_of(settings);
    iswi_tls_fault fault = { ISWI_TLS_FAULT_CHAIN, 0 };
    isw_error own = { ISW_OK, "" };
    iswi_tls *opened = NULL;

    if (!settings->first.chain)
        return !address ? ISW_OK
                        : iswi_config_refuse(config, node_of(http, "listen"), error,
                                             "\"%s\" needs a certificate; give http a tls: "
                                             "{ certificate: cert.pem, key: key.pem }", address);
    if (!address)
        return iswi_config_refuse(config, tls, error,
                                  "tls is for addresses that begin with https://, and listen names "
                                  "none; write one, such as https://0.0.0.0:8443");
    if (!settings->client_ca && iswi_node_find(tls, "client"))
        return iswi_config_refuse(config, iswi_node_find(tls, "client"), error,
                                  "clients are asked for certificates where client_ca says who "
                                  "vouches for them; write that, or leave client out");
    if (iswi_tls_create(&options, &opened, &fault, &own) != ISW_OK)
        return iswi_config_refuse(config, place_of(tls, &fault), error, "%s", own.message);
    iswi_tls_destroy(opened);
    return ISW_OK;
}

/* -- In use ------------------------------------------------------------------------------------ */

isw_status iswi_http_tls_open(const iswi_http_tls_settings *settings, bool http2,
                              void (*say)(void *user, isw_log_level level, const char *text),
                              void *user, iswi_tls **out, isw_error *error)
{
    iswi_tls_options options = options_of(settings);

    *out = NULL;
    options.http2 = http2;
    options.say = say;
    options.user = user;
    return settings->first.chain ? iswi_tls_create(&options, out, NULL, error) : ISW_OK;
}
