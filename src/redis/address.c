/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/address.h"

#include <stdlib.h>
#include <string.h>

enum { PORT = 6379, PORT_MAX = 65535, DATABASE_MAX = 1000000 };

static isw_status refuse(isw_error *error, const char *why)
{
    return isw_error_set(error, ISW_E_CONFIG, "%s; write redis://HOST:PORT/DATABASE, rediss:// for "
                         "TLS, or unix:///PATH", why);
}

/* A whole number from `min` to `max` up to `end`. */
static bool read_number(const char *text, const char *end, long min, long max, int *out)
{
    char *stop;
    long number = strtol(text, &stop, 10);

    if (text == end || *text < '0' || *text > '9' || stop != end || number < min || number > max)
        return false;
    *out = (int)number;
    return true;
}

static bool copy_host(const char *from, const char *end, iswi_redis_address *out)
{
    size_t size = (size_t)(end - from);

    if (!size || size >= sizeof out->host)
        return false;
    memcpy(out->host, from, size);
    out->host[size] = '\0';
    return true;
}

/* HOST, [ADDRESS] and what follows, up to `end`. */
static isw_status read_host(const char *from, const char *end, iswi_redis_address *out,
                            isw_error *error)
{
    const char *host = *from == '[' ? from + 1 : from;
    const char *behind = memchr(host, *from == '[' ? ']' : ':', (size_t)(end - host));
    const char *port;

    if (*from == '[' && !behind)
        return refuse(error, "a \"[\" has no \"]\"");
    if (!copy_host(host, behind ? behind : end, out))
        return refuse(error, "it names no host, or too long a one");
    out->port = PORT;
    port = behind && *from == '[' ? behind + 1 : behind;
    if (!port || port == end)
        return ISW_OK;
    return *port == ':' && read_number(port + 1, end, 1, PORT_MAX, &out->port)
               ? ISW_OK
               : refuse(error, "its port is no number from 1 to 65535");
}

static isw_status read_rest(const char *from, iswi_redis_address *out, isw_error *error)
{
    const char *end = from + strcspn(from, "/");
    isw_status status;

    if (strchr(from, '@'))
        return refuse(error, "it has a user or a password: they are the options `user` and "
                             "`password`");
    if (strpbrk(from, "?#"))
        return refuse(error, "it has a query");
    status = read_host(from, end, out, error);
    if (status == ISW_OK && *end && end[1] &&
        !read_number(end + 1, end + strlen(end), 0, DATABASE_MAX, &out->database))
        return refuse(error, "its database is no number");
    return status;
}

isw_status iswi_redis_address_read(const char *url, iswi_redis_address *out, isw_error *error)
{
    static const char plain[] = "redis://", tls[] = "rediss://", local[] = "unix://";
    iswi_redis_address read = { .port = 0 };
    isw_status status;

    if (strncmp(url, local, sizeof local - 1) == 0) {
        const char *path = url + sizeof local - 1;

        status = *path == '/' && copy_host(path, path + strlen(path), &read)
                     ? ISW_OK
                     : refuse(error, "its path is not absolute, or too long");
    } else if (strncmp(url, tls, sizeof tls - 1) == 0) {
        read.tls = true;
        status = read_rest(url + sizeof tls - 1, &read, error);
    } else if (strncmp(url, plain, sizeof plain - 1) == 0) {
        status = read_rest(url + sizeof plain - 1, &read, error);
    } else {
        status = refuse(error, "it is no address of a Redis server");
    }
    if (status == ISW_OK)
        *out = read;
    return status;
}
