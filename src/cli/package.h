/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_PACKAGE_H
#define ISWI_CLI_PACKAGE_H

/*
 * A folder with all that a host needs, gathered to be packed: files at the places that they will
 * have, and the shared libraries that programs among them need beside the C library. One thread.
 */
#include "base/arena.h"
#include "cli/program_needs.h"

#include <isoworker/status.h>
#include <limits.h>
#include <sys/types.h>

typedef struct iswi_package_file {
    const char *inside; /* its path in the package */
    const char *folder; /* where it comes from */
    off_t bytes;
} iswi_package_file;

typedef struct iswi_package {
    iswi_arena arena;
    char stage[PATH_MAX]; /* where it is gathered; "": nowhere yet */
    iswi_package_file *files;
    size_t count, capacity;
    off_t bytes;
    iswi_program_needs needs; /* of all programs of it */
} iswi_package;

/* An empty one, in a temporary folder. Errors: ISW_E_IO. */
isw_status iswi_package_begin(iswi_package *package, isw_error *error);

/* Remove the folder. */
void iswi_package_end(iswi_package *package);

/* Copy `source` there, with its mode; nothing happens if there is such a file. Errors: ISW_E_IO,
 * ISW_E_NO_MEMORY, ISW_E_INVALID for a path that leads out. */
isw_status iswi_package_add(iswi_package *package, const char *source, const char *inside,
                            isw_error *error);

/* An empty folder, if there is none. Errors: as above. */
isw_status iswi_package_add_folder(iswi_package *package, const char *inside, isw_error *error);

/* The same as a file's, of a program or a shared object, and into lib/ what it is linked with beside
 * the C library. Errors: also ISW_E_NOT_FOUND for a library that is not there, ISW_E_CONFLICT for a
 * program of another machine than those before. */
isw_status iswi_package_add_program(iswi_package *package, const char *source, const char *inside,
                                    isw_error *error);

/* The same of a library that programs load when they want it, by its name. */
isw_status iswi_package_add_library(iswi_package *package, const char *name, isw_error *error);

bool iswi_package_has(const iswi_package *package, const char *inside);

/* The folder of the file that became one whose path begins so; NULL: there is none. */
const char *iswi_package_folder_of(const iswi_package *package, const char *inside);

/* Write it as a zip file, by the program zip. Errors: ISW_E_UNAVAILABLE where that is not
 * installed, ISW_E_IO. */
isw_status iswi_package_zip(const iswi_package *package, const char *file, isw_error *error);

#endif
