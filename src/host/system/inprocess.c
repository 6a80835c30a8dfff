/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers on threads of this process. The library that runs them is loaded when the first one is
 * named, so that no other host has it in its memory. Invariant: it is of the same version as this
 * host, and stays loaded; each keeps to its own memory, and they share descriptors alone.
 */
#include "host/system/launch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <isoworker/sys/inprocess.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- The library ------------------------------------------------------------------------------- */

#ifdef ISWI_STATIC
enum { linked_in = true };
#else
enum { linked_in = false };
#endif

/* `folder` seen from the file `beside`. */
static void *open_from(const char *beside, const char *folder)
{
    const char *slash = strrchr(beside, '/');
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%.*s%s/" ISWI_WORKER_LIBRARY,
                        slash ? (int)(slash + 1 - beside) : 0, beside, folder);

    return slash && size < (int)sizeof path && access(path, R_OK) == 0
               ? dlopen(path, RTLD_NOW | RTLD_GLOBAL)
               : NULL;
}

/* That of this installation, as seen from the command, from its helpers, or from the library of the
 * host; else the one that the loader finds. */
static void *open_library(void)
{
    static const char *const folders[] = { ISWI_LIB_FROM_BIN, ISWI_LIB_FROM_HELPERS, "../lib" };
    char own[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    void *library = NULL;
    Dl_info here;

    own[size > 0 ? size : 0] = '\0';
    for (size_t i = 0; !library && i < sizeof folders / sizeof folders[0]; i++)
        library = open_from(own, folders[i]);
    if (!library && dladdr(&iswi_launch_process, &here) && here.dli_fname)
        library = open_from(here.dli_fname, ".");
    return library ? library : dlopen(ISWI_WORKER_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
}

static isw_status find_table(const isw_inprocess **out, isw_error *error)
{
    void *library = linked_in ? NULL : open_library();
    const isw_inprocess *table = library ? dlsym(library, ISW_INPROCESS_SYMBOL) : NULL;

    if (linked_in)
        return isw_error_set(error, ISW_E_UNSUPPORTED,
                             "this isoworker is a static build, which loads no shared objects; "
                             "build it with BUILD_SHARED_LIBS=ON, or write isolation: process");
    if (!library)
        return isw_error_set(error, ISW_E_NOT_FOUND,
                             "isolation: none needs the library that workers link: %s", dlerror());
    if (!table || strcmp(table->version, ISW_VERSION_STRING) != 0 ||
        table->start_size != sizeof(isw_inprocess_start))
        return isw_error_set(error, ISW_E_UNSUPPORTED,
                             "isolation: none needs " ISWI_WORKER_LIBRARY " of version %s, and the "
                             "one that was found is %s", ISW_VERSION_STRING,
                             table ? table->version : "older");
    *out = table;
    return ISW_OK;
}

/* -- Threads ----------------------------------------------------------------------------------- */

static isw_status start(const iswi_launcher *launcher, const iswi_spawn_options *options,
                        int errors, iswi_spawned *out, isw_error *error)
{
    const isw_inprocess_start with = {
        .module = options->program,
        .config = options->config,
        .directory = options->directory,
        .url = options->url,
        .token = options->token,
        .ring = options->ring,
        .arena = options->arena,
        .bell = options->bell,
        .spin_us = options->spin_us ? strtol(options->spin_us, NULL, 10) : -1,
        .debug = options->endless,
        .errors = errors,
        .ended = out->pid_fd,
    };

    return launcher->library->start(&with, &out->run, error);
}

static isw_status begin(const iswi_launcher *launcher, const iswi_spawn_options *options,
                        iswi_spawned *out, isw_error *error)
{
    int errors[2] = { -1, -1 };
    isw_status status;

    *out = (iswi_spawned){ .pid = getpid(), .output = -1 };
    out->pid_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (out->pid_fd < 0 || pipe2(errors, O_CLOEXEC) != 0 ||
        fcntl(errors[0], F_SETFL, O_NONBLOCK) != 0)
        status = isw_error_set(error, ISW_E_IO, "no descriptors: %s", strerror(errno));
    else
        status = start(launcher, options, errors[1], out, error);
    if (errors[1] >= 0)
        close(errors[1]);
    out->errors = errors[0];
    if (status == ISW_OK)
        return ISW_OK;
    close(out->pid_fd);
    if (errors[0] >= 0)
        close(errors[0]);
    return status;
}

static void leave(const iswi_launcher *launcher, const iswi_spawned *os)
{
    launcher->library->leave(os->run);
}

static int reap(const iswi_launcher *launcher, const iswi_spawned *os)
{
    int code = launcher->library->join(os->run);

    return code == ISW_INPROCESS_LEFT ? ISWI_LEFT_BEHIND : W_EXITCODE(code, 0);
}

static bool is_here(const iswi_spawned *os, pid_t peer)
{
    return os->pid == peer;
}

isw_status iswi_launch_inprocess(iswi_launcher *out, isw_error *error)
{
    iswi_launcher own = { .begin = begin, .kill = leave, .reap = reap, .is = is_here };
    isw_status status = find_table(&own.library, error);

    if (status == ISW_OK)
        *out = own;
    return status;
}
