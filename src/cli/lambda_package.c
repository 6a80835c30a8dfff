/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker lambda package`: which files Lambda needs, and what it says of them. */
#include "cli/cli.h"
#include "cli/helper.h"
#include "cli/package.h"
#include "base/alloc.h"
#include "host/settings/settings.h"
#include "host/system/spawn.h"
#include "host/triggers.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { MORE_MOST = 64, GLIBC_OF_AL2023 = 34, MIB = 1024 * 1024, UNPACKED_MOST_MIB = 250,
       PACKED_MOST_MIB = 50 };

static const char usage[] =
    "usage: isoworker lambda package [DIR] [-o FILE.zip] [--add FILE]... [--library NAME]...\n"
    "\n"
    "Writes what a function of AWS Lambda (provided.al2023) needs as a zip file, function.zip if it\n"
    "is not said: bootstrap, isoworker, DIR/host.yaml (DIR is . by default) with all YAML of the\n"
    "folder, the programs and shared objects of its workers, middleware that comes as a module, and\n"
    "in lib/ the shared libraries that all of these are linked with beside the C library. Programs\n"
    "are named in host.yaml by a relative path, or by a bare name, which is found beside isoworker.\n"
    "  -o, --output FILE  write it there instead\n"
    "  --add FILE         a file of DIR besides, at its relative path\n"
    "  --library NAME     a library besides that is loaded when it is wanted: libcurl.so.4 for\n"
    "                     outputs of the types http and cloudevents (and, as one that was built for\n"
    "                     another system looks for its certificates elsewhere, webhooks: {ca_file:\n"
    "                     /etc/pki/tls/certs/ca-bundle.crt} in host.yaml), libnng.so.1 for\n"
    "                     `lane: message`, libnats for a queues.store of nats; that of\n"
    "                     postgresql comes by itself\n"
    "\n"
    "Says the sizes and the architecture, which the function is to have, and when the C library of\n"
    "Lambda's machine is older than these programs need: then build them on the image of\n"
    "Lambda, or on a system that is as old.\n";

typedef struct packing {
    iswi_package package;
    char folder[PATH_MAX]; /* absolute */
    iswi_buffer yaml;      /* all of it, to look for names */
    const char *added[MORE_MOST], *libraries[MORE_MOST];
    size_t added_count, library_count;
    isw_error error;
} packing;

static bool add(packing *with, const char *inside)
{
    char path[2 * PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", with->folder, inside);
    return iswi_package_add(&with->package, path, inside, &with->error) == ISW_OK;
}

static bool add_object(packing *with, const char *inside)
{
    char path[2 * PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", with->folder, inside);
    return iswi_package_add_program(&with->package, path, inside, &with->error) == ISW_OK;
}

static bool is_file(const packing *with, const char *inside)
{
    char path[2 * PATH_MAX];
    struct stat info;

    snprintf(path, sizeof path, "%s/%s", with->folder, inside);
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* A path of settings, which is absolute by now, as seen from the folder; as it is if it lies
 * elsewhere, where no package has it. */
static const char *from_folder(const packing *with, const char *path)
{
    const size_t size = strlen(with->folder);

    return strncmp(path, with->folder, size) == 0 && path[size] == '/' ? path + size + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text);

    return size > strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* -- YAML -------------------------------------------------------------------------------------- */

static bool add_yaml(packing *with, const char *inside)
{
    char path[2 * PATH_MAX];
    char bytes[4096];
    size_t size;
    FILE *file;

    if (!add(with, inside))
        return false;
    snprintf(path, sizeof path, "%s/%s", with->folder, inside);
    file = fopen(path, "re");
    while (file && (size = fread(bytes, 1, sizeof bytes, file)) > 0)
        iswi_buffer_append(&with->yaml, bytes, size);
    if (file)
        fclose(file);
    iswi_buffer_append_text(&with->yaml, "\n");
    return true;
}

static bool add_all_yaml(packing *with)
{
    DIR *folder = opendir(with->folder);
    struct dirent *entry;
    bool fine = folder != NULL;

    while (fine && (entry = readdir(folder)) != NULL)
        if ((ends_with(entry->d_name, ".yaml") || ends_with(entry->d_name, ".yml")) &&
            is_file(with, entry->d_name))
            fine = add_yaml(with, entry->d_name);
    if (folder)
        closedir(folder);
    return fine;
}

/* Shared objects that YAML names by a path: middleware of the application's own. */
static bool add_named_objects(packing *with)
{
    const char *text = iswi_buffer_text(&with->yaml);
    bool fine = text != NULL;

    while (fine && *text) {
        const size_t size = strcspn(text, " \t\r\n\"'[]{},:");
        char word[PATH_MAX];

        if (size && size < sizeof word) {
            snprintf(word, sizeof word, "%.*s", (int)size, text);
            if (ends_with(word, ".so") && is_file(with, word))
                fine = add_object(with, word);
        }
        text += size ? size : 1;
    }
    return fine;
}

/* -- Programs ---------------------------------------------------------------------------------- */

/* Where it is to lie, so that it is found as it is here. */
static bool add_worker(packing *with, const iswi_worker_settings *worker)
{
    const char *command = worker->command.count ? worker->command.items[0] : NULL;
    char inside[PATH_MAX];
    char *found = NULL;
    bool fine = true;

    if (command && *command == '/') {
        isw_error_set(&with->error, ISW_E_INVALID, "worker \"%s\": %s is a path of this machine; "
                      "put the program into %s, and name it by a relative path", worker->name,
                      command, with->folder);
        return false;
    }
    if (command && iswi_spawn_find(command, with->folder, &found, &with->error) != ISW_OK)
        return false;
    if (command) {
        snprintf(inside, sizeof inside, "%s%s", strchr(command, '/') ? "" : "bin/", command);
        fine = iswi_package_add_program(&with->package, found, inside, &with->error) == ISW_OK;
    }
    iswi_free(found);
    for (size_t i = 1; fine && i < worker->command.count; i++)
        if (is_file(with, worker->command.items[i]))
            fine = add_object(with, worker->command.items[i]);
    if (fine && worker->config)
        fine = add_yaml(with, from_folder(with, worker->config));
    if (fine && worker->directory)
        fine = iswi_package_add_folder(&with->package, from_folder(with, worker->directory),
                                       &with->error) == ISW_OK;
    return fine;
}

static bool add_own(packing *with)
{
    char path[PATH_MAX];
    char link[PATH_MAX + 16];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);

    path[size > 0 ? size : 0] = '\0';
    if (iswi_package_add_program(&with->package, path, "bin/isoworker", &with->error) != ISW_OK)
        return false;
    if (iswi_cli_find_helper("isoworker-worker", path) &&
        iswi_package_add_program(&with->package, path, "bin/isoworker-worker", &with->error) !=
            ISW_OK)
        return false;
    snprintf(link, sizeof link, "%s/bootstrap", with->package.stage);
    if (symlink("bin/isoworker", link) == 0)
        return true;
    isw_error_set(&with->error, ISW_E_IO, "%s: %s", link, strerror(errno));
    return false;
}

/* -- What is loaded when it is wanted ---------------------------------------------------------- */

static bool yaml_names(packing *with, const char *name)
{
    char member[NAME_MAX + 2];

    snprintf(member, sizeof member, "%s:", name);
    return iswi_buffer_text(&with->yaml) && strstr(iswi_buffer_text(&with->yaml), member);
}

/* Modules of the library that YAML names: auth.so where it has "auth:". */
static bool add_modules(packing *with, const char *library_folder, const char *below)
{
    char path[2 * PATH_MAX];
    DIR *folder;
    struct dirent *entry;
    bool fine = true;

    snprintf(path, sizeof path, "%s/%s", library_folder, below);
    folder = opendir(path);
    while (folder && fine && (entry = readdir(folder)) != NULL) {
        char name[NAME_MAX + 1];
        char source[3 * PATH_MAX];
        char inside[PATH_MAX];

        if (!ends_with(entry->d_name, ".so"))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strlen(entry->d_name) - 3, entry->d_name);
        if (!yaml_names(with, name))
            continue;
        snprintf(source, sizeof source, "%s/%s", path, entry->d_name);
        snprintf(inside, sizeof inside, "lib/%s/%s", below, entry->d_name);
        fine = iswi_package_add_program(&with->package, source, inside, &with->error) == ISW_OK;
    }
    if (folder)
        closedir(folder);
    return fine;
}

/* Beside the library that workers are linked with, wherever it was found. */
static bool add_all_modules(packing *with)
{
    const char *folder = iswi_package_folder_of(&with->package, "lib/libisoworker.so");

    return !folder || (add_modules(with, folder, "isoworker") &&
                       add_modules(with, folder, "isoworker/stores"));
}

static bool add_libraries(packing *with, const iswi_host_settings *settings)
{
    if (settings->queues.store && strncmp(settings->queues.store, "postgresql:", 11) == 0 &&
        iswi_package_add_library(&with->package, "libpq.so.5", &with->error) != ISW_OK)
        return false;
    for (size_t i = 0; i < with->library_count; i++)
        if (iswi_package_add_library(&with->package, with->libraries[i], &with->error) != ISW_OK)
            return false;
    return true;
}

/* -- All of it --------------------------------------------------------------------------------- */

static bool gather(packing *with, const iswi_host_settings *settings)
{
    const iswi_worker_settings *workers = settings->workers.items;
    bool fine = add_own(with) && add_all_yaml(with);

    for (size_t i = 0; fine && i < settings->workers.count; i++)
        fine = add_worker(with, &workers[i]);
    for (size_t i = 0; fine && i < with->added_count; i++)
        fine = add(with, with->added[i]);
    return fine && add_named_objects(with) && add_all_modules(with) &&
           add_libraries(with, settings);
}

static bool is_below(const char *store, const char *start)
{
    return store && strncmp(store, start, strlen(start)) == 0;
}

static void tell(const packing *with, const iswi_host_settings *settings, const char *file)
{
    const iswi_package *package = &with->package;
    const char *store = settings->queues.store;
    struct stat info = { .st_size = 0 };

    stat(file, &info);
    for (size_t i = 0; i < package->count; i++)
        printf("%10lld  %s\n", (long long)package->files[i].bytes, package->files[i].inside);
    printf("%10lld  unpacked, of the %d MiB that Lambda takes\n"
           "%10lld  %s, for the architecture %s\n",
           (long long)package->bytes, UNPACKED_MOST_MIB, (long long)info.st_size, file,
           iswi_program_architecture(package->needs.machine));
    if (package->bytes > (off_t)UNPACKED_MOST_MIB * MIB)
        fprintf(stderr, "isoworker: it is too large for Lambda unpacked\n");
    if (info.st_size > (off_t)PACKED_MOST_MIB * MIB)
        fprintf(stderr, "isoworker: above %d MiB it has to go by S3\n", PACKED_MOST_MIB);
    if (package->needs.glibc > GLIBC_OF_AL2023)
        fprintf(stderr, "isoworker: its programs need glibc 2.%u, and provided.al2023 has 2.%d: "
                "build them there, or in an image of your own with the newer one\n",
                package->needs.glibc, GLIBC_OF_AL2023);
    if (is_below(store, "sqlite:/tmp/"))
        fprintf(stderr, "isoworker: queues.store is a file under /tmp, which goes with each "
                "environment, and what functions have put there with it\n");
}

/* /var/task cannot be written, nor what else there is, but for these. A relative path is below /tmp
 * there. */
static bool check_store(packing *with, const char *store)
{
    if (!is_below(store, "sqlite:/") || is_below(store, "sqlite:/tmp/") ||
        is_below(store, "sqlite:/mnt/"))
        return true;
    isw_error_set(&with->error, ISW_E_INVALID, "queues.store of host.yaml is %s, which cannot be "
                  "written under Lambda; name a server, postgresql:// or nats://, or a file below "
                  "/tmp, which goes with each environment, or below a file system at /mnt", store);
    return false;
}

static int status_of(const isw_error *error)
{
    fprintf(stderr, "isoworker: %s\n", error->message);
    return error->status == ISW_E_IO ? EX_IOERR
           : error->status == ISW_E_UNAVAILABLE ? EX_UNAVAILABLE
                                                : EX_CONFIG;
}

static int package(packing *with, const char *folder, const char *file)
{
    iswi_settings_groups groups = iswi_triggers_groups(iswi_lambda_triggers);
    const iswi_host_settings *settings = NULL;
    iswi_config *config = NULL;
    char *absolute = NULL;
    char here[PATH_MAX];
    bool fine;

    if (!realpath(folder, with->folder) || !getcwd(here, sizeof here)) {
        fprintf(stderr, "isoworker: %s: %s\n", folder, strerror(errno));
        return EX_NOINPUT;
    }
    if (iswi_host_settings_survey(with->folder, &groups, NULL, &config, &settings, &with->error) !=
        ISW_OK)
        return status_of(&with->error);
    fine = asprintf(&absolute, "%s%s%s", *file == '/' ? "" : here, *file == '/' ? "" : "/",
                    file) > 0 &&
           check_store(with, settings->queues.store) &&
           iswi_package_begin(&with->package, &with->error) == ISW_OK && gather(with, settings) &&
           iswi_package_zip(&with->package, absolute, &with->error) == ISW_OK;
    if (fine)
        tell(with, settings, absolute);
    iswi_package_end(&with->package);
    iswi_buffer_fini(&with->yaml);
    iswi_config_close(config);
    free(absolute);
    return fine ? EX_OK : status_of(&with->error);
}

int iswi_cli_lambda_package(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "add", required_argument, NULL, 'a' },
        { "library", required_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    packing with = { .error = { ISW_OK, "" } };
    const char *file = "function.zip";
    int letter;

    while ((letter = iswi_cli_option(argc, argv, "o:", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter == 'o')
            file = optarg;
        else if (letter == 'a' && with.added_count < MORE_MOST)
            with.added[with.added_count++] = optarg;
        else if (letter == 'l' && with.library_count < MORE_MOST)
            with.libraries[with.library_count++] = optarg;
        else
            return EX_USAGE;
    }
    if (optind + 1 < argc) {
        fprintf(stderr, "isoworker: lambda package takes one folder\n");
        return EX_USAGE;
    }
    return package(&with, optind < argc ? argv[optind] : ".", file);
}
