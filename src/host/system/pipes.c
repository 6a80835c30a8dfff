/* SPDX-License-Identifier: Apache-2.0 */
#include "host/system/pipes.h"

#include <fcntl.h>
#include <unistd.h>

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_both(int *ends)
{
    close_one(&ends[0]);
    close_one(&ends[1]);
}

bool iswi_pipes_open(iswi_pipes *pipes)
{
    *pipes = (iswi_pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
    return pipe2(pipes->token, O_CLOEXEC) == 0 && pipe2(pipes->output, O_CLOEXEC) == 0 &&
           pipe2(pipes->errors, O_CLOEXEC) == 0 &&
           fcntl(pipes->output[0], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(pipes->errors[0], F_SETFL, O_NONBLOCK) == 0;
}

void iswi_pipes_close(iswi_pipes *pipes)
{
    close_both(pipes->token);
    close_both(pipes->output);
    close_both(pipes->errors);
}

bool iswi_pipes_give_token(iswi_pipes *pipes, const void *token, size_t bytes)
{
    bool given = write(pipes->token[1], token, bytes) == (ssize_t)bytes;

    close_one(&pipes->token[1]);
    return given;
}

void iswi_pipes_keep(iswi_pipes *pipes, int *output, int *errors)
{
    *output = pipes->output[0];
    *errors = pipes->errors[0];
    pipes->output[0] = pipes->errors[0] = -1;
    iswi_pipes_close(pipes);
}
