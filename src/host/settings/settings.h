/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SETTINGS_SETTINGS_H
#define ISWI_HOST_SETTINGS_SETTINGS_H

/* host.yaml as structs. */
#include "base/buffer.h"
#include "config/config.h"

typedef struct iswi_host_options {
    int64_t heartbeat_ms;
    int64_t function_timeout_ms;
    int64_t cancel_grace_ms;
    int64_t shutdown_grace_ms;
    const char *control; /* "true", "false", or the path of a socket */
    int64_t log_lines;
} iswi_host_options;

typedef struct iswi_http_settings {
    bool enabled;
    const char *listen;
    const char *prefix;
    int64_t body_limit;
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    int64_t connections, connections_per_address;
    int64_t threads;
} iswi_http_settings;

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

typedef struct iswi_link_settings {
    int64_t lane;        /* iswi_lane_choice */
    const char *spin_us; /* "auto" or a number */
} iswi_link_settings;

typedef enum iswi_lane_choice {
    ISWI_LANE_AUTO,
    ISWI_LANE_RING,
    ISWI_LANE_MESSAGE
} iswi_lane_choice;

typedef struct iswi_worker_settings {
    const char *name;
    isw_option_strings command;
    const char *config;
    const char *directory;
    isw_option_strings environment;
    int64_t processes;
    int64_t start_timeout_ms;
    int64_t restart_delay_ms, restart_delay_max_ms;
    int64_t give_up_after;
    iswi_link_settings link;
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

typedef struct iswi_host_settings {
    iswi_host_options host;
    iswi_http_settings http;
    iswi_admin_settings admin;
    iswi_logging_settings logging;
    iswi_record_settings record;
    isw_option_list functions; /* of iswi_function_settings */
    isw_option_list workers;   /* of iswi_worker_settings */
} iswi_host_settings;

/* What `control` says: whether there is to be a control socket, and where; NULL: at its own
 * place. */
bool iswi_host_has_control(const iswi_host_options *options);
const char *iswi_host_control_path(const iswi_host_options *options);

/* Read `folder`/host.yaml, and see that what it names is there. *config owns *out; close it when
 * done. `faults` (may be NULL) gets all that is wrong.
 * Errors: ISW_E_CONFIG with file:line:column, ISW_E_IO. */
isw_status iswi_host_settings_read(const char *folder, iswi_faults *faults, iswi_config **config,
                                   const iswi_host_settings **out, isw_error *error);

/* Its second half, settings_check.c. */
isw_status iswi_host_settings_check(iswi_config *config, const char *folder,
                                    const iswi_host_settings *settings, isw_error *error);

/* Whether two of them say the same. */
bool iswi_host_settings_equal(const iswi_host_settings *a, const iswi_host_settings *b);

/* Append the reference of host.yaml for people. */
void iswi_host_settings_reference(iswi_buffer *out);

#endif
