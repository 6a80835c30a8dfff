/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SINKS_SINKS_H
#define ISWI_HOST_SINKS_SINKS_H

/* The sinks that come with this host. One more is a file, and a line in sinks.c. */
#include "base/buffer.h"
#include "host/engine/sink.h"

extern const iswi_sink *const iswi_host_sinks[];

extern const iswi_sink iswi_sink_file; /* a line of JSON at the end of a file below the folder */
extern const iswi_sink iswi_sink_log;  /* a line of the host's log */

/* What is put out as one line of text: JSON, without a line feed. Of a message with options
 * (isw_queue_put) it is the body: here nobody keeps to those, and the host's log says so with
 * `debug`. */
void iswi_sink_text(const iswi_host *host, const iswi_sink_item *item, iswi_buffer *out);

#endif
