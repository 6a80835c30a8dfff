/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_HTTP_CLIENT_H
#define ISOWORKER_HTTP_CLIENT_H

/*
 * isw_http_client: requests that functions send to others, on libcurl. It is a library of its own
 * beside isoworker (CMake: find_package(isoworker COMPONENTS http_client) and
 * isoworker::http_client; pkg-config: isoworker-http-client), so that only those load libcurl who
 * use it. What it adds to libcurl is what an invocation knows: a request ends with the invocation's
 * deadline or cancellation, whichever is first; the other side learns of trace, baggage, request id
 * and the time that is left (outgoing.h); each try is a span; what failed is tried again while
 * there is time; and a host that keeps failing is left alone for a while.
 *
 * One client serves a whole worker, from all of its threads, and keeps connections open: make it a
 * singleton (service.h):
 *
 *     static const isw_service services[] = { ISW_HTTP_CLIENT_SERVICE("http", NULL), { 0 } };
 *
 *     isw_http_client *http = ISW_SERVICE(ctx, isw_http_client, "http");
 *     isw_http_client_request request = ISW_HTTP_CLIENT_REQUEST_INIT;
 *     request.url = "https://prices.example/today";
 *     if (isw_http_client_send(http, ctx, &request, &answer, &error) != ISW_OK)
 *         return isw_fail(ctx, error.status, "%s", error.message);
 *
 * Only http and https are spoken, certificates are checked, and redirects are answers like others:
 * a function that follows one looks first whereto. Proxies are those of the environment (https_proxy,
 * no_proxy), as with curl.
 */
#include <isoworker/context.h>
#include <isoworker/service.h>

ISW_BEGIN_DECLS

typedef struct isw_http_client isw_http_client;

/* Start from ISW_HTTP_CLIENT_OPTIONS_INIT. */
typedef struct isw_http_client_options {
    size_t size;                 /* sizeof(isw_http_client_options) */
    uint32_t timeout_ms;         /* for a request with all of its tries */
    uint32_t connect_timeout_ms; /* for a connection, with TLS */
    uint32_t retries;            /* tries after the first one */
    uint32_t backoff_ms;         /* before the second try, at most; twice that before the third, ... */
    uint32_t circuit_failures;   /* in a row, until a host is left alone; 0: never */
    uint32_t circuit_open_ms;    /* for how long; then one request tries it */
    uint32_t idle_connections;   /* sets of connections that are kept while nobody uses them */
    size_t body_limit;           /* bytes of an answer's body; what has more fails */
    const char *ca_file;         /* certificates to trust, PEM; NULL: the system's */
    const char *user_agent;      /* NULL: "isoworker/VERSION" */
} isw_http_client_options;
#define ISW_HTTP_CLIENT_OPTIONS_INIT                                                            \
    {                                                                                           \
        sizeof(isw_http_client_options), 30000, 5000, 2, 100, 5, 10000, 16, 16777216, NULL, NULL \
    }

/* A client; NULL options are the defaults. They and their texts are copied.
 * Errors: ISW_E_NO_MEMORY, ISW_E_INVALID for no time. */
ISW_API isw_status isw_http_client_create(const isw_http_client_options *options,
                                          isw_http_client **out, isw_error *error);

/* End it, with its connections. No request is under way. NULL is allowed. */
ISW_API void isw_http_client_destroy(isw_http_client *client);

/* The same as a service; `user` are its options. */
ISW_API isw_status isw_http_client_make(isw_resolver *from, void *user, void **out,
                                        isw_error *error);
ISW_API void isw_http_client_end(void *service, void *user);
#define ISW_HTTP_CLIENT_SERVICE(service_name, client_options)                                   \
    {                                                                                           \
        (service_name), "isw_http_client", ISW_SINGLETON, isw_http_client_make,                 \
            isw_http_client_end, (void *)(client_options), NULL                                 \
    }

/* Start from ISW_HTTP_CLIENT_REQUEST_INIT. All is borrowed until the answer. */
typedef struct isw_http_client_request {
    size_t size;        /* sizeof(isw_http_client_request) */
    const char *method; /* NULL: "GET" */
    const char *url;    /* http or https */
    isw_pairs headers;  /* take the place of those of the same name that the client adds */
    isw_bytes body;     /* sent as it is; its type is the headers' to say */
    uint32_t timeout_ms; /* instead of the client's; 0: that */
    bool idempotent;     /* may be sent twice, whatever its method */
} isw_http_client_request;
#define ISW_HTTP_CLIENT_REQUEST_INIT                                                            \
    {                                                                                           \
        sizeof(isw_http_client_request), NULL, NULL, { NULL, 0 }, { NULL, 0 }, 0, false         \
    }

/* Send a request and wait for the whole answer: its status, headers (names in lower case) and body
 * are *answer's, in the invocation's memory. Every status is an answer, 404 and 500 as well.
 *
 * No answer, and the statuses 429, 502, 503 and 504, are tried again, after a random part of the
 * back-off or what Retry-After says, if the time that is left allows it; when it does not, or tries
 * are used up, what came last is what is returned. That is so for the methods that are idempotent
 * (RFC 9110, section 9.2.2) and requests that say so; others are sent again only when no connection
 * came about.
 *
 * Of each host (scheme, name and port) failures in a row are counted: no answer in time, or one of
 * 500 and above. After circuit_failures nobody asks it for circuit_open_ms, and then one request at
 * a time, until one is answered. The client of a service shares that with the same service in the
 * other processes of its worker, and with other hosts where the worker's YAML has `store`; one that
 * isw_http_client_create has made, and one that cannot reach that store, counts for itself.
 *
 * Errors: ISW_E_INVALID for a request that cannot be sent as it is; ISW_E_TIMEOUT when its time was
 * over; ISW_E_CANCELLED when the invocation is cancelled or its deadline has passed;
 * ISW_E_UNAVAILABLE when there was no connection, or it broke off, or the circuit is open;
 * ISW_E_PROTOCOL when what came is no HTTP, more than body_limit, or has more than 256 headers;
 * ISW_E_NO_MEMORY. `error` (may be NULL) names method and URL, without its query and any password.
 * Nothing of these is recorded on ctx, whose function may have another way.
 *
 * On the invocation's thread. Blocks, but no longer than until the invocation is cancelled, and no
 * longer than timeout_ms. */
ISW_API isw_status isw_http_client_send(isw_http_client *client, isw_context *ctx,
                                        const isw_http_client_request *request,
                                        const isw_http **answer, isw_error *error);

ISW_END_DECLS

#endif
