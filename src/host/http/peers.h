/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_PEERS_H
#define ISWI_HOST_HTTP_PEERS_H

/* How many connections each address has, where that is limited. Any thread. Inside the room. */
#include <isoworker/value.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

typedef struct iswi_http_peers {
    atomic_size_t most; /* of one address; 0: any number */
    atomic_bool counts; /* there was a limit once */
    pthread_mutex_t lock;
    struct iswi_http_address *buckets[256];
} iswi_http_peers;

void iswi_http_peers_init(iswi_http_peers *peers, size_t most);
/* Another limit holds from now on. Connections that were not counted when they came are fewer than
 * there are, until they have gone. */
void iswi_http_peers_limit(iswi_http_peers *peers, size_t most);
void iswi_http_peers_fini(iswi_http_peers *peers);

/* One more connection from `address`, or not: it has enough, or memory is out. */
bool iswi_http_peers_add(iswi_http_peers *peers, const struct sockaddr *address);
void iswi_http_peers_remove(iswi_http_peers *peers, const struct sockaddr *address);

#endif
