/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SETTINGS_SETTINGS_H
#define ISWI_HOST_SETTINGS_SETTINGS_H

/*
 * host.yaml as structs. What belongs to the host itself stands here; a trigger brings a group of
 * its own, whose struct lies behind these.
 */
#include "base/buffer.h"
#include "config/config.h"
#include "host/system/confine.h"

typedef struct iswi_host_options {
    int64_t heartbeat_ms;
    int64_t function_timeout_ms;
    int64_t cancel_grace_ms;
    int64_t shutdown_grace_ms;
    const char *control; /* "true", "false", or the path of a socket */
    int64_t log_lines;
    int64_t cgroups; /* iswi_cgroups_choice */
} iswi_host_options;

typedef enum iswi_cgroups_choice {
    ISWI_CGROUPS_AUTO,
    ISWI_CGROUPS_REQUIRED,
    ISWI_CGROUPS_OFF
} iswi_cgroups_choice;

typedef struct iswi_admin_settings {
    const char *listen; /* NULL: no admin endpoints */
    bool open;
} iswi_admin_settings;

typedef struct iswi_level_rule {
    const char *category;
    int64_t level; /* isw_log_level */
} iswi_level_rule;

typedef struct iswi_logging_settings {
    int64_t format; /* 0 text, 1 json */
    int64_t level;
    isw_option_list levels; /* of iswi_level_rule */
} iswi_logging_settings;

enum { ISWI_WORKER_PROCESSES_MAX = 64 };

typedef struct iswi_link_settings {
    int64_t lane;        /* iswi_lane_choice */
    const char *spin_us; /* "auto" or a number */
} iswi_link_settings;

typedef struct iswi_queue_settings {
    int64_t limit, wait_ms;
} iswi_queue_settings;

/* How many processes: `count`, or by load, from `min` to `max`. */
typedef struct iswi_processes_settings {
    int64_t count;
    int64_t min, max; /* max 0: it is `count` */
    double target;    /* part of what they take that is to be in use */
    int64_t keep_ms;  /* for so long one is kept that the load does not need */
} iswi_processes_settings;

typedef enum iswi_lane_choice {
    ISWI_LANE_AUTO,
    ISWI_LANE_RING,
    ISWI_LANE_MESSAGE
} iswi_lane_choice;

typedef enum iswi_isolation {
    ISWI_ISOLATION_PROCESS, /* processes of its own */
    ISWI_ISOLATION_NONE     /* threads of the host's own process */
} iswi_isolation;

typedef enum iswi_start {
    ISWI_START_SPAWN, /* each process begins as its program does */
    ISWI_START_WARM   /* a template forks them */
} iswi_start;

/* When a process is replaced for its own sake, a tenth sooner or later; 0: never for that. */
typedef struct iswi_recycle_settings {
    int64_t invocations, age_ms, memory;
} iswi_recycle_settings;

/* Texts as they were written; NULL: as the host's own are. */
typedef struct iswi_rlimits_settings {
    const char *as, *core, *cpu, *data, *fsize, *memlock, *nofile, *nproc, *stack;
} iswi_rlimits_settings;

/* Health checks of the application: how often they are made, how long one may take, how many
 * failures in a row make a process unhealthy, and after how long another takes over (0: never). */
typedef struct iswi_health_settings {
    int64_t every_ms, timeout_ms, failures, restart_after_ms;
} iswi_health_settings;

/* Where processes come to that run on other machines, and what both sides show. */
typedef struct iswi_remote_settings {
    const char *listen; /* "tls+tcp://ADDRESS:PORT"; NULL: the worker is not remote */
    const char *certificate, *key; /* of the host */
    const char *client_ca;         /* who vouches for the workers */
    const char *token;             /* file of 64 bytes, which both sides have */
    bool insecure;                 /* tcp:// is meant */
} iswi_remote_settings;

typedef struct iswi_worker_settings {
    const char *name;
    isw_option_strings command;
    const char *config;
    const char *directory;
    isw_option_strings environment;
    iswi_processes_settings processes;
    int64_t start_timeout_ms, stop_timeout_ms;
    int64_t restart_delay_ms, restart_delay_max_ms;
    int64_t give_up_after;
    iswi_link_settings link;
    iswi_remote_settings remote;
    iswi_queue_settings queue; /* what is left out is as for all workers; iswi_worker_queue */
    int64_t isolation;         /* iswi_isolation */
    int64_t start;             /* iswi_start */
    int64_t memory_limit;      /* bytes; 0: none */
    double cpu_limit;          /* processors; 0: none */
    int64_t pids_limit;        /* processes and threads; 0: no limit */
    iswi_recycle_settings recycle_after;
    iswi_health_settings health;
    iswi_rlimits_settings rlimits;
    int64_t nice;             /* 0: as the host is */
    const char *user, *group; /* NULL: as the host's */
} iswi_worker_settings;

typedef struct iswi_record_settings {
    int64_t keep;
    int64_t body_limit;
    isw_option_strings redact;
} iswi_record_settings;

typedef struct iswi_function_settings {
    const char *name; /* a pattern */
    int64_t timeout_ms;
} iswi_function_settings;

/* What a queue of messages keeps to; 0: any, or for good. */
typedef struct iswi_queue_bounds {
    int64_t max_attempts, max_messages, max_bytes;
    int64_t window_ms, keep_dead_ms, lease_ms;
} iswi_queue_bounds;

typedef struct iswi_named_queue_settings {
    const char *name; /* a pattern */
    iswi_queue_bounds bounds;
} iswi_named_queue_settings;

typedef struct iswi_queues_settings {
    const char *store; /* a place, as broker.h has it */
    iswi_queue_bounds bounds; /* of those that no name matches */
    isw_option_list named; /* of iswi_named_queue_settings */
} iswi_queues_settings;

typedef struct iswi_host_settings {
    iswi_host_options host;
    iswi_admin_settings admin;
    iswi_logging_settings logging;
    iswi_queue_settings queue;
    iswi_record_settings record;
    iswi_queues_settings queues;
    isw_option_list functions; /* of iswi_function_settings */
    isw_option_list workers;   /* of iswi_worker_settings */
} iswi_host_settings;

/* What a name, or a pattern, of host.yaml is for. */
typedef enum iswi_names_kind {
    ISWI_NAMES_FUNCTIONS,
    ISWI_NAMES_OUTPUTS, /* FUNCTION.OUTPUT */
    ISWI_NAMES_QUEUES,
    ISWI_NAMES_KINDS
} iswi_names_kind;

/* Where such names stand: `option` of each entry of `list`, or of the group itself (NULL). */
typedef struct iswi_settings_names {
    iswi_names_kind kind;
    const char *list, *option;
} iswi_settings_names;

/* A group of host.yaml that somebody else brings. */
typedef struct iswi_settings_group {
    const char *name, *summary;
    const isw_option *options;
    size_t size; /* of their struct */
    /* What the table cannot say of `own`, also beside `all`; refuses at the place of what is wrong,
     * all of it if the config has faults. NULL: nothing. */
    isw_status (*check)(iswi_config *config, const iswi_host_settings *all, const void *own,
                        isw_error *error);
    const char *const *renewed; /* options that are taken while the host runs, ends with NULL;
                                   NULL: none are */
    const iswi_settings_names *names; /* that are to match something, ends with an option NULL; NULL:
                                         there are none */
} iswi_settings_group;

enum { ISWI_SETTINGS_GROUPS_MAX = 16, ISWI_SETTINGS_ROWS_MAX = ISWI_SETTINGS_GROUPS_MAX + 16 };

/* Those of a host, in the order of the reference. */
typedef struct iswi_settings_groups {
    const iswi_settings_group *items[ISWI_SETTINGS_GROUPS_MAX];
    size_t count;
    bool confined; /* no operator comes to the host that they are for */
} iswi_settings_groups;

/* groups.c: where the struct of a group begins; behind the last one: the size of all. */
size_t iswi_host_settings_offset(const iswi_settings_groups *groups, size_t index);

/* The struct of `group`, which is one of those that the settings were read with. */
const void *iswi_host_settings_group(const iswi_host_settings *settings,
                                     const iswi_settings_groups *groups,
                                     const iswi_settings_group *group);

/* What `control` says: whether there is to be a control socket, and where; NULL: at its own
 * place. */
bool iswi_host_has_control(const iswi_host_options *options);
const char *iswi_host_control_path(const iswi_host_options *options);

/* What holds for that worker: its own, and for what that leaves out the host's. */
iswi_queue_settings iswi_worker_queue(const iswi_config *config, const iswi_host_settings *settings,
                                      size_t worker);

/* How few and how many processes a worker may have. */
static inline unsigned iswi_worker_least(const iswi_worker_settings *worker)
{
    return (unsigned)(worker->processes.max ? worker->processes.min : worker->processes.count);
}

static inline unsigned iswi_worker_most(const iswi_worker_settings *worker)
{
    return (unsigned)(worker->processes.max ? worker->processes.max : worker->processes.count);
}

/* Read `folder`/host.yaml, and see that what it names is there. *config owns *out; close it when
 * done. `faults` (may be NULL) gets all that is wrong.
 * Errors: ISW_E_CONFIG with file:line:column, ISW_E_IO. */
isw_status iswi_host_settings_read(const char *folder, const iswi_settings_groups *groups,
                                   iswi_faults *faults, iswi_config **config,
                                   const iswi_host_settings **out, isw_error *error);

/* The same for one who serves nothing of it: secrets of variables that are not set here are as left
 * out. */
isw_status iswi_host_settings_survey(const char *folder, const iswi_settings_groups *groups,
                                     iswi_faults *faults, iswi_config **config,
                                     const iswi_host_settings **out, isw_error *error);

/* The same for text, whose folder is `folder` and which messages call FOLDER/(yaml). */
isw_status iswi_host_settings_read_text(const char *folder, const char *text, size_t size,
                                        const iswi_settings_groups *groups, iswi_faults *faults,
                                        iswi_config **config, const iswi_host_settings **out,
                                        isw_error *error);

/* Its second half, check.c. */
isw_status iswi_host_settings_check(iswi_config *config, const char *folder,
                                    const iswi_settings_groups *groups,
                                    const iswi_host_settings *settings, isw_error *error);

/* queues.c: the table of `queues`, and what it cannot say, refused at its place, all of it if the
 * config has faults. */
extern const isw_option iswi_queues_rows[];
isw_status iswi_queues_check(iswi_config *config, const iswi_queues_settings *queues,
                             const char *folder, isw_error *error);

/* bounds.c: refuse what bounds a process and cannot hold, at its place in `node`, all of it if the
 * config has faults. */
isw_status iswi_bounds_check(iswi_config *config, const iswi_worker_settings *worker,
                             const char *folder, const iswi_node *node, isw_error *error);

/* What its processes are before they begin; of settings that were checked. */
void iswi_worker_confine(const iswi_worker_settings *worker, iswi_confinement *out);

/* isolation.c, of a worker with `isolation: none`: refuse at its place in `node` what that cannot
 * hold, all of it if the config has faults. `folder` is that of host.yaml. */
isw_status iswi_isolation_check(iswi_config *config, const iswi_worker_settings *worker,
                                const char *folder, const iswi_node *node, isw_error *error);

/* remote.c, of a worker with `remote`: the same. */
isw_status iswi_remote_check(iswi_config *config, const iswi_worker_settings *worker,
                             const iswi_node *node, isw_error *error);

/* What is behind the scheme of its `listen`, and whether that says TLS. NULL: it has no scheme that
 * there is. */
const char *iswi_remote_address(const iswi_remote_settings *remote, bool *secure);

static inline bool iswi_worker_is_remote(const iswi_worker_settings *worker)
{
    return worker->remote.listen != NULL;
}

/* The shared object that it names, as a path to open; the caller frees it with iswi_free. NULL: no
 * memory. */
char *iswi_isolation_module(const iswi_worker_settings *worker, const char *folder);

/* Refuse what is no address among the texts of a group's `listen`, which is a text or a list, at
 * its place, and one that stands there twice. */
isw_status iswi_host_settings_listen(iswi_config *config, const char *group,
                                     const char *const *texts, size_t count, isw_error *error);

/* The option table of a whole file. */
typedef struct iswi_settings_table {
    isw_option rows[ISWI_SETTINGS_ROWS_MAX];
    size_t size; /* of the struct that it fills */
} iswi_settings_table;

void iswi_host_settings_table(const iswi_settings_groups *groups, iswi_settings_table *out);

/* Append the reference of host.yaml for people. */
void iswi_host_settings_reference(const iswi_settings_groups *groups, iswi_buffer *out);

#endif
