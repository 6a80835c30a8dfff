/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_LOG_H
#define ISWI_HOST_ENGINE_LOG_H

/* How the engine speaks, and all that stands on it: lines go to whoever made the host. Any thread;
 * with locks held, too, so that whoever takes them calls nothing of the host. */
#include "base/logline.h"

typedef struct iswi_host iswi_host;

typedef enum iswi_speaker {
    ISWI_SPEAKER_HOST,  /* a line of the host's own: not to be lost in a flood of others */
    ISWI_SPEAKER_OTHERS /* what a worker logs or prints; dropped where there is no room */
} iswi_speaker;

/* Who takes the lines. */
typedef struct iswi_log_sink {
    isw_log_level level; /* lowest of the host's own lines, and of what workers print */
    void (*write)(void *user, const iswi_logline *line, iswi_speaker speaker);
    void *user;
} iswi_log_sink;

enum { ISWI_LISTENERS_MAX = 4 };

/* All lines go there from now on, too, whatever its level; until the host is gone. Before it runs.
 * Errors: ISW_E_NO_MEMORY for more than ISWI_LISTENERS_MAX. */
isw_status iswi_host_listen(iswi_host *host, const iswi_log_sink *sink, isw_error *error);

/* A line of the host's own, if its level is shown. */
void iswi_say(const iswi_host *host, isw_log_level level, const char *format, ...)
    ISW_PRINTF(3, 4);

/* What a line is about. */
typedef struct iswi_about {
    const char *function;
    const char *invocation_id; /* "": none that is known */
    isw_str request_id;        /* as its caller calls it; a field "request"; empty: it does not */
} iswi_about;

void iswi_say_of(const iswi_host *host, isw_log_level level, const iswi_about *about,
                 const char *format, ...) ISW_PRINTF(4, 5);

/* A line as it is, whatever its level. */
void iswi_log_line(const iswi_host *host, const iswi_logline *line, iswi_speaker speaker);

#endif
