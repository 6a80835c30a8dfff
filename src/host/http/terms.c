/* SPDX-License-Identifier: Apache-2.0 */
/* What a front serves by. Invariant: those in force are never changed, and those of before stay, so
 * that whoever looks at them, on whatever loop, sees one set as a whole. */
#include "host/http/internal.h"

#include "base/alloc.h"

static int64_t or_default(int64_t value, int64_t standard)
{
    return value > 0 ? value : standard;
}

isw_status iswi_http_prefix_check(const char *prefix, isw_error *error)
{
    static const char valid[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~/";

    if (prefix[strspn(prefix, valid)] || strstr(prefix, "//") || strstr(prefix, ".."))
        return isw_error_set(error, ISW_E_CONFIG,
                             "http.prefix: \"%s\" is not a path; write segments of letters, "
                             "digits and -._~ with single '/' between them, such as \"api/v1\"",
                             prefix);
    return ISW_OK;
}

/* "/api" for "api", "/api" or "api/"; "" for none. */
static isw_status set_prefix(iswi_http_terms *terms, const char *prefix, isw_error *error)
{
    isw_status status;
    size_t size;

    prefix = prefix ? prefix : "api";
    status = iswi_http_prefix_check(prefix, error);
    if (status != ISW_OK)
        return status;
    prefix += prefix[0] == '/';
    size = strlen(prefix);
    size -= size && prefix[size - 1] == '/';
    terms->prefix = iswi_calloc(1, size + 2);
    if (!terms->prefix)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    if (size) {
        terms->prefix[0] = '/';
        memcpy(terms->prefix + 1, prefix, size);
    }
    return ISW_OK;
}

isw_status iswi_http_terms_make(const iswi_http_options *options, iswi_http_terms **out,
                                isw_error *error)
{
    static const iswi_http_trust nobody;
    const int64_t per_ip = options->connections_per_ip;
    iswi_http_terms *terms = iswi_calloc(1, sizeof *terms);
    isw_status status;

    if (!terms)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    terms->body_limit_bytes = or_default(options->body_limit_bytes, 100 * 1024 * 1024);
    terms->body_memory_bytes = or_default(options->body_memory_bytes, 256 * 1024 * 1024);
    terms->answer_memory_bytes = or_default(options->answer_memory_bytes, 256 * 1024 * 1024);
    terms->header_ns = or_default(options->header_timeout_ms, 10000) * 1000000;
    terms->body_ns = or_default(options->body_timeout_ms, 60000) * 1000000;
    terms->idle_ns = or_default(options->idle_timeout_ms, 75000) * 1000000;
    terms->connections = (size_t)or_default(options->connections, 10000);
    terms->connections_per_ip = per_ip > 0 ? (size_t)per_ip : 0;
    terms->early_limit = options->early_limit;
    terms->early_wait_ms = options->early_wait_ms;
    terms->http1_only = options->http1_only;
    terms->trust = options->trust ? options->trust : &nobody;
    terms->access_log = options->access_log;
    terms->tls = options->tls;
    status = set_prefix(terms, options->prefix, error);
    if (status == ISW_OK)
        *out = terms;
    else
        iswi_free(terms);
    return status;
}

void iswi_http_terms_free(iswi_http_terms *terms)
{
    if (!terms)
        return;
    iswi_free(terms->prefix);
    iswi_free(terms);
}

void iswi_http_take_terms(iswi_http *http, iswi_http_terms *terms)
{
    terms->before = http->terms;
    atomic_store(&http->terms, terms);
    iswi_http_peers_limit(&http->listener.peers, terms->connections_per_ip);
}

void iswi_http_terms_end(iswi_http *http)
{
    const iswi_http_terms *terms = http->terms;

    while (terms) {
        const iswi_http_terms *before = terms->before;

        iswi_http_terms_free((iswi_http_terms *)terms);
        terms = before;
    }
}
