/* SPDX-License-Identifier: Apache-2.0 */
/* Looks the listening socket up in /proc/net/tcp, then for the process that holds its inode. Slow,
 * and only for an error message. */
#include "host/system/port_owner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STATE_LISTEN = 0x0a, PATH_BYTES = 300 };

/* The inode of a socket in `table` that listens on `port`; 0 if there is none. */
static unsigned long listening_inode(const char *table, unsigned port)
{
    FILE *file = fopen(table, "re");
    char line[512];
    unsigned long inode = 0;

    while (file && !inode && fgets(line, sizeof line, file)) {
        unsigned local;
        unsigned state;
        unsigned long candidate;

        /* slot: address:PORT peer STATE queues timer retransmits uid timeout INODE */
        if (sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u %*d %lu", &local, &state,
                   &candidate) == 3 &&
            local == port && state == STATE_LISTEN)
            inode = candidate;
    }
    if (file)
        fclose(file);
    return inode;
}

static bool holds_socket(const char *pid, unsigned long inode)
{
    char path[PATH_BYTES];
    char wanted[64];
    char link[64];
    bool found = false;
    struct dirent *entry;
    DIR *dir;

    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    dir = opendir(path);
    while (dir && !found && (entry = readdir(dir)) != NULL) {
        ssize_t size = readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);

        link[size > 0 ? size : 0] = '\0';
        found = strcmp(link, wanted) == 0;
    }
    if (dir)
        closedir(dir);
    return found;
}

void iswi_process_text(pid_t pid, char *out, size_t size)
{
    char path[PATH_BYTES];
    char name[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    file = fopen(path, "re");
    if (file && fgets(name, sizeof name, file))
        name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?'; /* a process chooses its name, and a terminal may obey it */
    if (file)
        fclose(file);
    if (name[0])
        snprintf(out, size, "process %ld (%s)", (long)pid, name);
    else
        snprintf(out, size, "process %ld", (long)pid);
}

void iswi_port_owner(unsigned port, char *out, size_t size)
{
    unsigned long inode = listening_inode("/proc/net/tcp", port);
    struct dirent *entry;
    DIR *proc;

    if (!inode)
        inode = listening_inode("/proc/net/tcp6", port);
    proc = inode ? opendir("/proc") : NULL;
    while (proc && (entry = readdir(proc)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !holds_socket(entry->d_name, inode))
            continue;
        iswi_process_text((pid_t)atol(entry->d_name), out, size);
        break;
    }
    if (proc)
        closedir(proc);
}
