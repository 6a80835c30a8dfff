/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups. The C library would have all threads become another user; the system calls
 * themselves are of one thread. Invariant: only the identity for files is changed, so that nobody
 * gets a right over this process meanwhile.
 */
#include "host/system/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GROUPS_MAX = 256 };

static bool is_number(const char *text)
{
    return *text && !text[strspn(text, "0123456789")];
}

static const char *find_group(const char *group, iswi_identity *out)
{
    const struct group *entry = getgrnam(group);

    if (!entry && !is_number(group))
        return "there is no such group";
    out->gid = entry ? entry->gr_gid : (gid_t)strtoul(group, NULL, 10);
    return NULL;
}

const char *iswi_identity_find(const char *user, const char *group, iswi_identity *out)
{
    const struct passwd *entry = user ? getpwnam(user) : NULL;

    *out = (iswi_identity){ getuid(), getgid() };
    if (user && !entry && !is_number(user))
        return "there is no such user";
    if (user && !entry) {
        out->uid = (uid_t)strtoul(user, NULL, 10);
        entry = getpwuid(out->uid);
    }
    if (entry)
        *out = (iswi_identity){ entry->pw_uid, entry->pw_gid };
    if (user && !entry && !group)
        return "that user has no name, and so no group; write group beside it";
    return group ? find_group(group, out) : NULL;
}

/* How many; the first is its own. */
static int groups_of(const iswi_identity *identity, gid_t groups[GROUPS_MAX])
{
    const struct passwd *entry = getpwuid(identity->uid);
    int count = GROUPS_MAX;

    groups[0] = identity->gid;
    return entry && getgrouplist(entry->pw_name, identity->gid, groups, &count) >= 0 ? count : 1;
}

const char *iswi_identity_may_not(const iswi_identity *identity, const char *path, int mode)
{
    gid_t own[GROUPS_MAX];
    gid_t groups[GROUPS_MAX];
    int own_count = getgroups(GROUPS_MAX, own);
    int count = groups_of(identity, groups);
    int dumpable = prctl(PR_GET_DUMPABLE);
    int failed = 0;

    if (own_count < 0 || syscall(SYS_setgroups, count, groups) != 0)
        return strerror(errno);
    syscall(SYS_setfsgid, identity->gid);
    syscall(SYS_setfsuid, identity->uid);
    if (syscall(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS) != 0 && errno != ENOSYS)
        failed = errno;
    syscall(SYS_setfsuid, geteuid());
    syscall(SYS_setfsgid, getegid());
    syscall(SYS_setgroups, own_count, own);
    prctl(PR_SET_DUMPABLE, dumpable); /* the kernel takes it away with an identity */
    return failed ? strerror(failed) : NULL;
}
