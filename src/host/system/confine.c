/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker confine`. Invariant: the program begins with all that was asked for, or not at all. */
#include "host/system/confine.h"

#include "host/system/cgroup.h"
#include "host/system/command.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CANNOT_RUN = 126 }; /* as shells have it; life.c does not try again then */

typedef struct limit {
    const char *name;
    int number;
} limit;

static const limit limits[] = {
    { "as", RLIMIT_AS },         { "core", RLIMIT_CORE },   { "cpu", RLIMIT_CPU },
    { "data", RLIMIT_DATA },     { "fsize", RLIMIT_FSIZE }, { "memlock", RLIMIT_MEMLOCK },
    { "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC }, { "stack", RLIMIT_STACK },
};

int iswi_confine_limit(const char *name)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (strcmp(limits[i].name, name) == 0)
            return limits[i].number;
    return -1;
}

void iswi_confine_add(iswi_confinement *confinement, const char *name, const char *value)
{
    if (confinement->count < ISWI_CONFINE_WORDS)
        snprintf(confinement->words[confinement->count++], ISWI_CONFINE_WORD_BYTES, "%s=%s", name,
                 value);
}

bool iswi_confine_admit(const iswi_confinement *confinement, const char *folder, const char *path)
{
    return !confinement->has_user || (chmod(folder, 0711) == 0 && chmod(path, 0600) == 0 &&
                                      chown(path, confinement->uid, confinement->gid) == 0);
}

isw_status iswi_confine_find(char path[PATH_MAX], isw_error *error)
{
    if (iswi_command_beside_library("isoworker", path))
        return ISW_OK;
    return isw_error_set(error, ISW_E_NOT_FOUND, "the command isoworker of this installation is "
                         "missing, which gives a worker its user and its limits");
}

/* -- The command ------------------------------------------------------------------------------- */

static bool set_limit(int number, const char *value)
{
    rlim_t most = strcmp(value, "unlimited") == 0 ? RLIM_INFINITY
                                                  : (rlim_t)strtoull(value, NULL, 10);
    const struct rlimit both = { most, most };

    return setrlimit((__rlimit_resource_t)number, &both) == 0;
}

/* "UID:GID", and the other groups of that user, who may have no name. */
static bool set_user(const char *value)
{
    char *rest;
    uid_t uid = (uid_t)strtoul(value, &rest, 10);
    gid_t gid = *rest == ':' ? (gid_t)strtoul(rest + 1, NULL, 10) : (gid_t)-1;
    const struct passwd *entry = getpwuid(uid);
    int failed = entry ? initgroups(entry->pw_name, gid) : setgroups(0, NULL);

    return !failed && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

static bool do_word(const char *word)
{
    const char *value = strchr(word, '=');
    char name[ISWI_CONFINE_WORD_BYTES];

    if (!value) {
        errno = EINVAL;
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int)(value - word), word);
    value++;
    if (strcmp(name, "user") == 0)
        return set_user(value);
    if (strcmp(name, "cgroup") == 0)
        return iswi_cgroup_enter(value);
    if (strcmp(name, "nice") == 0)
        return setpriority(PRIO_PROCESS, 0, atoi(value)) == 0;
    if (iswi_confine_limit(name) >= 0)
        return set_limit(iswi_confine_limit(name), value);
    errno = EINVAL;
    return false;
}

/* The user goes last: who is none but a user may raise nothing. */
static const char *do_words(char **words, size_t count)
{
    for (int last = 0; last < 2; last++)
        for (size_t i = 0; i < count; i++)
            if ((strncmp(words[i], "user=", 5) == 0) == last && !do_word(words[i]))
                return words[i];
    return NULL;
}

int iswi_confine_become(int argc, char **argv)
{
    size_t count = 0;
    const char *failed;

    while ((int)count + 1 < argc && strcmp(argv[count + 1], "--") != 0)
        count++;
    if ((int)count + 3 >= argc) {
        fprintf(stderr, "isoworker: confine is started by a host, for a program\n");
        return CANNOT_RUN;
    }
    failed = do_words(argv + 1, count);
    if (failed) {
        fprintf(stderr, "isoworker: a worker cannot have %s: %s\n", failed, strerror(errno));
        return CANNOT_RUN;
    }
    execv(argv[count + 2], argv + count + 3);
    fprintf(stderr, "isoworker: %s could not be started: %s\n", argv[count + 2], strerror(errno));
    return CANNOT_RUN;
}
