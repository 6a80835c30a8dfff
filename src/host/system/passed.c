/* SPDX-License-Identifier: Apache-2.0 */
/* The environment to descriptors. Nothing of it is believed that does not look like one. */
#include "host/system/passed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST = 3, NAMES_BYTES = 200 };

/* How many there are for this process. */
static int passed(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    long count = fds ? strtol(fds, NULL, 10) : 0;

    if (!pid || strtol(pid, NULL, 10) != (long)getpid() || count < 1)
        return 0;
    return count < ISWI_PASSED_MAX ? (int)count : ISWI_PASSED_MAX;
}

/* The name of the one with that index; systemd's word for one that has none. */
static void name_of(int index, char *out, size_t size)
{
    const char *at = getenv("LISTEN_FDNAMES");

    for (; at && index > 0; index--)
        at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL;
    if (at && *at && *at != ':')
        snprintf(out, size, "%.*s", (int)strcspn(at, ":"), at);
    else
        snprintf(out, size, "unknown");
}

static bool has_option(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

static bool listens(int fd)
{
    return has_option(fd, SO_ACCEPTCONN, 1) && has_option(fd, SO_TYPE, SOCK_STREAM);
}

static bool is_free(int fd)
{
    int flags = fcntl(fd, F_GETFD);

    return flags >= 0 && !(flags & FD_CLOEXEC) && listens(fd);
}

static void take(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static isw_status refuse(const char *text, const char *setting, int count, isw_error *error)
{
    char names[NAMES_BYTES] = "";
    size_t used = 0;

    if (!count)
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s: \"%s\": no socket was passed to this process (LISTEN_PID and "
                             "LISTEN_FDS); start it by a .socket unit of systemd, or write an "
                             "address", setting, text);
    for (int i = 0; i < count && used < sizeof names; i++) {
        char name[64];

        if (!is_free(FIRST + i))
            continue;
        name_of(i, name, sizeof name);
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", name);
    }
    return isw_error_set(error, ISW_E_CONFIG,
                         "%s: \"%s\": none of the %d socket%s passed to this process is that, or it "
                         "is taken, or does not listen; free are: %s", setting, text, count,
                         count == 1 ? " that was" : "s that were", used ? names : "none");
}

isw_status iswi_passed_take(const char *name, const char *text, const char *setting,
                            int fds[ISWI_PASSED_MAX], size_t *count, isw_error *error)
{
    int all = passed();

    *count = 0;
    for (int i = 0; i < all; i++) {
        char own[64];

        name_of(i, own, sizeof own);
        if (!is_free(FIRST + i) || (name && strcmp(name, own) != 0))
            continue;
        take(FIRST + i);
        fds[(*count)++] = FIRST + i;
    }
    return *count ? ISW_OK : refuse(text, setting, all, error);
}
