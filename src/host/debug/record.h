/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_RECORD_H
#define ISWI_HOST_DEBUG_RECORD_H

/*
 * `isoworker run --record DIR`: each invocation as a file, which `WORKER invoke --replay FILE` runs
 * again. A file is one JSON object:
 *
 *     isoworker_record  1
 *     function, worker, invocation_id
 *     recorded_at       when it was answered, RFC 3339
 *     timeout_ms        that it had; 0: none
 *     tries             that were lost before
 *     trace             {parent, state, baggage: [[name, value]]}
 *     retry             {count, max, last_error}, where it was another attempt of its event
 *     trigger           its data, typed (src/value/typed.h)
 *     trigger_metadata  what is known of its event beside, and
 *     inputs            what it brings; typed, by name
 *     body_cut          true where its body is not in it, because it streamed, is too large or
 *                       cannot be searched for secrets
 *     outcome           success, failed, cancelled or retry_later
 *     failure           {status, message}, of one that did not succeed
 *     result, outputs   typed; outputs by name, of a success with what was put out before the
 *                       answer: the values of one name as an array, if they are several
 *     result_cut        as body_cut
 *     outputs_cut       true where there are more outputs than a megabyte of them
 *     duration_us       as the host saw it
 *
 * Secrets are left out by their names (redact.h): the usual ones, those of host.yaml's
 * `record: {redact: ...}`, and what the middleware of any function of the host tell of
 * (sys/facts.h). A body that is compressed cannot be searched for them, and is left out; so is
 * XML, and what claims to be JSON, or begins like it, and cannot be read. Files are written by a
 * thread; what it cannot keep up with, or cannot write, is dropped and counted, and so is what ends
 * while any worker reads its configuration again, for what is secret is not known then.
 */
#include <isoworker/status.h>

typedef struct iswi_host iswi_host;

/* Make `folder` (0700) if it is not there, and write down what comes of calls from now on, until the
 * host is gone, which says then how much there was. Errors: ISW_E_IO naming the folder,
 * ISW_E_NO_MEMORY. */
isw_status iswi_record_attach(iswi_host *host, const char *folder, isw_error *error);

#endif
