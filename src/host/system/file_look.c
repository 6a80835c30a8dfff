/* SPDX-License-Identifier: Apache-2.0 */
/* One look at a file. */
#include "host/system/file_look.h"

#include <stddef.h>
#include <sys/stat.h>

iswi_file_look iswi_file_look_at(const char *path)
{
    struct stat info;

    if (!path || stat(path, &info) != 0)
        return (iswi_file_look){ 0 };
    return (iswi_file_look){ .device = info.st_dev,
                             .inode = info.st_ino,
                             .size = info.st_size,
                             .changed_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 +
                                           info.st_mtim.tv_nsec };
}

bool iswi_file_look_same(const iswi_file_look *a, const iswi_file_look *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed_ns == b->changed_ns;
}
