/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_PROGRAM_NEEDS_H
#define ISWI_CLI_PROGRAM_NEEDS_H

/* What a program, or a shared object, asks of the machine that it is to run on, as its file says. */
typedef struct iswi_program_needs {
    unsigned glibc;   /* the newest 2.x that it is linked with; 0: none */
    unsigned machine; /* e_machine of ELF; 0: it is no such file, but a script */
} iswi_program_needs;

/* All 0 for what cannot be read. */
void iswi_program_needs_read(const char *path, iswi_program_needs *out);

/* As AWS Lambda calls it: "x86_64", "arm64"; of others "unknown". */
const char *iswi_program_architecture(unsigned machine);

#endif
