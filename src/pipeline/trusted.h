/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_PIPELINE_TRUSTED_H
#define ISWI_PIPELINE_TRUSTED_H

/* Files that nobody but root and the user of this process could have written. */
#include <isoworker/status.h>
#include <limits.h>

/* Resolve `path` into `real`, and refuse it unless it is a file that, as all folders above it,
 * belongs to root or to our effective user and is not writable for group or others. A folder with
 * the sticky bit may be: in it only the owner of an entry can rename or remove it, and whom the
 * entry belongs to is looked at next. Errors: ISW_E_CONFIG, which names the part that is at fault
 * and what to do. Blocks on the file system; any thread. */
isw_status iswi_trusted_path(const char *path, char real[PATH_MAX], isw_error *error);

#endif
