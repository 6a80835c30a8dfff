/* SPDX-License-Identifier: Apache-2.0 */
/* Where somebody who came may go: a process of the worker that is waited for; and what is said of
 * those who may not. */
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/remote/gate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { SAY_EVERY_MS = 1000, SAY_MOST = 10, MS = 1000000 };

/* Whether somebody was led there already: it takes a moment until the process knows. */
static bool is_used(const iswi_gate *gate, unsigned long long number)
{
    for (unsigned i = 0; i < ISWI_GATE_USED; i++)
        if (gate->used[i] == number)
            return true;
    return false;
}

static bool find_worker(const iswi_gate *gate, size_t *out)
{
    for (size_t i = 0; i < iswi_host_worker_count(gate->host); i++)
        if (iswi_host_has_worker(gate->host, i) &&
            strcmp(iswi_host_worker_name(gate->host, i), gate->worker) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static int connect_to(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int iswi_gate_find_place(iswi_gate *gate)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t worker;

    if (!find_worker(gate, &worker))
        return -1;
    for (unsigned i = 0; i < iswi_host_worker_places(gate->host, worker); i++) {
        unsigned long long number;
        int fd;

        if (!iswi_host_awaited(gate->host, worker, i, address.sun_path, sizeof address.sun_path))
            continue;
        number = strtoull(strrchr(address.sun_path, '/') + 1, NULL, 10);
        fd = is_used(gate, number) ? -1 : connect_to(&address);
        if (fd < 0)
            continue;
        gate->used[gate->used_at++ % ISWI_GATE_USED] = number;
        return fd;
    }
    return -1;
}

void iswi_gate_refuse(iswi_gate *gate, const char *who, const char *why)
{
    int64_t now_ns = iswi_now_ns();

    if (!gate->said_ns || now_ns - gate->said_ns > (int64_t)SAY_EVERY_MS * MS) {
        gate->said_ns = now_ns;
        gate->said = 0;
    }
    if (gate->said++ >= SAY_MOST) {
        gate->unsaid++;
        return;
    }
    if (gate->unsaid)
        iswi_say(gate->host, ISW_LOG_WARNING, "worker %s: %s is not let in: %s (and %u others since "
                 "the last such line)", gate->worker, who, why, gate->unsaid);
    else
        iswi_say(gate->host, ISW_LOG_WARNING, "worker %s: %s is not let in: %s", gate->worker, who,
                 why);
    gate->unsaid = 0;
}
