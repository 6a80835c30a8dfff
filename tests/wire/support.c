/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/support.h"

#include "base/alloc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER ISW_TEST_SOURCE_DIR "/wire/golden"

static unsigned char *exact_copy(const void *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

sample golden(const char *name)
{
    unsigned char bytes[8192];
    sample frame = { .bytes = NULL };
    char path[512];
    unsigned byte;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.hex", FOLDER, name);
    snprintf(frame.name, sizeof frame.name, "%s", name);
    file = fopen(path, "r");
    assert_non_null(file);
    while (frame.size < sizeof bytes && fscanf(file, "%2x", &byte) == 1)
        bytes[frame.size++] = (unsigned char)byte;
    assert_true(feof(file));
    fclose(file);
    frame.bytes = exact_copy(bytes, frame.size);
    return frame;
}

void sample_fini(sample *frame)
{
    free(frame->bytes);
    frame->bytes = NULL;
}

void golden_each(void (*visit)(const sample *frame))
{
    DIR *folder = opendir(FOLDER);
    size_t count = 0;

    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *dot = strrchr(entry->d_name, '.');
        sample frame;

        if (!dot || strcmp(dot, ".hex") != 0)
            continue;
        *dot = '\0';
        frame = golden(entry->d_name);
        visit(&frame);
        sample_fini(&frame);
        count++;
    }
    closedir(folder);
    assert_true(count >= ISWI_GOODBYE);
}

isw_status decode_once(const void *bytes, size_t size, size_t *used, size_t *taken)
{
    unsigned char *copy = exact_copy(bytes, size);
    iswi_arena arena;
    iswi_frame frame;
    counter count;
    isw_status status;

    counter_init(&count, 0);
    iswi_arena_init(&arena, 1024);
    status = iswi_frame_decode(copy, size, &arena, &frame, used, NULL);
    if (taken)
        *taken = count.taken;
    iswi_arena_fini(&arena);
    counter_fini(&count);
    free(copy);
    return status;
}
