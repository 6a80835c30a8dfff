/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/caller.h"

#include <netinet/in.h>
#include <stdio.h>

static bool trusts_anybody(const iswi_http_trust *trust)
{
    return trust->proxies.count || trust->proxies.local;
}

static void name_by_ip(iswi_http_peer *peer, const iswi_ip *ip, const iswi_http_trust *trust)
{
    char text[ISWI_IP_BYTES];

    iswi_ip_write(ip, text);
    snprintf(peer->name, sizeof peer->name, "%s", text);
    peer->trusted = iswi_networks_have(&trust->proxies, ip);
    peer->has_deadlines = iswi_networks_have(&trust->callers, ip);
}

static void name_local(iswi_http_peer *peer, const iswi_http_trust *trust)
{
    snprintf(peer->name, sizeof peer->name, "unix");
    peer->trusted = trust->proxies.local;
    peer->has_deadlines = trust->callers.local;
}

iswi_http_peer iswi_http_peer_of(const struct sockaddr *address, const iswi_http_trust *trust)
{
    iswi_http_peer peer = { .name = "" };
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    iswi_ip ip;

    if (address->sa_family != AF_INET && address->sa_family != AF_INET6) {
        name_local(&peer, trust);
        return peer;
    }
    ip = address->sa_family == AF_INET ? iswi_ip_of(&v4->sin_addr, sizeof v4->sin_addr)
                                       : iswi_ip_of(&v6->sin6_addr, sizeof v6->sin6_addr);
    name_by_ip(&peer, &ip, trust);
    return peer;
}

void iswi_http_peer_hand_on(iswi_http_peer *peer, const iswi_http1_proxied *said,
                            const iswi_http_trust *trust)
{
    peer->tls = peer->tls || said->tls;
    if (said->known && said->local)
        name_local(peer, trust);
    else if (said->known)
        name_by_ip(peer, &said->client, trust);
}

/* -- Headers ----------------------------------------------------------------------------------- */

static bool is_forwarding(isw_str name)
{
    static const char *const names[] = { "forwarded", "x-forwarded-for", "x-forwarded-host" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (isw_str_equal(name, isw_str_of(names[i])))
            return true;
    return false;
}

/* A copy with the host that was asked for and the scheme, and without what is not to be believed.
 * False: no memory. */
static bool mend(isw_http *data, bool believed, const iswi_forwarded *said, iswi_arena *arena)
{
    const isw_pairs *from = &data->headers;
    isw_pair *items = iswi_arena_alloc(arena, (from->count + 1) * sizeof *items);
    const char *host = said->host[0] ? iswi_arena_strndup(arena, said->host, strlen(said->host))
                                     : NULL;
    size_t count = 0;

    if (!items || (said->host[0] && !host))
        return false;
    for (size_t i = 0; i < from->count; i++) {
        isw_str name = from->items[i].name;

        if (isw_str_equal(name, isw_str_of("x-forwarded-proto")) ||
            (!believed && is_forwarding(name)))
            continue;
        items[count] = from->items[i];
        if (host && isw_str_equal(name, isw_str_of("host")))
            items[count].value = isw_str_of(host);
        count++;
    }
    items[count++] = (isw_pair){ isw_str_of("x-forwarded-proto"), isw_str_of(said->scheme) };
    data->headers = (isw_pairs){ items, count };
    return true;
}

iswi_http_caller_result iswi_http_caller_find(const iswi_http_peer *peer,
                                              const iswi_http_trust *trust, isw_http *data,
                                              iswi_arena *arena, const char **scheme,
                                              const char **why)
{
    iswi_forwarded_result result = ISWI_FORWARDED_NONE;
    iswi_forwarded said = { .scheme = NULL };
    const char *client;

    if (peer->trusted)
        result = iswi_forwarded_read(&data->headers, trust->by, &trust->proxies, &said, why);
    client = said.client[0] ? said.client : peer->name;
    client = iswi_arena_strndup(arena, client, strlen(client));
    if (!said.scheme)
        said.scheme = peer->tls ? "https" : "http";
    *scheme = said.scheme;
    if (!client || (trusts_anybody(trust) &&
                    !mend(data, peer->trusted && result != ISWI_FORWARDED_BAD, &said, arena)))
        return ISWI_HTTP_CALLER_NO_MEMORY;
    data->client = isw_str_of(client);
    return result == ISWI_FORWARDED_BAD ? ISWI_HTTP_CALLER_UNSURE : ISWI_HTTP_CALLER_KNOWN;
}
