/* SPDX-License-Identifier: Apache-2.0 */
/* A main for fuzz targets without libFuzzer: runs each file of the folders and files in argv once.
 * No file at all is a failure, so that a lost corpus is noticed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

static void die(const char *path)
{
    perror(path);
    exit(1);
}

static void replay_file(const char *path, size_t size)
{
    /* Exactly as large as the file, so that a sanitizer sees the first byte beyond it. */
    uint8_t *data = malloc(size ? size : 1);
    FILE *file = fopen(path, "rb");

    if (!data || !file || fread(data, 1, size, file) != size)
        die(path);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

static void replay(const char *path)
{
    struct stat info;
    struct dirent *entry;
    DIR *folder;

    if (stat(path, &info) != 0)
        die(path);
    if (!S_ISDIR(info.st_mode)) {
        replay_file(path, (size_t)info.st_size);
        return;
    }
    folder = opendir(path);
    if (!folder)
        die(path);
    while ((entry = readdir(folder)) != NULL) {
        char inner[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        replay(inner);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%zu inputs replayed\n", replayed);
    return replayed ? 0 : 1;
}
