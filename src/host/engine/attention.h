/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_ATTENTION_H
#define ISWI_HOST_ENGINE_ATTENTION_H

/* What stands in the status until it is mended, a sentence a line. Inside the engine; written by
 * attention.c alone. On the supervisor's thread but where it says otherwise; what gathers it is in
 * look.h. */
#include "base/buffer.h"
#include "host/system/file_look.h"
#include "wire/frame.h"

#include <pthread.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_process iswi_process;

/* Part of a process; with its lock. */
typedef struct iswi_process_attention {
    iswi_buffer lines;
    const char *file;       /* what it was started from */
    iswi_file_look program; /* and how that was */
} iswi_process_attention;

/* Part of a host. */
typedef struct iswi_attention {
    pthread_mutex_t lock; /* guards the next two */
    iswi_buffer yaml, match;
} iswi_attention;

void iswi_attention_init(iswi_attention *attention);
void iswi_attention_fini(iswi_attention *attention);

/* It is about to be started. With the process's lock, as are the next two; any thread. */
void iswi_attention_started(iswi_process *process);
void iswi_attention_configured(iswi_process *process, const iswi_reloaded *answer);
void iswi_attention_cannot_read(iswi_process *process);

/* What is to be said of host.yaml: a sentence for each line, with `lead` before it, or none. */
void iswi_attention_yaml(iswi_host *host, const char *lead, const char *lines);
/* Which names there match nothing; none, before each worker has told its functions. */
void iswi_attention_match(iswi_host *host);

#endif
