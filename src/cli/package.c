/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/package.h"

#include "base/alloc.h"
#include "host/system/capture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 256 * 1024, LISTED_MOST = 256 * 1024, PATIENCE_MS = 120000, DEPTH = 16 };

/* -- The folder -------------------------------------------------------------------------------- */

isw_status iswi_package_begin(iswi_package *package, isw_error *error)
{
    const char *folder = getenv("TMPDIR");

    *package = (iswi_package){ .stage = "" };
    iswi_arena_init(&package->arena, 8192);
    snprintf(package->stage, sizeof package->stage, "%s/isoworker-package-XXXXXX",
             folder && *folder ? folder : "/tmp");
    if (mkdtemp(package->stage))
        return ISW_OK;
    isw_error_set(error, ISW_E_IO, "%s: %s", package->stage, strerror(errno));
    *package->stage = '\0';
    return error->status;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void iswi_package_end(iswi_package *package)
{
    if (*package->stage)
        nftw(package->stage, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS);
    iswi_free(package->files);
    iswi_arena_fini(&package->arena);
}

/* -- Files ------------------------------------------------------------------------------------- */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool iswi_package_has(const iswi_package *package, const char *inside)
{
    for (size_t i = 0; i < package->count; i++)
        if (strcmp(package->files[i].inside, inside) == 0)
            return true;
    return false;
}

const char *iswi_package_folder_of(const iswi_package *package, const char *inside)
{
    for (size_t i = 0; i < package->count; i++)
        if (strncmp(package->files[i].inside, inside, strlen(inside)) == 0)
            return package->files[i].folder;
    return NULL;
}

/* The folders above `path`. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        bool made;

        *slash = '\0';
        made = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made)
            return false;
    }
    return true;
}

static bool write_all(int to, const char *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(to, bytes, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static bool copy_bytes(int from, int to)
{
    char *bytes = iswi_alloc(COPY_BYTES);
    ssize_t size = -1;

    while (bytes && (size = read(from, bytes, COPY_BYTES)) > 0)
        if (!write_all(to, bytes, (size_t)size))
            size = -1;
    iswi_free(bytes);
    return size == 0;
}

/* False with errno. */
static bool copy(const char *source, char *target, off_t *size)
{
    int from = open(source, O_RDONLY | O_CLOEXEC);
    struct stat info;
    bool fine;
    int to;

    if (from < 0)
        return false;
    if (fstat(from, &info) != 0 || !make_folders(target) ||
        (to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
        close(from);
        return false;
    }
    fine = copy_bytes(from, to) && fchmod(to, info.st_mode & 0111 ? 0755 : 0644) == 0;
    fine = close(to) == 0 && fine;
    close(from);
    *size = info.st_size;
    return fine;
}

static bool leads_out(const char *inside)
{
    return *inside == '/' || strncmp(inside, "../", 3) == 0 || strstr(inside, "/../");
}

static isw_status refuse_outside(const char *inside, isw_error *error)
{
    return isw_error_set(error, ISW_E_INVALID, "%s lies outside of the folder, and so is nowhere in "
                         "a package; put it there, and name it by a relative path", inside);
}

isw_status iswi_package_add_folder(iswi_package *package, const char *inside, isw_error *error)
{
    char target[2 * PATH_MAX];

    if (leads_out(inside))
        return refuse_outside(inside, error);
    snprintf(target, sizeof target, "%s/%s/", package->stage, inside);
    return make_folders(target) ? ISW_OK
                                : isw_error_set(error, ISW_E_IO, "%s: %s", target,
                                                strerror(errno));
}

isw_status iswi_package_add(iswi_package *package, const char *source, const char *inside,
                            isw_error *error)
{
    char target[2 * PATH_MAX];
    iswi_package_file file;

    while (strncmp(inside, "./", 2) == 0)
        inside += 2;
    if (iswi_package_has(package, inside))
        return ISW_OK;
    if (leads_out(inside))
        return refuse_outside(inside, error);
    snprintf(target, sizeof target, "%s/%s", package->stage, inside);
    if (!copy(source, target, &file.bytes))
        return isw_error_set(error, ISW_E_IO, "%s: %s", source, strerror(errno));
    file.inside = iswi_arena_strndup(&package->arena, inside, strlen(inside));
    file.folder = iswi_arena_strndup(&package->arena, source,
                                     (size_t)(base_of(source) - source));
    if (!file.inside || !file.folder || !iswi_grow(&package->files, &package->capacity, package->count,
                                   sizeof *package->files))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a package");
    package->files[package->count++] = file;
    package->bytes += file.bytes;
    return ISW_OK;
}

/* -- Libraries --------------------------------------------------------------------------------- */

/* What comes with the C library is the machine's: it has to fit its kernel and its loader. */
static bool is_of_libc(const char *name)
{
    static const char *const starts[] = { "ld-linux",  "libc.so",     "libm.so",  "libdl.so",
                                          "librt.so",  "libpthread.", "libutil.", "libresolv.",
                                          "libanl.so", "libnss_",     "linux-vdso", "linux-gate" };

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* What a program asks of the machine that it will run on. */
static isw_status note(iswi_package *package, const char *path, isw_error *error)
{
    iswi_program_needs needs;

    iswi_program_needs_read(path, &needs);
    if (needs.glibc > package->needs.glibc)
        package->needs.glibc = needs.glibc;
    if (!package->needs.machine)
        package->needs.machine = needs.machine;
    if (!needs.machine || needs.machine == package->needs.machine)
        return ISW_OK;
    return isw_error_set(error, ISW_E_CONFLICT, "%s is for another machine (%s) than isoworker "
                         "(%s); build both for the architecture that the function has", path,
                         iswi_program_architecture(needs.machine),
                         iswi_program_architecture(package->needs.machine));
}

static isw_status add_library_at(iswi_package *package, const char *path, isw_error *error)
{
    char inside[PATH_MAX];

    if (is_of_libc(base_of(path)))
        return ISW_OK;
    snprintf(inside, sizeof inside, "lib/%s", base_of(path));
    if (iswi_package_has(package, inside))
        return ISW_OK;
    if (note(package, path, error) != ISW_OK)
        return error->status;
    return iswi_package_add(package, path, inside, error);
}

/* One line of ldd: "  libx.so.1 => /lib/libx.so.1 (0x...)". */
static isw_status add_listed(iswi_package *package, const char *program, char *line,
                             isw_error *error)
{
    char *arrow = strstr(line, " => ");
    char *end;

    if (!arrow)
        return ISW_OK; /* the loader, or what the kernel has */
    if (strstr(arrow, "not found"))
        return isw_error_set(error, ISW_E_NOT_FOUND, "%s needs%.*s, which is not there", program,
                             (int)(arrow - line), line);
    end = strrchr(arrow, '(');
    if (!end || arrow[4] != '/')
        return ISW_OK;
    end[-1] = '\0';
    return add_library_at(package, arrow + 4, error);
}

/* All that it is linked with, and what that is linked with. */
static isw_status add_linked(iswi_package *package, const char *program, isw_error *error)
{
    char *const words[] = { (char *)"ldd", (char *)program, NULL };
    const iswi_capture ldd = { .program = "/usr/bin/ldd", .arguments = words,
                               .environment = environ, .input = -1, .errors = -1,
                               .most = LISTED_MOST, .patience_ms = PATIENCE_MS };
    iswi_capture_end end = { .status = 0 };
    iswi_buffer listed = { 0 };
    isw_status status = ISW_OK;
    char *rest;
    char *line;

    if (!iswi_capture_watch(&ldd, &listed, &end) || end.late || !iswi_buffer_text(&listed)) {
        iswi_buffer_fini(&listed);
        return isw_error_set(error, ISW_E_UNAVAILABLE, "ldd cannot be run, which says what %s is "
                             "linked with", program);
    }
    for (line = strtok_r((char *)listed.data, "\n", &rest); line && status == ISW_OK;
         line = strtok_r(NULL, "\n", &rest))
        status = add_listed(package, program, line, error);
    iswi_buffer_fini(&listed);
    return status;
}

isw_status iswi_package_add_program(iswi_package *package, const char *source, const char *inside,
                                    isw_error *error)
{
    isw_status status = iswi_package_add(package, source, inside, error);

    if (status == ISW_OK)
        status = note(package, source, error);
    return status == ISW_OK ? add_linked(package, source, error) : status;
}

isw_status iswi_package_add_library(iswi_package *package, const char *name, isw_error *error)
{
    void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    char folder[PATH_MAX] = "";
    char path[2 * PATH_MAX];

    if (!handle || dlinfo(handle, RTLD_DI_ORIGIN, folder) != 0)
        return isw_error_set(error, ISW_E_NOT_FOUND, "there is no %s", name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (add_library_at(package, path, error) != ISW_OK)
        return error->status;
    return add_linked(package, path, error);
}

/* -- The file ---------------------------------------------------------------------------------- */

isw_status iswi_package_zip(const iswi_package *package, const char *file, isw_error *error)
{
    char *const words[] = { (char *)"zip", (char *)"-q", (char *)"-r", (char *)"-y", (char *)"-X",
                            (char *)file, (char *)".", NULL };
    const iswi_capture zip = { .program = "/usr/bin/zip", .arguments = words,
                               .environment = environ, .directory = package->stage, .input = -1,
                               .errors = STDERR_FILENO, .most = LISTED_MOST,
                               .patience_ms = PATIENCE_MS };
    iswi_capture_end end = { .status = 0 };
    iswi_buffer said = { 0 };
    bool ran;

    if (access(zip.program, X_OK) != 0)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "there is no %s, which packs it; install "
                             "the package zip", zip.program);
    if (unlink(file) != 0 && errno != ENOENT) /* zip would add to it */
        return isw_error_set(error, ISW_E_IO, "%s: %s", file, strerror(errno));
    ran = iswi_capture_watch(&zip, &said, &end);
    iswi_buffer_fini(&said);
    return ran && !end.late && !end.signal && !end.status
               ? ISW_OK
               : isw_error_set(error, ISW_E_IO, "zip could not write %s", file);
}
