/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "support/redis.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void redis_prepare(redis_server *server)
{
    snprintf(server->folder, sizeof server->folder, "/tmp/isw-redis-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->url, sizeof server->url, "unix://%s/s", server->folder);
    server->pid = 0;
}

/* Debian's package redis-tools has the server under another name, and none that begins with the
 * system. */
static void run_server(const char *folder, const char *password, int out)
{
    char *const words[] = { (char *)"redis-server", (char *)"--port", (char *)"0",
                            (char *)"--unixsocket", (char *)"s", (char *)"--save", (char *)"",
                            (char *)"--appendonly", (char *)"no", (char *)"--daemonize",
                            (char *)"no", password ? (char *)"--requirepass" : NULL,
                            (char *)password, NULL };

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || chdir(folder) != 0 || dup2(out, 1) < 0)
        _exit(126);
    execv("/usr/bin/redis-check-rdb", words);
    execvp("redis-server", words);
    _exit(127);
}

void redis_start(redis_server *server, const char *password)
{
    char line[512];
    int ends[2];
    FILE *out;
    bool ready = false;

    assert_int_equal(pipe(ends), 0);
    server->pid = fork();
    if (server->pid == 0)
        run_server(server->folder, password, ends[1]);
    close(ends[1]);
    out = fdopen(ends[0], "r");
    assert_non_null(out);
    while (!ready && fgets(line, sizeof line, out))
        ready = strstr(line, "eady to accept connections") || strstr(line, "now ready to accept");
    if (!ready)
        fail_msg("redis-server does not run; on Debian: apt-get install redis-tools");
    fclose(out);
}

void redis_kill(redis_server *server)
{
    int status;

    kill(server->pid, SIGKILL);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    server->pid = 0;
}

void redis_end(redis_server *server)
{
    char path[64];

    if (server->pid)
        redis_kill(server);
    snprintf(path, sizeof path, "%s/s", server->folder);
    unlink(path);
    rmdir(server->folder);
}

const char *redis_says(const redis_server *server, const char *command)
{
    static char line[256];
    char text[512];
    FILE *out;

    snprintf(text, sizeof text, "redis-cli -s %s/s %s", server->folder, command);
    out = popen(text, "r");
    assert_non_null(out);
    if (!fgets(line, sizeof line, out))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    pclose(out);
    return line;
}
