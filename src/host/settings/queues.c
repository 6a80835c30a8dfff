/* SPDX-License-Identifier: Apache-2.0 */
/* `queues` of host.yaml: its table, and what that cannot say. */
#include "host/settings/rows.h"

#include "broker/broker.h"

#include <stddef.h>

/* The same for all queues, and for those of a name. */
#define BOUNDS(st)                                                                               \
    ROW(st, bounds.max_attempts, INT, "max_attempts", "5", 0, 1000000,                           \
        "times that a message is delivered, after which it is dead; 0: any"),                    \
    ROW(st, bounds.max_messages, INT, "max_messages", "0", 0, INT64_MAX,                         \
        "that are not done with; what would be more is refused; 0: any"),                        \
    ROW(st, bounds.max_bytes, SIZE, "max_bytes", "0", 0, INT64_MAX, \
        "of their bodies, likewise; on NATS: that the server stores, with what is beside them"), \
    ROW(st, bounds.window_ms, DURATION, "window", "10m", 0, DAY_MS,                              \
        "for which an id is known, so that the same message is not put twice"),                  \
    ROW(st, bounds.keep_dead_ms, DURATION, "keep_dead", "336h", 0, 3660 * DAY_MS,        \
        "that dead messages can be looked at and replayed; 0: for good"),                        \
    ROW(st, bounds.lease_ms, DURATION, "lease", "30s", 1000, DAY_MS,                             \
        "until others get the messages of a host that is gone, where the store cannot see that " \
        "it is, and the runs of its timers; it is renewed meanwhile")

static const isw_option named_queue_rows[] = {
    { .name = "name", .type = ISW_OPTION_STRING,
      .offset = offsetof(iswi_named_queue_settings, name), .help = "pattern (* and ?)" },
    BOUNDS(iswi_named_queue_settings),
    { 0 },
};

const isw_option iswi_queues_rows[] = {
    ROW(iswi_queues_settings, store, STRING, "store", "sqlite:queues.db", 0, 0,
        "where messages and the times of timers lie: sqlite:FILE, of this host alone, "
        "whose folder is made if the one above it is there; "
        "postgresql://USER@HOST/DATABASE or nats://HOST:PORT[,HOST:PORT], which several hosts "
        "share (tls:// encrypts; ?prefix=, replicas=, creds=, nkey=, seed=, ca=, cert= and key= of "
        "NATS). On NATS messages have no keys and priorities, and come at least once"),
    BOUNDS(iswi_queues_settings),
    { .name = "named", .type = ISW_OPTION_GROUP_LIST, .optional = true, .group = named_queue_rows,
      .group_size = sizeof(iswi_named_queue_settings),
      .offset = offsetof(iswi_queues_settings, named),
      .help = "instead, for queues of a name; the last match counts" },
    { 0 },
};

/* What a name can match must be able to be one. */
static bool may_match(const char *pattern)
{
    for (; *pattern; pattern++)
        if (*pattern != '*' && *pattern != '?' &&
            !iswi_queue_is_name((isw_str){ (char[]){ 'q', *pattern }, 2 }))
            return false;
    return true;
}

static isw_status check_names(iswi_config *config, const iswi_queues_settings *queues,
                              const iswi_node *named, isw_error *error)
{
    const iswi_named_queue_settings *rows = queues->named.items;
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; on && i < queues->named.count; i++)
        if (!*rows[i].name || !may_match(rows[i].name))
            on = iswi_faults_go_on(
                iswi_config_faults(config),
                iswi_config_refuse(config, iswi_node_find(&named->children[i], "name"), error,
                                   "\"%s\" matches no queue: their names are a letter, then letters, "
                                   "digits, '_', '-' and '.'; '*' and '?' stand for any",
                                   rows[i].name), &all);
    return all;
}

isw_status iswi_queues_check(iswi_config *config, const iswi_queues_settings *queues,
                             const char *folder, isw_error *error)
{
    const iswi_node *group = iswi_node_find(iswi_config_root(config), "queues");
    const iswi_node *store = group ? iswi_node_find(group, "store") : NULL;
    isw_error own = { ISW_OK, "" };
    isw_status all = ISW_OK;
    bool on = true;

    if (store && iswi_broker_check(queues->store, folder, &own) != ISW_OK)
        on = iswi_faults_go_on(iswi_config_faults(config),
                               iswi_config_refuse(config, store, error, "%s", own.message), &all);
    if (on && group && queues->named.count)
        iswi_faults_go_on(iswi_config_faults(config),
                          check_names(config, queues, iswi_node_find(group, "named"), error), &all);
    return all;
}
