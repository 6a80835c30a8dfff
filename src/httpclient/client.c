/* SPDX-License-Identifier: Apache-2.0 */
/* A client: what it was told, and its connections while nobody uses them. */
#include "httpclient/internal.h"

#include <string.h>

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* -- Connections ------------------------------------------------------------------------------- */

static void discard(iswi_lines *lines)
{
    if (lines->easy)
        curl_easy_cleanup(lines->easy);
    if (lines->multi)
        curl_multi_cleanup(lines->multi);
    isw_free(lines);
}

static iswi_lines *make(void)
{
    iswi_lines *made = isw_calloc(1, sizeof *made);

    if (!made)
        return NULL;
    made->multi = curl_multi_init();
    made->easy = curl_easy_init();
    if (made->multi && made->easy)
        return made;
    discard(made);
    return NULL;
}

iswi_lines *iswi_lines_take(isw_http_client *client)
{
    iswi_lines *taken;

    pthread_mutex_lock(&client->lock);
    taken = client->idle;
    if (taken) {
        client->idle = taken->next;
        client->idle_count--;
    }
    pthread_mutex_unlock(&client->lock);
    return taken ? taken : make();
}

void iswi_lines_give(isw_http_client *client, iswi_lines *lines)
{
    bool kept;

    pthread_mutex_lock(&client->lock);
    kept = client->idle_count < client->options.idle_connections;
    if (kept) {
        lines->next = client->idle;
        client->idle = lines;
        client->idle_count++;
    }
    pthread_mutex_unlock(&client->lock);
    if (!kept)
        discard(lines);
}

/* -- Life -------------------------------------------------------------------------------------- */

static char *copy(const char *text)
{
    char *made = isw_calloc(1, strlen(text) + 1);

    return made ? strcpy(made, text) : NULL;
}

/* What the caller has of the options; the rest are the defaults. */
static isw_http_client_options options_of(const isw_http_client_options *said)
{
    isw_http_client_options all = ISW_HTTP_CLIENT_OPTIONS_INIT;

    if (said)
        memcpy(&all, said, said->size < sizeof all ? said->size : sizeof all);
    all.size = sizeof all;
    return all;
}

isw_status isw_http_client_create(const isw_http_client_options *options, isw_http_client **out,
                                  isw_error *error)
{
    const isw_http_client_options all = options_of(options);
    isw_http_client *made;

    if (!all.timeout_ms || !all.connect_timeout_ms)
        return isw_error_set(error, ISW_E_INVALID, "a client of HTTP needs time: timeout_ms and "
                             "connect_timeout_ms are at least 1");
    pthread_once(&prepared, prepare);
    made = isw_calloc(1, sizeof *made);
    if (!made)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a client of HTTP");
    made->options = all;
    pthread_mutex_init(&made->lock, NULL);
    pthread_mutex_init(&made->circuits.lock, NULL);
    made->ca_file = all.ca_file ? copy(all.ca_file) : NULL;
    made->user_agent = copy(all.user_agent ? all.user_agent : "isoworker/" ISW_VERSION_STRING);
    if ((all.ca_file && !made->ca_file) || !made->user_agent) {
        isw_http_client_destroy(made);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a client of HTTP");
    }
    *out = made;
    return ISW_OK;
}

void isw_http_client_destroy(isw_http_client *client)
{
    if (!client)
        return;
    while (client->idle) {
        iswi_lines *next = client->idle->next;

        discard(client->idle);
        client->idle = next;
    }
    isw_store_close(client->circuits.store);
    pthread_mutex_destroy(&client->circuits.lock);
    pthread_mutex_destroy(&client->lock);
    isw_free(client->ca_file);
    isw_free(client->user_agent);
    isw_free(client);
}

isw_status isw_http_client_make(isw_resolver *from, void *user, void **out, isw_error *error)
{
    const isw_store_options stored = { sizeof stored, ISWI_CIRCUITS_MAX, 0 };
    isw_http_client *made = NULL;
    isw_status status = isw_http_client_create(user, &made, error);

    if (status != ISW_OK)
        return status;
    status = isw_store_open_for(from, "circuits", &stored, &made->circuits.store, NULL);
    if (status == ISW_E_NO_MEMORY || status == ISW_E_IO) {
        isw_http_client_destroy(made);
        return isw_error_set(error, status, "no memory for a client's circuits");
    }
    *out = made; /* one that is no singleton counts for itself */
    return ISW_OK;
}

void isw_http_client_end(void *service, void *user)
{
    (void)user;
    isw_http_client_destroy(service);
}
