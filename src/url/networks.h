/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_NETWORKS_H
#define ISWI_URL_NETWORKS_H

/* IP addresses as values, and sets of networks that they may lie in. Pure; any thread. */
#include <isoworker/status.h>
#include <isoworker/value.h>

/* One of IPv4 is the one of IPv6 that stands for it (::ffff:0:0/96), so that a client is the same
 * on whatever socket it came. */
typedef struct iswi_ip {
    uint8_t bytes[16];
} iswi_ip;

enum { ISWI_IP_BYTES = 46 }; /* of its text, with the NUL */

/* False for what is no address: without brackets, port or zone. */
bool iswi_ip_read(isw_str text, iswi_ip *out);

/* From the 4 or the 16 bytes of a socket address. */
iswi_ip iswi_ip_of(const void *bytes, size_t size);

/* "192.0.2.1", "2001:db8::1"; returns the size. */
size_t iswi_ip_write(const iswi_ip *ip, char out[ISWI_IP_BYTES]);

typedef struct iswi_network {
    iswi_ip first;
    unsigned bits; /* that its addresses share with the first, of 128 */
} iswi_network;

typedef struct iswi_networks {
    iswi_network *items;
    size_t count;
    bool local; /* also who comes by a Unix socket */
} iswi_networks;

/* Read "10.0.0.0/8", "::1" and "unix"; *out is the caller's to fini. ISW_E_CONFIG for a text that
 * is none of these, whose index is then *bad; ISW_E_NO_MEMORY. */
isw_status iswi_networks_read(const char *const *texts, size_t count, iswi_networks *out,
                              size_t *bad, isw_error *error);
void iswi_networks_fini(iswi_networks *networks); /* zeroed ones are empty */

bool iswi_networks_have(const iswi_networks *networks, const iswi_ip *ip);

#endif
