/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_MODULES_H
#define ISW_TESTS_SUPPORT_MODULES_H

/* Copies of shared objects in a folder that is ours alone, whatever the umask of the build. */

enum { MODULE_PATH_BYTES = 128 };

/* Make a folder below /tmp; and remove it with all that is in it. */
void make_folder(char folder[MODULE_PATH_BYTES]);
void remove_folder(const char *folder);

/* Copy the file `from` to `folder`/`name`; `path` becomes that. */
void copy_module(const char *from, const char *folder, const char *name,
                 char path[MODULE_PATH_BYTES]);

#endif
