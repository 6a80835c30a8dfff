/* SPDX-License-Identifier: Apache-2.0 */
/* isw_worker_run: where the host is and how to prove ourselves, then a session; of a template in each
 * of its children. */
#include "worker/program/crash.h"
#include "worker/program/debugged.h"
#include "worker/program/serve.h"
#include "worker/program/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int take_token_fd(isw_worker *worker)
{
    const char *text = getenv("ISOWORKER_TOKEN_FD");
    int given = iswi_worker_take_token_fd(worker);
    char *end;
    long number;

    if (given >= 0)
        return given;
    if (!text || !*text)
        return -1;
    number = strtol(text, &end, 10);
    return *end == '\0' && number >= 0 && number < 65536 ? (int)number : -1;
}

/* Read the whole token and close its descriptor, so that nothing else in the process can. */
static isw_status read_token(isw_worker *worker, unsigned char *token, isw_error *error)
{
    const char *file = getenv("ISOWORKER_TOKEN_FILE");
    int fd = take_token_fd(worker);
    size_t have = 0;

    if (fd < 0 && file && *file)
        fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && file && *file)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             "ISOWORKER_TOKEN_FILE=%s: %s; no host waits there for a worker now: it "
                             "has ended, or another process has come", file, strerror(errno));
    if (fd < 0)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             "ISOWORKER_TOKEN_FD is not set: this program is started by a host, "
                             "for instance by `isoworker run`; `isoworker run --wait-for NAME` lets "
                             "you start it");
    while (have < 2 * ISWI_TOKEN_BYTES) {
        ssize_t got = read(fd, token + have, 2 * ISWI_TOKEN_BYTES - have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    close(fd);
    unsetenv("ISOWORKER_TOKEN_FD");
    if (have != 2 * ISWI_TOKEN_BYTES)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             "the host's token could not be read from %s",
                             file && *file ? file : "its descriptor");
    return ISW_OK;
}

static long number_in(const char *variable, long otherwise)
{
    const char *text = getenv(variable);
    char *end;
    long number = text && *text ? strtol(text, &end, 10) : otherwise;

    return text && *text && *end ? otherwise : number;
}

/* A descriptor that the host handed down, for us alone from here on; -1: it did not. */
static int take_fd(const char *variable)
{
    long fd = number_in(variable, -1);

    unsetenv(variable);
    if (fd < 0 || fd > 65535 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return (int)fd;
}

static isw_status serve(isw_worker *worker, isw_error *error)
{
    iswi_handed handed = { .url = worker->url ? worker->url : getenv("ISOWORKER_URL") };
    const char *insecure = getenv("ISOWORKER_INSECURE");
    isw_status status;

    if (!handed.url || !*handed.url)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             "ISOWORKER_URL is not set: this program is a worker and is started "
                             "by a host, for instance by `isoworker run`");
    if (worker->settings.crash_report)
        iswi_crash_install();
    iswi_debugged_announce(worker);
    status = read_token(worker, handed.token, error); /* first: without one, nobody waits for us */
    if (status == ISW_OK)
        status = iswi_worker_start(worker, error);
    if (status != ISW_OK) {
        explicit_bzero(handed.token, sizeof handed.token);
        return status;
    }
    handed.ring = take_fd("ISOWORKER_RING_FD");
    handed.arena = take_fd("ISOWORKER_ARENA_FD");
    handed.bell = take_fd("ISOWORKER_BELL_FD");
    handed.spin_us = number_in("ISOWORKER_SPIN_US", -1);
    handed.far = (iswi_link_far){ getenv("ISOWORKER_TLS_CA"), getenv("ISOWORKER_TLS_CERTIFICATE"),
                                  getenv("ISOWORKER_TLS_KEY"),
                                  insecure && strcmp(insecure, "true") == 0 };
    return iswi_worker_serve(worker, &handed, error);
}

isw_status isw_worker_run(isw_worker *worker, isw_error *error)
{
    isw_status status = isw_worker_configure(worker, error);
    bool serves = false;

    if (status == ISW_OK)
        status = iswi_template_wait(worker, &serves, error);
    return serves && status == ISW_OK ? serve(worker, error) : status;
}
