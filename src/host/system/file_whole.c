/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sections is the last thing that a linker writes, and where it ends the head says. */
#include "host/system/file_whole.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 64, CLASS_AT = 4, CLASS_64 = 2 };

/* Where the head has what, by its class. */
typedef struct places {
    size_t offset_at, offset_size, entry_at, count_at;
} places;

static uint64_t number_at(const unsigned char *head, size_t at, size_t size)
{
    uint64_t wide = 0;
    uint32_t half = 0;
    uint16_t small = 0;

    if (size == sizeof wide)
        memcpy(&wide, head + at, size);
    else if (size == sizeof half)
        memcpy(&half, head + at, size);
    else
        memcpy(&small, head + at, sizeof small);
    return wide + half + small;
}

/* 0: it does not say. */
static uint64_t length_of(const unsigned char *head)
{
    static const places narrow = { 0x20, 4, 0x2e, 0x30 };
    static const places wide = { 0x28, 8, 0x3a, 0x3c };
    const places *at = head[CLASS_AT] == CLASS_64 ? &wide : &narrow;

    if (memcmp(head, "\177ELF", 4) != 0)
        return 0;
    return number_at(head, at->offset_at, at->offset_size) +
           number_at(head, at->entry_at, 2) * number_at(head, at->count_at, 2);
}

bool iswi_file_is_whole(const char *path, bool executed)
{
    unsigned char head[HEAD_BYTES] = { 0 };
    struct stat info;
    bool whole;
    int fd;

    if (executed && access(path, X_OK) != 0)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    whole = fstat(fd, &info) == 0 && info.st_size > 0 && read(fd, head, sizeof head) > 0 &&
            (uint64_t)info.st_size >= length_of(head);
    close(fd);
    return whole;
}
