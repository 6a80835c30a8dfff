/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_HOST_LIBRARY_SUPPORT_H
#define ISW_TESTS_HOST_LIBRARY_SUPPORT_H

/* A host with the worker of these tests, and what it told. */
#include "support/main.h"

#include <isoworker/host.h>

#include <pthread.h>
#include <stdbool.h>

#define WORKER ISW_TEST_BIN_DIR "/../tests/workers/test_library_worker"
enum { PATIENCE_MS = 60000 };

typedef struct seen {
    pthread_mutex_t lock;
    pthread_cond_t more;
    unsigned of[ISW_HOST_LOG + 1]; /* how many events of a kind */
    char lines[64 * 1024];         /* "source: message\n" */
    char why[1024];                /* of the last end */
    int faults;
    int64_t pid; /* of the process that was started last */
} seen;

void seen_init(seen *s);
void seen_event(void *user, const isw_host_event *event);
void seen_fault(void *user, const char *sentence);
void await_events(seen *s, isw_host_event_kind kind, unsigned count);
void await_line(seen *s, const char *text);

isw_host_options options_of(seen *s);
isw_host *make_host(const isw_host_options *options);
isw_host *host_of(seen *s, const char *yaml); /* both from the beginning; `yaml` may be NULL */
void add_worker(isw_host *host, const char *name);

/* A host with one worker "plugins", which is ready. */
isw_host *start_host(seen *s);

/* The same around a case, whose state is a `running`. */
typedef struct running {
    isw_host *host;
    seen seen;
} running;
int run_host(void **state);
int end_host(void **state);

/* Call, with much time; the result is the caller's. */
isw_status call(isw_host *host, const char *name, const isw_value *input, isw_host_result *result,
                isw_error *error);

/* That it works: a call of `echo`. */
void assert_echo(isw_host *host);

void assert_message(const isw_error *error, const char *text); /* that it says so */

#endif
