/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates are files of host.yaml like others: what is wrong with one stands at its place
 * there, at a start and with `isoworker check`, and not in a log once a client comes. */
#include "host/http/tls_settings.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

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

/* One certificate alone, and whose clients it takes (NULL: nobody's); `at` counts as in a fault. */
static isw_status check_pair(iswi_config *config, const iswi_node *tls, iswi_tls_options *options,
                             size_t at, isw_error *error)
{
    iswi_tls_fault fault = { ISWI_TLS_FAULT_CHAIN, 0 };
    isw_error own = { ISW_OK, "" };
    isw_status all = ISW_OK;
    iswi_tls *opened = NULL;

    options->other_count = 0;
    if (iswi_tls_create(options, &opened, &fault, &own) == ISW_OK) {
        iswi_tls_destroy(opened);
        return ISW_OK;
    }
    fault.certificate = at;
    if (!iswi_faults_go_on(iswi_config_faults(config),
                           iswi_config_refuse(config, place_of(tls, &fault), error, "%s",
                                              own.message), &all) ||
        fault.file != ISWI_TLS_FAULT_CHAIN || access(options->first.key, R_OK) == 0)
        return all;
    fault.file = ISWI_TLS_FAULT_KEY; /* which was not looked at */
    iswi_faults_go_on(iswi_config_faults(config),
                      iswi_config_refuse(config, place_of(tls, &fault), error,
                                         "%s cannot be read: %s", options->first.key,
                                         strerror(errno)), &all);
    return all;
}

/* Each for itself, so that all that is wrong is told. */
static isw_status check_files(iswi_config *config, const iswi_node *tls,
                              const iswi_tls_options *options, isw_error *error)
{
    iswi_faults *faults = iswi_config_faults(config);
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; on && i <= options->other_count; i++) {
        iswi_tls_options one = *options;

        if (i)
            one.first = options->others[i - 1];
        one.client_ca = i ? NULL : options->client_ca;
        on = iswi_faults_go_on(faults, check_pair(config, tls, &one, i, error), &all);
    }
    return all;
}

isw_status iswi_http_tls_check(iswi_config *config, const iswi_http_tls_settings *settings,
                               const char *address, isw_error *error)
{
    const iswi_node *http = iswi_node_find(iswi_config_root(config), "http");
    const iswi_node *tls = node_of(http, "tls");
    const iswi_tls_options options = options_of(settings);

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
    return check_files(config, tls, &options, error);
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
