/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_CONFIG_TABLE_H
#define ISW_TESTS_CONFIG_TABLE_H

/* One table with a row of each option type; for the tests of the configuration and its fuzzer. */
#include "config/config.h"

#include <stddef.h>

typedef struct sample_tls {
    const char *cert;
    bool verify;
} sample_tls;

typedef struct sample_limits {
    int64_t depth;
    double ratio;
    isw_option_strings words;
} sample_limits;

typedef struct sample_server {
    const char *host;
    int64_t port;
    iswi_named_list steps;
} sample_server;

typedef struct sample_logging {
    int64_t level;
    isw_option_strings fields;
} sample_logging;

typedef struct sample_auth {
    const char *issuer;
    const char *key;
    sample_tls tls;
} sample_auth;

typedef struct sample {
    const char *name;
    bool verbose;
    int64_t port, count, shift;
    double factor;
    int64_t level, timeout_ms, size_bytes;
    const char *secret;
    const char *path;
    isw_option_strings tags, hosts, places;
    sample_limits limits;
    sample_tls tls;
    isw_option_list servers;
    iswi_named_list steps;
} sample;

static const char *const sample_levels[] = { "debug", "info", "warn", NULL };

static const isw_option sample_tls_table[] = {
    { .name = "cert", .type = ISW_OPTION_PATH, .offset = offsetof(sample_tls, cert),
      .help = "Certificate." },
    { .name = "verify", .type = ISW_OPTION_BOOL, .offset = offsetof(sample_tls, verify),
      .default_value = "true", .help = "Check the peer." },
    { 0 },
};

static const isw_option sample_limits_table[] = {
    { .name = "depth", .type = ISW_OPTION_INT, .offset = offsetof(sample_limits, depth),
      .default_value = "4", .min = 1, .help = "Levels." },
    { .name = "ratio", .type = ISW_OPTION_DOUBLE, .offset = offsetof(sample_limits, ratio),
      .default_value = "0.5", .help = "Share." },
    { .name = "words", .type = ISW_OPTION_STRINGS, .offset = offsetof(sample_limits, words),
      .default_value = "[]", .help = "Words." },
    { 0 },
};

static const isw_option sample_logging_table[] = {
    { .name = "level", .type = ISW_OPTION_ENUM, .offset = offsetof(sample_logging, level),
      .default_value = "info", .choices = sample_levels, .help = "Least level." },
    { .name = "fields", .type = ISW_OPTION_STRINGS, .offset = offsetof(sample_logging, fields),
      .optional = true, .help = "More fields." },
    { 0 },
};

static const isw_option sample_auth_table[] = {
    { .name = "issuer", .type = ISW_OPTION_STRING, .offset = offsetof(sample_auth, issuer),
      .help = "Who signs." },
    { .name = "key", .type = ISW_OPTION_SECRET, .offset = offsetof(sample_auth, key),
      .optional = true, .help = "Shared key." },
    { .name = "tls", .type = ISW_OPTION_GROUP, .offset = offsetof(sample_auth, tls),
      .optional = true, .group = sample_tls_table, .group_size = sizeof(sample_tls) },
    { 0 },
};

static const isw_option sample_steps_table[] = {
    { .name = "logging", .type = ISW_OPTION_GROUP, .group = sample_logging_table,
      .group_size = sizeof(sample_logging), .help = "Writes lines." },
    { .name = "auth", .type = ISW_OPTION_GROUP, .group = sample_auth_table,
      .group_size = sizeof(sample_auth), .help = "Lets in." },
    { .name = "plain", .type = ISW_OPTION_GROUP, .help = "Has no options." },
    { 0 },
};

static const isw_option sample_server_table[] = {
    { .name = "host", .type = ISW_OPTION_STRING, .offset = offsetof(sample_server, host) },
    { .name = "port", .type = ISW_OPTION_INT, .offset = offsetof(sample_server, port),
      .default_value = "80", .min = 1, .max = 65535 },
    { .name = "steps", .type = ISWI_OPTION_NAMED_LIST, .offset = offsetof(sample_server, steps),
      .optional = true, .group = sample_steps_table },
    { 0 },
};

static const isw_option sample_table[] = {
    { .name = "name", .type = ISW_OPTION_STRING, .offset = offsetof(sample, name),
      .default_value = "unnamed", .help = "For people." },
    { .name = "verbose", .type = ISW_OPTION_BOOL, .offset = offsetof(sample, verbose),
      .default_value = "false", .help = "Say more." },
    { .name = "port", .type = ISW_OPTION_INT, .offset = offsetof(sample, port),
      .default_value = "8080", .min = 1, .max = 65535, .help = "Where to listen." },
    { .name = "count", .type = ISW_OPTION_INT, .offset = offsetof(sample, count),
      .optional = true, .help = "How many." },
    { .name = "shift", .type = ISW_OPTION_INT, .offset = offsetof(sample, shift),
      .optional = true, .min = INT64_MIN, .max = 10, .help = "By how much." },
    { .name = "factor", .type = ISW_OPTION_DOUBLE, .offset = offsetof(sample, factor),
      .default_value = "1.5", .help = "A factor." },
    { .name = "level", .type = ISW_OPTION_ENUM, .offset = offsetof(sample, level),
      .default_value = "info", .choices = sample_levels, .help = "Least level." },
    { .name = "timeout", .type = ISW_OPTION_DURATION, .offset = offsetof(sample, timeout_ms),
      .default_value = "10s", .min = 100, .max = 3600000, .help = "Until given up." },
    { .name = "size", .type = ISW_OPTION_SIZE, .offset = offsetof(sample, size_bytes),
      .default_value = "64KiB", .help = "Room." },
    { .name = "secret", .type = ISW_OPTION_SECRET, .offset = offsetof(sample, secret),
      .optional = true, .help = "Not for print." },
    { .name = "path", .type = ISW_OPTION_PATH, .offset = offsetof(sample, path),
      .optional = true, .help = "A file." },
    { .name = "tags", .type = ISW_OPTION_STRINGS, .offset = offsetof(sample, tags),
      .default_value = "[a, b]", .help = "Labels." },
    { .name = "hosts", .type = ISW_OPTION_STRINGS, .offset = offsetof(sample, hosts),
      .optional = true, .help = "Names." },
    { .name = "places", .type = ISWI_OPTION_TEXTS, .offset = offsetof(sample, places),
      .default_value = "here", .help = "One or more." },
    { .name = "limits", .type = ISW_OPTION_GROUP, .offset = offsetof(sample, limits),
      .group = sample_limits_table, .group_size = sizeof(sample_limits), .help = "Limits." },
    { .name = "tls", .type = ISW_OPTION_GROUP, .offset = offsetof(sample, tls), .optional = true,
      .group = sample_tls_table, .group_size = sizeof(sample_tls), .help = "TLS." },
    { .name = "servers", .type = ISW_OPTION_GROUP_LIST, .offset = offsetof(sample, servers),
      .optional = true, .group = sample_server_table, .group_size = sizeof(sample_server),
      .help = "Servers." },
    { .name = "steps", .type = ISWI_OPTION_NAMED_LIST, .offset = offsetof(sample, steps),
      .optional = true, .group = sample_steps_table, .help = "Steps." },
    { 0 },
};

#endif
