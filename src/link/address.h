/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_ADDRESS_H
#define ISWI_LINK_ADDRESS_H

/* Unix sockets as urls of links name them. */
#include <stdbool.h>
#include <sys/un.h>

/* The address of ipc://PATH. False with errno: EINVAL for another url, ENAMETOOLONG. */
bool iswi_socket_address(const char *url, struct sockaddr_un *out);

#endif
