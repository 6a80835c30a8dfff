/* SPDX-License-Identifier: Apache-2.0 */
#include "link/address.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool iswi_socket_address(const char *url, struct sockaddr_un *out)
{
    static const char scheme[] = "ipc://";
    const char *path = url + sizeof scheme - 1;

    if (strncmp(url, scheme, sizeof scheme - 1) != 0 || *path != '/')
        errno = EINVAL;
    else if (strlen(path) >= sizeof out->sun_path)
        errno = ENAMETOOLONG;
    else {
        *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
        strcpy(out->sun_path, path);
        return true;
    }
    return false;
}
