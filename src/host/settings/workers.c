/* SPDX-License-Identifier: Apache-2.0 */
/* The option table of a worker in host.yaml. */
#include "host/settings/rows.h"

#include <stddef.h>

static const char *const isolations[] = { "process", "none", NULL };
static const char *const starts[] = { "spawn", "warm", NULL };
static const char *const lanes[] = { "auto", "ring", "message", NULL };

static const isw_option link_rows[] = {
    { .name = "lane", .type = ISW_OPTION_ENUM, .choices = lanes, .default_value = "auto",
      .offset = offsetof(iswi_link_settings, lane),
      .help = "shared memory where host and worker can, or messages only" },
    { .name = "spin_us", .type = ISW_OPTION_STRING, .default_value = "auto",
      .offset = offsetof(iswi_link_settings, spin_us),
      .help = "microseconds that a reader of the ring stays awake; auto: as it pays off" },
    { 0 },
};

static const isw_option worker_queue_rows[] = {
    { .name = "limit", .type = ISW_OPTION_INT, .optional = true, .max = 1000000,
      .offset = offsetof(iswi_queue_settings, limit), .help = "instead of that for all workers" },
    { .name = "wait", .type = ISW_OPTION_DURATION, .optional = true, .min = 1, .max = DAY_MS,
      .offset = offsetof(iswi_queue_settings, wait_ms), .help = "likewise" },
    { 0 },
};

static const isw_option processes_rows[] = {
    ROW(iswi_processes_settings, count, INT, "count", "1", 1, ISWI_WORKER_PROCESSES_MAX,
        "as many at all times, as a number alone says"),
    { .name = "min", .type = ISW_OPTION_INT, .optional = true, .max = ISWI_WORKER_PROCESSES_MAX,
      .offset = offsetof(iswi_processes_settings, min),
      .help = "instead, so many at least; 0: none while there are no calls, and one starts for the "
              "next, which waits for it" },
    { .name = "max", .type = ISW_OPTION_INT, .optional = true, .min = 1, .max = ISWI_WORKER_PROCESSES_MAX,
      .offset = offsetof(iswi_processes_settings, max), .help = "and so many at most" },
    { .name = "target", .type = ISW_OPTION_DOUBLE, .default_value = "0.7",
      .offset = offsetof(iswi_processes_settings, target),
      .help = "part of the calls that they take (max_in_flight of the worker's YAML) that is to be in "
              "use; more are started when it is more" },
    ROW(iswi_processes_settings, keep_ms, DURATION, "keep", "30s", 1, DAY_MS,
        "one that has not been needed for so long ends, one after the other"),
    { 0 },
};

enum { BYTES_MIN = 4 << 20 };

static const isw_option recycle_rows[] = {
    { .name = "invocations", .type = ISW_OPTION_INT, .optional = true, .min = 1, .max = INT64_MAX,
      .offset = offsetof(iswi_recycle_settings, invocations), .help = "that it has answered" },
    { .name = "age", .type = ISW_OPTION_DURATION, .optional = true, .min = 1000,
      .max = 365 * DAY_MS, .offset = offsetof(iswi_recycle_settings, age_ms),
      .help = "since its start" },
    { .name = "memory", .type = ISW_OPTION_SIZE, .optional = true, .min = BYTES_MIN,
      .max = INT64_MAX, .offset = offsetof(iswi_recycle_settings, memory),
      .help = "resident bytes, below memory_limit" },
    { 0 },
};

static const isw_option health_rows[] = {
    ROW(iswi_health_settings, every_ms, DURATION, "every", "5s", 1, DAY_MS,
        "how often the application's health checks are made"),
    ROW(iswi_health_settings, timeout_ms, DURATION, "timeout", "2s", 1, HOUR_MS,
        "for each; what takes longer makes the process unhealthy at once"),
    ROW(iswi_health_settings, failures, INT, "failures", "2", 1, 1000,
        "in a row that make a process unhealthy that was healthy"),
    ROW(iswi_health_settings, restart_after_ms, DURATION, "restart_after", "0", 0, DAY_MS,
        "when another process takes over from one that stays unhealthy, once that one is healthy; "
        "0: never"),
    { 0 },
};

static const isw_option rlimits_rows[] = {
    MAYBE(iswi_rlimits_settings, as, STRING, "as", "bytes of addresses, with what is only reserved"),
    MAYBE(iswi_rlimits_settings, core, STRING, "core", "bytes of a core file; 0: none is written"),
    MAYBE(iswi_rlimits_settings, cpu, STRING, "cpu",
          "time of a processor, all in all, in whole seconds (60s, 1h); then it is killed"),
    MAYBE(iswi_rlimits_settings, data, STRING, "data",
          "bytes that it may write and shares with nobody, with a stack (8 MiB) for each thread"),
    MAYBE(iswi_rlimits_settings, fsize, STRING, "fsize", "bytes of a file that it writes"),
    MAYBE(iswi_rlimits_settings, memlock, STRING, "memlock", "bytes that it may lock in memory"),
    MAYBE(iswi_rlimits_settings, nofile, STRING, "nofile", "descriptors that may be open"),
    MAYBE(iswi_rlimits_settings, nproc, STRING, "nproc",
          "processes and threads of its user, in all; root is not held to it"),
    MAYBE(iswi_rlimits_settings, stack, STRING, "stack", "bytes of a thread's stack"),
    { 0 },
};

static const isw_option remote_rows[] = {
    { .name = "listen", .type = ISW_OPTION_STRING, .offset = offsetof(iswi_remote_settings, listen),
      .help = "tls+tcp://ADDRESS:PORT, where they come to" },
    MAYBE(iswi_remote_settings, certificate, PATH, "certificate",
          "PEM: the host's, with a name by which workers call it; read again when it changes"),
    MAYBE(iswi_remote_settings, key, PATH, "key", "PEM, without a password"),
    MAYBE(iswi_remote_settings, client_ca, PATH, "client_ca",
          "PEM: who vouches for the workers, each of which has a certificate of its own"),
    { .name = "token", .type = ISW_OPTION_PATH, .offset = offsetof(iswi_remote_settings, token),
      .help = "file of 64 random bytes, which the workers have, too" },
    ROW(iswi_remote_settings, insecure, BOOL, "insecure", "false", 0, 0,
        "tcp:// without TLS is meant: whoever sees the network reads and changes all, the token too"),
    { 0 },
};

const isw_option iswi_worker_rows[] = {
    { .name = "name", .type = ISW_OPTION_STRING, .offset = offsetof(iswi_worker_settings, name),
      .help = "what to call it" },
    { .name = "command", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(iswi_worker_settings, command),
      .help = "program and arguments; a name without / is looked for beside isoworker, then in "
              "PATH; left out for a remote one alone" },
    MAYBE(iswi_worker_settings, config, PATH, "config", "its YAML; left out: worker.yaml"),
    MAYBE(iswi_worker_settings, directory, PATH, "directory", "where it runs; left out: here"),
    { .name = "environment", .type = ISWI_OPTION_VARIABLES, .optional = true,
      .offset = offsetof(iswi_worker_settings, environment), .help = "more variables" },
    { .name = "isolation", .type = ISW_OPTION_ENUM, .choices = isolations,
      .default_value = "process", .offset = offsetof(iswi_worker_settings, isolation),
      .help = "process: it has its own; none: a shared object (command [isoworker, worker, "
              "FILE.so]) runs on threads of the host's, whose end its crash is, and no timeout "
              "ends what does not stop; `isoworker bench models` compares them" },
    { .name = "processes", .type = ISWI_OPTION_SHORT_GROUP, .group = processes_rows,
      .group_size = sizeof(iswi_processes_settings),
      .offset = offsetof(iswi_worker_settings, processes),
      .help = "that share the work: a number, or as many as the load needs" },
    { .name = "start", .type = ISW_OPTION_ENUM, .choices = starts, .default_value = "spawn",
      .offset = offsetof(iswi_worker_settings, start),
      .help = "spawn: each process begins as its program does; warm: as a copy of one that has loaded "
              "all and waits, in less time, but with what that had before: its addresses, seeds of its "
              "random numbers; one that has threads or open files by then cannot be copied, and "
              "processes are spawned" },
    ROW(iswi_worker_settings, start_timeout_ms, DURATION, "start_timeout", "10s", 1, HOUR_MS,
        "from its start until it is ready, with all that it makes before (eager services) and its "
        "warmup functions"),
    ROW(iswi_worker_settings, stop_timeout_ms, DURATION, "stop_timeout", "2s", 1, HOUR_MS,
        "from the end of its last call until it has ended, with all that it undoes (services, "
        "middleware); then it is killed"),
    ROW(iswi_worker_settings, restart_delay_ms, DURATION, "restart_delay", "100ms", 1, HOUR_MS,
        "before a second restart in a row; doubles"),
    ROW(iswi_worker_settings, restart_delay_max_ms, DURATION, "restart_delay_max", "30s", 1,
        HOUR_MS, "and grows no further"),
    ROW(iswi_worker_settings, give_up_after, INT, "give_up_after", "8", 1, 1000,
        "ends in a row without one answer"),
    { .name = "memory_limit", .type = ISW_OPTION_SIZE, .optional = true, .min = BYTES_MIN,
      .max = INT64_MAX, .offset = offsetof(iswi_worker_settings, memory_limit),
      .help = "bytes of memory of each process with its descendants: at nine tenths another takes "
              "over from it, above it is ended, by the kernel where it has a cgroup, else by the "
              "host, which looks 5 times a second while it works; left out: none" },
    { .name = "cpu_limit", .type = ISW_OPTION_DOUBLE, .optional = true,
      .offset = offsetof(iswi_worker_settings, cpu_limit),
      .help = "processors that each process may use, with its descendants, such as 0.5 or 2; what "
              "wants more waits. Holds in a cgroup alone: see host.cgroups; left out: all" },
    { .name = "pids_limit", .type = ISW_OPTION_INT, .optional = true, .min = 1, .max = 4194304,
      .offset = offsetof(iswi_worker_settings, pids_limit),
      .help = "threads and processes that each process may have, itself and its descendants "
              "included; likewise" },
    { .name = "recycle_after", .type = ISW_OPTION_GROUP, .group = recycle_rows,
      .group_size = sizeof(iswi_recycle_settings),
      .offset = offsetof(iswi_worker_settings, recycle_after),
      .help = "when another process takes over from one, with no call lost; each differs by up to "
              "a tenth, so that not all go at once" },
    { .name = "health", .type = ISW_OPTION_GROUP, .group = health_rows,
      .group_size = sizeof(iswi_health_settings), .offset = offsetof(iswi_worker_settings, health),
      .help = "a process whose application says that it is unhealthy gets no new calls until it is "
              "healthy again; they go to others, or wait (queue)" },
    { .name = "rlimits", .type = ISW_OPTION_GROUP, .group = rlimits_rows,
      .group_size = sizeof(iswi_rlimits_settings),
      .offset = offsetof(iswi_worker_settings, rlimits),
      .help = "limits of setrlimit(2), soft and hard: a number, or unlimited; what is left out is as "
              "for the host" },
    { .name = "nice", .type = ISW_OPTION_INT, .optional = true, .min = -20, .max = 19,
      .offset = offsetof(iswi_worker_settings, nice),
      .help = "who waits for processors before others, from -20 to 19 (last); left out or 0: as the "
              "host" },
    MAYBE(iswi_worker_settings, user, STRING, "user",
          "who its processes are, by name or number; only where root starts the host"),
    MAYBE(iswi_worker_settings, group, STRING, "group",
          "likewise; left out: the user's own; other groups are those of the user"),
    { .name = "remote", .type = ISW_OPTION_GROUP, .group = remote_rows, .optional = true,
      .group_size = sizeof(iswi_remote_settings), .offset = offsetof(iswi_worker_settings, remote),
      .help = "its processes run on other machines, and come to this host (isoworker(1))" },
    { .name = "link", .type = ISW_OPTION_GROUP, .group = link_rows,
      .group_size = sizeof(iswi_link_settings), .offset = offsetof(iswi_worker_settings, link),
      .help = "how frames travel" },
    { .name = "queue", .type = ISW_OPTION_GROUP, .group = worker_queue_rows,
      .group_size = sizeof(iswi_queue_settings), .offset = offsetof(iswi_worker_settings, queue),
      .help = "its calls that find no process ready, or none with room" },
    { 0 },
};
