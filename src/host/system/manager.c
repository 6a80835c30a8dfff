/* SPDX-License-Identifier: Apache-2.0 */
/* The environment to a socket. Nothing of it is believed that does not look like one. */
#include "host/system/manager.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- Finding it -------------------------------------------------------------------------------- */

/* A path, or with '@' a name that lies in no folder. */
static bool read_address(const char *text, iswi_manager *manager)
{
    size_t size = strlen(text);

    if ((*text != '/' && *text != '@') || size < 2 || size >= sizeof manager->address.sun_path)
        return false;
    manager->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(manager->address.sun_path, text, size);
    if (*text == '@')
        manager->address.sun_path[0] = '\0';
    manager->address_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (*text == '/'));
    return true;
}

static bool is_number(const char *text, unsigned long long *out)
{
    char *end;

    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return !*end && !errno;
}

/* How long it waits for a word of this process; 0: it does not. */
static int64_t read_watchdog(void)
{
    const char *whose = getenv("WATCHDOG_PID");
    unsigned long long pid = 0;
    unsigned long long usec = 0;

    if (whose && (!is_number(whose, &pid) || pid != (unsigned long long)getpid()))
        return 0;
    if (!is_number(getenv("WATCHDOG_USEC"), &usec) || usec > INT64_MAX / 1000)
        return 0;
    return (int64_t)usec * 1000;
}

isw_status iswi_manager_open(iswi_manager *manager, isw_error *error)
{
    const char *text = getenv("NOTIFY_SOCKET");

    *manager = (iswi_manager){ .fd = -1 };
    if (!text || !*text)
        return ISW_OK;
    if (!read_address(text, manager))
        return isw_error_set(error, ISW_E_IO, "NOTIFY_SOCKET is \"%s\", and not the path of a socket "
                             "or a name behind '@': the service manager hears nothing", text);
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (manager->fd < 0)
        return isw_error_set(error, ISW_E_IO, "no socket to the service manager: %s",
                             strerror(errno));
    manager->watchdog_ns = read_watchdog();
    return ISW_OK;
}

void iswi_manager_close(iswi_manager *manager)
{
    if (manager->fd >= 0)
        close(manager->fd);
    manager->fd = -1;
}

/* -- Telling it -------------------------------------------------------------------------------- */

bool iswi_manager_tell(const iswi_manager *manager, const char *text)
{
    return manager->fd >= 0 &&
           sendto(manager->fd, text, strlen(text), MSG_NOSIGNAL,
                  (const struct sockaddr *)&manager->address, manager->address_size) >= 0;
}

bool iswi_manager_logs(int fd)
{
    const char *text = getenv("JOURNAL_STREAM");
    unsigned long long device;
    unsigned long long inode;
    struct stat found;

    return text && fd >= 0 && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
           fstat(fd, &found) == 0 && found.st_dev == device && found.st_ino == inode;
}
