/* SPDX-License-Identifier: Apache-2.0 */
/* Names of threads, which POSIX does not know. */
#include "base/thread.h"

#if defined(__linux__)
#include <sys/prctl.h>

void iswi_thread_name(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
#else
void iswi_thread_name(const char *name)
{
    (void)name;
}
#endif
