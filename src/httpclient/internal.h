/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HTTPCLIENT_INTERNAL_H
#define ISWI_HTTPCLIENT_INTERNAL_H

/* What the files of the client share. */
#include <curl/curl.h>
#include <isoworker/http_client.h>
#include <isoworker/http.h>
#include <isoworker/sys/store.h>
#include <pthread.h>

enum { ISWI_CIRCUITS_MAX = 256, ISWI_ORIGIN_BYTES = 300 };

/* -- circuit.c; circuits.c, any thread --------------------------------------------------------- */

/* Closed and without a failure it is all zero. */
typedef struct iswi_circuit {
    int64_t until_us;       /* open until then; 0: closed */
    int64_t probe_until_us; /* when the one that is on its way is taken for lost */
    uint32_t failures;      /* in a row */
    uint32_t probing;       /* one is on its way */
} iswi_circuit;

typedef enum iswi_verdict { ISWI_WENT_WELL, ISWI_WENT_WRONG, ISWI_SAYS_NOTHING } iswi_verdict;

/* A try at a host. */
typedef struct iswi_visit {
    const isw_http_client_options *options;
    const char *origin;
    bool known;      /* there was a circuit when it began */
    int64_t wait_ms; /* it may not begin, and another one may then; 0: it may */
    iswi_verdict verdict;
} iswi_visit;

/* What becomes of a circuit when the try comes, and when it ends. */
void iswi_circuit_come(iswi_circuit *at, iswi_visit *visit, int64_t now_us);
void iswi_circuit_go(iswi_circuit *at, iswi_visit *visit, int64_t now_us);

typedef struct iswi_circuits {
    isw_store *store; /* of all processes; NULL: there is none */
    pthread_mutex_t lock;
    size_t count; /* of what this process has itself, and counts by while there is no store: */
    struct {
        char origin[ISWI_ORIGIN_BYTES];
        iswi_circuit circuit;
    } items[ISWI_CIRCUITS_MAX];
} iswi_circuits;

/* Whether a try may begin, which iswi_circuits_leave then ends. */
bool iswi_circuits_enter(iswi_circuits *circuits, iswi_visit *visit);
void iswi_circuits_leave(iswi_circuits *circuits, iswi_visit *visit);

/* -- client.c; any thread ---------------------------------------------------------------------- */

/* A set of connections, which one request at a time uses. */
typedef struct iswi_lines {
    CURLM *multi;
    CURL *easy;
    struct iswi_lines *next;
} iswi_lines;

struct isw_http_client {
    isw_http_client_options options;
    char *ca_file, *user_agent;
    pthread_mutex_t lock;
    iswi_lines *idle; /* the one that was used last first */
    uint32_t idle_count;
    iswi_circuits circuits;
};

/* NULL: no memory. */
iswi_lines *iswi_lines_take(isw_http_client *client);
void iswi_lines_give(isw_http_client *client, iswi_lines *lines);

/* -- transfer.c; on the invocation's thread ---------------------------------------------------- */

/* A request, looked at. */
typedef struct iswi_request {
    const isw_http_client_request *said;
    const char *method;
    const char *shown; /* the URL without what is nobody's business */
    const char *host;
    const char *origin;
} iswi_request;

/* What came of a try. */
typedef struct iswi_try {
    CURLcode code;
    bool cancelled, no_memory, too_large;
    char why[CURL_ERROR_SIZE];
    isw_http *answer; /* with CURLE_OK */
} iswi_try;

void iswi_transfer(isw_http_client *client, isw_context *ctx, const iswi_request *request,
                   int64_t left_ms, iswi_try *out);

#endif
