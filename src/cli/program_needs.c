/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program_needs.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The versions of its symbols stand in a file as texts: "GLIBC_2.34". */
static unsigned glibc_of(const char *bytes, size_t left)
{
    static const char mark[] = "GLIBC_2.";
    const size_t size = sizeof mark - 1;
    const char *end = bytes + left;
    unsigned newest = 0;

    for (const char *at = bytes; (at = memmem(at, (size_t)(end - at), mark, size)); at += size) {
        unsigned minor = 0;

        for (const char *digit = at + size; digit < end && *digit >= '0' && *digit <= '9'; digit++)
            minor = 10 * minor + (unsigned)(*digit - '0');
        if (minor > newest && minor < 1000)
            newest = minor;
    }
    return newest;
}

/* In the order of bytes that both machines of Lambda have. */
static unsigned machine_of(const char *bytes, size_t size)
{
    const Elf64_Ehdr *head = (const void *)bytes;

    return size >= sizeof *head && memcmp(bytes, ELFMAG, SELFMAG) == 0 ? head->e_machine : 0;
}

void iswi_program_needs_read(const char *path, iswi_program_needs *out)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = MAP_FAILED;
    size_t size = 0;

    *out = (iswi_program_needs){ 0, 0 };
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0) {
        size = (size_t)info.st_size;
        bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (fd >= 0)
        close(fd);
    if (bytes == MAP_FAILED)
        return;
    *out = (iswi_program_needs){ glibc_of(bytes, size), machine_of(bytes, size) };
    munmap(bytes, size);
}

const char *iswi_program_architecture(unsigned machine)
{
    return machine == EM_X86_64 ? "x86_64" : machine == EM_AARCH64 ? "arm64" : "unknown";
}
