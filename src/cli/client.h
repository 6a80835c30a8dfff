/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_CLIENT_H
#define ISWI_CLI_CLIENT_H

/* Asking a host that runs, over its control socket (host/operate/control_client.h has what). Each call says
 * on stderr what went wrong and returns an exit status of sysexits.h. */
#include "base/arena.h"
#include "base/buffer.h"

#include <isoworker/bind.h>
#include <stdio.h>

/* Which host is meant. */
typedef struct iswi_where {
    const char *folder;  /* of -C or DIR; NULL: neither was read so far */
    const char *control; /* the path of its socket, from --control; NULL: it is found by the folder,
                            and by what host.yaml there says */
} iswi_where;

/* Connect to that host and send the line `request`; *out is the caller's to close. Its reading
 * gives up after `patience_s` seconds; 0: never.
 * EX_UNAVAILABLE when none runs there, EX_NOINPUT when there is no such folder. */
int iswi_client_ask(const iswi_where *where, const char *request, unsigned patience_s, FILE **out);

/* Whether a host runs in the folder, as far as that can be found out. */
bool iswi_client_is_there(const iswi_where *where);

/* Read one line into *line, which the caller frees with free(), and *size, without its end.
 * EX_UNAVAILABLE when there is none. */
int iswi_client_line(FILE *from, char **line, size_t *size);

/* Read one line, which is `fields`, into the struct at `out`; its memory is the arena's. A line
 * that says "error" is as iswi_client_refused. */
int iswi_client_answer(FILE *from, iswi_arena *arena, const isw_field *fields, void *out);

/* The same in steps: a line as a value, with views into both, and that into the struct. */
int iswi_client_value(isw_str line, iswi_arena *arena, isw_value *out);
int iswi_client_bind(const isw_value *value, iswi_arena *arena, const isw_field *fields, void *out);

/* Print a line of JSON as it came; one that says "error" on stderr, as iswi_client_refused. */
int iswi_client_pass(isw_str line);

/* The exit status for what a host refuses with that status ("ISW_E_BUSY"; NULL: it names none):
 * EX_TEMPFAIL for what may pass, EX_IOERR for its disk, EX_DATAERR for the rest. */
int iswi_client_refused(const char *name);

/* Append `,"name":"value"`; nothing for NULL. */
void iswi_client_member(iswi_buffer *out, const char *name, const char *value);

/* Read the seconds of --wait, from 0 to an hour. False: they are none, which is said. */
bool iswi_client_wait(const char *text, long *seconds);

/* Read the options of a command that has --wait, -C, --control and --help, whose text is `usage`; the
 * words follow from optind on. Returns ISWI_CLI_GO_ON (cli.h), or the exit status to end with. */
int iswi_client_options(int argc, char **argv, const char *usage, iswi_where *where, long *wait_s);

/* For the usage of a command that has --control. */
#define ISWI_CLIENT_USAGE                                                                       \
    "  --control PATH  the host that listens there (host.control in its host.yaml, or its own\n"  \
    "                  --control): one of another user, which root may ask, or one that has\n"    \
    "                  a /tmp of its own\n"

/* For the usage of one that has -C. */
#define ISWI_CLIENT_FOLDER_USAGE "  -C DIR          the folder of the host, as DIR itself says it\n"

/* Take what is left of the words, from `index` on, for DIR: there may be one where -C has not said
 * it; "." without either. False: there are more, which is said. */
bool iswi_client_folder(int argc, char **argv, int index, iswi_where *where);

#endif
