/* SPDX-License-Identifier: Apache-2.0 */
/* Modules as a test needs them. */
#include "support/modules.h"

#include "support/main.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

void make_folder(char folder[MODULE_PATH_BYTES])
{
    strcpy(folder, "/tmp/isw-module-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void remove_folder(const char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void copy_module(const char *from, const char *folder, const char *name,
                 char path[MODULE_PATH_BYTES])
{
    struct stat info;
    int source = open(from, O_RDONLY | O_CLOEXEC);
    int target;

    snprintf(path, MODULE_PATH_BYTES, "%s/%s", folder, name);
    target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    assert_true(source >= 0 && target >= 0);
    assert_int_equal(fstat(source, &info), 0);
    assert_int_equal(sendfile(target, source, NULL, (size_t)info.st_size), info.st_size);
    assert_int_equal(fchmod(target, 0755), 0);
    close(target);
    close(source);
}
