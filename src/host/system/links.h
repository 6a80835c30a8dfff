/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_LINKS_H
#define ISWI_HOST_SYSTEM_LINKS_H

#include <stdbool.h>

/* Call `each` for every folder in which a change can make `path` another file: that of the file
 * itself and that of each symbolic link on the way to it, be it a link to the file, such as
 * Kubernetes's worker.yaml -> ..data/worker.yaml, or to one of its folders, such as its
 * ..data -> ..2026_01_01, or a deployment's current -> releases/7. A folder may come twice. *linked
 * says whether there is any link. False if `each` said so, what is not there yet is no fault; links
 * that lead in a circle end after 40 of them. Blocks on the file system. */
bool iswi_links_folders(const char *path, bool (*each)(void *user, const char *folder), void *user,
                        bool *linked);

#endif
