/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that have a connection, in lists by a hash. Those of no address (Unix sockets) are not
 * counted. */
#include "host/http/peers.h"

#include "base/alloc.h"

#include <netinet/in.h>

typedef struct iswi_http_address {
    struct iswi_http_address *next;
    unsigned char bytes[16]; /* as IPv6 has it */
    size_t count;
} iswi_http_address;

void iswi_http_peers_init(iswi_http_peers *peers, size_t most)
{
    atomic_init(&peers->most, most);
    atomic_init(&peers->counts, most > 0);
    pthread_mutex_init(&peers->lock, NULL);
}

void iswi_http_peers_limit(iswi_http_peers *peers, size_t most)
{
    pthread_mutex_lock(&peers->lock);
    peers->counts = peers->counts || most;
    atomic_store(&peers->most, most);
    pthread_mutex_unlock(&peers->lock);
}

void iswi_http_peers_fini(iswi_http_peers *peers)
{
    for (size_t i = 0; i < sizeof peers->buckets / sizeof peers->buckets[0]; i++)
        while (peers->buckets[i]) {
            iswi_http_address *next = peers->buckets[i]->next;

            iswi_free(peers->buckets[i]);
            peers->buckets[i] = next;
        }
    pthread_mutex_destroy(&peers->lock);
}

static bool read_address(const struct sockaddr *address, unsigned char out[16])
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (address->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
        return true;
    }
    if (address->sa_family != AF_INET)
        return false;
    memcpy(out, mapped, sizeof mapped);
    memcpy(out + sizeof mapped, &((const struct sockaddr_in *)address)->sin_addr, 4);
    return true;
}

/* Where the entry of an address is, or would be. With the lock. */
static iswi_http_address **find(iswi_http_peers *peers, const unsigned char bytes[16])
{
    iswi_http_address **at;
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (int i = 0; i < 16; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    at = &peers->buckets[(hash ^ hash >> 16) % (sizeof peers->buckets / sizeof peers->buckets[0])];
    while (*at && memcmp((*at)->bytes, bytes, 16) != 0)
        at = &(*at)->next;
    return at;
}

bool iswi_http_peers_add(iswi_http_peers *peers, const struct sockaddr *address)
{
    iswi_http_address **at;
    unsigned char bytes[16];
    bool fits;

    if (!peers->counts || !read_address(address, bytes))
        return true;
    pthread_mutex_lock(&peers->lock);
    at = find(peers, bytes);
    if (!*at && (*at = iswi_calloc(1, sizeof **at)) != NULL)
        memcpy((*at)->bytes, bytes, sizeof bytes);
    fits = *at && (!peers->most || (*at)->count < peers->most);
    if (fits)
        (*at)->count++;
    pthread_mutex_unlock(&peers->lock);
    return fits;
}

void iswi_http_peers_remove(iswi_http_peers *peers, const struct sockaddr *address)
{
    iswi_http_address **at;
    iswi_http_address *entry;
    unsigned char bytes[16];

    if (!peers->counts || !read_address(address, bytes))
        return;
    pthread_mutex_lock(&peers->lock);
    at = find(peers, bytes);
    entry = *at;
    if (entry && --entry->count == 0) {
        *at = entry->next;
        iswi_free(entry);
    }
    pthread_mutex_unlock(&peers->lock);
}
