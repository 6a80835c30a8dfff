/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_IDENTITY_H
#define ISWI_HOST_SYSTEM_IDENTITY_H

/* Who somebody is for the operating system. */
#include <stdbool.h>
#include <sys/types.h>

typedef struct iswi_identity {
    uid_t uid;
    gid_t gid;
} iswi_identity;

/* By name or number; without a group it is the user's own, without a user it is ours. NULL, or why
 * there is none, static text. */
const char *iswi_identity_find(const char *user, const char *group, iswi_identity *out);

/* Whether that one may do `mode` (R_OK, X_OK) with `path`, as the kernel says: the calling thread
 * alone looks as that one for the moment, which root may. NULL, or why not: strerror's text. */
const char *iswi_identity_may_not(const iswi_identity *identity, const char *path, int mode);

#endif
