/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a key set from a file or a URL. Nothing read here is longer than AUTH_FETCH_MAX_BYTES,
 * and nothing comes from a host other than the one that the configuration names. */
#include "auth_fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- Files ------------------------------------------------------------------------------------- */

/* Read up to `capacity` bytes. Returns how many there were, or -1. */
static ssize_t read_up_to(int fd, char *data, size_t capacity)
{
    size_t size = 0;

    while (size < capacity) {
        ssize_t got = read(fd, data + size, capacity - size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        size += (size_t)got;
    }
    return (ssize_t)size;
}

static isw_status read_open_file(int fd, const char *path, auth_text *out, struct stat *identity,
                                 isw_error *error)
{
    char *data = malloc(AUTH_FETCH_MAX_BYTES + 1);
    isw_status status = ISW_OK;
    ssize_t size = -1;

    if (!data)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory");
    if (!identity || fstat(fd, identity) == 0)
        size = read_up_to(fd, data, AUTH_FETCH_MAX_BYTES + 1);
    if (size < 0)
        status = isw_error_set(error, ISW_E_IO, "cannot read %s: %s", path, strerror(errno));
    else if (size > AUTH_FETCH_MAX_BYTES)
        status = isw_error_set(error, ISW_E_TOO_LARGE, "%s is larger than %d bytes", path,
                               AUTH_FETCH_MAX_BYTES);
    if (status != ISW_OK) {
        free(data);
        return status;
    }
    data[size] = '\0';
    out->data = data;
    out->size = (size_t)size;
    return ISW_OK;
}

isw_status auth_read_file(const char *path, auth_text *out, struct stat *identity, isw_error *error)
{
    /* Not to block when the path names a FIFO. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    isw_status status;

    if (fd < 0)
        return isw_error_set(error, ISW_E_IO, "cannot open %s: %s", path, strerror(errno));
    status = read_open_file(fd, path, out, identity, error);
    close(fd);
    return status;
}

/* -- Over the network -------------------------------------------------------------------------- */

/* Whom a URL would have us ask; the only reading of one there is. */
typedef enum auth_origin { NOBODY, SECURED, THIS_MACHINE } auth_origin;

static auth_origin origin_of_parts(const char *scheme, const char *host)
{
    const bool loopback = strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
                          strcmp(host, "localhost") == 0;

    if (strcmp(scheme, "https") == 0)
        return SECURED;
    return strcmp(scheme, "http") == 0 && loopback ? THIS_MACHINE : NOBODY;
}

/* By the library that will dial: http://127.0.0.1@elsewhere/ is not on this machine. */
static auth_origin origin_of(const char *url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *user = NULL;
    auth_origin origin = NOBODY;

    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_NO_USER)
        origin = origin_of_parts(scheme, host);
    curl_free(user);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return origin;
}

bool auth_url_allowed(const char *url)
{
    return origin_of(url) != NOBODY;
}

/* libcurl's write callback: a short count ends the transfer with CURLE_WRITE_ERROR. */
static size_t append(char *bytes, size_t one, size_t size, void *user)
{
    auth_text *text = user;

    (void)one;
    if (size > AUTH_FETCH_MAX_BYTES - text->size)
        return 0;
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
    return size;
}

static CURLcode configure(CURL *curl, const char *url, auth_text *text, char *message)
{
    const bool plain = origin_of(url) == THIS_MACHINE;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");

#define SET(option, value) code = code ? code : curl_easy_setopt(curl, option, value)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_TIMEOUT_MS, (long)AUTH_FETCH_TIMEOUT_MS);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_USERAGENT, "isoworker");
    SET(CURLOPT_ERRORBUFFER, message);
    SET(CURLOPT_WRITEFUNCTION, append);
    SET(CURLOPT_WRITEDATA, text);
    if (plain) /* loopback: a proxy would be asked for its own */
        SET(CURLOPT_PROXY, "");
#undef SET
    return code;
}

static isw_status transfer(CURL *curl, const char *url, auth_text *text, isw_error *error)
{
    char message[CURL_ERROR_SIZE] = "";
    CURLcode code = configure(curl, url, text, message);
    long http = 0;

    if (!code)
        code = curl_easy_perform(curl);
    if (code == CURLE_WRITE_ERROR)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "%s is larger than %d bytes", url,
                             AUTH_FETCH_MAX_BYTES);
    if (code)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "cannot fetch %s: %s", url,
                             message[0] ? message : curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (http != 200)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "cannot fetch %s: status %ld", url, http);
    return ISW_OK;
}

isw_status auth_fetch_url(const char *url, auth_text *out, isw_error *error)
{
    auth_text text = { malloc(AUTH_FETCH_MAX_BYTES + 1), 0 };
    CURL *curl = text.data ? curl_easy_init() : NULL;
    isw_status status;

    if (!curl) {
        free(text.data);
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory");
    }
    status = transfer(curl, url, &text, error);
    curl_easy_cleanup(curl);
    if (status != ISW_OK) {
        free(text.data);
        return status;
    }
    text.data[text.size] = '\0';
    *out = text;
    return ISW_OK;
}
