/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a host makes groups of cgroup v2. Invariant: a tree that is not ours is left as it was, and
 * so is one that is, when something in it could not be had.
 */
#include "host/system/cgroup.h"
#include "host/system/cgroup_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HOST_LEAF "isoworker.host"

enum { TEXT_BYTES = 4096, HOSTS_MAX = 1000 };

static const char *const names[] = { "cpu", "memory", "pids" }; /* bit by bit */

/* -- Files ------------------------------------------------------------------------------------- */

static bool is_there(const char *folder, const char *file, int mode)
{
    char path[ISWI_CGROUP_BYTES];

    return iswi_cgroup_path(folder, file, path) && access(path, mode) == 0;
}

/* Those that a file names. */
static unsigned controllers_in(const char *folder, const char *file)
{
    char text[TEXT_BYTES];
    unsigned bits = 0;
    char *rest = NULL;

    if (!iswi_cgroup_read(folder, file, text, sizeof text))
        return 0;
    for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strcmp(word, names[i]) == 0)
                bits |= 1U << i;
    return bits;
}

/* All at once: each alone might make `folder` something else. False with errno. */
static bool switch_controllers(const char *folder, unsigned bits, char sign)
{
    char text[64] = "";

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bits & 1U << i)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%c%s", *text ? " " : "",
                     sign, names[i]);
    return !bits || iswi_cgroup_write(folder, "cgroup.subtree_control", text);
}

/* -- Finding ours ------------------------------------------------------------------------------ */

static bool read_line(const char *file, bool (*is_it)(const char *line, char *out), char *out)
{
    FILE *lines = fopen(file, "re");
    char line[2 * ISWI_CGROUP_BYTES];
    bool found = false;

    while (lines && !found && fgets(line, sizeof line, lines)) {
        line[strcspn(line, "\n")] = '\0';
        found = is_it(line, out);
    }
    if (lines)
        fclose(lines);
    return found;
}

/* "0::/system.slice/x.service" of /proc/self/cgroup. */
static bool is_group(const char *line, char *out)
{
    return strncmp(line, "0::/", 4) == 0 &&
           snprintf(out, ISWI_CGROUP_BYTES, "%s", line + 3) < ISWI_CGROUP_BYTES;
}

/* "35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw" of /proc/self/mountinfo: what of the
 * tree is mounted, a space, and where. */
static bool is_mount(const char *line, char *out)
{
    const char *type = strstr(line, " - cgroup2 ");
    char root[ISWI_CGROUP_BYTES];
    char at[ISWI_CGROUP_BYTES];

    return type && sscanf(line, "%*d %*d %*s %511s %511s", root, at) == 2 &&
           snprintf(out, 2 * ISWI_CGROUP_BYTES, "%s %s", root, at) < 2 * ISWI_CGROUP_BYTES;
}

/* The folder of the group that this process is in. */
static bool find_own(char out[ISWI_CGROUP_BYTES], char *why)
{
    char mount[2 * ISWI_CGROUP_BYTES];
    char group[ISWI_CGROUP_BYTES];
    char *at;
    size_t skip;

    if (!read_line("/proc/self/cgroup", is_group, group) ||
        !read_line("/proc/self/mountinfo", is_mount, mount)) {
        snprintf(why, ISWI_CGROUPS_WHY_BYTES, "this system has no tree of cgroup v2 mounted");
        return false;
    }
    at = strchr(mount, ' ');
    *at++ = '\0';
    skip = strcmp(mount, "/") == 0 ? 0 : strlen(mount);
    if (strncmp(group, mount, skip) != 0 || strstr(group, "/..")) {
        snprintf(why, ISWI_CGROUPS_WHY_BYTES, "its group %s is not in what is mounted of cgroup v2",
                 group);
        return false;
    }
    return snprintf(out, ISWI_CGROUP_BYTES, "%s%s", at, strcmp(group, "/") == 0 ? "" : group + skip) <
           ISWI_CGROUP_BYTES;
}

/* -- Whether we may ---------------------------------------------------------------------------- */

static bool has_mark(const char *folder)
{
    char mark[2] = "";

    return (getxattr(folder, "user.delegate", mark, 1) == 1 ||
            getxattr(folder, "trusted.delegate", mark, 1) == 1) &&
           mark[0] == '1';
}

/* Where systemd runs the tree is its own, but for what it has marked as somebody else's. */
static bool is_delegated(const char *folder)
{
    return access("/run/systemd/system", F_OK) != 0 || has_mark(folder);
}

static bool is_usable(const char *folder, char *why)
{
    if (!is_there(folder, "cgroup.subtree_control", W_OK) ||
        !is_there(folder, "cgroup.procs", W_OK) || access(folder, W_OK) != 0)
        snprintf(why, ISWI_CGROUPS_WHY_BYTES, "%s cannot be written: %s", folder, strerror(errno));
    else if (!controllers_in(folder, "cgroup.controllers"))
        snprintf(why, ISWI_CGROUPS_WHY_BYTES,
                 "%s has none of the controllers cpu, memory and pids: they are cgroup v1's here, or "
                 "were not handed down", folder);
    else
        return true;
    return false;
}

/* What was delegated: where we are, or above that, if a host has moved us before. */
static bool find_home(char home[ISWI_CGROUP_BYTES], char *why)
{
    char *slash;

    if (!find_own(home, why))
        return false;
    slash = strrchr(home, '/');
    if (slash && strcmp(slash + 1, HOST_LEAF) == 0)
        *slash = '\0';
    if (is_delegated(home))
        return is_usable(home, why);
    snprintf(why, ISWI_CGROUPS_WHY_BYTES, "%s is systemd's, which has not delegated it; Delegate=yes "
             "in the unit does", home);
    return false;
}

bool iswi_cgroups_may_open(char why[ISWI_CGROUPS_WHY_BYTES])
{
    char home[ISWI_CGROUP_BYTES];

    return find_home(home, why);
}

/* -- Opening ----------------------------------------------------------------------------------- */

/* The tree's own root may have processes and groups; it alone has no type. */
static bool is_root(const char *folder)
{
    return !is_there(folder, "cgroup.type", F_OK);
}

static void move_back(iswi_cgroups *groups)
{
    char leaf[ISWI_CGROUP_BYTES];

    if (!groups->moved || !iswi_cgroup_enter(groups->home))
        return;
    groups->moved = false;
    if (iswi_cgroup_path(groups->home, HOST_LEAF, leaf))
        rmdir(leaf);
}

/* Leave `home`, so that it can have groups with controllers. Others who are there stay, and then it
 * cannot. */
static bool make_room(iswi_cgroups *groups, char *why)
{
    char text[TEXT_BYTES];
    char leaf[ISWI_CGROUP_BYTES];

    if (is_root(groups->home))
        return true;
    if (!iswi_cgroup_path(groups->home, HOST_LEAF, leaf) ||
        (mkdir(leaf, 0755) != 0 && errno != EEXIST) || !iswi_cgroup_enter(leaf)) {
        snprintf(why, ISWI_CGROUPS_WHY_BYTES, "%s cannot be entered: %s", leaf, strerror(errno));
        return false;
    }
    groups->moved = true;
    if (iswi_cgroup_read(groups->home, "cgroup.procs", text, sizeof text) && !*text)
        return true;
    snprintf(why, ISWI_CGROUPS_WHY_BYTES, "others run in %s, too; start the host in a unit or a "
             "container of its own", groups->home);
    return false;
}

static bool make_folder(iswi_cgroups *groups)
{
    char name[64];

    for (int i = 1; i < HOSTS_MAX; i++) {
        snprintf(name, sizeof name, i > 1 ? "isoworker.%ld.%d" : "isoworker.%ld", (long)getpid(),
                 i);
        if (!iswi_cgroup_path(groups->home, name, groups->folder))
            break;
        if (mkdir(groups->folder, 0755) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    groups->folder[0] = '\0';
    return false;
}

static bool hand_down(iswi_cgroups *groups, char *why)
{
    unsigned wanted = controllers_in(groups->home, "cgroup.controllers");

    groups->enabled = wanted & ~controllers_in(groups->home, "cgroup.subtree_control");
    if (switch_controllers(groups->home, groups->enabled, '+') && make_folder(groups) &&
        switch_controllers(groups->folder, wanted, '+')) {
        groups->controllers = wanted;
        return true;
    }
    snprintf(why, ISWI_CGROUPS_WHY_BYTES, "no groups can be made in %s: %s", groups->home,
             strerror(errno));
    return false;
}

bool iswi_cgroups_open_at(iswi_cgroups *groups, const char *folder,
                          char why[ISWI_CGROUPS_WHY_BYTES])
{
    *groups = (iswi_cgroups){ .last = 0 };
    snprintf(groups->home, sizeof groups->home, "%s", folder);
    if (make_room(groups, why) && hand_down(groups, why))
        return true;
    iswi_cgroups_close(groups);
    return false;
}

bool iswi_cgroups_open(iswi_cgroups *groups, char why[ISWI_CGROUPS_WHY_BYTES])
{
    char home[ISWI_CGROUP_BYTES];

    *groups = (iswi_cgroups){ .last = 0 };
    return find_home(home, why) && iswi_cgroups_open_at(groups, home, why);
}

/* Another host may still need what this one has switched on: then the kernel refuses it. */
void iswi_cgroups_close(iswi_cgroups *groups)
{
    if (*groups->folder)
        rmdir(groups->folder);
    groups->folder[0] = '\0';
    groups->controllers = 0;
    switch_controllers(groups->home, groups->enabled, '-');
    groups->enabled = 0;
    move_back(groups);
}
