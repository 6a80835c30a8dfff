/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses to listening sockets. Every refusal names the text and what to write instead. */
#include "host/system/listen.h"

#include "base/alloc.h"
#include "host/system/passed.h"
#include "host/system/port_owner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

/* -- What reaches it --------------------------------------------------------------------------- */

/* An any-address cannot be opened everywhere; the loopback address reaches it from this machine. */
static void write_url(iswi_listener *out)
{
    static const iswi_bound none;
    iswi_bound bound = none;
    socklen_t size = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "";
    const char *scheme = out->secure ? "https" : "http";

    getsockname(out->fd, &bound.any, &size);
    out->local = bound.any.sa_family == AF_UNIX;
    if (out->local) {
        snprintf(out->url, sizeof out->url, "unix:%.*s", ISWI_UNIX_PATH_BYTES - 1,
                 bound.local.sun_path);
    } else if (bound.any.sa_family == AF_INET6) {
        if (memcmp(&bound.v6.sin6_addr, &in6addr_any, sizeof in6addr_any) == 0)
            bound.v6.sin6_addr = in6addr_loopback;
        inet_ntop(AF_INET6, &bound.v6.sin6_addr, host, sizeof host);
        snprintf(out->url, sizeof out->url, "%s://[%s]:%u", scheme, host,
                 ntohs(bound.v6.sin6_port));
    } else {
        if (bound.v4.sin_addr.s_addr == htonl(INADDR_ANY))
            bound.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        inet_ntop(AF_INET, &bound.v4.sin_addr, host, sizeof host);
        snprintf(out->url, sizeof out->url, "%s://%s:%u", scheme, host,
                 ntohs(bound.v4.sin_port));
    }
}

/* The address as the next host will ask for it, with or without TLS. */
static void write_asked(const iswi_address *address, char out[ISWI_LISTEN_ASKED_BYTES])
{
    char text[ISWI_ADDRESS_BYTES];

    if (address->kind == ISWI_ADDRESS_IP) {
        iswi_address_write(address, text);
        snprintf(out, ISWI_LISTEN_ASKED_BYTES, "%s", text);
    } else {
        snprintf(out, ISWI_LISTEN_ASKED_BYTES, "%s%s",
                 address->kind == ISWI_ADDRESS_UNIX ? "unix:" : address->name ? "fd:" : "systemd",
                 address->name ? address->name : "");
    }
}

static iswi_listener *add(iswi_listeners *all, int fd, const iswi_address *address)
{
    iswi_listener *one = &all->items[all->count++];

    *one = (iswi_listener){ .fd = fd, .secure = address->secure, .file.listener = -1 };
    write_url(one);
    write_asked(address, one->asked);
    return one;
}

/* -- Those of the host before ------------------------------------------------------------------ */

/* False: it had none there. */
static bool inherit(const iswi_address *address, const iswi_bound *at, const char *path,
                    const iswi_listen_options *options, iswi_listeners *all)
{
    iswi_legacy_item *item = iswi_legacy_bound(options->legacy, options->setting, at);
    iswi_listener *one;
    int lock;

    if (!item)
        return false;
    one = add(all, iswi_legacy_take(item, &lock), address);
    if (path && lock >= 0)
        iswi_unix_adopt(path, one->fd, lock, options->mode, &one->file);
    else if (lock >= 0)
        close(lock);
    return true;
}

static bool inherit_ip(const iswi_address *address, const iswi_listen_options *options,
                       iswi_listeners *all)
{
    iswi_bound at = { .any.sa_family = address->ip.any.sa_family };

    if (at.any.sa_family == AF_INET6)
        at.v6 = address->ip.v6;
    else
        at.v4 = address->ip.v4;
    return inherit(address, &at, NULL, options, all);
}

static bool inherit_path(const iswi_address *address, const char *path,
                         const iswi_listen_options *options, iswi_listeners *all)
{
    iswi_bound at = { .local = { .sun_family = AF_UNIX } };

    if (strlen(path) >= sizeof at.local.sun_path)
        return false;
    strcpy(at.local.sun_path, path);
    return inherit(address, &at, path, options, all);
}

/* All that were passed to it by that name; ours would be for another process. */
static bool inherit_passed(const iswi_address *address, const iswi_listen_options *options,
                           iswi_listeners *all)
{
    char asked[ISWI_LISTEN_ASKED_BYTES];
    iswi_legacy_item *item;
    bool found = false;
    size_t room = ISWI_PASSED_MAX;

    write_asked(address, asked);
    while (room-- && (item = iswi_legacy_find(options->legacy, ISWI_LEGACY_LISTENER, NULL,
                                              asked)) != NULL) {
        add(all, iswi_legacy_take(item, NULL), address);
        found = true;
    }
    return found;
}

/* -- One of each kind -------------------------------------------------------------------------- */

static isw_status explain(const iswi_address *address, const char *setting, int cause,
                          isw_error *error)
{
    char owner[64] = "another program";
    char text[ISWI_ADDRESS_BYTES];

    iswi_address_write(address, text);
    switch (cause) {
    case EADDRINUSE:
        iswi_port_owner(iswi_address_port(address), owner, sizeof owner);
        return isw_error_set(error, ISW_E_CONFLICT, "%s is in use by %s; choose another %s",
                             text, owner, setting);
    case EADDRNOTAVAIL:
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s: this machine does not have the address of \"%s\"; choose one "
                             "that it has, such as 127.0.0.1",
                             setting, text);
    case EACCES:
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s: not allowed to listen on \"%s\"; choose a port of 1024 or above",
                             setting, text);
    default:
        return isw_error_set(error, ISW_E_IO, "cannot listen on %s: %s", text,
                             strerror(cause));
    }
}

/* [::] takes the connections of IPv4 as well, unless somebody has asked for those. */
static bool leaves_v4(const iswi_address *addresses, size_t count, const iswi_address *one)
{
    for (size_t i = 0; i < count; i++)
        if (addresses[i].kind == ISWI_ADDRESS_IP && addresses[i].ip.any.sa_family == AF_INET &&
            iswi_address_port(&addresses[i]) == iswi_address_port(one))
            return true;
    return false;
}

static isw_status open_ip(const iswi_address *address, bool v6_only,
                          const iswi_listen_options *options, iswi_listeners *all,
                          isw_error *error)
{
    bool v6 = address->ip.any.sa_family == AF_INET6;
    socklen_t size = v6 ? sizeof address->ip.v6 : sizeof address->ip.v4;
    int on = 1;
    int fd;

    if (inherit_ip(address, options, all))
        return ISW_OK;
    fd = socket(address->ip.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return explain(address, options->setting, errno, error);
    /* A restart must not wait for the connections of the last run to be forgotten. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (v6 && v6_only)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &address->ip.any, size) || listen(fd, SOMAXCONN)) {
        int cause = errno;

        close(fd);
        return explain(address, options->setting, cause, error);
    }
    add(all, fd, address);
    return ISW_OK;
}

static isw_status open_path(const iswi_address *address, const iswi_listen_options *options,
                            iswi_listeners *all, isw_error *error)
{
    bool relative = address->name[0] != '/' && options->folder;
    isw_error own = { ISW_OK, "" };
    iswi_unix_socket file;
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s%s%s", relative ? options->folder : "", relative ? "/" : "",
             address->name);
    if (inherit_path(address, path, options, all))
        return ISW_OK;
    if (iswi_unix_listen(path, options->mode, &file, &own) != ISW_OK)
        return isw_error_set(error, own.status, "%s: %s; choose another %s", address->text,
                             own.message, options->setting);
    add(all, file.listener, address)->file = file;
    return ISW_OK;
}

static isw_status take_passed(const iswi_address *address, const iswi_listen_options *options,
                              iswi_listeners *all, isw_error *error)
{
    int fds[ISWI_PASSED_MAX];
    size_t count;
    isw_status status;

    if (inherit_passed(address, options, all))
        return ISW_OK;
    status = iswi_passed_take(address->name, address->text, options->setting, fds, &count, error);
    for (size_t i = 0; status == ISW_OK && i < count; i++)
        add(all, fds[i], address);
    return status;
}

/* -- All of them ------------------------------------------------------------------------------- */

isw_status iswi_listen_open(const iswi_address *addresses, size_t count,
                            const iswi_listen_options *options, iswi_listeners *out,
                            isw_error *error)
{
    iswi_listeners all = { iswi_calloc(count + ISWI_PASSED_MAX, sizeof *all.items), 0 };
    isw_status status = ISW_OK;

    if (!all.items)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for addresses");
    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        const iswi_address *one = &addresses[i];

        if (one->kind == ISWI_ADDRESS_UNIX)
            status = open_path(one, options, &all, error);
        else if (one->kind == ISWI_ADDRESS_PASSED)
            status = take_passed(one, options, &all, error);
        else
            status = open_ip(one, leaves_v4(addresses, count, one), options, &all, error);
    }
    if (status == ISW_OK)
        *out = all;
    else
        iswi_listen_fini(&all);
    return status;
}

void iswi_listen_own(iswi_listeners *all)
{
    for (size_t i = 0; i < all->count; i++)
        iswi_unix_own(&all->items[i].file);
}

bool iswi_listen_give(const iswi_listeners *all, const char *setting, iswi_legacy *legacy)
{
    for (size_t i = 0; i < all->count; i++) {
        const iswi_listener *one = &all->items[i];

        if (one->fd >= 0 &&
            !iswi_legacy_add(legacy, ISWI_LEGACY_LISTENER, setting, one->asked, one->fd,
                             one->file.listener >= 0 ? one->file.lock : -1))
            return false;
    }
    return true;
}

void iswi_listen_end(iswi_listener *one, bool leave)
{
    if (one->file.listener >= 0 && leave)
        iswi_unix_leave(&one->file);
    else if (one->file.listener >= 0)
        iswi_unix_unlisten(&one->file);
    else if (one->fd >= 0)
        close(one->fd);
    one->fd = -1;
}

void iswi_listen_close(iswi_listeners *all)
{
    for (size_t i = 0; i < all->count; i++)
        iswi_listen_end(&all->items[i], false);
}

void iswi_listen_leave(iswi_listeners *all)
{
    for (size_t i = 0; i < all->count; i++)
        iswi_listen_end(&all->items[i], true);
}

void iswi_listen_fini(iswi_listeners *all)
{
    iswi_listen_close(all);
    iswi_free(all->items);
    *all = (iswi_listeners){ NULL, 0 };
}
