/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_FILE_WHOLE_H
#define ISWI_HOST_SYSTEM_FILE_WHOLE_H

#include <stdbool.h>

/* Whether a program or a shared object is there as a whole, as far as it says how long it is: an ELF
 * file does, and is shorter while it is copied or linked. One that is `executed` has to be so for
 * us. Blocks on the file system. */
bool iswi_file_is_whole(const char *path, bool executed);

#endif
