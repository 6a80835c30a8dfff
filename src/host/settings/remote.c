/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker has whose processes run on other machines, and what it cannot have: whatever is of a
 * process is said where that is started. */
#include "host/settings/refused.h"

#include "host/system/address.h"
#include "host/system/guest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define THERE "is said where it is started"

static const iswi_refused refused[] = {
    { "command", NULL, "it is started where it runs" },
    { "config", NULL, "its YAML lies where it runs" },
    { "directory", NULL, "its folder " THERE },
    { "environment", NULL, "its environment " THERE },
    { "isolation", NULL, "it has processes of its own" },
    { "start", NULL, "how it begins " THERE },
    { "restart_delay", NULL, "who starts it starts it again" },
    { "restart_delay_max", NULL, "who starts it starts it again" },
    { "give_up_after", NULL, "it is waited for as long as the host runs" },
    { "memory_limit", NULL, "its memory is another machine's" },
    { "cpu_limit", NULL, "its processors are another machine's" },
    { "pids_limit", NULL, "its processes are another machine's" },
    { "rlimits", NULL, "its limits are set where it is started" },
    { "nice", NULL, "that " THERE },
    { "user", NULL, "who it is " THERE },
    { "group", NULL, "who it is " THERE },
    { "recycle_after", NULL, "the host cannot start another one" },
    { "health", "restart_after", "the host cannot start another one" },
    { "link", "lane", "it has no memory in common with the host" },
};

static const iswi_refused_of kind = { "is remote", "", refused,
                                      sizeof refused / sizeof refused[0] };

const char *iswi_remote_address(const iswi_remote_settings *remote, bool *secure)
{
    static const char tls[] = "tls+tcp://";
    static const char plain[] = "tcp://";

    *secure = strncmp(remote->listen, tls, sizeof tls - 1) == 0;
    if (*secure)
        return remote->listen + sizeof tls - 1;
    return strncmp(remote->listen, plain, sizeof plain - 1) == 0
               ? remote->listen + sizeof plain - 1
               : NULL;
}

/* -- Checks ------------------------------------------------------------------------------------ */

static const iswi_node *child_of(const iswi_node *map, const char *name)
{
    const iswi_node *child = map ? iswi_node_find(map, name) : NULL;

    return child ? child : map;
}

static isw_status check_listen(iswi_config *config, const iswi_worker_settings *worker,
                               const iswi_node *remote, isw_error *error)
{
    const iswi_node *at = child_of(remote, "listen");
    isw_error own = { ISW_OK, "" };
    iswi_address address;
    bool secure;
    const char *text = iswi_remote_address(&worker->remote, &secure);

    if (!text)
        return iswi_config_refuse(config, at, error,
                                  "worker \"%s\": remote.listen takes tls+tcp://ADDRESS:PORT, such as "
                                  "tls+tcp://0.0.0.0:7443", worker->name);
    if (!secure && !worker->remote.insecure)
        return iswi_config_refuse(config, at, error,
                                  "worker \"%s\": over tcp:// whoever sees the network reads and changes "
                                  "all, the token too; write tls+tcp:// with certificate, key and "
                                  "client_ca, or, where that is meant, insecure: true", worker->name);
    if (secure && worker->remote.insecure)
        return iswi_config_refuse(config, child_of(remote, "insecure"), error,
                                  "worker \"%s\": insecure is for tcp://, and this is tls+tcp://; leave "
                                  "it out", worker->name);
    if (iswi_address_read(text, "remote.listen", &address, &own) != ISW_OK ||
        address.kind != ISWI_ADDRESS_IP || address.secure)
        return iswi_config_refuse(config, at, error,
                                  "worker \"%s\": remote.listen takes an IP address and a port behind "
                                  "its scheme, such as tls+tcp://0.0.0.0:7443", worker->name);
    return ISW_OK;
}

static isw_status check_file(iswi_config *config, const iswi_worker_settings *worker,
                             const iswi_node *remote, const char *name, const char *path,
                             isw_error *error)
{
    bool secure;

    iswi_remote_address(&worker->remote, &secure);
    if (secure && !path)
        return iswi_config_refuse(config, remote, error,
                                  "worker \"%s\": remote has no %s, which tls+tcp:// needs: both sides "
                                  "prove who they are", worker->name, name);
    if (!secure && path)
        return iswi_config_refuse(config, child_of(remote, name), error,
                                  "worker \"%s\": %s is for tls+tcp://, and this is tcp://",
                                  worker->name, name);
    if (path && access(path, R_OK) != 0)
        return iswi_config_refuse(config, child_of(remote, name), error, "worker \"%s\": %s: %s",
                                  worker->name, path, strerror(errno));
    return ISW_OK;
}

static isw_status check_token(iswi_config *config, const iswi_worker_settings *worker,
                              const iswi_node *remote, isw_error *error)
{
    unsigned char token[ISWI_GUEST_TOKEN_BYTES];
    isw_error own = { ISW_OK, "" };

    if (iswi_guest_read_token(worker->remote.token, token, &own) == ISW_OK) {
        explicit_bzero(token, sizeof token);
        return ISW_OK;
    }
    return iswi_config_refuse(config, child_of(remote, "token"), error, "worker \"%s\": %s",
                              worker->name, own.message);
}

static isw_status check_processes(iswi_config *config, const iswi_worker_settings *worker,
                                  const iswi_node *node, isw_error *error)
{
    if (!worker->processes.max)
        return ISW_OK;
    return iswi_refuse_option(config, worker, &kind, iswi_node_find(node, "processes"),
                              "processes.max", "the host cannot start them; write how many may come",
                              error);
}

isw_status iswi_remote_check(iswi_config *config, const iswi_worker_settings *worker,
                             const iswi_node *node, isw_error *error)
{
    const iswi_remote_settings *own = &worker->remote;
    const iswi_node *remote = iswi_node_find(node, "remote");
    iswi_faults *faults = iswi_config_faults(config);
    isw_status all = ISW_OK;

    if (iswi_faults_go_on(faults, check_listen(config, worker, remote, error), &all) &&
        iswi_faults_go_on(faults, check_file(config, worker, remote, "certificate",
                                             own->certificate, error), &all) &&
        iswi_faults_go_on(faults, check_file(config, worker, remote, "key", own->key, error),
                          &all) &&
        iswi_faults_go_on(faults, check_file(config, worker, remote, "client_ca", own->client_ca,
                                             error), &all) &&
        iswi_faults_go_on(faults, check_token(config, worker, remote, error), &all) &&
        iswi_faults_go_on(faults, check_processes(config, worker, node, error), &all))
        iswi_faults_go_on(faults, iswi_refused_check(config, worker, &kind, node, error), &all);
    return all;
}
